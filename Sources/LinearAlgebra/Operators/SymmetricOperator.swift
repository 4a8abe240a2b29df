import NumericCore

/// A symmetric matrix A that is known by what it does: all that Lanczos, the solvers and the random estimates ask of one.
///
/// Blocks of vectors hold one vector per row, of `dimension` numbers without gaps between them. Methods are called on the thread that
/// runs the computation, with a context of their part of it, and use threads of their own. Bits do not depend on how many there are.
public protocol SymmetricOperator {
  /// Rows and columns of A.
  var dimension: Int { get }

  /// Row i of `products` = A times row i of `vectors`; both have the same shape and do not overlap.
  func multiply(
    _ vectors: StridedMatrix<Double>, into products: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError)

  /// Row i of `out` = row `indices[i]` of A; the indices are below `dimension`.
  func rows(_ indices: [Int], into out: StridedMatrix<Double>, context: CallContext) throws(NumericError)

  /// The `dimension` numbers of A's diagonal.
  func diagonal(into out: UnsafeMutablePointer<Double>, context: CallContext) throws(NumericError)

  /// The whole of A, into a matrix with contiguous rows.
  func matrix(into out: StridedMatrix<Double>, context: CallContext) throws(NumericError)

  /// The same operator with products that are cheaper and rounded to single precision, where that saves time at this tolerance.
  func draft(for tolerance: Double) -> (any SymmetricOperator)?

  /// A direction close to the top eigenvectors, where one is known.
  func promisingStart(seed: UInt64) throws(NumericError) -> Workspace<Double>?
}

extension SymmetricOperator {
  /// By products with unit vectors, `blockRows` at a time.
  public func rows(_ indices: [Int], into out: StridedMatrix<Double>, context: CallContext) throws(NumericError) {
    let (n, width) = (dimension, min(max(1, indices.count), blockRows))
    let units = try Workspace<Double>(n * width, zeroed: true)
    for first in stride(from: 0, to: indices.count, by: width) {
      let block = indices[first..<min(first + width, indices.count)]
      for (i, index) in block.enumerated() { units[i * n + index] = 1 }
      try multiply(
        StridedMatrix(units.pointer, rows: block.count, cols: n), into: out.rows(first, block.count),
        context: context.part(Double(first) / Double(indices.count), Double(first + block.count) / Double(indices.count)))
      for (i, index) in block.enumerated() { units[i * n + index] = 0 }
    }
  }

  /// By `rows`: as dear as the whole matrix.
  public func diagonal(into out: UnsafeMutablePointer<Double>, context: CallContext) throws(NumericError) {
    let (n, width) = (dimension, min(dimension, blockRows))
    let room = try Workspace<Double>(n * width)
    for first in stride(from: 0, to: n, by: width) {
      let last = min(n, first + width)
      try rows(
        Array(first..<last), into: StridedMatrix(room.pointer, rows: last - first, cols: n),
        context: context.part(Double(first) / Double(n), Double(last) / Double(n)))
      for i in first..<last { out[i] = room[(i - first) * n + i] }
    }
  }

  /// By `rows`.
  public func matrix(into out: StridedMatrix<Double>, context: CallContext) throws(NumericError) {
    try rows(Array(0..<dimension), into: out, context: context)
  }

  /// None.
  public func draft(for tolerance: Double) -> (any SymmetricOperator)? { nil }

  /// None.
  public func promisingStart(seed: UInt64) throws(NumericError) -> Workspace<Double>? { nil }

  /// y = A x.
  public func multiply(
    _ x: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, context: CallContext
  ) throws(NumericError) {
    try multiply(
      StridedMatrix(UnsafeMutablePointer(mutating: x), rows: 1, cols: dimension),
      into: StridedMatrix(y, rows: 1, cols: dimension), context: context)
  }

  /// Rows that 16 MiB hold, at most 64.
  private var blockRows: Int { max(1, min(64, (1 << 21) / max(1, dimension))) }

  /// Throws unless both blocks hold vectors of this operator.
  public func requireBlocks(
    _ vectors: StridedMatrix<Double>, _ products: StridedMatrix<Double>
  ) throws(NumericError) {
    let most = Int(Int32.max)
    for block in [vectors, products] {
      guard block.rows == vectors.rows, block.rows <= most, block.cols == dimension, block.hasContiguousRows,
        block.rows <= 1 || (block.rowStride >= block.cols && block.rowStride <= most)
      else {
        throw .invalid(
          "[operator] needs blocks of vectors of \(dimension) numbers without gaps. Received (\(vectors.rows), \(vectors.cols)) "
            + "into (\(products.rows), \(products.cols)).")
      }
    }
  }
}

extension StridedMatrix {
  /// Numbers from one row to the next as BLAS wants them, of a matrix that passed `requireBlocks`.
  var leading: Int32 { Int32(rows <= 1 ? max(1, cols) : rowStride) }

  /// `count` rows from row `first` on, sharing the memory.
  public func rows(_ first: Int, _ count: Int) -> StridedMatrix {
    StridedMatrix(base + first * rowStride, rows: count, cols: cols, rowStride: rowStride, colStride: colStride)
  }
}
