import Architectures
import NumericCore

/// Writes the steps of a typed network. Values are numbers of steps, one for each branch.
struct PlanBuilder {
  private(set) var steps: [Step] = []
  private let slots: [ParameterSlot]
  private var dropouts = 0

  init(slots: [ParameterSlot]) { self.slots = slots }

  mutating func add(_ operation: Operation, _ inputs: [Int], _ shape: Signal) -> Int {
    steps.append(Step(operation: operation, inputs: inputs, shape: shape))
    return steps.count - 1
  }

  /// The values after `node`, at least one.
  mutating func build(_ node: TypedNode, _ values: [Int]) throws(NumericError) -> [Int] {
    guard let shape = node.after.signals.first, let x = values.first else {
      throw NumericError(.internal, "[network] a layer has no input.")
    }
    switch node.layer {
    case .serial:
      var values = values
      for child in node.children { values = try build(child, values) }
      return values
    case .parallel:
      var outputs: [Int] = []
      for (child, value) in zip(node.children, values) { outputs += try build(child, [value]) }
      return outputs
    case .identity: return values
    case .fanOut(let num): return [Int](repeating: x, count: num)
    case .fanInSum: return [add(.sum, values, shape)]
    case .fanInProd: return [add(.product, values, shape)]
    case .fanInConcat(let axis): return [add(.concatenate(axis), values, shape)]
    case .dense(let layer): return [try linear(layer, nil, node, x, shape)]
    case .convolution(let layer): return [try linear(layer.dense, try geometry(layer.window, node, x), node, x, shape)]
    case .activation(let activation): return [add(.activation(activation), [x], shape)]
    case .layerNorm(let epsilon): return [add(.normalise(Normalisation(group: .channels, epsilon: epsilon)), [x], shape)]
    case .batchNorm(let epsilon, let isAffine): return [try batchNorm(epsilon, isAffine, node, x, shape)]
    case .dropout(let rate, let training): return [dropout(rate, training, x, shape)]
    case .pool(let layer): return [try pool(layer, node, x, shape)]
    case .globalPool(let isMean):
      let whole = PoolingLayer(window: SlidingWindow(lengths: steps[x].shape.spatial), isMean: isMean)
      return [try pool(whole, node, x, shape)]
    case .flatten: return [flatten(x, shape)]
    }
  }

  private func geometry(_ window: SlidingWindow, _ node: TypedNode, _ x: Int) throws(NumericError) -> WindowGeometry {
    guard let placement = node.windows else { throw NumericError(.internal, "[network] windows have no place.") }
    return WindowGeometry(window, placement, on: steps[x].shape)
  }

  private mutating func linear(
    _ layer: DenseLayer, _ geometry: WindowGeometry?, _ node: TypedNode, _ x: Int, _ shape: Signal
  ) throws(NumericError) -> Int {
    let weight = try slot(.weight, node)
    let inputs = Double(slots[weight].fanIn)
    let scale = layer.isStandard ? 1 / Double(layer.inputScale).squareRoot() : layer.weightStd / inputs.squareRoot()
    let operation = LinearOperation(
      weight: weight, bias: layer.hasBias ? try slot(.bias, node) : nil, scale: scale,
      biasScale: layer.isStandard ? 1 : layer.biasStd, isTrainable: !layer.isFrozen, geometry: geometry)
    return add(.linear(operation), [x], shape)
  }

  /// The number of the layer's parameters in a role.
  private func slot(_ role: ParameterRole, _ node: TypedNode) throws(NumericError) -> Int {
    guard let index = node.slots.first(where: { slots[$0].role == role }) else {
      throw NumericError(.internal, "[network] a layer has no parameters in role \(role).")
    }
    return index
  }

  private mutating func batchNorm(
    _ epsilon: Double, _ isAffine: Bool, _ node: TypedNode, _ x: Int, _ shape: Signal
  ) throws(NumericError) -> Int {
    let centred = add(.normalise(Normalisation(group: .batch, epsilon: epsilon)), [x], shape)
    guard isAffine else { return centred }
    return add(.affine(scale: try slot(.scale, node), shift: try slot(.shift, node)), [centred], shape)
  }

  private mutating func dropout(_ rate: Double, _ training: Bool, _ x: Int, _ shape: Signal) -> Int {
    guard training else { return x }
    dropouts += 1
    return add(.dropout(rate: rate, stream: dropouts), [x], shape)
  }

  private mutating func pool(_ layer: PoolingLayer, _ node: TypedNode, _ x: Int, _ shape: Signal) throws(NumericError) -> Int {
    let geometry = try geometry(layer.window, node, x)
    var counts = [Int](repeating: 0, count: geometry.positions)
    geometry.forEachPlace { (o, _, _) in counts[o] &+= 1 }
    let whole = geometry.window.height &* geometry.window.width
    let factors = counts.map { layer.isMean ? 1 / Double(max(1, layer.normalizesEdges ? $0 : whole)) : 1 }
    return add(.pool(Pooling(geometry: geometry, factors: factors)), [x], shape)
  }

  /// The same numbers in the same order under another shape: no step is needed, but a shape belongs to a step.
  private mutating func flatten(_ x: Int, _ shape: Signal) -> Int {
    steps[x].shape.shape == shape.shape ? x : add(.sum, [x], shape)
  }

  /// `steps`, with those marked whose values the backward pass reads.
  static func marked(_ steps: [Step], output: Int) -> [Step] {
    var steps = steps
    for step in steps {
      let reads: Bool
      switch step.operation {
      case .linear, .product, .affine: reads = true
      case .input, .activation, .sum, .concatenate, .normalise, .pool, .dropout: reads = false
      }
      if reads { for input in step.inputs { steps[input].isKept = true } }
    }
    steps[0].isKept = true
    steps[output].isKept = true
    return steps
  }
}
