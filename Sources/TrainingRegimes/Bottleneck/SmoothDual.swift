#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import Architectures
import NumericCore

/// T = E phi(u) phi(v) for centred Gaussian u, v with variances a, b and covariance c, and the derivatives that a moving u needs.
struct DualJet {
  var value: Double
  /// dT/dc = E phi'(u) phi'(v)
  var dc: Double
  /// dT/da = E phi''(u) phi(v) / 2
  var da: Double
  /// d2T/dc2
  var dcc: Double
  /// d2T/dc da
  var dca: Double
}

/// A nonlinearity with three derivatives, as the dual of which the gradient of the NTK by its first input is made.
///
/// Closed forms are the Gaussian integrals themselves, differentiated; the others are series (`SmoothSeries`).
enum SmoothDual {
  case identity
  /// A erf(B x) + C: A^2, B^2, C^2
  case erf(Double, Double, Double)
  /// A sin(B x + C): A^2 / 2, B^2, cos 2C
  case sine(Double, Double, Double)
  /// A exp(B x): A^2, B^2
  case exponential(Double, Double)
  /// A exp(B x^2), B <= 0: A^2, B
  case gaussian(Double, Double)
  case gelu
  case series(SmoothSeries)

  /// The dual of an activation.
  /// - Throws: `invalidArgument` for kinked activations, and for those without a finite network.
  init(_ activation: Activation) throws(NumericError) {
    switch activation {
    case .erf(let a, let b, let c): self = .erf(a * a, b * b, c * c)
    case .sin(let a, let b, let c): self = .sine(a * a / 2, b * b, cos(2 * c))
    case .rbf(let gamma): self = .sine(1, 2 * gamma, 0)
    case .exp(let a, let b): self = .exponential(a * a, b * b)
    case .gaussian(let a, let b):
      guard b <= 0 else {
        throw .invalid(
          "[Bottleneck] Gaussian in the outer network needs b <= 0, so that moving inputs stay in its domain. Received \(b).")
      }
      self = .gaussian(a * a, b)
    case .gelu: self = .gelu
    default:
      guard let function = SmoothFunction(activation) else {
        throw .invalid(
          "[Bottleneck] the outer network needs smooth activations: Erf, Gelu, Sin, Cos, Rbf, Exp, Gaussian, Gabor, Tanh, Sigmoid, "
            + "Softplus, Swish, Polynomial or Monomial. The gradient of the NTK by its input does not exist on the diagonal for kinked "
            + "ones. Received \(activation).")
      }
      self = .series(SmoothSeries(function))
    }
  }

  /// The dual at one pair; not for `series`.
  @inline(__always)
  static func erf(_ c: Double, _ a: Double, _ b: Double, _ A: Double, _ B: Double, _ C: Double) -> DualJet {
    let (p, q) = (1 + 2 * B * a, 1 + 2 * B * b)
    let d = p * q - 4 * B * B * c * c
    let r = d.squareRoot()
    let f = 4 * A * B / (.pi * r)
    let slope = f * B / p
    return DualJet(
      value: 2 * A / .pi * atan2(2 * B * c, r) + C, dc: f, da: -slope * c, dcc: 4 * f * B * B * c / d, dca: -f * B * q / d)
  }

  @inline(__always)
  static func sine(_ c: Double, _ a: Double, _ b: Double, _ A: Double, _ B: Double, _ C: Double) -> DualJet {
    let near = A * exp(-B / 2 * (a + b - 2 * c))
    let far = A * C * exp(-B / 2 * (a + b + 2 * c))
    let (t, slope) = (near - far, B * (near + far))
    return DualJet(value: t, dc: slope, da: -B / 2 * t, dcc: B * B * t, dca: -B / 2 * slope)
  }

  @inline(__always)
  static func exponential(_ c: Double, _ a: Double, _ b: Double, _ A: Double, _ B: Double) -> DualJet {
    let t = A * exp(B / 2 * (a + b + 2 * c))
    return DualJet(value: t, dc: B * t, da: B / 2 * t, dcc: B * B * t, dca: B * B / 2 * t)
  }

  @inline(__always)
  static func gaussian(_ c: Double, _ a: Double, _ b: Double, _ A: Double, _ B: Double) -> DualJet {
    let (p, q) = (1 - 2 * B * a, 1 - 2 * B * b)
    let d = p * q - 4 * B * B * c * c
    let t = A / d.squareRoot()
    let u = t / d
    return DualJet(
      value: t, dc: 4 * B * B * c * u, da: B * q * u, dcc: 4 * B * B * (u + 12 * B * B * c * c * u / d),
      dca: 12 * B * B * B * q * c * u / d)
  }

  /// x Phi(x); every integral follows from E Phi Phi = 1/4 + asin(c / sqrt((1+a)(1+b))) / 2 pi by Gaussian integration by parts.
  @inline(__always)
  static func gelu(_ c: Double, _ a: Double, _ b: Double) -> DualJet {
    let (p, q) = (1 + a, 1 + b)
    let d = p * q - c * c
    let r = d.squareRoot()
    let z = 1 / (2 * .pi * r)
    let quarter = 0.25 + atan2(c, r) / (2 * .pi)
    let bracket = a * b - a * c * c / p + c * c / q
    let zSlope = -0.5 * z * q / d
    let angleSlope = -z * c / (2 * p)
    let (u, v) = ((a * q - c * c) / d, (b * p - c * c) / d)
    let sum = c / p + c / q + c / d
    return DualJet(
      value: c * quarter + z * bracket, dc: quarter + z * sum,
      da: c * angleSlope + zSlope * bracket + z * (b - c * c / (p * p)),
      dcc: z * (4 - 2 * (u + v) + u * v + 2 * c * c / (d * d)),
      dca: angleSlope + zSlope * sum - z * (c / (p * p) + c * q / (d * d)))
  }
}
