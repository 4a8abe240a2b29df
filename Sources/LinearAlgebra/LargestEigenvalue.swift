import COpenBLAS
import NumericCore

/// The largest eigenvalue of a symmetric matrix, to a relative error of at most `tolerance`.
///
/// Lanczos with full reorthogonalisation from a fixed random start; the residual bounds the error (Parlett, The Symmetric Eigenvalue
/// Problem, 1998, section 13.2). O(n^2) per step and some dozens of steps; small or stubborn matrices are decomposed instead.
public func largestEigenvalue(
  _ a: StridedMatrix<Double>, tolerance: Double = 1e-10, context: CallContext
) throws(NumericError) -> Double {
  let n = a.rows
  guard a.cols == n, n > 0 else {
    throw .invalid("[largest_eigenvalue] needs a square matrix with at least one row. Received (\(a.rows), \(a.cols)).")
  }
  if n > 200, let found = try LanczosRun(a, context).run(tolerance) { return found }
  let values = try Workspace<Double>(n)
  try symmetricEigen(a, values: values.pointer, context: context)
  return values[n - 1]
}

private struct LanczosRun {
  let operand: Operand<Double>
  let n: Int
  let context: CallContext
  let basis: Workspace<Double>
  private let mostSteps = 120

  init(_ a: StridedMatrix<Double>, _ context: CallContext) throws(NumericError) {
    try requireInt32(a.rows, "largest_eigenvalue")
    operand = try Operand(a, context)
    n = a.rows
    self.context = context.forBLAS
    try context.reserve(checkedProduct(n, 8 * (mostSteps + 1)), for: "a Lanczos basis", instead: "Raise the limit.")
    basis = try Workspace(mostSteps + 1, n)
  }

  /// Nil where `mostSteps` steps were not enough.
  func run(_ tolerance: Double) throws(NumericError) -> Double? {
    try BLASThreads.useOne()
    let pacer = Pacer(context)
    var (alphas, betas): ([Double], [Double]) = ([], [])
    try PhiloxStream(key: (0x6E74_6B73, 1)).fillNormal(basis.pointer, count: n)
    normalize(basis.pointer)
    for step in 0..<mostSteps {
      let (v, w) = (basis.pointer + step * n, basis.pointer + (step + 1) * n)
      try apply(v, w, pacer)
      alphas.append(cblas_ddot(Int32(n), v, 1, w, 1))
      try orthogonalize(w, step + 1)
      try orthogonalize(w, step + 1)
      let beta = normalize(w)
      betas.append(beta)
      let isExhausted = beta <= 1e-14 * (abs(alphas[0]) + (betas.max() ?? 0))
      if step % 5 == 4 || isExhausted {
        let (value, last) = try top(alphas, betas)
        if isExhausted || beta * abs(last) <= tolerance * abs(value) { return value }
      }
      try pacer.checkpoint(Double(step) / Double(mostSteps))
    }
    return nil
  }

  /// w = a v, rows in parallel.
  private func apply(_ v: UnsafeMutablePointer<Double>, _ w: UnsafeMutablePointer<Double>, _ pacer: Pacer) throws(NumericError) {
    let tile = 256
    try runTasks((n + tile - 1) / tile, context: pacer.step(0, 1)) { (task, _) throws(NumericError) in
      let i = task * tile
      let rows = Int32(min(tile, n - i))
      // The matrix is symmetric, so a transposed layout may be read as it lies.
      cblas_dgemv(
        BLAS_ROW_MAJOR, BLAS_NO_TRANS, rows, Int32(n), 1, operand.base + i * operand.leading, Int32(operand.leading), v, 1, 0,
        w + i, 1)
    }
  }

  private func orthogonalize(_ w: UnsafeMutablePointer<Double>, _ count: Int) throws(NumericError) {
    for k in 0..<count {
      try checkCancelled()
      let v = basis.pointer + k * n
      cblas_daxpy(Int32(n), -cblas_ddot(Int32(n), v, 1, w, 1), v, 1, w, 1)
    }
  }

  @discardableResult private func normalize(_ v: UnsafeMutablePointer<Double>) -> Double {
    let norm = cblas_dnrm2(Int32(n), v, 1)
    if norm > 0 { for i in 0..<n { v[i] /= norm } }
    return norm
  }

  /// Largest eigenvalue of the tridiagonal projection and the last component of its vector.
  private func top(_ alphas: [Double], _ betas: [Double]) throws(NumericError) -> (Double, Double) {
    let k = alphas.count
    let t = try Workspace<Double>(k, k, zeroed: true)
    let view = StridedMatrix(t.pointer, rows: k, cols: k)
    for i in 0..<k {
      view[i, i] = alphas[i]
      if i + 1 < k { (view[i, i + 1], view[i + 1, i]) = (betas[i], betas[i]) }
    }
    let values = try Workspace<Double>(k)
    let vectors = try Workspace<Double>(k, k)
    try symmetricEigen(
      view, values: values.pointer, vectors: StridedMatrix(vectors.pointer, rows: k, cols: k), context: CallContext())
    return (values[k - 1], vectors[k * k - 1])
  }
}
