import Architectures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A function of one number at a point: its value and first three derivatives.
typealias Derivatives = SIMD4<Double>

/// Activations as functions of one number.
public enum ScalarFunctions {
  /// Writes the function and its derivatives at `x` into `targets` (the value, the first derivative, ...; at most four arrays). False where
  /// there is no function (a kernel without a network, a caller's function).
  public static func evaluate(
    _ activation: Activation, _ x: UnsafePointer<Double>, _ count: Int, into targets: [UnsafeMutablePointer<Double>]
  ) -> Bool {
    if case .abRelu(let a, let b) = activation {
      rectify(a, b, x, count, targets)
      return true
    }
    guard let function = function(activation) else { return false }
    switch targets.count {
    case 1: for i in 0..<count { targets[0][i] = function(x[i])[0] }
    case 2:
      let (value, slope) = (targets[0], targets[1])
      for i in 0..<count {
        let d = function(x[i])
        value[i] = d[0]
        slope[i] = d[1]
      }
    default:
      for i in 0..<count {
        let d = function(x[i])
        for (order, target) in targets.enumerated() { target[i] = d[order] }
      }
    }
    return true
  }

  /// a min(x, 0) + b max(x, 0). At the kink the derivative is the mean of both sides, as automatic differentiation of min and max has it.
  private static func rectify(
    _ a: Double, _ b: Double, _ x: UnsafePointer<Double>, _ count: Int, _ targets: [UnsafeMutablePointer<Double>]
  ) {
    let value = targets[0]
    for i in 0..<count { value[i] = a * min(x[i], 0) + b * max(x[i], 0) }
    guard targets.count > 1 else { return }
    let slope = targets[1]
    for i in 0..<count { slope[i] = x[i] > 0 ? b : (x[i] < 0 ? a : 0.5 * (a + b)) }
    for target in targets.dropFirst(2) { target.update(repeating: 0, count: count) }
  }

  /// The function with its derivatives, or nil where there is none.
  static func function(_ activation: Activation) -> ((Double) -> Derivatives)? {
    switch activation {
    case .abRelu(let a, let b): return { [a * min($0, 0) + b * max($0, 0), $0 > 0 ? b : ($0 < 0 ? a : 0.5 * (a + b)), 0, 0] }
    case .erf(let a, let b, let c): return { erf(a, b, c, $0) }
    case .gelu(let approximate): return approximate ? geluByTanh : gelu
    case .sin(let a, let b, let c): return { sine(a, b, c, $0) }
    case .rbf(let gamma):
      let (a, b) = (2.0.squareRoot(), (2 * gamma).squareRoot())
      return { sine(a, b, .pi / 4, $0) }
    case .sign: return { [$0 > 0 ? 1 : ($0 < 0 ? -1 : 0), 0, 0, 0] }
    case .step: return { [$0 > 0 ? 1 : 0, 0, 0, 0] }
    case .exp(let a, let b): return { a * exp(b * $0) * [1, b, b * b, b * b * b] }
    case .gaussian(let a, let b):
      return { x in a * exp(b * x * x) * [1, 2 * b * x, 2 * b + 4 * b * b * x * x, (12 + 8 * b * x * x) * b * b * x] }
    case .gabor: return gabor
    case .hermite(let degree): return { hermite(degree, $0) }
    case .polynomial(let coefficients): return { polynomial(coefficients, $0) }
    case .rectifiedMonomial(let degree): return { rectifiedMonomial(Double(degree), $0) }
    case .named(let name, let parameter, _): return named(name, parameter)
    case .expNormalized, .userExpansion, .userQuadrature, .userDual: return nil
    }
  }

  private static func named(_ name: NamedFunction, _ parameter: Double) -> (Double) -> Derivatives {
    switch name {
    case .tanh: return hyperbolicTangent
    case .sigmoid: return logistic
    case .softplus:
      return { x in
        let p = logistic(x)
        return [max(x, 0) + log1p(exp(-abs(x))), p[0], p[1], p[2]]
      }
    case .swish:
      return { x in
        let p = logistic(parameter * x) * [1, parameter, parameter * parameter, parameter * parameter * parameter]
        return [x * p[0], p[0] + x * p[1], 2 * p[1] + x * p[2], 3 * p[2] + x * p[3]]
      }
    case .elu: return { exponentialLinear(1, parameter, $0) }
    case .selu: return { exponentialLinear(1.0507009873554804934, 1.6732632423543772848, $0) }
    }
  }

  private static func hyperbolicTangent(_ x: Double) -> Derivatives {
    let t = tanh(x)
    let s = 1 - t * t
    return [t, s, -2 * t * s, s * (6 * t * t - 2)]
  }

