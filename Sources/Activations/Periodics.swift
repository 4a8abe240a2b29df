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
