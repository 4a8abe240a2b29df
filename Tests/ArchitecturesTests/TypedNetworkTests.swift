import Activations
import Architectures
import NumericCore
import TestSupport
import Testing

private func dense(_ outDim: Int, bias: Bool = false) -> LayerNode {
  .dense(DenseLayer(outDim: outDim, weightStd: 1.5, biasStd: bias ? 0.3 : 0, hasBias: bias))
}
private let relu = LayerNode.activation(.made("ABRelu", 0, 1))
private let tanh = LayerNode.activation(.made("Tanh", 1e-8))

private func branched(_ branches: [LayerNode], _ join: LayerNode) -> LayerNode {
  .serial([dense(4), .fanOut(num: branches.count), .parallel(branches), join])
}

private func output(
  _ network: LayerNode, _ spatial: [Int] = [], channels: Int = 3, law: Law = .data, regime: WidthRegime = .infinite
) throws -> Signal {
  try TypedNetwork(network, input: GridShape(spatial: spatial, channels: channels), law: law, regime: regime).output()
}

/// Shapes, laws and blocks after each layer.
@Suite struct SignalTests {
  @Test(arguments: [
    (LayerNode.identity, 3, Law.data), (.flatten, 3, .data), (dense(5), 5, .gaussian), (.serial([]), 3, .data),
    (.serial([dense(5), relu]), 5, .other), (.serial([dense(5), .layerNorm(epsilon: 0)]), 5, .gaussian),
    (.serial([dense(5), .dropout(rate: 0.5, training: true)]), 5, .other),
    (.serial([dense(5), .dropout(rate: 0.5, training: false)]), 5, .gaussian),
    (.dropout(rate: 0.5, training: false), 3, .data),
    (.dense(DenseLayer(outDim: 5, weightStd: 1, isStandard: true, outputScale: 3)), 15, .gaussian),
    (.dense(DenseLayer(outDim: 5, weightStd: 1, outputScale: 3)), 5, .gaussian),
    (branched([dense(5), dense(5)], .fanInSum), 5, .gaussian), (branched([dense(5), dense(5)], .fanInProd), 5, .other),
    (branched([dense(5), relu], .fanInConcat(.channel)), 9, .other),
    (branched([relu], .fanInSum), 4, .other), (branched([dense(2)], .fanInProd), 2, .gaussian),
    (branched([dense(2)], .fanInConcat(.channel)), 2, .gaussian),
    (.serial([.fanOut(num: 2), .fanInProd]), 3, .data), (.serial([.fanOut(num: 2), .fanInConcat(.channel)]), 6, .data),
  ]) func flatSignals(network: LayerNode, channels: Int, law: Law) throws {
    let signal = try output(network)
    #expect(signal == Signal(GridShape(channels: channels), law: law))
  }

  @Test(arguments: [
    // 7 x 5 positions: (7 - 3) / 2 + 1 = 3, 5 - 2 + 1 = 4; with SAME padding ceil(7 / 2) = 4 and 5.
    (SlidingWindow(lengths: [3, 2], strides: [2, 1]), [3, 4], [0, 0]),
    (SlidingWindow(lengths: [3, 2], strides: [2, 1], padding: .same), [4, 5], [1, 0]),
    (SlidingWindow(lengths: [4, 5], padding: .circular), [7, 5], [1, 2]),
  ]) func windowsOnImages(window: SlidingWindow, lengths: [Int], before: [Int]) throws {
    let layer = ConvolutionLayer(dense: DenseLayer(outDim: 6, weightStd: 1), window: window)
    let network = LayerNode.convolution(layer)
    let typed = try TypedNetwork(network, input: GridShape(spatial: [7, 5], channels: 2), regime: .finite)
    #expect(try typed.output() == Signal(GridShape(spatial: lengths, channels: 6), law: .gaussian))
    #expect(typed.root.windows?.output == lengths && typed.root.windows?.before == before)
    for isMean in [true, false] {
      let pool = LayerNode.pool(PoolingLayer(window: window, isMean: isMean))
      #expect(try output(pool, [7, 5], regime: .finite).shape == GridShape(spatial: lengths, channels: 3))
    }
  }

