import NumericCore

/// Tiles of the result: which there are, and what they cost in memory.
struct TilePlan: Sendable {
  /// Rows and columns of a tile: two float64 tiles of this size stay in a 1 MiB second-level cache. A multiple of 32.
  static let side = 192

  let rows: Int
  let cols: Int
  let isSymmetric: Bool
  /// Rows and columns of the memory of a tile: small results need little, and clearing it would be most of their time.
  var tileRows: Int { max(1, min(TilePlan.side, rows)) }
  var tileCols: Int { max(32, min(TilePlan.side, (cols + 31) / 32 * 32)) }
  /// Tile indices (row, column); only those on and above the diagonal where the result is symmetric.
  let tiles: [(Int32, Int32)]

  init(rows: Int, cols: Int, isSymmetric: Bool) {
    self.rows = rows
    self.cols = cols
    self.isSymmetric = isSymmetric
    let (down, across) = ((rows + TilePlan.side - 1) / TilePlan.side, (cols + TilePlan.side - 1) / TilePlan.side)
    var tiles: [(Int32, Int32)] = []
    tiles.reserveCapacity(isSymmetric ? down * (down + 1) / 2 : down * across)
    for i in 0..<down {
      for j in (isSymmetric ? i : 0)..<max(across, isSymmetric ? i : 0) { tiles.append((Int32(i), Int32(j))) }
    }
    self.tiles = tiles
  }

  /// Bytes of the arrays of `count` inputs for each of `blocks` output blocks, with their conversions; nil where they do not fit Int.
  static func sideBytes(_ program: PointwiseProgram, count: Int, blocks: Int, elementSize: Int, planes: Int = 1) -> Int? {
    // Series tables are counted with a typical 64 terms.
    let perInput = (program.rowArrayCount + 64 * program.rowTableCount) * 8 * planes + 40
    return checkedProduct(count + 32, perInput).flatMap { checkedProduct($0, elementSize == 4 ? 2 : 1) }
      .flatMap { checkedProduct($0, blocks) }
  }

  /// Bytes of the threads' tiles and of the list of tiles; nil where they do not fit Int.
  static func tileBytes(_ program: PointwiseProgram, rows: Int, cols: Int, threads: Int, planes: Int = 1) -> Int? {
    let perThread = (2 + 2 * program.slotCount) * side * side * 8 / 8 + 2 * side * side * 8 * planes
    let list = checkedProduct(rows / side + 1, cols / side + 1).flatMap { checkedProduct($0, 8) }
    return list.flatMap { checkedSum(threads * perThread, $0) }
  }
}
