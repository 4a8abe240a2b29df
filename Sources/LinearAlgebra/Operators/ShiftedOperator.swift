import NumericCore

/// A + D for an operator A and a diagonal matrix D.
public struct ShiftedOperator: SymmetricOperator {
  private let base: any SymmetricOperator
  private let shifts: [Double]

  /// `base` with `shift` added to its diagonal.
  public init(_ base: any SymmetricOperator, by shift: Double) {
    (self.base, shifts) = (base, Array(repeating: shift, count: base.dimension))
  }

  /// `base` with one number for each row added to its diagonal.
  /// - Throws: `invalidArgument` unless there is a finite number for each row.
  public init(_ base: any SymmetricOperator, by shifts: [Double]) throws(NumericError) {
    guard shifts.count == base.dimension, shifts.allSatisfy(\.isFinite) else {
      throw .invalid("[operator] needs a finite shift for each of \(base.dimension) rows. Received \(shifts.count), or others.")
    }
    (self.base, self.shifts) = (base, shifts)
  }

  /// Rows and columns.
  public var dimension: Int { base.dimension }

  /// The product with A and the scaled vectors.
  public func multiply(
    _ vectors: StridedMatrix<Double>, into products: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    try base.multiply(vectors, into: products, context: context)
    for i in 0..<vectors.rows {
      let (vector, product) = (vectors.base + i * vectors.rowStride, products.base + i * products.rowStride)
      for k in 0..<dimension { product[k] += shifts[k] * vector[k] }
    }
  }

  /// A's rows with the shift where they meet the diagonal.
  public func rows(_ indices: [Int], into out: StridedMatrix<Double>, context: CallContext) throws(NumericError) {
    try base.rows(indices, into: out, context: context)
    for (i, index) in indices.enumerated() { out[i, index] += shifts[index] }
  }

  /// A's diagonal with the shift.
  public func diagonal(into out: UnsafeMutablePointer<Double>, context: CallContext) throws(NumericError) {
    try base.diagonal(into: out, context: context)
    for i in 0..<dimension { out[i] += shifts[i] }
  }

  /// A with the shift.
  public func matrix(into out: StridedMatrix<Double>, context: CallContext) throws(NumericError) {
    try base.matrix(into: out, context: context)
    for i in 0..<dimension { out[i, i] += shifts[i] }
  }
}
