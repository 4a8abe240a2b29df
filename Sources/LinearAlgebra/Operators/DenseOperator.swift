import COpenBLAS
import NumericCore

/// A symmetric matrix in memory, of any strides.
public struct DenseOperator: SymmetricOperator {
  /// Rows and columns.
  public let dimension: Int
  private let a: StridedMatrix<Double>
  private let operand: Operand<Double>

  /// The operator of `a`, which is read while it lives; a copy is made where BLAS cannot read its strides.
  /// - Throws: `invalidArgument` for a matrix that is not square; that it is symmetric is taken for granted.
  public init(_ a: StridedMatrix<Double>, context: CallContext) throws(NumericError) {
    guard a.rows == a.cols, a.rows >= 1 else {
      throw .invalid("[operator] needs a square matrix with at least one row. Received (\(a.rows), \(a.cols)).")
    }
    try requireInt32(a.rows, "operator")
    (dimension, self.a) = (a.rows, a)
    operand = try Operand(a, context)
  }

  /// Tiles of 128 rows in parallel; a transposed layout is read as it lies.
  public func multiply(
    _ vectors: StridedMatrix<Double>, into products: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    try requireBlocks(vectors, products)
    let (n, count, tile) = (dimension, vectors.rows, 128)
    BLASThreads.useOne()
    try runTasks((n + tile - 1) / tile, context: context.forBLAS) { (task, _) throws(NumericError) in
      let i = task * tile
      let rows = min(tile, n - i)
      let block = operand.base + i * operand.leading
      guard count > 1 else {
        cblas_dgemv(
          BLAS_ROW_MAJOR, BLAS_NO_TRANS, Int32(rows), Int32(n), 1, block, Int32(operand.leading), vectors.base, 1, 0,
          products.base + i, 1)
        return
      }
      Double.gemm(
        false, true, Int32(count), Int32(rows), Int32(n), 1, vectors.base, vectors.leading, block,
        Int32(operand.leading), 0, products.base + i, products.leading)
    }
  }

  /// Copies.
  public func rows(_ indices: [Int], into out: StridedMatrix<Double>, context: CallContext) throws(NumericError) {
    for (i, index) in indices.enumerated() { a.rows(index, 1).copy(to: out.rows(i, 1)) }
  }

  /// Copies.
  public func diagonal(into out: UnsafeMutablePointer<Double>, context: CallContext) throws(NumericError) {
    for i in 0..<dimension { out[i] = a[i, i] }
  }
}
