#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

// Waves.

let periodics: [ActivationEntry] = [
  ActivationEntry(
    code: 103, name: "Sin",
    parameters: [
      ActivationParameter("a", standard: 1), ActivationParameter("b", standard: 1), ActivationParameter("c", standard: 0),
    ], source: "Rahimi and Recht, NIPS 2007", function: ScalarFunction.of(Sine.self),
    parity: { $0[2] == 0 ? .odd : .none }, dual: sineDual,
    smoothDual: { .sine($0[0] * $0[0] / 2, $0[1] * $0[1], cos(2 * $0[2])) }),
  ActivationEntry(
    code: 104, name: "Rbf", parameters: [ActivationParameter("gamma", .real(least: 0), standard: 1)],
    source: "Rahimi and Recht, NIPS 2007", function: ScalarFunction.of(Rbf.self),
    dual: { .closed("rbf", [$0[0].squareRoot(), 2 * $0[0]]) }, smoothDual: { .sine(1, 2 * $0[0], 0) }),
  ActivationEntry(
    code: 126, name: "Snake", parameters: [ActivationParameter("a", .real(least: 0, isOpen: true), standard: 1)],
    source: "Ziyin et al., arXiv:2006.08195; a Gaussian integral of waves, at the strip kernel",
    function: ScalarFunction.of(Snake.self), dual: snakeDual, smoothDual: { _ in .series }),
]

/// a sin(b x + c)
private struct Sine: PointFunction {
  let a: Double
  let b: Double
  let c: Double
  init(_ values: [Double]) { (a, b, c) = (values[0], values[1], values[2]) }
  @inline(__always) func jet(_ x: Double) -> Jet { sine(a, b, c, x) }
}

@Sendable private func sineDual(_ values: [Double]) -> DualForm {
  let (a, b, c) = (values[0], values[1], values[2])
  return .closed("sine", [abs(b), a * a / 2, cos(2 * c), a * a * b * b / 2])
}

/// sqrt(2) sin(sqrt(2 gamma) x + pi/4), whose dual is the Gaussian kernel exp(-gamma |x - y|^2).
private struct Rbf: PointFunction {
  let frequency: Double
  init(_ values: [Double]) { frequency = (2 * values[0]).squareRoot() }
  @inline(__always) func jet(_ x: Double) -> Jet { sine(2.0.squareRoot(), frequency, .pi / 4, x) }
}

/// x + sin^2(a x) / a
private struct Snake: PointFunction {
  let a: Double
  init(_ values: [Double]) { a = values[0] }
  @inline(__always) func jet(_ x: Double) -> Jet {
    let wave = sin(a * x)
    let (s, c) = (sin(2 * a * x), cos(2 * a * x))
    return [x + wave * wave / a, 1 + s, 2 * a * c, -4 * a * a * s]
  }
}

@Sendable private func snakeDual(_ values: [Double]) -> DualForm { .closed("snake", [values[0] * 2.0.squareRoot()]) }
