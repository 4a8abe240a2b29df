import COpenBLAS
import NumericCore

/// c = alpha a a^T + beta c for a symmetric c with contiguous rows; symmetric to the bit (the lower triangle is computed and mirrored).
///
/// O(n^2 k / 2) multiplications, over tiles in parallel.
@_specialize(where Element == Double)
@_specialize(where Element == Float)
public func multiplySelf<Element: BLASReal>(
  _ a: StridedMatrix<Element>, into c: StridedMatrix<Element>, alpha: Element = 1, beta: Element = 0, context: CallContext
) throws(NumericError) {
  let n = a.rows
  guard c.rows == n, c.cols == n else {
    throw .invalid("[multiplySelf] needs a result of \(n) x \(n). Received \(c.rows) x \(c.cols).")
  }
  guard n > 0 else { return }
  guard let (leading, isTransposed) = c.blasLayout, !isTransposed || n == 1 else {
    throw .invalid("[multiplySelf] needs a result with contiguous rows. Received strides \(c.rowStride), \(c.colStride).")
  }
  for size in [n, a.cols] { try requireInt32(size, "multiplySelf") }
  let left = try Operand(a, context)
  defer { withExtendedLifetime(left) {} }
  let tiles = LowerTiles(n: n, tile: 256)
  try BLASThreads.useOne()
  try runTasks(tiles.count, context: context.forBLAS) { (task, _) throws(NumericError) in
    let (i, j, rows, cols) = tiles.range(task)
    let target = c.base + i * leading + j
    if i == j {
      try Element.slicedSyrk(left.isTransposed, rows, a.cols, alpha, left.at(i, 0), left.leading, beta, target, leading)
    } else {
      try Element.slicedGemm(
        left.isTransposed, !left.isTransposed, rows, cols, a.cols, alpha, left.at(i, 0), left.leading, left.at(j, 0),
        left.leading,
        beta, target, leading)
    }
  }
  try mirrorLower(c, context: context)
}

/// Copies the lower triangle of a square matrix onto the upper one.
@_specialize(where Element == Double)
@_specialize(where Element == Float)
public func mirrorLower<Element: BLASReal>(_ c: StridedMatrix<Element>, context: CallContext) throws(NumericError) {
  let tiles = LowerTiles(n: c.rows, tile: 64)
  let quiet = CallContext(threads: c.rows < 512 ? 1 : context.threads)
  try runTasks(tiles.count, context: quiet) { (task, _) throws(NumericError) in
    let (i0, j0, rows, cols) = tiles.range(task)
    for i in i0..<i0 + rows {
      for j in j0..<min(j0 + cols, i) { c[j, i] = c[i, j] }
    }
  }
}

/// The tiles on and below the diagonal of an n x n matrix, numbered row by row.
struct LowerTiles {
  let n: Int
  let tile: Int
  private var side: Int { (n + tile - 1) / tile }
  var count: Int { side * (side + 1) / 2 }

  /// First row and column, rows and columns of a tile.
  func range(_ task: Int) -> (row: Int, col: Int, rows: Int, cols: Int) {
    var bi = Int((Double(8 * task + 1).squareRoot() - 1) / 2)
    while (bi + 1) * (bi + 2) / 2 <= task { bi += 1 }
    while bi * (bi + 1) / 2 > task { bi -= 1 }
    let bj = task - bi * (bi + 1) / 2
    return (bi * tile, bj * tile, min(tile, n - bi * tile), min(tile, n - bj * tile))
  }
}
