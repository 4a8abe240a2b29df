import Activations
import Architectures
import NumericCore

/// The infinitely wide network behind the bottleneck: Dense layers with smooth nonlinearities between them, one after the other.
///
/// Its kernels are functions of c0, a0, b0 alone (covariance and variances after the first Dense layer), so that the gradient by the first
/// input z is (dK/dc0) s y + (dK/da0) 2 s z with s = W_std^2 / k.
struct OuterNetwork: Sendable {
  /// A nonlinearity and the Dense layer behind it.
  struct Layer: @unchecked Sendable {
    let dual: SmoothDual
    /// W_std^2 and b_std^2
    let weight: Double
    let bias: Double
  }

  /// k, the number of inputs.
  let units: Int
  /// W_std^2 / k of the first Dense layer.
  let scale: Double
  /// b_std^2 of the first Dense layer.
  let bias: Double
  let layers: [Layer]
  /// The nonlinearities; nil between two Dense layers that follow each other.
  let layerActivations: [Activation?]
  var activations: [Activation] { layerActivations.compactMap { $0 } }

  /// The network of a layer tree for `units` inputs.
  /// - Throws: `invalidArgument` for anything but a chain of Dense layers in the NTK parameterization and smooth activations.
  init(_ node: LayerNode, units: Int) throws(NumericError) {
    guard units >= 1, units <= 1 << 20 else { throw .invalid("[Bottleneck] units must be at least 1. Received \(units).") }
    var layers: [Layer] = []
    var activations: [Activation?] = []
    var first: DenseLayer?
    var pending: Activation?
    for link in try OuterNetwork.chain(node) {
      switch link {
      case .dense(let dense):
        try OuterNetwork.check(dense)
        let (weight, bias) = (dense.weightStd * dense.weightStd, dense.biasStd * dense.biasStd)
        if first == nil {
          guard pending == nil else { throw OuterNetwork.mustStart }
          first = dense
        } else {
          let dual = if let pending { try SmoothDual(pending) } else { SmoothDual.identity }
          layers.append(Layer(dual: dual, weight: weight, bias: bias))
          activations.append(pending)
        }
        pending = nil
      case .activation(let activation):
        guard first != nil, pending == nil else { throw OuterNetwork.mustStart }
        pending = activation
      }
    }
    guard let first, pending == nil else { throw OuterNetwork.mustStart }
    (self.units, self.layers, layerActivations) = (units, layers, activations)
    (scale, bias) = (first.weightStd * first.weightStd / Double(units), first.biasStd * first.biasStd)
  }

  private static let mustStart = NumericError.invalid(
    "[Bottleneck] the outer network must start and end with Dense and have at most one activation between two Dense layers. "
      + "Received another order.")

  /// What a chain is made of.
  private enum Link {
    case dense(DenseLayer)
    case activation(Activation)
  }

  private static func chain(_ node: LayerNode) throws(NumericError) -> [Link] {
    switch node {
    case .serial(let children):
      var links: [Link] = []
      for child in children { links += try chain(child) }
      return links
    case .identity: return []
    case .dense(let layer): return [.dense(layer)]
    case .activation(let activation): return [.activation(activation)]
    case .parallel, .fanOut, .fanInSum, .fanInProd, .fanInConcat, .layerNorm, .dropout, .convolution, .pool, .globalPool,
      .flatten, .batchNorm:
      throw .invalid(
        "[Bottleneck] the outer network must be a chain of Dense layers and activations. Received a layer of another kind.")
    }
  }

  private static func check(_ dense: DenseLayer) throws(NumericError) {
    guard !dense.isStandard, !dense.isFrozen else {
      throw .invalid(
        "[Bottleneck] the Dense layers of the outer network need parameterization \"ntk\" and must be trained. Received another.")
    }
  }
}
