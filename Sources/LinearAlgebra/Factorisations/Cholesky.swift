import COpenBLAS
import NumericCore

/// Factors the lower triangle of a row-major symmetric matrix in place: a = L L^T. The strict upper triangle is not touched.
///
/// Right-looking and blocked: the panel and the trailing matrix are updated tile by tile in parallel, so it can be cancelled and gives
/// the same bits for any number of threads. O(n^3 / 3).
/// - Returns: nil, or the row of the first pivot that is not positive (then the lower triangle is left half done).
func factorLower(
  _ a: UnsafeMutablePointer<Double>, _ n: Int, leading: Int, context: CallContext
) throws(NumericError) -> Int? {
  try requireInt32(max(n, leading), "cholesky")
  BLASThreads.useOne()
  let block = 256
  let pacer = Pacer(context)
  for k in stride(from: 0, to: n, by: block) {
    let width = min(block, n - k)
    let diagonal = a + k * leading + k
    if let pivot = factorBlock(diagonal, width, leading) { return k + pivot }
    let below = n - k - width
    guard below > 0 else { break }
    let (done, next) = (1 - cube(n - k, n), 1 - cube(below, n))
    let panel = a + (k + width) * leading + k
    try solvePanel(diagonal, panel, below, width, leading, pacer.step(done, done))
    try updateTrailing(panel, panel + width, below, width, leading, pacer.step(done, next))
    try pacer.checkpoint(next)
  }
  return nil
}

/// Share of the work that remains when m of n rows are left.
private func cube(_ m: Int, _ n: Int) -> Double {
  let ratio = Double(m) / Double(max(n, 1))
  return ratio * ratio * ratio
}

/// LAPACK's factorisation of one diagonal block; its column-major upper triangle is our row-major lower one.
private func factorBlock(_ a: UnsafeMutablePointer<Double>, _ n: Int, _ leading: Int) -> Int? {
  var (size, lda, info) = (Int32(n), Int32(leading), Int32(0))
  lapack_dpotrf("U", &size, a, &lda, &info, 1)
  if info > 0 { return Int(info) - 1 }
  // LAPACK lets NaN through.
  return (0..<n).first { !a[$0 * leading + $0].isFinite }
}

/// panel <- panel L^-T, rows in parallel.
private func solvePanel(
  _ diagonal: UnsafeMutablePointer<Double>, _ panel: UnsafeMutablePointer<Double>, _ rows: Int, _ width: Int, _ leading: Int,
  _ context: CallContext
) throws(NumericError) {
  let tile = 128
  try runTasks((rows + tile - 1) / tile, context: context) { (task, _) throws(NumericError) in
    let i = task * tile
    cblas_dtrsm(
      BLAS_ROW_MAJOR, BLAS_RIGHT, BLAS_LOWER, BLAS_TRANS, BLAS_NON_UNIT, Int32(min(tile, rows - i)), Int32(width), 1, diagonal,
      Int32(leading), panel + i * leading, Int32(leading))
  }
}

/// trailing <- trailing - panel panel^T on the lower triangle.
private func updateTrailing(
  _ panel: UnsafeMutablePointer<Double>, _ trailing: UnsafeMutablePointer<Double>, _ rows: Int, _ width: Int, _ leading: Int,
  _ context: CallContext
) throws(NumericError) {
  let tiles = LowerTiles(n: rows, tile: 256)
  try runTasks(tiles.count, context: context) { (task, _) throws(NumericError) in
    let (i, j, m, n) = tiles.range(task)
    let target = trailing + i * leading + j
    if i == j {
      Double.syrk(false, Int32(m), Int32(width), -1, panel + i * leading, Int32(leading), 1, target, Int32(leading))
    } else {
      Double.gemm(
        false, true, Int32(m), Int32(n), Int32(width), -1, panel + i * leading, Int32(leading), panel + j * leading,
        Int32(leading), 1, target, Int32(leading))
    }
  }
}
