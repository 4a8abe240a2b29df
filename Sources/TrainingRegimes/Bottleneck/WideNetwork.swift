import Architectures
import FiniteWidth
import LinearAlgebra
import NumericCore

/// A finite network of the outer architecture with fixed weights, and its gradient by the inputs: f_0 as a random draw or as given.
///
/// A draw of width m has the NNGP as the mean of its kernel, with fluctuations of relative size m^-1/2. O(n m) for one hidden layer, else
/// O(n m^2).
final class WideNetwork {
  private let network: Network
  private let parameters: Workspace<Double>

  /// Number of outputs.
  var outputs: Int { network.plan.outputShape.size }

  /// A draw whose normal numbers are those of the key; `width` 0 means 4,096 units for one hidden layer and 1,024 for several.
  init(
    drawing outer: OuterNetwork, outputs: Int, width: Int, key: (UInt64, UInt64), context: CallContext
  ) throws(NumericError) {
    let width = width > 0 ? width : outer.layers.count > 1 ? 1024 : 4096
    network = try outer.network(width: width, outputs: outputs)
    try context.reserve(
      checkedProduct(network.plan.parameterCount, 8), for: "the initial outer network of width \(width)",
      instead: "Use a smaller start_width.")
    parameters = try Workspace(network.plan.parameterCount)
    for (number, slot) in network.plan.parameters.enumerated() {
      PhiloxStream(key: key, counter: (0, UInt64(number), 0, 0)).fillNormal(parameters.pointer + slot.offset, count: slot.count)
    }
  }

  /// One hidden layer with given weights (units x width, width x outputs) and biases (or none), as `stax` draws them.
  init(
    _ outer: OuterNetwork, hidden: StridedMatrix<Double>, hiddenBias: [Double], readout: StridedMatrix<Double>,
    outputBias: [Double]
  ) throws(NumericError) {
    let width = hidden.cols
    guard outer.layers.count == 1 else {
      throw .invalid(
        "[Bottleneck] initial weights need an outer network with one hidden layer. Received \(outer.layers.count).")
    }
    guard width > 0, hidden.rows == outer.units, readout.rows == width, readout.cols > 0,
      hiddenBias.isEmpty || hiddenBias.count == width, outputBias.isEmpty || outputBias.count == readout.cols
    else {
      throw .invalid(
        "[Bottleneck] initial weights need the shapes (units, width) and (width, outputs). Received (\(hidden.rows), \(hidden.cols)) "
          + "and (\(readout.rows), \(readout.cols)).")
    }
    network = try outer.network(width: width, outputs: readout.cols)
    // Copies: the caller's memory lives for one call.
    parameters = try Workspace(network.plan.parameterCount, zeroed: true)
    let slots = network.plan.parameters
    for (given, slot) in [(hidden, slots[0]), (readout, slots[2])] {
      let copy = StridedMatrix(parameters.pointer + slot.offset, rows: slot.rows, cols: slot.cols)
      for i in 0..<given.rows { for j in 0..<given.cols { copy[i, j] = given[i, j] } }
    }
    for (given, slot) in [(hiddenBias, slots[1]), (outputBias, slots[3])] {
      for (j, bias) in given.enumerated() { parameters[slot.offset + j] = bias }
    }
  }

  /// Values (points x outputs) and gradients (points x outputs units), contiguous.
  func evaluate(
    _ points: PointSet, values: StridedMatrix<Double>, gradients: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    let (n, units) = (points.count, points.network.units)
    let room = try Workspace<Double>(n * units)
    let x = StridedMatrix(room.pointer, rows: n, cols: units)
    for i in 0..<n { for d in 0..<units { x[i, d] = points.coordinate(d)[i] } }
    try network.inputGradients(x, parameters: parameters.pointer, values: values, gradients: gradients, context: context)
  }
}

extension OuterNetwork {
  /// The finite network of this architecture with hidden layers of one width; each Dense layer has weights and biases.
  fileprivate func network(width: Int, outputs: Int) throws(NumericError) -> Network {
    let first = DenseLayer(
      outDim: layers.isEmpty ? outputs : width, weightStd: (scale * Double(units)).squareRoot(), biasStd: bias.squareRoot(),
      hasBias: true)
    var chain = [LayerNode.dense(first)]
    for (l, layer) in layers.enumerated() {
      if let activation = layerActivations[l] { chain.append(.activation(activation)) }
      chain.append(
        .dense(
          DenseLayer(
            index: l + 1, outDim: l + 1 < layers.count ? width : outputs, weightStd: layer.weight.squareRoot(),
            biasStd: layer.bias.squareRoot(), hasBias: true)))
    }
    return try Network(.serial(chain), input: GridShape(channels: units))
  }
}
