import Architectures
import NumericCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

func cosine(_ x: Double) -> Double { cos(x) }
func sine(_ x: Double) -> Double { sin(x) }
func exponential(_ x: Double) -> Double { exp(x) }
func logarithm(_ x: Double) -> Double { log(x) }

/// A nonlinearity whose dual is its Hermite series: with f(s z) = sum a_n(s) He_n(z) / sqrt(n!),
/// T = sum a_n(s_i) a_n(s_j) rho^n and Td = sum n a_n(s_i) a_n(s_j) rho^(n-1) / (s_i s_j) (Mehler's formula).
enum SeriesSource {
  case polynomial([Double])
  case named(NamedFunction, Double, Double)
  case user(Int, Double)

  /// Largest share of the energy that may be cut off.
  var tolerance: Double {
    switch self {
    case .polynomial: 0
    case .named(_, _, let tolerance), .user(_, let tolerance): tolerance
    }
  }

  /// 1 where only odd powers occur, 2 where only even ones do, else 0.
  var parity: Int {
    switch self {
    case .named(.tanh, _, _): return 1
    case .polynomial(let c):
      let hasOdd = stride(from: 1, to: c.count, by: 2).contains { c[$0] != 0 }
      let hasEven = stride(from: 0, to: c.count, by: 2).contains { c[$0] != 0 }
      return hasOdd && !hasEven ? 1 : hasEven && !hasOdd ? 2 : 0
    default: return 0
    }
  }
}

extension NamedFunction {
  /// The function's value; `parameter` is the slope of Swish or the alpha of ELU.
  func callAsFunction(_ x: Double, _ parameter: Double) -> Double {
    switch self {
    case .tanh: return Self.hyperbolicTangent(x)
    case .sigmoid: return Self.logistic(x)
    case .softplus: return max(x, 0) + log1p(exp(-abs(x)))
    case .swish: return x * Self.logistic(parameter * x)
    case .elu: return x > 0 ? x : parameter * expm1(x)
    case .selu: return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * expm1(x))
    }
  }

  private static func logistic(_ x: Double) -> Double {
    let e = exp(-abs(x))
    return x >= 0 ? 1 / (1 + e) : e / (1 + e)
  }

  private static func hyperbolicTangent(_ x: Double) -> Double {
    let e = expm1(-2 * abs(x))
    return x >= 0 ? -e / (e + 2) : e / (e + 2)
  }
}
