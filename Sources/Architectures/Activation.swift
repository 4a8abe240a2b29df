/// A nonlinearity applied to each unit.
public enum Activation: Sendable, Equatable {
  /// a min(x, 0) + b max(x, 0): ReLU (0, 1), leaky ReLU (alpha, 1), absolute value (-1, 1).
  case abRelu(a: Double, b: Double)
  /// a erf(b x) + c
  case erf(a: Double, b: Double, c: Double)
  /// x Phi(x); `approximate` concerns finite networks only.
  case gelu(approximate: Bool)
  /// a sin(b x + c)
  case sin(a: Double, b: Double, c: Double)
  /// sqrt(2) sin(sqrt(2 gamma) x + pi/4), whose dual is the Gaussian kernel exp(-gamma |x - y|^2).
  case rbf(gamma: Double)
  case sign
  /// 1 for x > 0, else 0.
  case step
  /// a exp(b x)
  case exp(a: Double, b: Double)
  /// a exp(b x^2)
  case gaussian(a: Double, b: Double)
  /// exp(-x^2) sin(x)
  case gabor
  /// No finite counterpart: the kernel sqrt(q1 q2) exp(gamma (rho + shift)).
  case expNormalized(gamma: Double, shift: Double)
  /// He_n(x) / sqrt(n!), for inputs of unit variance.
  case hermite(degree: Int)
  /// Ascending powers.
  case polynomial([Double])
  /// max(x, 0)^degree, with x^0 = 1 for x > 0.
  case rectifiedMonomial(degree: Int)
  /// A function without closed form that the core knows, by Hermite expansion to `tolerance`.
  case named(NamedFunction, parameter: Double, tolerance: Double)
  /// A caller's function, by Hermite expansion to `tolerance`.
  case userExpansion(function: Int, tolerance: Double)
  /// A caller's function and derivative, by two-dimensional Gauss-Hermite quadrature with `degree` nodes a side.
  case userQuadrature(function: Int, degree: Int)
  /// A caller's E[f(u) f(v)] as a function of the covariance and the two variances.
  case userDual(function: Int, hasDerivative: Bool)

  /// Whether it is evaluated by the caller's code.
  public var usesUserFunction: Bool {
    switch self {
    case .userExpansion, .userQuadrature, .userDual: true
    default: false
    }
  }
}

/// Activations without a closed-form dual that are ready-made.
public enum NamedFunction: Int, Sendable, CaseIterable {
  case tanh = 0
  case sigmoid = 1
  case softplus = 2
  case swish = 3
  case elu = 4
  case selu = 5
}
