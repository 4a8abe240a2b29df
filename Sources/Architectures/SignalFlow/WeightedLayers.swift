import NumericCore

/// Layers with parameters: what they pass on, and where their parameters are.
extension SignalFlow {
  /// A Dense layer, or a convolution with windows of the given lengths.
  mutating func weighted(
    _ node: LayerNode, _ layer: DenseLayer, _ window: [Int], _ windows: WindowPlacement?, _ signal: Signal
  ) throws(NumericError) -> Signal {
    guard let outputs = checkedProduct(layer.outDim, layer.isStandard ? layer.outputScale : 1) else {
      throw .invalid(
        "[\(node.name)] outputs must be countable in 63 bits. Received \(layer.outDim) x \(layer.outputScale)\(place).")
    }
    let shape = GridShape(spatial: windows?.output ?? signal.spatial, channels: outputs)
    var next = signal
    next.shape = try shape.checked(node.name, limit: regime.largestSize, at: place)
    next.law = .gaussian
    guard regime == .finite else { return next }
    let weights = window + [signal.channels, outputs]
    let fanIn = weights.dropLast().reduce(Int?.some(1)) { product, length in product.flatMap { checkedProduct($0, length) } }
    let deviation =
      layer.isStandard ? layer.weightStd / (Double(fanIn ?? 0) / Double(layer.inputScale)).squareRoot() : 1
    try add(.weight, node, shape: weights, fanIn: fanIn, deviation, trainable: !layer.isFrozen)
    if layer.hasBias {
      let biases = [Int](repeating: 1, count: weights.count - 1) + [outputs]
      try add(.bias, node, shape: biases, fanIn: 1, layer.isStandard ? layer.biasStd : 1, trainable: !layer.isFrozen)
    }
    return next
  }

  mutating func batchNorm(_ node: LayerNode, _ isAffine: Bool, _ signal: Signal) throws(NumericError) -> Signal {
    guard isAffine, regime == .finite else { return signal }
    try add(.scale, node, shape: [signal.channels], fanIn: 1, 0, trainable: true)
    try add(.shift, node, shape: [signal.channels], fanIn: 1, 0, trainable: true)
    return signal
  }

  private mutating func add(
    _ role: ParameterRole, _ node: LayerNode, shape: [Int], fanIn: Int?, _ deviation: Double, trainable: Bool
  ) throws(NumericError) {
    let most = Int(Int32.max)
    let offset = slots.last.map { $0.offset &+ $0.count } ?? 0
    let cols = shape.last ?? 1
    guard let fanIn, let count = checkedProduct(fanIn, cols), count <= most, let end = checkedSum(offset, count), end <= most
    else {
      throw .invalid(
        "[\(node.name)] a network has at most \(most) parameters. Received \(shape.map(String.init).joined(separator: " x ")) "
          + "after \(offset) others\(place).")
    }
    slots.append(
      ParameterSlot(
        role: role, layer: position, shape: shape, offset: offset, fanIn: fanIn, initialDeviation: deviation,
        isTrainable: trainable, rows: fanIn, cols: cols))
  }
}
