#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

// Functions that level off on both sides, and GELU, whose integrals are theirs.

let sigmoidals: [ActivationEntry] = [
  ActivationEntry(
    code: 101, name: "Erf",
    parameters: [
      ActivationParameter("a", standard: 1), ActivationParameter("b", standard: 1), ActivationParameter("c", standard: 0),
    ], source: "Williams, NIPS 1996", function: ScalarFunction.of(Erf.self), parity: { $0[2] == 0 ? .odd : .none },
    dual: erfDual, smoothDual: { .erf($0[0] * $0[0], $0[1] * $0[1], $0[2] * $0[2]) }),
  ActivationEntry(
    code: 102, name: "Gelu", parameters: [ActivationParameter("approximate", .flag, standard: 0)],
    source: "Tsuchida et al., arXiv:2002.08517", function: gelu, dual: { _ in .closed("gelu", []) },
    smoothDual: { _ in .gelu }),
  .expansion(
    code: 118, name: "Tanh", source: "Hermite expansion", function: ScalarFunction.of(Tanh.self), parity: .odd),
  .expansion(code: 119, name: "Sigmoid", source: "Hermite expansion", function: ScalarFunction.of(Sigmoid.self)),
]

/// a erf(b x) + c
private struct Erf: PointFunction {
  let a: Double
  let b: Double
  let c: Double
  init(_ values: [Double]) { (a, b, c) = (values[0], values[1], values[2]) }
  @inline(__always) func jet(_ x: Double) -> Jet {
    let t = b * x
    let g = 2 / Double.pi.squareRoot() * a * b * exp(-t * t)
    return [a * erf(t) + c, g, -2 * b * t * g, (4 * t * t - 2) * b * b * g]
  }
}

@Sendable private func erfDual(_ values: [Double]) -> DualForm {
  let (a, b, c) = (values[0], values[1], values[2])
  return .closed(
    c == 0 ? "erf" : "shiftedErf", [(2 * b * b).squareRoot(), a * a * 2 / .pi, c, a * a * b * b * 4 / .pi])
}

/// `approximate` concerns finite networks only.
@Sendable private func gelu(_ values: [Double]) -> ScalarFunction {
  values[0] == 0 ? ScalarFunction.of(Gelu.self)(values) : ScalarFunction.of(GeluByTanh.self)(values)
}

/// x Phi(x)
private struct Gelu: PointFunction {
  init(_ values: [Double]) {}
  @inline(__always) func jet(_ x: Double) -> Jet {
    let density = exp(-0.5 * x * x) / (2 * Double.pi).squareRoot()
    let below = 0.5 * erfc(-x * 0.5.squareRoot())
    return [x * below, below + x * density, (2 - x * x) * density, (x * x - 4) * x * density]
  }
}

/// x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2 (Hendrycks and Gimpel, arXiv:1606.08415).
private struct GeluByTanh: PointFunction {
  init(_ values: [Double]) {}
  @inline(__always) func jet(_ x: Double) -> Jet {
    let (k, c) = ((2 / Double.pi).squareRoot(), 0.044715)
    let inner: Jet = [k * (x + c * x * x * x), k * (1 + 3 * c * x * x), 6 * k * c * x, 6 * k * c]
    return 0.5 * timesArgument(x, chain(hyperbolicTangent(inner[0]), inner) + [1, 0, 0, 0])
  }
}

private struct Tanh: PointFunction {
  init(_ values: [Double]) {}
  @inline(__always) func jet(_ x: Double) -> Jet { hyperbolicTangent(x) }
}

/// 1 / (1 + exp(-x))
private struct Sigmoid: PointFunction {
  init(_ values: [Double]) {}
  @inline(__always) func jet(_ x: Double) -> Jet { logistic(x) }
}
