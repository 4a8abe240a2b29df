import NumericCore

/// Where the blocks of a large symmetric matrix come from: a kernel on data, a caller's function.
public protocol BlockSource {
  /// Rows and columns of the matrix.
  var dimension: Int { get }

  /// The elements of some rows and columns, into a matrix with contiguous rows.
  func fill(
    _ rows: Range<Int>, _ columns: Range<Int>, into out: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError)

  /// The `dimension` numbers of the diagonal.
  func diagonal(into out: UnsafeMutablePointer<Double>, context: CallContext) throws(NumericError)
}

extension BlockSource {
  /// By blocks along the diagonal.
  public func diagonal(into out: UnsafeMutablePointer<Double>, context: CallContext) throws(NumericError) {
    try diagonalByBlocks(into: out, context: context)
  }

  /// The diagonal by blocks of 64 rows and columns.
  public func diagonalByBlocks(into out: UnsafeMutablePointer<Double>, context: CallContext) throws(NumericError) {
    let side = min(64, dimension)
    let room = try Workspace<Double>(side * side)
    let pacer = Pacer(context)
    for first in stride(from: 0, to: dimension, by: side) {
      let last = min(dimension, first + side)
      let block = StridedMatrix(room.pointer, rows: last - first, cols: last - first)
      let done = Double(last) / Double(dimension)
      try fill(first..<last, first..<last, into: block, context: pacer.step(done, done))
      for i in first..<last { out[i] = block[i - first, i - first] }
      try pacer.checkpoint(done)
    }
  }
}

/// How the upper triangle of an n x n matrix is cut into panels of rows: panel i holds `rows(i)` from the diagonal on.
public struct Panels: Sendable {
  /// Rows and columns of the matrix.
  public let dimension: Int
  /// Rows of a panel but the last. It depends on the dimension only, so that no bit depends on the memory that there is.
  public let side: Int

  /// At least eight panels where that leaves 64 rows, and none over 64 MiB.
  public init(dimension: Int) {
    self.dimension = dimension
    let fair = (dimension / 8 + 63) / 64 * 64
    side = max(1, min(max(64, min(fair, 1024)), max(32, (8 << 20) / max(1, dimension))))
  }

  /// How many there are.
  public var count: Int { (dimension + side - 1) / side }

  /// The rows of panel i; its columns go from its first row to the end.
  public func rows(_ i: Int) -> Range<Int> { i * side..<min(dimension, (i + 1) * side) }

  /// Numbers in the first `count` panels, one after the other; nil where they do not fit Int.
  public func numbers(in count: Int) -> Int? {
    // Sum over i < count of side (n - i side), less what the last panel is short of.
    guard let whole = checkedProduct(side, dimension).flatMap({ checkedProduct($0, count) }),
      let above = checkedProduct(side * side, count * max(0, count - 1) / 2)
    else { return nil }
    let missing = max(0, count * side - dimension)
    return whole - above - missing * max(0, dimension - max(0, count - 1) * side)
  }

  /// How many panels a store of `numbers` holds.
  public func fitting(_ numbers: Int) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high + 1) / 2
      if let needed = self.numbers(in: middle), needed <= numbers { low = middle } else { high = middle - 1 }
    }
    return low
  }
}