  @Test func linesAndGlobalPooling() throws {
    let window = SlidingWindow(lengths: [3], strides: [3])
    #expect(window.placement(on: [10])?.output == [3])
    #expect(try output(.pool(PoolingLayer(window: window, isMean: true)), [10], regime: .finite).spatial == [3])
    #expect(try output(.globalPool(isMean: true), [7, 5], regime: .finite).shape == GridShape(channels: 3))
    #expect(try output(.flatten, [7, 5], regime: .finite).shape == GridShape(channels: 105))
    #expect(try output(.batchNorm(epsilon: 1, isAffine: true), [7, 5], regime: .finite).shape.size == 105)
    // Shapes of convolutions are as true in the infinite limit, whoever computes their kernels.
    let layer = ConvolutionLayer(dense: DenseLayer(outDim: 6, weightStd: 1), window: window)
    #expect(try output(.serial([.convolution(layer), relu, .flatten, dense(1)]), [10]).law == .gaussian)
  }

  @Test func blocksAlongTheBatch() throws {
    let twice = branched([dense(5), dense(5)], .fanInConcat(.batch))
    #expect(try output(twice) == Signal(GridShape(channels: 5), law: .gaussian, blocks: 2))
    #expect(try output(.serial([twice, relu, dense(1)])).blocks == 2)
    let five = LayerNode.serial([.fanOut(num: 3), .parallel([twice, twice, dense(5)]), .fanInConcat(.batch)])
    #expect(try output(five, regime: .finite).blocks == 5)
    #expect(throws: NumericError.self) { try output(.serial([.fanOut(num: 2), .parallel([twice, dense(5)]), .fanInSum])) }
  }

  @Test func nodesKeepTheTreeAndNumberTheirLayers() throws {
    let typed = try TypedNetwork(
      branched([relu, .serial([tanh, dense(5)])], .fanInConcat(.channel)), input: GridShape(channels: 3), regime: .infinite)
    #expect(typed.root.children.map(\.position) == [1, 2, 5, 6])
    #expect(typed.root.children[2].children.map(\.position) == [3, 5])
    #expect(typed.root.children[2].children[1].children.map(\.position) == [4, 5])
    #expect(typed.root.children[1].after.signals.count == 2)
    #expect(typed.root.children[2].after.signals.map(\.channels) == [4, 5])
    #expect(typed.root.children[3].before == typed.root.children[2].after)
    #expect(typed.slots.isEmpty)
  }

  @Test func branchesMayEnterAndLeave() throws {
    let signal = Signal(GridShape(channels: 3))
    #expect(try TypedNetwork(.fanInProd, from: .branches([signal, signal]), regime: .finite).output() == signal)
    let open = try TypedNetwork(.fanOut(num: 2), from: .one(signal), regime: .finite)
    #expect(open.root.after == .branches([signal, signal]))
    #expect(throws: NumericError.self) { try open.output() }
  }

  @Test func aGivenKernelStartsWithItsLaw() throws {
    #expect(try output(relu, law: .gaussian).law == .other)
    #expect(throws: NumericError.self) { try output(relu, law: .other) }
  }

  @Test func factsOfTrees() {
    let user = LayerNode.serial([dense(1), .activation(.made("ElementwiseNumerical", 0, 0, 0.1))])
    #expect(user.usesUserFunctions && !branched([relu], .fanInSum).usesUserFunctions)
    #expect(branched([.dropout(rate: 0.5, training: true)], .fanInSum).trainsWithDropout)
    #expect(!LayerNode.dropout(rate: 0.5, training: false).trainsWithDropout)
    #expect(LayerNode.serial([.serial([.flatten]), dense(1)]).startsWithFlatten)
    #expect(!LayerNode.serial([dense(1), .flatten]).startsWithFlatten)
  }
}

