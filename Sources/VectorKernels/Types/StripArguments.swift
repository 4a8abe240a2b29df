/// What a strip kernel works on: one row of a tile, as far as its columns go.
///
/// The state of a pair (i, j) of inputs is its *signed gap*: magnitude 1 - |rho|, sign of the correlation rho. It keeps the
/// digits that 1 - rho loses near rho = 1 and 1 + rho near rho = -1. Beside it stands the NTK, theta. Everything else a layer
/// needs is per row: arrays computed once per input, one set for each side. Buffers are padded to whole vectors.
public struct StripArguments {
  /// Signed gaps, replaced in place.
  public var gap: UnsafeMutableRawPointer
  /// NTK values, replaced in place; nil when only the NNGP is wanted.
  public var theta: UnsafeMutableRawPointer?
  /// Pairs in the strip; kernels may compute up to the next whole vector.
  public var count: Int
  /// Per-row arrays of the row side and of the column side, in the order that the kernel documents.
  public var rowArrays: UnsafePointer<UnsafeRawPointer>
  /// The same arrays of the column side.
  public var colArrays: UnsafePointer<UnsafeRawPointer>
  /// Index of the row in `rowArrays`, and of the first column in `colArrays`.
  public var row: Int
  /// Index of the strip's first column in `colArrays`.
  public var column: Int
  /// Numbers of the layer.
  public var parameters: UnsafePointer<Double>
  /// What follows the nonlinearity in the same pass.
  public var epilogue: Epilogue
  /// Number of terms of a series, branches of a fan-in.
  public var terms: Int
  /// Gaps and NTKs of the branches of a fan-in.
  public var branchGaps: UnsafePointer<UnsafeRawPointer>?
  /// NTKs of the branches of a fan-in; nil when only the NNGP is wanted.
  public var branchThetas: UnsafePointer<UnsafeRawPointer>?
  /// Where `gapFromProduct` leaves the smallest gap of the strip.
  public var smallest: UnsafeMutablePointer<Double>?

  /// The Dense layer that a nonlinearity kernel applies on its way out. Its arrays follow the nonlinearity's own.
  public enum Epilogue: Int, Sendable {
    case none
    /// theta <- f K + p0 theta + p1; arrays: sqrt(f) times the standard deviations before the layer.
    case dense
    /// The same, and the gap is mixed with the bias; arrays: as before, then cosine and sine of the mixing angle.
    case denseBias
  }

  // Inlined: a call for each layer of each row of a tile.
  /// All fields, in order.
  @inlinable public init(
    gap: UnsafeMutableRawPointer, theta: UnsafeMutableRawPointer?, count: Int, rowArrays: UnsafePointer<UnsafeRawPointer>,
    colArrays: UnsafePointer<UnsafeRawPointer>, row: Int, column: Int, parameters: UnsafePointer<Double>,
    epilogue: Epilogue = .none, terms: Int = 0, branchGaps: UnsafePointer<UnsafeRawPointer>? = nil,
    branchThetas: UnsafePointer<UnsafeRawPointer>? = nil, smallest: UnsafeMutablePointer<Double>? = nil
  ) {
    self.gap = gap
    self.theta = theta
    self.count = count
    self.rowArrays = rowArrays
    self.colArrays = colArrays
    self.row = row
    self.column = column
    self.parameters = parameters
    self.epilogue = epilogue
    self.terms = terms
    self.branchGaps = branchGaps
    self.branchThetas = branchThetas
    self.smallest = smallest
  }
}

/// What a row kernel works on: the standard deviations of all inputs before a nonlinearity.
public struct RowArguments {
  /// Standard deviations before.
  public var deviations: UnsafeRawPointer
  /// Where the arrays that the strip kernel reads go.
  public var arrays: UnsafePointer<UnsafeMutableRawPointer>
  /// Where the standard deviations after go.
  public var result: UnsafeMutableRawPointer
  /// Inputs; kernels may compute up to the next whole vector.
  public var count: Int
  /// Numbers of the layer.
  public var parameters: UnsafePointer<Double>

  /// All fields, in order.
  public init(
    deviations: UnsafeRawPointer, arrays: UnsafePointer<UnsafeMutableRawPointer>, result: UnsafeMutableRawPointer, count: Int,
    parameters: UnsafePointer<Double>
  ) {
    self.deviations = deviations
    self.arrays = arrays
    self.result = result
    self.count = count
    self.parameters = parameters
  }
}
