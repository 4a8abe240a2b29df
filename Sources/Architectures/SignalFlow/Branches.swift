import NumericCore

/// FanOut, parallel and the layers that join branches.
extension SignalFlow {
  mutating func fanOut(_ num: Int, _ signal: Signal) throws(NumericError) -> Flow {
    guard num >= 1, num <= SignalFlow.mostBranches - branches else {
      throw .invalid(
        "[FanOut] all together must make at most \(SignalFlow.mostBranches) branches. Received \(num) more\(place).")
    }
    branches += num
    return .branches([Signal](repeating: signal, count: num))
  }

  mutating func parallel(_ layers: [LayerNode], _ flow: Flow) throws(NumericError) -> [TypedNode] {
    guard case .branches(let inputs) = flow else {
      throw .invalid("[parallel] needs the branches that FanOut makes. Received one input (after layer \(position)).")
    }
    guard inputs.count == layers.count else {
      throw .invalid(
        "[parallel] needs as many branches as layers. Received \(inputs.count) branches for \(layers.count) layers "
          + "(after layer \(position)).")
    }
    var children: [TypedNode] = []
    children.reserveCapacity(layers.count)
    for (layer, input) in zip(layers, inputs) {
      let child = try follow(layer, .one(input))
      guard case .one = child.after else {
        throw .invalid(
          "[parallel] each of its branches must end in one output: join branches within with a FanIn layer. "
            + "Received \(child.after.signals.count) branches\(place).")
      }
      children.append(child)
    }
    return children
  }

  func fanInSum(_ node: LayerNode, _ flow: Flow) throws(NumericError) -> Signal {
    let inputs = try joined(flow, node)
    var sum = try equal(inputs, node)
    if inputs.count > 1 { try allGaussian(inputs, node) }
    sum.law = .shared(inputs)
    return sum
  }

  func fanInProd(_ node: LayerNode, _ flow: Flow) throws(NumericError) -> Signal {
    let inputs = try joined(flow, node)
    var product = try equal(inputs, node)
    if inputs.count > 1 { product.law = nonGaussian(inputs) }
    return product
  }

  func concatenation(_ node: LayerNode, _ axis: ConcatAxis, _ flow: Flow) throws(NumericError) -> Signal {
    let inputs = try joined(flow, node)
    var result = inputs[0]
    var total: Int? = 0
    switch axis {
    case .channel:
      try require(
        inputs.allSatisfy { $0.blocks == result.blocks && $0.spatial == result.spatial }, inputs, node, "positions and batch")
      for input in inputs { total = total.flatMap { checkedSum($0, input.channels) } }
      let shape = GridShape(spatial: result.spatial, channels: total ?? .max)
      result.shape = try shape.checked(node.name, limit: regime.largestSize, at: place)
      if inputs.count > 1 { result.law = nonGaussian(inputs) }
    case .batch:
      try require(inputs.allSatisfy { $0.shape == result.shape }, inputs, node, "width and positions")
      try allGaussian(inputs, node)
      for input in inputs { total = total.flatMap { checkedSum($0, input.blocks) } }
      guard let total, total <= SignalFlow.mostBranches else {
        throw .invalid("[\(node.name)] needs at most \(SignalFlow.mostBranches) rows for each input. Received more\(place).")
      }
      result.blocks = total
      result.law = .shared(inputs)
    }
    return result
  }

  /// Products and concatenations of data are still functions of the data alone; anything else is of no known law.
  private func nonGaussian(_ inputs: [Signal]) -> Law { inputs.allSatisfy { $0.law == .data } ? .data : .other }

  /// The branches that a FanIn layer joins, at least one.
  private func joined(_ flow: Flow, _ node: LayerNode) throws(NumericError) -> [Signal] {
    guard case .branches(let signals) = flow, !signals.isEmpty else {
      let received = if case .one = flow { "one input" } else { "no branch" }
      throw .invalid(
        "[\(node.name)] needs the branches that FanOut and parallel make. Received \(received)\(place).")
    }
    return signals
  }

  /// The first branch, if all have its shape.
  private func equal(_ inputs: [Signal], _ node: LayerNode) throws(NumericError) -> Signal {
    let first = inputs[0]
    try require(inputs.allSatisfy { $0.shape == first.shape && $0.blocks == first.blocks }, inputs, node, "width and shape")
    return first
  }

  private func require(_ holds: Bool, _ inputs: [Signal], _ node: LayerNode, _ what: String) throws(NumericError) {
    guard !holds else { return }
    let received = list(inputs) { input in
      (input.spatial + [input.channels]).map(String.init).joined(separator: " x ")
        + (input.blocks == 1 ? "" : " in \(input.blocks) blocks")
    }
    throw .invalid("[\(node.name)] needs branches of equal \(what). Received \(received)\(place).")
  }

  private func allGaussian(_ inputs: [Signal], _ node: LayerNode) throws(NumericError) {
    guard regime == .infinite, !inputs.allSatisfy({ $0.law == .gaussian }) else { return }
    throw .invalid(
      "[\(node.name)] all branches must be Gaussian, that is, end in a Dense layer. "
        + "Received \(list(inputs) { $0.law == .gaussian ? "Gaussian" : "not Gaussian" })\(place).")
  }

  /// The first few of them in words.
  private func list(_ inputs: [Signal], _ text: (Signal) -> String) -> String {
    inputs.prefix(8).map(text).joined(separator: ", ") + (inputs.count > 8 ? ", ..." : "")
  }
}