/// What does not fit is refused in words that name the layer as users call it, and its number.
@Suite struct CompositionErrorTests {
  private static let onData: [(LayerNode, String)] = [
    (
      relu,
      "[Relu] the input must be Gaussian, that is, come from a Dense layer (put one before it). Received the data themselves (layer 1)."
    ),
    (.serial([dense(2), tanh, tanh]), "[Tanh] the input must be Gaussian"),
    (.serial([dense(2), relu, .layerNorm(epsilon: 0)]), "[LayerNorm] the input must be Gaussian"),
    (.dropout(rate: 0.5, training: true), "[Dropout] needs a Dense layer before it in train mode"),
    (
      branched([relu, dense(4)], .fanInSum),
      "[FanInSum] all branches must be Gaussian, that is, end in a Dense layer. Received not Gaussian, Gaussian (layer 5)."
    ),
    (branched([relu, dense(4)], .fanInConcat(.batch)), "[FanInConcat] all branches must be Gaussian"),
    (
      .serial([branched([dense(2), dense(2)], .fanInProd), relu]),
      "Received the output of a nonlinearity, Dropout, FanInProd or FanInConcat (layer 6)."
    ),
  ]
  private static let everywhere: [(LayerNode, String)] = [
    (.serial([.fanOut(num: 2), dense(3)]), "[Dense] needs one input: use parallel(...) for layers in branches"),
    (.serial([.fanOut(num: 1), relu]), "Received 1 branches (layer 2)."),
    (.parallel([dense(1), dense(1)]), "[parallel] needs the branches that FanOut makes. Received one input (after layer 0)."),
    (.serial([.fanOut(num: 3), .parallel([dense(1), dense(1)])]), "Received 3 branches for 2 layers (after layer 1)."),
    (.serial([.fanOut(num: 1), .parallel([.fanOut(num: 2)])]), "[parallel] each of its branches must end in one output"),
    (.fanInSum, "[FanInSum] needs the branches that FanOut and parallel make. Received one input (layer 1)."),
    (branched([dense(3), dense(4)], .fanInSum), "[FanInSum] needs branches of equal width and shape. Received 3, 4 (layer 5)."),
    (branched([dense(3), dense(4)], .fanInProd), "[FanInProd] needs branches of equal width and shape. Received 3, 4"),
    (
      branched([dense(3), dense(4)], .fanInConcat(.batch)),
      "[FanInConcat] needs branches of equal width and positions. Received 3, 4"
    ),
    (.serial([.fanOut(num: 1 << 20), .fanInProd, .fanOut(num: 1)]), "[FanOut] all together must make at most 1048576 branches"),
    (.fanOut(num: 0), "[FanOut]"), (.fanOut(num: .max), "[FanOut]"),
    (
      .globalPool(isMean: false),
      "[GlobalSumPool] needs input with one or two spatial axes, (batch, ..., channels). Received 0 (layer 1)."
    ),
    (.pool(PoolingLayer(window: SlidingWindow(lengths: [2]), isMean: true)), "[AvgPool] needs input with one spatial axis"),
  ]

  private func message(
    _ network: LayerNode, _ regime: WidthRegime, _ spatial: [Int] = [], channels: Int = 3
  ) -> String? {
    do throws(NumericError) {
      _ = try TypedNetwork(network, input: GridShape(spatial: spatial, channels: channels), regime: regime).output()
      return nil
    } catch {
      return error.message
    }
  }

  @Test(arguments: onData) func lawsMatterInTheInfiniteLimitOnly(network: LayerNode, words: String) {
    #expect(message(network, .infinite)?.contains(words) == true, "\(message(network, .infinite) ?? "no error")")
    #expect(message(network, .finite) == nil)
  }

  @Test(arguments: everywhere) func misfitsAreNamed(network: LayerNode, words: String) {
    for regime in [WidthRegime.infinite, .finite] {
      #expect(message(network, regime)?.contains(words) == true, "\(message(network, regime) ?? "no error")")
    }
  }

  @Test func windowsThatDoNotFit() {
    let layer = ConvolutionLayer(dense: DenseLayer(outDim: 6, weightStd: 1), window: SlidingWindow(lengths: [4, 2]))
    let words = "[Conv] a VALID window must fit in the image. Received a window of 4 x 2 on 3 x 9 positions (layer 1)."
    #expect(message(.convolution(layer), .finite, [3, 9]) == words)
    #expect(message(.convolution(layer), .finite, [9])?.contains("[Conv] needs input with 2 spatial axes") == true)
    let images = LayerNode.serial([
      .fanOut(num: 2), .parallel([.identity, .pool(PoolingLayer(window: SlidingWindow(lengths: [2, 2]), isMean: true))]),
    ])
    for join in [LayerNode.fanInSum, .fanInProd, .fanInConcat(.channel), .fanInConcat(.batch)] {
      #expect(message(.serial([images, join]), .finite, [4, 4])?.contains("4 x 4 x 3, 3 x 3 x 3 (layer 4)") == true)
    }
  }

