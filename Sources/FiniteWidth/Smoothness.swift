import Architectures

extension Activation {
  /// Whether all derivatives exist everywhere, and the core knows the first three.
  var isSmooth: Bool {
    switch self {
    case .abRelu(let a, let b): a == b
    case .erf, .gelu, .sin, .rbf, .exp, .gaussian, .gabor, .hermite, .polynomial: true
    case .named(let function, _, _): function != .elu && function != .selu
    case .sign, .step, .rectifiedMonomial, .expNormalized, .userExpansion, .userQuadrature, .userDual: false
    }
  }
}
