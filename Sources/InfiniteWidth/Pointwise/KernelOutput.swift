import NumericCore
import VectorKernelProduct

/// Where results go; nil is not wanted. Kernels have blocks * n1 rows and blocks * n2 columns.
public struct KernelOutput<Element: RowElement>: Sendable {
  /// The NNGP kernel.
  public var nngp: StridedMatrix<Element>?
  /// The neural tangent kernel.
  public var ntk: StridedMatrix<Element>?
  /// Output variances of the rows, one column.
  public var variances1: StridedMatrix<Double>?
  /// Output variances of the columns, one column.
  public var variances2: StridedMatrix<Double>?
  /// The NTK of each row's input with itself, one column.
  public var ntkDiagonal: StridedMatrix<Double>?

  /// Results of the given places.
  public init(
    nngp: StridedMatrix<Element>? = nil, ntk: StridedMatrix<Element>? = nil, variances1: StridedMatrix<Double>? = nil,
    variances2: StridedMatrix<Double>? = nil, ntkDiagonal: StridedMatrix<Double>? = nil
  ) {
    self.nngp = nngp
    self.ntk = ntk
    self.variances1 = variances1
    self.variances2 = variances2
    self.ntkDiagonal = ntkDiagonal
  }

  /// The kernels that are wanted.
  public var fields: KernelFields { KernelFields(nngp: nngp != nil, ntk: ntk != nil || ntkDiagonal != nil) }

  /// Throws unless every result has room for `rows` x `cols` inputs and `blocks` outputs of each.
  func checkShapes(rows inputs1: Int, cols inputs2: Int, blocks: Int) throws(NumericError) {
    guard let rows = checkedProduct(inputs1, blocks), let cols = checkedProduct(inputs2, blocks) else {
      throw .invalid("[kernel] too many output rows. Received \(inputs1) x \(inputs2) inputs, \(blocks) blocks.")
    }
    for (name, matrix) in [("nngp", nngp), ("ntk", ntk)] {
      guard let matrix else { continue }
      guard matrix.rows == rows, matrix.cols == cols else {
        throw .invalid("[kernel] \(name) needs shape (\(rows), \(cols)). Received (\(matrix.rows), \(matrix.cols)).")
      }
    }
    for (name, matrix, count) in [
      ("cov1", variances1, rows), ("cov2", variances2, cols), ("ntk_diagonal", ntkDiagonal, rows),
    ] {
      guard let matrix else { continue }
      guard matrix.rows == count, matrix.cols == 1 else {
        throw .invalid("[kernel] \(name) needs shape (\(count), 1). Received (\(matrix.rows), \(matrix.cols)).")
      }
    }
  }
}
