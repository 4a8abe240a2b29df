/// Runs one layer on one strip.
public typealias StripFunction = @Sendable (borrowing StripArguments) -> Void
/// Runs one nonlinearity on all inputs of a side.
public typealias RowFunction = @Sendable (borrowing RowArguments) -> Void

/// The name of a nonlinearity's strip kernel, as the kernel's own file and the catalogue of activations write it.
public struct DualKind: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  /// The name.
  public let name: String
  /// The name.
  public var description: String { name }

  /// The kernel called `name`; whether there is one, `ElementKernels.duals` says.
  public init(_ name: String) { self.name = name }
  /// A name as a literal.
  public init(stringLiteral name: String) { self.name = name }
}

/// The kernels of one nonlinearity.
public struct DualKernel: Sendable {
  /// What programs call it.
  public var kind: DualKind
  /// Arrays per side that the strip kernel reads before those of the epilogue.
  public var arrayCount: Int
  /// Fills these arrays and the deviations after the layer from the deviations before.
  public var prepare: RowFunction
  /// The dual of pairs, and the Dense layer that follows it.
  public var strip: StripFunction

  /// Puts the parts together.
  public init(kind: DualKind, arrayCount: Int, prepare: @escaping RowFunction, strip: @escaping StripFunction) {
    self.kind = kind
    self.arrayCount = arrayCount
    self.prepare = prepare
    self.strip = strip
  }
}

/// All kernels for one element type.
public struct ElementKernels: Sendable {
  /// Elements per vector, and numbers stored per element (2 where a derivative travels along).
  public var lanes: Int
  /// Numbers stored per element: 2 where a derivative travels along.
  public var planes: Int
  /// Every nonlinearity with a strip kernel. Programs look theirs up when they are built, inner loops never do.
  public var duals: [DualKind: DualKernel]
  /// Layers that are not nonlinearities; see `LayerStrips`.
  public var layers: LayerStrips

  /// Puts the parts together.
  public init(lanes: Int, planes: Int, duals: [DualKernel], layers: LayerStrips) {
    self.lanes = lanes
    self.planes = planes
    self.duals = Dictionary(duals.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })
    self.layers = layers
  }
}

/// Strip kernels of the layers that are not closed-form nonlinearities. "Arrays" are per side, in this order.
public struct LayerStrips: Sendable {
  /// The epilogue alone. Arrays: as the epilogue. With `terms` 1 the NTK before it is zero and is not read.
  public var dense: StripFunction
  /// Hermite series with `terms` coefficients. Arrays: deviation ratio after/before, then the coefficients;
  /// then the epilogue's. Parameters 3: 0 all powers, 1 odd only, 2 even only.
  public var series: StripFunction
  /// theta <- theta u_i u_j. Arrays: u.
  public var scale: StripFunction
  /// rho <- p0 rho, theta unchanged (Dropout between different inputs).
  public var shrink: StripFunction
  /// Independent branches added; `terms` branches. Arrays: share of each branch in the deviation. Parameters: weight of each theta.
  public var sum: StripFunction
  /// Branches multiplied. Arrays: deviation of each branch.
  public var product: StripFunction
  /// From products of unit rows to signed gaps. `gap` holds x_i . x_j. Arrays: 1 / |x|.
  public var gapFromProduct: StripFunction
  /// `gap` becomes the covariance s_i s_j rho. Arrays: deviations.
  public var covariance: StripFunction
  /// All layers at once, as one function of the angle; see `profileStrip` for arrays and parameters.
  public var profile: StripFunction

  /// Puts the parts together.
  public init(
    dense: @escaping StripFunction, series: @escaping StripFunction, scale: @escaping StripFunction,
    shrink: @escaping StripFunction, sum: @escaping StripFunction, product: @escaping StripFunction,
    gapFromProduct: @escaping StripFunction, covariance: @escaping StripFunction, profile: @escaping StripFunction
  ) {
    self.dense = dense
    self.series = series
    self.scale = scale
    self.shrink = shrink
    self.sum = sum
    self.product = product
    self.gapFromProduct = gapFromProduct
    self.covariance = covariance
    self.profile = profile
  }
}

/// All vector kernels of one CPU level.
public struct KernelTable: Sendable {
  /// Kernels for float64.
  public var float64: ElementKernels
  /// Kernels for float32.
  public var float32: ElementKernels
  /// float64 with one directional derivative.
  public var tangent: ElementKernels

  /// Puts the parts together.
  public init(float64: ElementKernels, float32: ElementKernels, tangent: ElementKernels) {
    self.float64 = float64
    self.float32 = float32
    self.tangent = tangent
  }
}
