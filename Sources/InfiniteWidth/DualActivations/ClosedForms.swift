import Architectures
import VectorKernelTypes

/// How a nonlinearity's dual is computed.
enum DualForm {
  /// A vector kernel with these numbers.
  case closed(DualKind, [Double])
  case series(SeriesSource)
  case userDual(function: Int, hasDerivative: Bool)
  case userQuadrature(function: Int, degree: Int)
}

extension Activation {
  /// The table of the nonlinearities: which kernel, with which numbers. Formulas and sources stand at the kernels.
  var dualForm: DualForm {
    switch self {
    case .abRelu(a: 0, b: 1): return .closed(.relu, [])
    case .abRelu(let a, let b): return .closed(.abRelu, abRelu(a, b))
    case .erf(let a, let b, let c):
      return .closed(
        c == 0 ? .erf : .shiftedErf,
        [(2 * b * b).squareRoot(), a * a * 2 / .pi, c, a * a * b * b * 4 / .pi])
    case .gelu: return .closed(.gelu, [])
    case .sin(let a, let b, let c): return .closed(.sine, [abs(b), a * a / 2, cosine(2 * c), a * a * b * b / 2])
    case .rbf(let gamma): return .closed(.rbf, [gamma.squareRoot(), 2 * gamma])
    case .sign: return .closed(.sign, [])
    case .step: return .closed(.step, [])
    case .exp(let a, let b): return .closed(.exp, [abs(b), abs(a), b * b])
    case .gaussian(let a, let b):
      return .closed(.gaussian, [(2 * abs(b)).squareRoot(), a * a, a * a * 2 * abs(b), b <= 0 ? 1 : -1])
    case .gabor: return .closed(.gabor, [])
    case .expNormalized(let gamma, let shift):
      let factor = exponential(gamma * (1 + shift))
      return .closed(.expNormalized, [gamma, factor.squareRoot(), gamma * factor])
    case .hermite(let degree): return .closed(.hermite, [Double(degree)])
    case .rectifiedMonomial(let degree): return .closed(.rectifiedMonomial, RectifiedMonomial.parameters(degree))
    case .polynomial(let coefficients): return .series(.polynomial(coefficients))
    case .named(let function, let parameter, let tolerance): return .series(.named(function, parameter, tolerance))
    case .userExpansion(let function, let tolerance): return .series(.user(function, tolerance))
    case .userQuadrature(let function, let degree): return .userQuadrature(function: function, degree: degree)
    case .userDual(let function, let hasDerivative): return .userDual(function: function, hasDerivative: hasDerivative)
    }
  }

  private func abRelu(_ a: Double, _ b: Double) -> [Double] {
    let (h, g) = ((a + b) / 2, (b - a) / 2)
    let total = h * h + g * g
    guard total > 0 else { return [1, 0, 0, 0, 0] }
    return [h * h / total, g * g / total, total.squareRoot(), h * h, g * g]
  }
}
