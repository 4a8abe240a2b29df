import Activations

/// What is true of a layer tree whatever enters it.
extension LayerNode {
  /// All Dense layers, in the order of the op table.
  public var denseLayers: [DenseLayer] {
    switch self {
    case .serial(let children), .parallel(let children): children.flatMap(\.denseLayers)
    case .dense(let layer): [layer]
    case .identity, .fanOut, .fanInSum, .fanInProd, .fanInConcat, .layerNorm, .dropout, .activation, .convolution, .pool,
      .globalPool, .flatten, .batchNorm:
      []
    }
  }

  /// Whether a layer inside is evaluated by the caller's code.
  public var usesUserFunctions: Bool {
    switch self {
    case .serial(let children), .parallel(let children): children.contains(where: \.usesUserFunctions)
    case .activation(let activation): activation.usesUserFunction
    case .identity, .dense, .fanOut, .fanInSum, .fanInProd, .fanInConcat, .layerNorm, .dropout, .convolution, .pool, .globalPool,
      .flatten, .batchNorm:
      false
    }
  }

  /// Whether a Dropout in train mode is inside, so that outputs of finite networks are random.
  public var trainsWithDropout: Bool {
    switch self {
    case .serial(let children), .parallel(let children): children.contains(where: \.trainsWithDropout)
    case .dropout(_, let training): training
    case .identity, .dense, .fanOut, .fanInSum, .fanInProd, .fanInConcat, .layerNorm, .activation, .convolution, .pool,
      .globalPool, .flatten, .batchNorm:
      false
    }
  }

  /// Whether inputs of any shape become flat before anything else happens to them.
  public var startsWithFlatten: Bool {
    switch self {
    case .serial(let children): children.first?.startsWithFlatten ?? false
    case .flatten: true
    case .parallel, .identity, .dense, .fanOut, .fanInSum, .fanInProd, .fanInConcat, .layerNorm, .dropout, .activation,
      .convolution, .pool, .globalPool, .batchNorm:
      false
    }
  }
}
