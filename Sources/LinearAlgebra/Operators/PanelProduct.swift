import COpenBLAS
import NumericCore

/// The part that one panel of a symmetric matrix has in the products with a block of vectors.
///
/// With the panel P of rows r (from the diagonal on): y_r += P x, and below the diagonal y += P^T x_r. Chunks of P's columns run in
/// parallel; each has its own columns of y, and a part of y_r that is added in order afterwards.
struct PanelProduct {
  private let x: StridedMatrix<Double>
  private let y: StridedMatrix<Double>
  private let parts: Workspace<Double>
  private let chunk = 256

  init(_ x: StridedMatrix<Double>, _ y: StridedMatrix<Double>, _ panels: Panels) throws(NumericError) {
    (self.x, self.y) = (x, y)
    parts = try Workspace(((panels.dimension + chunk - 1) / chunk + 1) * panels.side * max(1, x.rows))
  }

  func add(_ rows: Range<Int>, _ panel: StridedMatrix<Double>, _ context: CallContext) throws(NumericError) {
    let (height, below) = (rows.count, panel.cols - rows.count)
    // The diagonal block, then chunks of what is right of it.
    let chunks = 1 + (below + chunk - 1) / chunk
    let isSmall = panel.rows * panel.cols * x.rows < 1 << 15
    try runTasks(chunks, context: isSmall ? context.with(threads: 1) : context) { (task, _) throws(NumericError) in
      let first = task == 0 ? 0 : height + (task - 1) * chunk
      let width = task == 0 ? height : min(chunk, panel.cols - first)
      let block = panel.base + first
      let part = parts.pointer + task * height * x.rows
      across(block, height, width, panel.cols, from: rows.lowerBound + first, into: part)
      if task > 0 { down(block, height, width, panel.cols, from: rows.lowerBound, into: rows.lowerBound + first) }
    }
    for task in 0..<chunks {
      for v in 0..<x.rows {
        let part = parts.pointer + (task * x.rows + v) * height
        cblas_daxpy(Int32(height), 1, part, 1, y.base + v * y.rowStride + rows.lowerBound, 1)
      }
    }
  }

  /// part (vectors x height) = x[:, from...] block^T
  private func across(
    _ block: UnsafePointer<Double>, _ height: Int, _ width: Int, _ leading: Int, from column: Int,
    into part: UnsafeMutablePointer<Double>
  ) {
    guard x.rows > 1 else {
      cblas_dgemv(
        BLAS_ROW_MAJOR, BLAS_NO_TRANS, Int32(height), Int32(width), 1, block, Int32(leading), x.base + column, 1, 0, part, 1)
      return
    }
    Double.gemm(
      false, true, Int32(x.rows), Int32(height), Int32(width), 1, x.base + column, x.leading, block, Int32(leading), 0,
      part, Int32(height))
  }

  /// y[:, target...] += x[:, from...] block
  private func down(
    _ block: UnsafePointer<Double>, _ height: Int, _ width: Int, _ leading: Int, from row: Int, into target: Int
  ) {
    guard x.rows > 1 else {
      cblas_dgemv(
        BLAS_ROW_MAJOR, BLAS_TRANS, Int32(height), Int32(width), 1, block, Int32(leading), x.base + row, 1, 1, y.base + target, 1)
      return
    }
    Double.gemm(
      false, false, Int32(x.rows), Int32(width), Int32(height), 1, x.base + row, x.leading, block, Int32(leading), 1,
      y.base + target, y.leading)
  }
}
