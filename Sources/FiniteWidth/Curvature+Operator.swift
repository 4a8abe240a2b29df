import LinearAlgebra
import NumericCore

extension CurvatureOperator: SymmetricOperator {
  /// One tangent pass forwards and one backwards for each vector; see `apply`.
  public func multiply(
    _ vectors: StridedMatrix<Double>, into products: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    try forEachRow(vectors, products, context, apply)
  }

  /// The same operator in single precision. Where products of matrices are not the larger part, an exact product more costs what the
  /// others save: only rough tolerances then have one.
  public func draft(for tolerance: Double) -> (any SymmetricOperator)? {
    guard hasSingle, tolerance >= (isMostlyProducts ? 0 : LanczosDraft.roughTolerance) else { return nil }
    return SingleCurvature(exact: self)
  }

  /// The gradient lies close to the top eigenvectors of the Hessian (Gur-Ari, Roberts, Dyer, arXiv:1812.04754), so Lanczos gets there
  /// sooner from it; a third of a random direction keeps it from missing what the gradient is orthogonal to. Nil without a gradient.
  public func promisingStart(seed: UInt64) throws(NumericError) -> Workspace<Double>? {
    guard kind == .hessian, let gradient else { return nil }
    let start = try Workspace<Double>(dimension)
    PhiloxStream(key: (seed, 0x7374_6172_74)).fillNormal(start.pointer, count: dimension)
    let norm = { (v: UnsafeMutablePointer<Double>) in
      (0..<self.dimension).reduce(0.0) { $0 + v[$1] * v[$1] }.squareRoot()
    }
    let (length, random) = (norm(gradient.pointer), norm(start.pointer))
    guard length > 0, length.isFinite, random > 0 else { return start }
    for i in 0..<dimension { start[i] = gradient[i] / length + 0.3 * start[i] / random }
    return start
  }

  fileprivate func forEachRow(
    _ vectors: StridedMatrix<Double>, _ products: StridedMatrix<Double>, _ context: CallContext,
    _ product: (UnsafePointer<Double>, UnsafeMutablePointer<Double>, CallContext?) throws(NumericError) -> Void
  ) throws(NumericError) {
    try requireBlocks(vectors, products)
    for i in 0..<vectors.rows {
      let (low, high) = (Double(i) / Double(vectors.rows), Double(i + 1) / Double(vectors.rows))
      let share = context.forBLAS.part(low, high)
      try product(vectors.base + i * vectors.rowStride, products.base + i * products.rowStride, share)
      if vectors.rows > 1 { try context.checkpoint(high) }
    }
  }
}

/// Products with the matrix products taken in single precision; see `CurvatureOperator.applySingle`.
private struct SingleCurvature: SymmetricOperator {
  let exact: CurvatureOperator

  var dimension: Int { exact.dimension }

  func multiply(
    _ vectors: StridedMatrix<Double>, into products: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    try exact.forEachRow(vectors, products, context, exact.applySingle)
  }
}
