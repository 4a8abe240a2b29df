import NumericCore
import VectorKernelProduct

extension KernelOutput {
  /// Blocks below the diagonal can be filled while those above are computed.
  var isMirrorable: Bool { nngp != nil || ntk != nil || variances1 == nil }

  /// The part of the results that block (i, j) fills; `mirror`: also its transpose at (j, i).
  func block(_ i: Int, _ j: Int, rows: Int, cols: Int, mirror: Bool) -> BlockOutput<Element> {
    func part(_ m: StridedMatrix<Element>?, _ i: Int, _ j: Int, _ rows: Int, _ cols: Int) -> StridedMatrix<Element>? {
      m.map {
        StridedMatrix(
          $0.base + i * rows * $0.rowStride + j * cols * $0.colStride, rows: rows, cols: cols, rowStride: $0.rowStride,
          colStride: $0.colStride)
      }
    }
    return BlockOutput(
      nngp: part(nngp, i, j, rows, cols), ntk: part(ntk, i, j, rows, cols),
      mirroredNNGP: mirror ? part(nngp, j, i, cols, rows) : nil, mirroredNTK: mirror ? part(ntk, j, i, cols, rows) : nil)
  }

  /// Squares of the final deviations of the inputs in output block `block`.
  func writeVariances(_ row: RowSide, _ rowID: ArrayID, _ col: RowSide, _ colID: ArrayID, block: Int) {
    if let variances1 {
      for (k, s) in row.values(rowID).enumerated() { variances1[block * row.count + k, 0] = s * s }
    }
    if let variances2 {
      for (k, s) in col.values(colID).enumerated() { variances2[block * col.count + k, 0] = s * s }
    }
  }
}

/// Where one block goes, and where its transpose goes too.
struct BlockOutput<Element: RowElement>: Sendable {
  var nngp: StridedMatrix<Element>?
  var ntk: StridedMatrix<Element>?
  var mirroredNNGP: StridedMatrix<Element>?
  var mirroredNTK: StridedMatrix<Element>?
}
