import Activations

/// A network as data: a tree of layers. Nothing here computes; `InfiniteWidth` and `FiniteWidth` give it meaning.
public indirect enum LayerNode: Sendable, Equatable {
  /// Children one after the other.
  case serial([LayerNode])
  /// Children side by side, one per branch.
  case parallel([LayerNode])
  case identity
  case dense(DenseLayer)
  /// One input copied to `num` branches.
  case fanOut(num: Int)
  case fanInSum
  case fanInProd
  case fanInConcat(ConcatAxis)
  case layerNorm(epsilon: Double)
  /// `rate` is the probability to keep a unit; only training mode does anything.
  case dropout(rate: Double, training: Bool)
  case activation(Activation)
  case convolution(ConvolutionLayer)
  /// Mean or sum over windows of positions.
  case pool(PoolingLayer)
  /// Mean or sum over all positions.
  case globalPool(isMean: Bool)
  /// Positions and channels made one axis.
  case flatten
  /// Each channel centred and scaled over the batch and all positions; `isAffine` adds a trained scale and shift per channel.
  case batchNorm(epsilon: Double, isAffine: Bool)
}

/// Along what `FanInConcat` joins its branches.
public enum ConcatAxis: Int, Sendable {
  case batch = 0
  case channel = 1
}

/// A fully connected layer z = W_std / sqrt(n) W x + b_std b.
public struct DenseLayer: Sendable, Equatable {
  /// Number of this layer among the Dense layers, in the order of the op table.
  public var index: Int
  /// Units of the layer, where a finite width matters.
  public var outDim: Int
  /// Standard deviation of the weights.
  public var weightStd: Double
  /// Standard deviation of the biases.
  public var biasStd: Double
  /// Whether there is a bias at all (in the standard parameterization it counts even with deviation 0).
  public var hasBias: Bool
  /// Standard parameterization (Sohl-Dickstein et al., arXiv:2001.07301): gradients by unscaled weights.
  public var isStandard: Bool
  /// Weights that stay at their initial values: they add nothing to the NTK.
  public var isFrozen: Bool
  /// Width scalings (s[0], s[1]) of the standard parameterization.
  public var inputScale: Int
  /// The second of the two, s[1].
  public var outputScale: Int

  /// A layer; defaults are those of `stax.Dense`.
  public init(
    index: Int = 0, outDim: Int, weightStd: Double, biasStd: Double = 0, hasBias: Bool = false, isStandard: Bool = false,
    isFrozen: Bool = false, inputScale: Int = 1, outputScale: Int = 1
  ) {
    self.index = index
    self.outDim = outDim
    self.weightStd = weightStd
    self.biasStd = biasStd
    self.hasBias = hasBias
    self.isStandard = isStandard
    self.isFrozen = isFrozen
    self.inputScale = inputScale
    self.outputScale = outputScale
  }
}

/// What stands beyond the edge of an image.
public enum Padding: Int, Sendable {
  /// Nothing: windows stay inside.
  case valid = 0
  /// Zeros, so that a stride of 1 keeps the size.
  case same = 1
  /// The opposite edge.
  case circular = 2
}

/// A window that slides over the spatial axes of a grid.
public struct SlidingWindow: Sendable, Equatable {
  /// Positions of the window along each axis.
  public var lengths: [Int]
  /// Step along each axis.
  public var strides: [Int]
  /// What stands beyond the edge.
  public var padding: Padding

  /// A window; steps of 1 unless said.
  public init(lengths: [Int], strides: [Int]? = nil, padding: Padding = .valid) {
    self.lengths = lengths
    self.strides = strides ?? [Int](repeating: 1, count: lengths.count)
    self.padding = padding
  }
}

/// A convolution z = W_std / sqrt(n) W * x + b_std b with n numbers in a window; `dense` holds everything but the window.
public struct ConvolutionLayer: Sendable, Equatable {
  /// Output channels, deviations and flags.
  public var dense: DenseLayer
  /// The window.
  public var window: SlidingWindow

  /// A layer.
  public init(dense: DenseLayer, window: SlidingWindow) {
    self.dense = dense
    self.window = window
  }
}

/// Mean or sum over the positions of a window.
public struct PoolingLayer: Sendable, Equatable {
  /// The window.
  public var window: SlidingWindow
  /// Mean, else sum.
  public var isMean: Bool
  /// Whether a mean divides by the positions that are inside the image only.
  public var normalizesEdges: Bool

  /// A layer.
  public init(window: SlidingWindow, isMean: Bool, normalizesEdges: Bool = false) {
    self.window = window
    self.isMean = isMean
    self.normalizesEdges = normalizesEdges
  }
}
