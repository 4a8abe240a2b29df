#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

// Functions and kernels made of exponentials.

let exponentials: [ActivationEntry] = [
  ActivationEntry(
    code: 107, name: "Exp", parameters: [ActivationParameter("a", standard: 1), ActivationParameter("b", standard: 1)],
    source: "the moment-generating function of the normal distribution", function: ScalarFunction.of(Exponential.self),
    dual: { .closed("exp", [abs($0[1]), abs($0[0]), $0[1] * $0[1]]) },
    smoothDual: { .exponential($0[0] * $0[0], $0[1] * $0[1]) }),
  ActivationEntry(
    code: 108, name: "Gaussian", parameters: [ActivationParameter("a", standard: 1), ActivationParameter("b", standard: -1)],
    source: "Williams, NIPS 1996", function: ScalarFunction.of(Gaussian.self), parity: { _ in .even }, dual: gaussianDual,
    smoothDual: {
      $0[1] <= 0
        ? .gaussian($0[0] * $0[0], $0[1])
        : .outOfDomain("Gaussian in the outer network needs b <= 0, so that moving inputs stay in its domain. Received \($0[1]).")
    }),
  ActivationEntry(
    code: 109, name: "Gabor", source: "a Gaussian integral of waves, at the strip kernel",
    function: ScalarFunction.of(Gabor.self),
    parity: { _ in .odd }, dual: { _ in .closed("gabor", []) }, smoothDual: { _ in .series }),
  ActivationEntry(
    code: 110, name: "ExpNormalized",
    parameters: [
      ActivationParameter("gamma", .real(least: 0, isOpen: true), standard: 1), ActivationParameter("shift", standard: -1),
    ], source: "Shankar et al., arXiv:2003.02237", function: nil, dual: expNormalizedDual),
]

/// a exp(b x)
private struct Exponential: PointFunction {
  let a: Double
  let b: Double
  init(_ values: [Double]) { (a, b) = (values[0], values[1]) }
  @inline(__always) func jet(_ x: Double) -> Jet { a * exp(b * x) * [1, b, b * b, b * b * b] }
}

/// a exp(b x^2)
private struct Gaussian: PointFunction {
  let a: Double
  let b: Double
  init(_ values: [Double]) { (a, b) = (values[0], values[1]) }
  @inline(__always) func jet(_ x: Double) -> Jet {
    a * exp(b * x * x) * [1, 2 * b * x, 2 * b + 4 * b * b * x * x, (12 + 8 * b * x * x) * b * b * x]
  }
}

@Sendable private func gaussianDual(_ values: [Double]) -> DualForm {
  let (a, b) = (values[0], values[1])
  return .closed("gaussian", [(2 * abs(b)).squareRoot(), a * a, a * a * 2 * abs(b), b <= 0 ? 1 : -1])
}

/// exp(-x^2) sin(x)
private struct Gabor: PointFunction {
  init(_ values: [Double]) {}
  @inline(__always) func jet(_ x: Double) -> Jet {
    let (e, s, c) = (exp(-x * x), sin(x), cos(x))
    return e * [
      s, c - 2 * x * s, (4 * x * x - 3) * s - 4 * x * c, (12 * x * x - 7) * c + (18 - 8 * x * x) * x * s,
    ]
  }
}

/// No function but the kernel sqrt(q1 q2) exp(gamma (rho + shift)).
@Sendable private func expNormalizedDual(_ values: [Double]) -> DualForm {
  let (gamma, shift) = (values[0], values[1])
  let factor = exp(gamma * (1 + shift))
  return .closed("expNormalized", [gamma, factor.squareRoot(), gamma * factor])
}
