#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

// Functions like ReLU without its kink, or with a softer one. No closed form is known: Hermite expansions.

let smoothRectifiers: [ActivationEntry] = [
  .expansion(code: 120, name: "Softplus", source: "Hermite expansion", function: ScalarFunction.of(Softplus.self)),
  .expansion(
    code: 121, name: "Swish", source: "Ramachandran et al., arXiv:1710.05941; Hermite expansion",
    function: ScalarFunction.of(Swish.self)),
  .expansion(
    code: 122, name: "Elu", parameters: [ActivationParameter("alpha", standard: 1)],
    source: "Clevert et al., arXiv:1511.07289; Hermite expansion", function: ScalarFunction.of(Elu.self), isSmooth: false),
  .expansion(
    code: 123, name: "Selu", source: "Klambauer et al., arXiv:1706.02515; Hermite expansion",
    function: ScalarFunction.of(Selu.self), isSmooth: false),
  .expansion(
    code: 124, name: "Mish", source: "Misra, arXiv:1908.08681; Hermite expansion", function: ScalarFunction.of(Mish.self)),
]

/// log(1 + exp(x)) without overflow.
@inline(__always)
private func softplus(_ x: Double) -> Jet {
  let p = logistic(x)
  return [max(x, 0) + log1p(exp(-abs(x))), p[0], p[1], p[2]]
}

private struct Softplus: PointFunction {
  init(_ values: [Double]) {}
  @inline(__always) func jet(_ x: Double) -> Jet { softplus(x) }
}

/// x / (1 + exp(-x))
private struct Swish: PointFunction {
  init(_ values: [Double]) {}
  @inline(__always) func jet(_ x: Double) -> Jet { timesArgument(x, logistic(x)) }
}

/// scale times x for x > 0, alpha (exp(x) - 1) else.
@inline(__always)
private func exponentialLinear(_ scale: Double, _ alpha: Double, _ x: Double) -> Jet {
  guard x <= 0 else { return [scale * x, scale, 0, 0] }
  let e = scale * alpha * exp(x)
  return [scale * (alpha * expm1(x)), e, e, e]
}

private struct Elu: PointFunction {
  let alpha: Double
  init(_ values: [Double]) { alpha = values[0] }
  @inline(__always) func jet(_ x: Double) -> Jet { exponentialLinear(1, alpha, x) }
}

private struct Selu: PointFunction {
  init(_ values: [Double]) {}
  @inline(__always) func jet(_ x: Double) -> Jet { exponentialLinear(1.0507009873554804934, 1.6732632423543772848, x) }
}

/// x tanh(log(1 + exp(x)))
private struct Mish: PointFunction {
  init(_ values: [Double]) {}
  @inline(__always) func jet(_ x: Double) -> Jet {
    let inner = softplus(x)
    return timesArgument(x, chain(hyperbolicTangent(inner[0]), inner))
  }
}
