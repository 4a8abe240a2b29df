import Architectures
import NumericCore

/// What flows between layers while a plan is made: one value, or one per branch.
enum Flow {
  case one(Int)
  case many([Int])
}

/// Walks a layer tree and writes its steps.
struct PlanBuilder {
  private(set) var steps: [Step] = []
  private(set) var slots: [ParameterSlot] = []
  private var dropouts = 0

  mutating func add(_ operation: Operation, _ inputs: [Int], _ shape: ValueShape) -> Int {
    steps.append(Step(operation: operation, inputs: inputs, shape: shape))
    return steps.count - 1
  }

  mutating func build(_ node: LayerNode, _ flow: Flow) throws(NumericError) -> Flow {
    switch node {
    case .serial(let layers):
      var flow = flow
      for layer in layers { flow = try build(layer, flow) }
      return flow
    case .parallel(let layers):
      return try parallel(layers, flow)
    case .identity:
      return flow
    case .fanOut(let num):
      return .many([Int](repeating: try one(flow, "FanOut"), count: num))
    case .fanInSum: return .one(try join(.sum, flow, "FanInSum"))
    case .fanInProd: return .one(try join(.product, flow, "FanInProd"))
    case .fanInConcat(let axis): return .one(try concatenate(axis, flow))
    default: return .one(try layer(node, flow))
    }
  }

  private mutating func layer(_ node: LayerNode, _ flow: Flow) throws(NumericError) -> Int {
    switch node {
    case .dense(let layer): return try linear(layer, nil, try one(flow, "Dense"))
    case .convolution(let layer): return try linear(layer.dense, layer.window, try one(flow, "Conv"))
    case .activation(let activation):
      let x = try one(flow, "nonlinearity")
      return add(.activation(activation), [x], steps[x].shape)
    case .layerNorm(let epsilon):
      let x = try one(flow, "LayerNorm")
      return add(.normalise(Normalisation(group: .channels, epsilon: epsilon)), [x], steps[x].shape)
    case .batchNorm(let epsilon, let isAffine): return try batchNorm(epsilon, isAffine, try one(flow, "BatchNorm"))
    case .dropout(let rate, let training): return dropout(rate, training, try one(flow, "Dropout"))
    case .pool(let layer): return try pool(layer, try one(flow, "AvgPool"))
    case .globalPool(let isMean): return try globalPool(isMean, try one(flow, "GlobalAvgPool"))
    case .flatten: return flatten(try one(flow, "Flatten"))
    default: throw NumericError(.internal, "[network] a layer is not known here.")
    }
  }

  private mutating func parallel(_ layers: [LayerNode], _ flow: Flow) throws(NumericError) -> Flow {
    let inputs = try many(flow, "parallel")
    guard inputs.count == layers.count else {
      throw .invalid("[parallel] needs as many branches as layers. Received \(inputs.count) for \(layers.count).")
    }
    var outputs: [Int] = []
    for (layer, input) in zip(layers, inputs) { outputs.append(try one(try build(layer, .one(input)), "parallel")) }
    return .many(outputs)
  }

  private mutating func slot(_ rows: Int, _ cols: Int, trainable: Bool) throws(NumericError) -> Int {
    let offset = slots.last.map { $0.offset &+ $0.count } ?? 0
    guard let count = checkedProduct(rows, cols), count <= Int(Int32.max), offset <= Int(Int32.max) else {
      throw .invalid("[network] needs at most \(Int32.max) weights. Received a layer of \(rows) x \(cols).")
    }
    slots.append(ParameterSlot(offset: offset, rows: rows, cols: cols, isTrainable: trainable))
    return slots.count - 1
  }

  private mutating func linear(_ layer: DenseLayer, _ window: SlidingWindow?, _ x: Int) throws(NumericError) -> Int {
    var shape = steps[x].shape
    let name = window == nil ? "Dense" : "Conv"
    guard window == nil || shape.spatialAxes > 0 else {
      throw .invalid(
        "[Conv] needs images (batch, height, width, channels) or lines (batch, length, channels). Received flat input.")
    }
    var geometry: WindowGeometry?
    if let window {
      let placed = try WindowGeometry(window, on: shape, name: name)
      (shape.height, shape.width) = placed.output
      geometry = placed
    }
    guard let outputs = checkedProduct(layer.outDim, layer.isStandard ? layer.outputScale : 1) else {
      throw .invalid("[\(name)] out_dim must fit in 63 bits. Received \(layer.outDim) x \(layer.outputScale).")
    }
    let inputs = geometry?.patchSize ?? shape.channels
    shape.channels = outputs
    shape = try shape.checked(name)
    let weight = try slot(inputs, outputs, trainable: !layer.isFrozen)
    let bias = layer.hasBias ? try slot(1, outputs, trainable: !layer.isFrozen) : nil
    let scale =
      layer.isStandard ? 1 / Double(layer.inputScale).squareRoot() : layer.weightStd / Double(inputs).squareRoot()
    let operation = LinearOperation(
      weight: weight, bias: bias, scale: scale, biasScale: layer.isStandard ? 1 : layer.biasStd, isTrainable: !layer.isFrozen,
      geometry: geometry)
    return add(.linear(operation), [x], shape)
  }

