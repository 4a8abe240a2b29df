#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import Architectures

/// A smooth nonlinearity with its first three derivatives at a point.
struct SmoothFunction {
  /// phi(x), phi'(x), phi''(x), phi'''(x)
  typealias Jet = (Double, Double, Double, Double)
  let jet: (Double) -> Jet

  /// nil where the activation has a kink, depends on the caller's code or has no finite network.
  init?(_ activation: Activation) {
    switch activation {
    case .erf(let a, let b, let c): jet = { SmoothFunction.erfJet($0, a, b, c) }
    case .gelu: jet = SmoothFunction.geluJet
    case .sin(let a, let b, let c): jet = { SmoothFunction.sineJet($0, a, b, c) }
    case .rbf(let gamma): jet = { SmoothFunction.sineJet($0, 2.0.squareRoot(), (2 * gamma).squareRoot(), .pi / 4) }
    case .exp(let a, let b):
      jet = { x in
        let e = a * exp(b * x)
        return (e, b * e, b * b * e, b * b * b * e)
      }
    case .gaussian(let a, let b):
      jet = { x in
        let (e, t) = (a * exp(b * x * x), 2 * b * x)
        return (e, t * e, (t * t + 2 * b) * e, (t * t + 6 * b) * t * e)
      }
    case .gabor: jet = SmoothFunction.gaborJet
    case .polynomial(let coefficients): jet = { SmoothFunction.polynomialJet(coefficients, $0) }
    case .named(let name, let parameter, _):
      guard let named = SmoothFunction.named(name, parameter) else { return nil }
      jet = named
    default: return nil
    }
  }

  private static func named(_ name: NamedFunction, _ parameter: Double) -> ((Double) -> Jet)? {
    switch name {
    case .tanh: return tanhJet
    case .sigmoid: return sigmoidJet
    case .softplus:
      return { x in
        let s = sigmoidJet(x)
        return (max(x, 0) + log1p(exp(-abs(x))), s.0, s.1, s.2)
      }
    case .swish:
      return { x in
        let (p, s) = (parameter, sigmoidJet(parameter * x))
        return (x * s.0, s.0 + p * x * s.1, 2 * p * s.1 + p * p * x * s.2, 3 * p * p * s.2 + p * p * p * x * s.3)
      }
    case .elu, .selu: return nil
    }
  }

  private static func erfJet(_ x: Double, _ a: Double, _ b: Double, _ c: Double) -> Jet {
    let t = b * x
    let slope = a * b * 2 / Double.pi.squareRoot() * exp(-t * t)
    return (a * erf(t) + c, slope, -2 * b * t * slope, b * b * (4 * t * t - 2) * slope)
  }

  private static func geluJet(_ x: Double) -> Jet {
    let density = exp(-x * x / 2) / (2 * Double.pi).squareRoot()
    let mass = 0.5 * erfc(-x * 0.5.squareRoot())
    return (x * mass, mass + x * density, (2 - x * x) * density, (x * x - 4) * x * density)
  }

  private static func sineJet(_ x: Double, _ a: Double, _ b: Double, _ c: Double) -> Jet {
    let (s, t) = (a * sin(b * x + c), a * cos(b * x + c))
    return (s, b * t, -b * b * s, -b * b * b * t)
  }

  private static func gaborJet(_ x: Double) -> Jet {
    let e = exp(-x * x)
    let (s, c) = (e * sin(x), e * cos(x))
    let x2 = x * x
    return (s, c - 2 * x * s, (4 * x2 - 3) * s - 4 * x * c, (18 - 8 * x2) * x * s + (12 * x2 - 7) * c)
  }

  private static func tanhJet(_ x: Double) -> Jet {
    let t = tanh(x)
    let s = 1 - t * t
    return (t, s, -2 * t * s, (6 * t * t - 2) * s)
  }

  private static func sigmoidJet(_ x: Double) -> Jet {
    let e = exp(-abs(x))
    let (s, slope) = (x >= 0 ? 1 / (1 + e) : e / (1 + e), e / ((1 + e) * (1 + e)))
    return (s, slope, slope * (1 - 2 * s), slope * (1 - 6 * slope))
  }

  private static func polynomialJet(_ coefficients: [Double], _ x: Double) -> Jet {
    var jet: Jet = (0, 0, 0, 0)
    for c in coefficients.reversed() {
      jet = (jet.0 * x + c, jet.1 * x + jet.0, jet.2 * x + 2 * jet.1, jet.3 * x + 3 * jet.2)
    }
    return jet
  }
}