  /// 1 / (1 + exp(-x)) without overflow.
  private static func logistic(_ x: Double) -> Derivatives {
    let small = exp(-abs(x))
    let p = x >= 0 ? 1 / (1 + small) : small / (1 + small)
    let q = small / ((1 + small) * (1 + small))
    return [p, q, q * (1 - 2 * p), q * (1 - 6 * q)]
  }

  private static func exponentialLinear(_ scale: Double, _ alpha: Double, _ x: Double) -> Derivatives {
    guard x <= 0 else { return [scale * x, scale, 0, 0] }
    let e = scale * alpha * exp(x)
    return [scale * alpha * expm1(x), e, e, e]
  }

  private static func erf(_ a: Double, _ b: Double, _ c: Double, _ x: Double) -> Derivatives {
    let t = b * x
    let g = 2 / Double.pi.squareRoot() * a * b * exp(-t * t)
    return [a * errorFunction(t) + c, g, -2 * b * t * g, (4 * t * t - 2) * b * b * g]
  }

  private static func sine(_ a: Double, _ b: Double, _ c: Double, _ x: Double) -> Derivatives {
    let (s, d) = (a * sin(b * x + c), a * b * cos(b * x + c))
    return [s, d, -b * b * s, -b * b * d]
  }

  private static func gelu(_ x: Double) -> Derivatives {
    let density = exp(-0.5 * x * x) / (2 * Double.pi).squareRoot()
    let below = 0.5 * erfc(-x * 0.5.squareRoot())
    return [x * below, below + x * density, (2 - x * x) * density, (x * x - 4) * x * density]
  }

  /// x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2 (Hendrycks and Gimpel, arXiv:1606.08415).
  private static func geluByTanh(_ x: Double) -> Derivatives {
    let (k, c) = ((2 / Double.pi).squareRoot(), 0.044715)
    let f = hyperbolicTangent(k * (x + c * x * x * x))
    let (g1, g2, g3) = (k * (1 + 3 * c * x * x), 6 * k * c * x, 6 * k * c)
    let h1 = f[1] * g1
    let h2 = f[2] * g1 * g1 + f[1] * g2
    let h3 = f[3] * g1 * g1 * g1 + 3 * f[2] * g1 * g2 + f[1] * g3
    return [0.5 * x * (1 + f[0]), 0.5 * (1 + f[0] + x * h1), h1 + 0.5 * x * h2, 1.5 * h2 + 0.5 * x * h3]
  }

  private static func gabor(_ x: Double) -> Derivatives {
    let (e, s, c) = (exp(-x * x), sin(x), cos(x))
    return e * [
      s, c - 2 * x * s, (4 * x * x - 3) * s - 4 * x * c, (12 * x * x - 7) * c + (18 - 8 * x * x) * x * s,
    ]
  }

  /// He_n(x) / sqrt(n!) by the three-term recurrence; its derivative is sqrt(n) times the one before.
  private static func hermite(_ degree: Int, _ x: Double) -> Derivatives {
    var last: Derivatives = [1, 0, 0, 0]  // degrees n, n - 1, n - 2, n - 3
    for n in 0..<max(0, degree) {
      let next = (x * last[0] - Double(n).squareRoot() * last[1]) / Double(n &+ 1).squareRoot()
      last = [next, last[0], last[1], last[2]]
    }
    let n = Double(degree)
    let falling: Derivatives = [1, n, n * max(0, n - 1), n * max(0, n - 1) * max(0, n - 2)]
    return last * falling.squareRoot()
  }

  private static func polynomial(_ coefficients: [Double], _ x: Double) -> Derivatives {
    var d = Derivatives(repeating: 0)
    for c in coefficients.reversed() { d = [d[0] * x + c, d[1] * x + d[0], d[2] * x + 2 * d[1], d[3] * x + 3 * d[2]] }
    return d
  }

  private static func rectifiedMonomial(_ n: Double, _ x: Double) -> Derivatives {
    guard x > 0 else { return Derivatives(repeating: 0) }
    let power = { (k: Double, factor: Double) in factor == 0 ? 0 : factor * pow(x, k) }
    return [power(n, 1), power(n - 1, n), power(n - 2, n * (n - 1)), power(n - 3, n * (n - 1) * (n - 2))]
  }
}

/// The C library's erf, outside of the scope in which the name means the activation.
private func errorFunction(_ x: Double) -> Double { erf(x) }

/// x^p for x > 0.
func realPower(_ x: Double, _ p: Double) -> Double { pow(x, p) }
