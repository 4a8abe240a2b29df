import VectorKernelProduct
import NumericCore

/// A kernel that an earlier network made, as the start of another.
public struct GivenKernel<Element: RowElement>: Sendable {
  /// Covariances, rows by columns.
  public var nngp: StridedMatrix<Element>
  /// The NTK of the same shape; nil stands for zero.
  public var ntk: StridedMatrix<Element>?
  /// Variances of the inputs on either side.
  public var variances1: [Double]
  /// Variances of the column inputs.
  public var variances2: [Double]
  /// Channels of the layer that made the kernel.
  public var width: Int
  /// Whether that layer's output is Gaussian.
  public var isGaussian: Bool
  /// Whether rows and columns are the same inputs.
  public var isSame: Bool

  /// A kernel as the start of a network.
  public init(
    nngp: StridedMatrix<Element>, ntk: StridedMatrix<Element>?, variances1: [Double], variances2: [Double], width: Int,
    isGaussian: Bool, isSame: Bool
  ) {
    self.nngp = nngp
    self.ntk = ntk
    self.variances1 = variances1
    self.variances2 = variances2
    self.width = width
    self.isGaussian = isGaussian
    self.isSame = isSame
  }
}

extension GivenKernel {
  func checkShapes() throws(NumericError) {
    let (rows, cols) = (nngp.rows, nngp.cols)
    guard variances1.count == rows, variances2.count == cols, !isSame || rows == cols else {
      throw .invalid(
        "[kernel] cov1 and cov2 need lengths \(rows) and \(cols). Received \(variances1.count) and \(variances2.count).")
    }
    guard width >= 1 else { throw .invalid("[kernel] the given kernel needs a width of at least 1. Received \(width).") }
  }

  /// Signed gaps of a tile from the given covariances.
  func fillGaps(_ area: TileArea, _ tile: TileMemory<Double>, source: PairSource<Element>, planes: Int) {
    for r in 0..<area.rows {
      let row = tile.gaps + r * tile.width
      let s = source.row.deviations.pointer[area.row + r]
      for c in 0..<area.cols {
        let scale = s * source.col.deviations.pointer[area.column + c]
        let rho = scale > 0 ? Double(nngp[area.row + r, area.column + c]) / scale : 0
        let size = max(0, 1 - abs(rho))
        let at = planes == 2 ? (c >> 3) * 16 + (c & 7) : c
        row[at] = rho < 0 ? -size : size
        if planes == 2 { row[at + 8] = 0 }
      }
    }
  }

  /// The given NTK as the start of row r of a tile.
  func fillTheta<Work: RowElement>(
    _ area: TileArea, _ r: Int, from first: Int, _ thetas: UnsafeMutablePointer<Work>, planes: Int
  ) {
    guard let ntk, planes == 1 else { return }
    for c in first..<area.cols { thetas[c - first] = Work(ntk[area.row + r, area.column + c]) }
  }
}
