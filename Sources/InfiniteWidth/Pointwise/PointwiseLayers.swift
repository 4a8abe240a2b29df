import Architectures
import NumericCore

/// Which layers the pointwise engine takes, and why it does not take the others.
extension PointwiseKernel {
  /// - Throws: `invalidArgument` with the reason where a layer of `network` has no kernel here.
  public static func accept(_ network: LayerNode) throws(NumericError) {
    var batchConcatenations = 0
    try accept(network, &batchConcatenations)
    guard batchConcatenations <= 1 else {
      throw .invalid(
        "[FanInConcat] along the batch (axis=0) may stand once in a network. Received \(batchConcatenations) of them.")
    }
  }

  private static func accept(_ node: LayerNode, _ batchConcatenations: inout Int) throws(NumericError) {
    switch node {
    case .serial(let children), .parallel(let children):
      for child in children { try accept(child, &batchConcatenations) }
    case .fanInConcat(.batch): batchConcatenations += 1
    case .identity, .dense, .fanOut, .fanInSum, .fanInProd, .fanInConcat(.channel), .layerNorm, .dropout, .activation, .flatten:
      return
    case .convolution, .pool, .globalPool, .batchNorm: throw refusal(of: node)
    }
  }

  /// Why a layer for finite networks is refused.
  static func refusal(of layer: LayerNode) -> NumericError {
    .invalid(
      "[\(layer.name)] has no infinite-width kernel in this version; init_fn, apply_fn and the empirical kernels are what it is "
        + "for. Received a call of kernel_fn.")
  }
}
