import COpenBLAS
import NumericCore

/// The covariance of vectors: K = (1/L) sum_i (g_i - g)(g_i - g)^T over the L rows g_i of a matrix with mean g, or without the mean
/// (1/L) sum_i g_i g_i^T. K itself is not made: a product costs two passes over the rows.
public struct CovarianceOperator: SymmetricOperator {
  private let vectors: StridedMatrix<Double>
  private let isCentred: Bool

  /// The covariance of the rows of `vectors`, which are read while the operator lives and must have no gaps.
  public init(_ vectors: StridedMatrix<Double>, isCentred: Bool) throws(NumericError) {
    guard vectors.rows >= 1, vectors.cols >= 1, vectors.hasContiguousRows, vectors.rowStride >= vectors.cols || vectors.rows == 1
    else {
      throw .invalid(
        "[operator] a covariance needs at least one vector per row, without gaps. Received (\(vectors.rows), \(vectors.cols)).")
    }
    for size in [vectors.rows, vectors.cols, vectors.rowStride] { try requireInt32(size, "operator") }
    (self.vectors, self.isCentred) = (vectors, isCentred)
  }

  /// Rows and columns: the length of the vectors.
  public var dimension: Int { vectors.cols }

  /// K v = (1/L) sum_i c_i g_i with c_i = g_i v, less the mean of these where the vectors are centred (the c_i then add up to 0, so that
  /// the mean of the g_i drops out).
  public func multiply(
    _ block: StridedMatrix<Double>, into products: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    try requireBlocks(block, products)
    let (count, length) = (block.rows, vectors.rows)
    let room = try Workspace<Double>(count * length)
    let coefficients = StridedMatrix(room.pointer, rows: count, cols: length)
    BLASThreads.useOne()
    try inTiles(length, of: 16, context.part(0, 0.5)) { i, rows in
      Double.gemm(
        false, true, Int32(count), Int32(rows), Int32(dimension), 1, block.base, block.leading,
        vectors.base + i * vectors.rowStride, vectors.leading, 0, room.pointer + i, Int32(length))
    }
    for v in 0..<count {
      let mean = isCentred ? (0..<length).reduce(0.0) { $0 + coefficients[v, $1] } / Double(length) : 0
      for i in 0..<length { coefficients[v, i] = (coefficients[v, i] - mean) / Double(length) }
    }
    try inTiles(dimension, of: 1024, context.part(0.5, 1)) { j, columns in
      Double.gemm(
        false, false, Int32(count), Int32(columns), Int32(length), 1, room.pointer, Int32(length), vectors.base + j,
        vectors.leading, 0, products.base + j, products.leading)
    }
  }

  /// Variances of the components.
  public func diagonal(into out: UnsafeMutablePointer<Double>, context: CallContext) throws(NumericError) {
    let length = vectors.rows
    try inTiles(dimension, of: 1024, context) { first, columns in
      for j in first..<first + columns {
        let mean = isCentred ? (0..<length).reduce(0.0) { $0 + vectors[$1, j] } / Double(length) : 0
        out[j] = (0..<length).reduce(0.0) { $0 + (vectors[$1, j] - mean) * (vectors[$1, j] - mean) } / Double(length)
      }
    }
  }

  private func inTiles(
    _ count: Int, of size: Int, _ context: CallContext, _ body: (_ first: Int, _ length: Int) -> Void
  ) throws(NumericError) {
    try runTasks((count + size - 1) / size, context: context.forBLAS) { (task, _) throws(NumericError) in
      body(task * size, min(size, count - task * size))
    }
  }
}
