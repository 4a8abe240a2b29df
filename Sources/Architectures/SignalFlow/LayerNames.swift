import Activations

/// Layers as their users call them, for messages.
extension LayerNode {
  /// The name of the constructor.
  public var name: String {
    switch self {
    case .serial: "serial"
    case .parallel: "parallel"
    case .identity: "Identity"
    case .dense: "Dense"
    case .fanOut: "FanOut"
    case .fanInSum: "FanInSum"
    case .fanInProd: "FanInProd"
    case .fanInConcat: "FanInConcat"
    case .layerNorm: "LayerNorm"
    case .dropout: "Dropout"
    case .activation(let activation):
      activation.usesUserFunction ? activation.name : String(activation.description.prefix { $0 != "(" })
    case .convolution: "Conv"
    case .pool(let layer): layer.isMean ? "AvgPool" : "SumPool"
    case .globalPool(let isMean): isMean ? "GlobalAvgPool" : "GlobalSumPool"
    case .flatten: "Flatten"
    case .batchNorm: "BatchNorm"
    }
  }
}
