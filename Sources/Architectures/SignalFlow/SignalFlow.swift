import NumericCore

/// The pass that types a network: it follows signals from layer to layer. What each layer does to them is in the files beside this one.
struct SignalFlow {
  /// Most branches that all FanOut layers of a network may make together.
  static let mostBranches = 1 << 20

  let regime: WidthRegime
  /// Layers seen so far.
  var position = 0
  var slots: [ParameterSlot] = []
  var branches = 0

  init(regime: WidthRegime) { self.regime = regime }

  /// `node` with what it makes of `flow`.
  mutating func follow(_ node: LayerNode, _ flow: Flow) throws(NumericError) -> TypedNode {
    let first = slots.count
    switch node {
    case .serial(let layers):
      var children: [TypedNode] = []
      children.reserveCapacity(layers.count)
      for layer in layers { children.append(try follow(layer, children.last?.after ?? flow)) }
      return typed(node, flow, children.last?.after ?? flow, slotsFrom: first, children: children)
    case .parallel(let layers):
      let children = try parallel(layers, flow)
      return typed(node, flow, .branches(children.flatMap(\.after.signals)), slotsFrom: first, children: children)
    case .identity, .dense, .fanOut, .fanInSum, .fanInProd, .fanInConcat, .layerNorm, .dropout, .activation, .convolution, .pool,
      .globalPool, .flatten, .batchNorm:
      position += 1
      let windows = try windows(of: node, flow)
      let next = try after(node, flow, windows)
      return typed(node, flow, next, slotsFrom: first, windows: windows)
    }
  }

  private func typed(
    _ node: LayerNode, _ before: Flow, _ after: Flow, slotsFrom first: Int, windows: WindowPlacement? = nil,
    children: [TypedNode] = []
  ) -> TypedNode {
    TypedNode(
      layer: node, position: position, before: before, after: after, slots: first..<slots.count, windows: windows,
      children: children)
  }

  /// What a layer makes of `flow`.
  private mutating func after(_ node: LayerNode, _ flow: Flow, _ windows: WindowPlacement?) throws(NumericError) -> Flow {
    switch node {
    case .serial, .parallel: throw NumericError(.internal, "[network] a composition is not a layer.")
    case .identity: return flow
    case .fanOut(let num): return try fanOut(num, try one(flow, node))
    case .fanInSum: return .one(try fanInSum(node, flow))
    case .fanInProd: return .one(try fanInProd(node, flow))
    case .fanInConcat(let axis): return .one(try concatenation(node, axis, flow))
    case .dense(let layer): return .one(try weighted(node, layer, [], nil, try one(flow, node)))
    case .convolution(let layer):
      return .one(try weighted(node, layer.dense, layer.window.lengths, windows, try one(flow, node)))
    case .batchNorm(_, let isAffine): return .one(try batchNorm(node, isAffine, try one(flow, node)))
    case .activation: return .one(try nonlinearity(node, try one(flow, node)))
    case .layerNorm: return .one(try gaussian(try one(flow, node), node))
    case .dropout(_, let training): return .one(try dropout(node, training, try one(flow, node)))
    case .pool: return .one(try pooled(try one(flow, node), windows))
    case .globalPool: return .one(globallyPooled(try grid(flow, node)))
    case .flatten: return .one(flattened(try one(flow, node)))
    }
  }

  // MARK: What layers ask for

  /// " (layer 3)", for messages.
  var place: String { " (layer \(position))" }

  /// The one signal of a flow.
  func one(_ flow: Flow, _ node: LayerNode) throws(NumericError) -> Signal {
    guard case .one(let signal) = flow else {
      throw .invalid(
        "[\(node.name)] needs one input: use parallel(...) for layers in branches, and FanInSum, FanInProd or FanInConcat to "
          + "join them. Received \(flow.signals.count) branches\(place).")
    }
    return signal
  }

  /// The signal, if it is a Gaussian process or none is needed.
  func gaussian(_ signal: Signal, _ node: LayerNode) throws(NumericError) -> Signal {
    let received: String
    switch (regime, signal.law) {
    case (.finite, _), (.infinite, .gaussian): return signal
    case (.infinite, .data): received = "the data themselves"
    case (.infinite, .other): received = "the output of a nonlinearity, Dropout, FanInProd or FanInConcat"
    }
    throw .invalid(
      "[\(node.name)] the input must be Gaussian, that is, come from a Dense layer (put one before it). "
        + "Received \(received)\(place).")
  }

  // MARK: Layers that keep the shape

  private func nonlinearity(_ node: LayerNode, _ signal: Signal) throws(NumericError) -> Signal {
    var next = try gaussian(signal, node)
    next.law = .other
    return next
  }

  private func dropout(_ node: LayerNode, _ training: Bool, _ signal: Signal) throws(NumericError) -> Signal {
    guard training else { return signal }
    guard regime == .finite || signal.law != .data else {
      throw .invalid("[\(node.name)] needs a Dense layer before it in train mode. Received the data themselves\(place).")
    }
    var next = signal
    next.law = .other
    return next
  }
}
