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
    guard let placement = window.placement(on: signal.spatial) else {
      let text = { (lengths: [Int]) in lengths.map(String.init).joined(separator: " x ") }
      throw .invalid(
        "[\(node.name)] a VALID window must fit in the image. Received a window of \(text(window.lengths)) on "
          + "\(text(signal.spatial)) positions\(place).")
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