  @Test func sizesAreCounted() {
    let huge = LayerNode.dense(DenseLayer(outDim: 1 << 40, weightStd: 1, isStandard: true, outputScale: 1 << 40))
    #expect(message(huge, .infinite)?.contains("countable in 63 bits") == true)
    #expect(message(dense(1 << 40), .infinite) == nil)
    #expect(message(dense(1 << 40), .finite)?.contains("[Dense] needs 1 to 2147483647 numbers") == true)
    #expect(message(.serial([dense(1 << 20), dense(1 << 20)]), .finite)?.contains("at most 2147483647 parameters") == true)
    #expect(
      message(.serial([.fanOut(num: 8), .fanInConcat(.channel)]), .infinite, channels: 1 << 60)?.contains("[FanInConcat]") == true
    )
    #expect(message(.identity, .infinite, channels: 0)?.hasPrefix("[input]") == true)
    #expect(message(.identity, .finite, [.max, .max], channels: .max)?.hasPrefix("[input]") == true)
    #expect(message(.identity, .finite, [-1])?.hasPrefix("[input]") == true)
  }
}

/// Where parameters are, against counts by hand.
@Suite struct ParameterSlotTests {
  @Test func aDenseChain() throws {
    let standard = DenseLayer(
      outDim: 3, weightStd: 1.5, biasStd: 0.2, hasBias: true, isStandard: true, isFrozen: true, inputScale: 4, outputScale: 2)
    let typed = try TypedNetwork(
      .serial([dense(5, bias: true), relu, .dense(standard), dense(1)]), input: GridShape(channels: 9), regime: .finite)
    #expect(typed.slots.map(\.role) == [.weight, .bias, .weight, .bias, .weight])
    #expect(typed.slots.map(\.shape) == [[9, 5], [1, 5], [5, 6], [1, 6], [6, 1]])
    #expect(typed.slots.map(\.offset) == [0, 45, 50, 80, 86])
    #expect(typed.parameterCount == 92)
    #expect(typed.slots.map(\.layer) == [1, 1, 3, 3, 4])
    #expect(typed.slots.map(\.fanIn) == [9, 1, 5, 1, 6])
    #expect(typed.slots.map(\.isTrainable) == [true, true, false, false, true])
    // Standard: weights have variance W_std^2 s[0] / n, biases b_std^2.
    #expect(typed.slots.map(\.initialDeviation) == [1, 1, 1.5 / (5.0 / 4.0).squareRoot(), 0.2, 1])
    #expect(typed.root.children.map(\.slots) == [0..<2, 2..<2, 2..<4, 4..<5])
    #expect(typed.root.slots == 0..<5)
  }

  @Test func convolutionsAndNormalisation() throws {
    let window = SlidingWindow(lengths: [3, 2], padding: .same)
    let layer = ConvolutionLayer(dense: DenseLayer(outDim: 4, weightStd: 1, biasStd: 1, hasBias: true), window: window)
    let network = LayerNode.serial([
      .convolution(layer), .batchNorm(epsilon: 1, isAffine: false), .batchNorm(epsilon: 1, isAffine: true), .flatten, dense(2),
    ])
    let typed = try TypedNetwork(network, input: GridShape(spatial: [5, 4], channels: 3), regime: .finite)
    #expect(typed.slots.map(\.role) == [.weight, .bias, .scale, .shift, .weight])
    #expect(typed.slots.map(\.shape) == [[3, 2, 3, 4], [1, 1, 1, 4], [4], [4], [80, 2]])
    #expect(typed.slots.map(\.offset) == [0, 72, 76, 80, 84])
    #expect(typed.slots.map(\.rows) == [18, 1, 1, 1, 80] && typed.slots.map(\.cols) == [4, 4, 4, 4, 2])
    #expect(typed.slots.map(\.initialDeviation) == [1, 1, 0, 0, 1])
    let line = ConvolutionLayer(dense: DenseLayer(outDim: 4, weightStd: 1), window: SlidingWindow(lengths: [3]))
    #expect(
      try TypedNetwork(.convolution(line), input: GridShape(spatial: [5], channels: 2), regime: .finite).slots[0].shape == [
        3, 2, 4,
      ])
  }

  @Test func branchesStandOneAfterTheOther() throws {
    let typed = try TypedNetwork(
      branched([dense(2), .serial([tanh, dense(2)])], .fanInSum), input: GridShape(channels: 3), regime: .finite)
    #expect(typed.slots.map(\.shape) == [[3, 4], [4, 2], [4, 2]])
    #expect(typed.root.children[2].children.map(\.slots) == [1..<2, 2..<3])
  }
}