  private mutating func batchNorm(_ epsilon: Double, _ isAffine: Bool, _ x: Int) throws(NumericError) -> Int {
    let shape = steps[x].shape
    let centred = add(.normalise(Normalisation(group: .batch, epsilon: epsilon)), [x], shape)
    guard isAffine else { return centred }
    let scale = try slot(1, shape.channels, trainable: true)
    let shift = try slot(1, shape.channels, trainable: true)
    return add(.affine(scale: scale, shift: shift), [centred], shape)
  }

  private mutating func dropout(_ rate: Double, _ training: Bool, _ x: Int) -> Int {
    guard training else { return x }
    dropouts += 1
    return add(.dropout(rate: rate, stream: dropouts), [x], steps[x].shape)
  }

  private mutating func pool(_ layer: PoolingLayer, _ x: Int) throws(NumericError) -> Int {
    var shape = steps[x].shape
    guard shape.spatialAxes > 0 else { throw .invalid("[AvgPool] needs input with spatial axes. Received flat input.") }
    let geometry = try WindowGeometry(layer.window, on: shape, name: "AvgPool")
    var counts = [Int](repeating: 0, count: geometry.positions)
    geometry.forEachPlace { (o, _, _) in counts[o] &+= 1 }
    let whole = layer.window.height &* layer.window.width
    let factors = counts.map { layer.isMean ? 1 / Double(max(1, layer.normalizesEdges ? $0 : whole)) : 1 }
    (shape.height, shape.width) = geometry.output
    return add(.pool(Pooling(geometry: geometry, factors: factors)), [x], shape)
  }

  private mutating func globalPool(_ isMean: Bool, _ x: Int) throws(NumericError) -> Int {
    let shape = steps[x].shape
    guard shape.spatialAxes > 0 else { throw .invalid("[GlobalAvgPool] needs input with spatial axes. Received flat input.") }
    let window = SlidingWindow(height: shape.height, width: shape.width)
    return flatten(try pool(PoolingLayer(window: window, isMean: isMean), x))
  }

  /// The same numbers in the same order under another shape: no step is needed, but a shape belongs to a step.
  private mutating func flatten(_ x: Int) -> Int {
    let shape = steps[x].shape
    guard shape.spatialAxes > 0 else { return x }
    var flat = ValueShape(channels: shape.size)
    flat.blocks = shape.blocks
    return add(.sum, [x], flat)
  }

  private mutating func join(_ operation: Operation, _ flow: Flow, _ name: String) throws(NumericError) -> Int {
    let inputs = try many(flow, name)
    let shape = steps[inputs[0]].shape
    for input in inputs where steps[input].shape != shape {
      throw .invalid(
        "[\(name)] needs branches of equal width and shape. Received \(inputs.map { steps[$0].shape.channels }) channels at "
          + "\(inputs.map { steps[$0].shape.positions }) positions.")
    }
    return add(operation, inputs, shape)
  }

  private mutating func concatenate(_ axis: ConcatAxis, _ flow: Flow) throws(NumericError) -> Int {
    let inputs = try many(flow, "FanInConcat")
    var shape = steps[inputs[0]].shape
    var total = 0
    for input in inputs {
      let other = steps[input].shape
      let (differs, added) =
        axis == .channel ? (other.blocks != shape.blocks, other.channels) : (other.channels != shape.channels, other.blocks)
      guard !differs, other.height == shape.height, other.width == shape.width, let next = checkedSum(total, added) else {
        throw .invalid(
          "[FanInConcat] needs branches of equal \(axis == .channel ? "batch" : "width") and positions. "
            + "Received \(inputs.map { steps[$0].shape.channels }) channels in \(inputs.map { steps[$0].shape.blocks }) blocks.")
      }
      total = next
    }
    if axis == .channel { shape.channels = total } else { shape.blocks = total }
    return add(.concatenate(axis), inputs, try shape.checked("FanInConcat"))
  }

  private func one(_ flow: Flow, _ name: String) throws(NumericError) -> Int {
    guard case .one(let value) = flow else { throw .invalid("[\(name)] needs one input. Received branches.") }
    return value
  }

  private func many(_ flow: Flow, _ name: String) throws(NumericError) -> [Int] {
    guard case .many(let values) = flow, !values.isEmpty else {
      throw .invalid("[\(name)] needs the branches that FanOut makes. Received one input.")
    }
    return values
  }

  /// `steps`, with those marked whose values the backward pass reads.
  static func marked(_ steps: [Step], output: Int) -> [Step] {
    var steps = steps
    for step in steps {
      let reads: Bool
      switch step.operation {
      case .linear, .product, .affine: reads = true
      default: reads = false
      }
      if reads { for input in step.inputs { steps[input].isKept = true } }
    }
    steps[0].isKept = true
    steps[output].isKept = true
    return steps
  }
}
