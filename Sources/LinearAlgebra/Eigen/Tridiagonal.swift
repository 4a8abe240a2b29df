import COpenBLAS
import NumericCore

/// A symmetric matrix reduced to tridiagonal form, a = Q T Q^T: T's entries, and Q as Householder vectors inside `reflectors`.
struct TridiagonalForm {
  /// n x n, column-major; the part below the subdiagonal holds the Householder vectors.
  let reflectors: Workspace<Double>
  let scales: Workspace<Double>
  let diagonal: Workspace<Double>
  let offDiagonal: Workspace<Double>
  let n: Int

  /// Reduces a + shift I. Only the upper triangle of a is read. O(4 n^3 / 3); can be cancelled every 32 columns.
  @_specialize(where Element == Double)
  @_specialize(where Element == Float)
  init<Element: BLASReal>(_ a: StridedMatrix<Element>, shift: Double, context: CallContext) throws(NumericError) {
    n = a.rows
    reflectors = try Workspace(n * n)
    scales = try Workspace(max(n, 1), zeroed: true)
    diagonal = try Workspace(max(n, 1), zeroed: true)
    offDiagonal = try Workspace(max(n, 1), zeroed: true)
    for i in 0..<n {
      let row = reflectors.pointer + i * n
      for j in i..<n { row[j] = Double(a[i, j]) }
      row[i] += shift
    }
    try reduce(context)
  }

  private func reduce(_ context: CallContext) throws(NumericError) {
    let width = 32
    let side = try Workspace<Double>(max(n, 1) * width)
    let pacer = Pacer(context)
    let a = reflectors.pointer
    var k = 0
    while n - k > 3 * width {
      let m = n - k
      var (size, columns, lda) = (Int32(m), Int32(width), Int32(n))
      let corner = a + k * n + k
      lapack_dlatrd("L", &size, &columns, corner, &lda, offDiagonal.pointer + k, scales.pointer + k, side.pointer, &size, 1)
      let remaining = Double(m - width) / Double(n)
      let done = 1 - remaining * remaining * remaining
      try updateTrailing(
        corner + width, side.pointer + width, corner + width * n + width, m - width, width, m, pacer.step(done, done))
      for j in k..<k + width {
        a[j * n + j + 1] = offDiagonal[j]
        diagonal.pointer[j] = a[j * n + j]
      }
      k += width
      try pacer.checkpoint(done)
    }
    var (size, lda, info) = (Int32(n - k), Int32(max(n, 1)), Int32(0))
    guard size > 0 else { return }
    lapack_dsytd2("L", &size, a + k * n + k, &lda, diagonal.pointer + k, offDiagonal.pointer + k, scales.pointer + k, &info, 1)
  }

  /// c <- c - v w^T - w v^T on the lower triangle (column-major), tile by tile.
  private func updateTrailing(
    _ v: UnsafeMutablePointer<Double>, _ w: UnsafeMutablePointer<Double>, _ c: UnsafeMutablePointer<Double>, _ m: Int,
    _ width: Int,
    _ ldw: Int, _ context: CallContext
  ) throws(NumericError) {
    let tiles = LowerTiles(n: m, tile: 256)
    let (ldv, k) = (Int32(n), Int32(width))
    try runTasks(tiles.count, context: context) { (task, _) throws(NumericError) in
      let (i, j, rows, cols) = tiles.range(task)
      let target = c + j * n + i
      if i == j {
        cblas_dsyr2k(BLAS_COL_MAJOR, BLAS_LOWER, BLAS_NO_TRANS, Int32(rows), k, -1, v + i, ldv, w + i, Int32(ldw), 1, target, ldv)
      } else {
        cblas_dgemm(
          BLAS_COL_MAJOR, BLAS_NO_TRANS, BLAS_TRANS, Int32(rows), Int32(cols), k, -1, v + i, ldv, w + j, Int32(ldw), 1, target,
          ldv)
        cblas_dgemm(
          BLAS_COL_MAJOR, BLAS_NO_TRANS, BLAS_TRANS, Int32(rows), Int32(cols), k, -1, w + i, Int32(ldw), v + j, ldv, 1, target,
          ldv)
      }
    }
  }

  /// Each row of `vectors` <- Q times it, in parallel.
  func applyReflectors(toRows vectors: StridedMatrix<Double>, context: CallContext) throws(NumericError) {
    guard n > 1 else { return }
    let tile = 128
    let count = (n + tile - 1) / tile
    let threads = min(context.threads, count)
    let room = tile * 64 + 64 * 65  // dormtr's best workspace: columns x block + block x (block + 1)
    let scratch = try Workspace<Double>(threads * room)
    try runTasks(count, context: context) { (task, worker) throws(NumericError) in
      let j = task * tile
      var (rows, cols, lda, ldc) = (Int32(n), Int32(min(tile, n - j)), Int32(n), Int32(vectors.rowStride))
      var (lwork, info) = (Int32(room), Int32(0))
      lapack_dormtr(
        "L", "L", "N", &rows, &cols, reflectors.pointer, &lda, scales.pointer, vectors.base + j * vectors.rowStride, &ldc,
        scratch.pointer + worker * room, &lwork, &info, 1, 1, 1)
    }
  }
}
