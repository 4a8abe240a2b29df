import LinearAlgebra
import NumericCore

/// Largest eigenvalue of K / n, where K is the Gram matrix of the gradients of a two-layer network's outputs on n inputs by what is trained.
///
/// Gradient descent on (1/n) sum (y - f)^2 with these inputs is stable for learning rates below its inverse, and it grows with the noise of
/// a small batch, so a share of the inverse is a safe learning rate for stochastic gradient descent. O(n^2 (N + d)).
public func batchCurvature(
  of network: TwoLayerNetwork<Double>, on inputs: StridedMatrix<Double>, trainsWeights: Bool, trainsOutputs: Bool,
  context: CallContext
) throws(NumericError) -> Double {
  let (n, width) = (inputs.rows, network.weights.rows)
  try inputs.requireSize(n, network.weights.cols, "learning_rate", "the inputs")
  guard n > 0 else { throw .invalid("[learning_rate] needs at least one input. Received 0.") }
  let layer = try HiddenLayer(network, inputs, context)
  let (gram, products) = (
    try OwnedMatrix(n, n, for: "the gradients of a batch", context),
    try OwnedMatrix(n, n, for: "the gradients of a batch", context)
  )
  if trainsWeights || network.tangents != nil {
    if trainsWeights {
      for i in 0..<width { for k in 0..<n { layer.slopes.view[i, k] *= network.outputs[i, 0] } }
    }
    try multiplySelf(layer.slopes.view.transposed, into: gram.view, context: context)
    try multiplySelf(inputs, into: products.view, context: context)
    for i in 0..<n * n { gram.view.base[i] *= products.view.base[i] }
  }
  if trainsOutputs { try multiplySelf(layer.values.view.transposed, into: gram.view, beta: 1, context: context) }
  for i in 0..<n * n { gram.view.base[i] += 1 }  // the constant
  return try largestEigenvalue(gram.view, context: context) / Double(n)
}
