#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import Activations
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

/// The dual of a nonlinearity with the derivatives of which the gradient of the NTK by its first input is made.
///
/// Closed forms are the Gaussian integrals themselves, differentiated; the others are series (`SmoothSeries`).
enum SmoothDual {
  case identity
  /// The numbers of `SmoothDualForm`.
  case erf(Double, Double, Double)
  case sine(Double, Double, Double)
  case exponential(Double, Double)
  case gaussian(Double, Double)
  case gelu
  case series(SmoothSeries)

  /// The dual of an activation.
  /// - Throws: `invalidArgument` for kinked activations, and for those without a finite network.
  init(_ activation: Activation) throws(NumericError) {
    switch activation.smoothDual {
    case .erf(let p, let q, let r): self = .erf(p, q, r)
    case .sine(let p, let q, let r): self = .sine(p, q, r)
    case .exponential(let p, let q): self = .exponential(p, q)
    case .gaussian(let p, let q): self = .gaussian(p, q)
    case .gelu: self = .gelu
    case .outOfDomain(let reason): throw .invalid("[kernel gradient] \(reason)")
    case .series:
      guard let function = activation.function else { throw SmoothDual.kinked(activation) }
      self = .series(SmoothSeries(function))
    case .none: throw SmoothDual.kinked(activation)
    }
  }

  private static func kinked(_ activation: Activation) -> NumericError {
    .invalid(
      "[kernel gradient] the network needs smooth activations, such as Erf, Gelu, Sin, Tanh, Softplus or Polynomial. The gradient of "
        + "the NTK by its input does not exist on the diagonal for kinked ones. Received \(activation).")
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
