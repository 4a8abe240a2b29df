import NumericCore

/// Convolutions and pooling: where windows lie, and what is left of the positions.
extension SignalFlow {
  /// The windows of a layer that has any.
  func windows(of node: LayerNode, _ flow: Flow) throws(NumericError) -> WindowPlacement? {
    switch node {
    case .convolution(let layer): try placed(layer.window, try one(flow, node), node)
    case .pool(let layer): try placed(layer.window, try one(flow, node), node)
    case .globalPool:
      try placed(SlidingWindow(lengths: try grid(flow, node).spatial), try one(flow, node), node)
    case .serial, .parallel, .identity, .dense, .fanOut, .fanInSum, .fanInProd, .fanInConcat, .layerNorm, .dropout, .activation,
      .flatten, .batchNorm:
      nil
    }
  }

  private func placed(_ window: SlidingWindow, _ signal: Signal, _ node: LayerNode) throws(NumericError) -> WindowPlacement {
    guard signal.spatial.count == window.lengths.count, !window.lengths.isEmpty else {
      throw wrongAxes(window.lengths.count == 1 ? "one spatial axis" : "\(window.lengths.count) spatial axes", signal, node)
    }
    let text = { (lengths: [Int]) in lengths.map(String.init).joined(separator: " x ") }
    guard let placement = window.placement(on: signal.spatial) else {
      throw .invalid(
        "[\(node.name)] a VALID window must fit in the image. Received a window of \(text(window.lengths)) on "
          + "\(text(signal.spatial)) positions\(place).")
    }
    guard regime == .finite else { return placement }
    // Finite networks lay all windows of an input out as a matrix.
    var numbers: Int? = signal.channels
    for length in window.lengths + placement.output { numbers = numbers.flatMap { checkedProduct($0, length) } }
    guard let numbers, numbers <= regime.largestSize else {
      throw .invalid(
        "[\(node.name)] needs at most \(regime.largestSize) numbers in the windows of one input. Received "
          + "\(text(placement.output)) windows of \(text(window.lengths)) positions with \(signal.channels) channels\(place).")
    }
    return placement
  }

  /// The one signal of a flow, with at least one spatial axis.
  func grid(_ flow: Flow, _ node: LayerNode) throws(NumericError) -> Signal {
    let signal = try one(flow, node)
    guard !signal.spatial.isEmpty else { throw wrongAxes("one or two spatial axes", signal, node) }
    return signal
  }

  private func wrongAxes(_ needed: String, _ signal: Signal, _ node: LayerNode) -> NumericError {
    .invalid(
      "[\(node.name)] needs input with \(needed), (batch, ..., channels). Received \(signal.spatial.count)\(place).")
  }

  func pooled(_ signal: Signal, _ windows: WindowPlacement?) throws(NumericError) -> Signal {
    guard let windows else { throw NumericError(.internal, "[AvgPool] windows have no place.") }
    var next = signal
    next.shape = GridShape(spatial: windows.output, channels: signal.channels)
    return next
  }

  func globallyPooled(_ signal: Signal) -> Signal {
    var next = signal
    next.shape = GridShape(channels: signal.channels)
    return next
  }

  func flattened(_ signal: Signal) -> Signal {
    var next = signal
    next.shape = GridShape(channels: signal.size)
    return next
  }
}
