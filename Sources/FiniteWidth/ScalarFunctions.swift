import Architectures
import NumericCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension ChunkPass {
  /// The nonlinearity, unit by unit.
  func activate(_ activation: Activation, _ x: Batch) throws(NumericError) -> Batch {
    let out = try x.likeThis(context)
    switch activation {
    case .userExpansion(let index, _), .userQuadrature(let index, _), .userDual(let index, _):
      try pass.userFunction(index, x.pointer, out.pointer, x.count)
    default:
      guard let function = ScalarFunctions.function(activation) else {
        throw .invalid("[ExpNormalized] is a kernel without a finite network. Received a call of apply_fn.")
      }
      for i in 0..<x.count { out.pointer[i] = function(x.pointer[i]) }
    }
    return out
  }
}

/// Activations as functions of one number.
enum ScalarFunctions {
  /// The function, or nil where there is none (a kernel without a network, a caller's function).
  static func function(_ activation: Activation) -> ((Double) -> Double)? {
    switch activation {
    case .abRelu(let a, let b): return { a * min($0, 0) + b * max($0, 0) }
    case .erf(let a, let b, let c): return { a * erf(b * $0) + c }
    case .gelu(let approximate): return approximate ? geluByTanh : { $0 * 0.5 * erfc(-$0 * 0.5.squareRoot()) }
    case .sin(let a, let b, let c): return { a * sin(b * $0 + c) }
    case .rbf(let gamma): return { 2.0.squareRoot() * sin((2 * gamma).squareRoot() * $0 + .pi / 4) }
    case .sign: return { $0 > 0 ? 1 : ($0 < 0 ? -1 : 0) }
    case .step: return { $0 > 0 ? 1 : 0 }
    case .exp(let a, let b): return { a * exp(b * $0) }
    case .gaussian(let a, let b): return { a * exp(b * $0 * $0) }
    case .gabor: return { exp(-$0 * $0) * sin($0) }
    case .hermite(let degree): return { hermite(degree, $0) }
    case .polynomial(let coefficients): return { x in coefficients.reversed().reduce(0) { $0 * x + $1 } }
    case .rectifiedMonomial(let degree): return { $0 > 0 ? pow($0, Double(degree)) : 0 }
    case .named(let name, let parameter, _): return named(name, parameter)
    case .expNormalized, .userExpansion, .userQuadrature, .userDual: return nil
    }
  }

  private static func named(_ name: NamedFunction, _ parameter: Double) -> (Double) -> Double {
    switch name {
    case .tanh: return { tanh($0) }
    case .sigmoid: return logistic
    case .softplus: return { max($0, 0) + log1p(exp(-abs($0))) }
    case .swish: return { $0 * logistic(parameter * $0) }
    case .elu: return { $0 > 0 ? $0 : parameter * expm1($0) }
    case .selu: return { 1.0507009873554804934 * ($0 > 0 ? $0 : 1.6732632423543772848 * expm1($0)) }
    }
  }

  /// 1 / (1 + exp(-x)) without overflow.
  static func logistic(_ x: Double) -> Double {
    let small = exp(-abs(x))
    return x >= 0 ? 1 / (1 + small) : small / (1 + small)
  }

  /// x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2 (Hendrycks and Gimpel, arXiv:1606.08415).
  private static func geluByTanh(_ x: Double) -> Double {
    0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
  }

  /// He_n(x) / sqrt(n!) by the three-term recurrence.
  static func hermite(_ degree: Int, _ x: Double) -> Double {
    var (previous, current) = (0.0, 1.0)
    for n in 0..<max(0, degree) {
      (previous, current) = (current, (x * current - Double(n).squareRoot() * previous) / Double(n &+ 1).squareRoot())
    }
    return current
  }
}
