import COpenBLAS
import NumericCore

/// A + shift I for an operator A.
public struct ShiftedOperator: SymmetricOperator {
  private let base: any SymmetricOperator
  private let shift: Double

  /// `base` with `shift` on its diagonal.
  public init(_ base: any SymmetricOperator, by shift: Double) {
    (self.base, self.shift) = (base, shift)
  }

  /// Rows and columns.
  public var dimension: Int { base.dimension }

  /// The product with A and a multiple of the vectors.
  public func multiply(
    _ vectors: StridedMatrix<Double>, into products: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    try base.multiply(vectors, into: products, context: context)
    for i in 0..<vectors.rows {
      cblas_daxpy(
        Int32(dimension), shift, vectors.base + i * vectors.rowStride, 1, products.base + i * products.rowStride, 1)
    }
  }

  /// A's rows with the shift where they meet the diagonal.
  public func rows(_ indices: [Int], into out: StridedMatrix<Double>, context: CallContext) throws(NumericError) {
    try base.rows(indices, into: out, context: context)
    for (i, index) in indices.enumerated() { out[i, index] += shift }
  }

  /// A's diagonal with the shift.
  public func diagonal(into out: UnsafeMutablePointer<Double>, context: CallContext) throws(NumericError) {
    try base.diagonal(into: out, context: context)
    for i in 0..<dimension { out[i] += shift }
  }

  /// A with the shift.
  public func matrix(into out: StridedMatrix<Double>, context: CallContext) throws(NumericError) {
    try base.matrix(into: out, context: context)
    for i in 0..<dimension { out[i, i] += shift }
  }
}
