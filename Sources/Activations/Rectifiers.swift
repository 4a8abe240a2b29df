// Functions that are linear on either side of a kink at 0.

let rectifiers: [ActivationEntry] = [
  abRelu,
  ActivationEntry(
    code: 105, name: "Sign", source: "Cho and Saul, arXiv:1112.3712", function: ScalarFunction.of(Sign.self),
    isSmooth: { _ in false }, parity: { _ in .odd }, homogeneity: { _ in 0 }, dual: { _ in .closed("sign", []) }),
  ActivationEntry(
    code: 106, name: "Step", source: "Cho and Saul, arXiv:1112.3712", function: ScalarFunction.of(Step.self),
    isSmooth: { _ in false }, homogeneity: { _ in 0 }, dual: { _ in .closed("step", []) }),
]

private let abRelu = ActivationEntry(
  code: 100, name: "ABRelu", parameters: [ActivationParameter("a"), ActivationParameter("b")],
  source: "Tsuchida et al., arXiv:1711.09090; Cho and Saul, arXiv:1112.3712", function: ScalarFunction.of(ABRelu.self),
  isSmooth: { $0[0] == $0[1] }, parity: { $0[0] == $0[1] ? .odd : $0[0] == -$0[1] ? .even : .none },
  homogeneity: { _ in 1 }, dual: abReluDual, text: abReluText)

extension Activation {
  /// The slopes for x < 0 and x > 0; nil where it is not a min(x, 0) + b max(x, 0).
  public var rectifierSlopes: (below: Double, above: Double)? {
    entry === abRelu ? (values[0], values[1]) : nil
  }
}

/// a min(x, 0) + b max(x, 0): ReLU (0, 1), leaky ReLU (alpha, 1), absolute value (-1, 1). At the kink the derivative is the mean of both
/// sides, as automatic differentiation of min and max has it.
private struct ABRelu: PointFunction {
  let a: Double
  let b: Double
  init(_ values: [Double]) { (a, b) = (values[0], values[1]) }
  @inline(__always) func jet(_ x: Double) -> Jet {
    [a * min(x, 0) + b * max(x, 0), x > 0 ? b : (x < 0 ? a : 0.5 * (a + b)), 0, 0]
  }
}

private struct Sign: PointFunction {
  init(_ values: [Double]) {}
  @inline(__always) func jet(_ x: Double) -> Jet { [x > 0 ? 1 : (x < 0 ? -1 : 0), 0, 0, 0] }
}

/// 1 for x > 0, else 0.
private struct Step: PointFunction {
  init(_ values: [Double]) {}
  @inline(__always) func jet(_ x: Double) -> Jet { [x > 0 ? 1 : 0, 0, 0, 0] }
}

/// ReLU by itself, because it is so common; else with h x + g |x| the shares of both parts, the deviation's factor, h^2 and g^2.
@Sendable private func abReluDual(_ values: [Double]) -> DualForm {
  let (a, b) = (values[0], values[1])
  if a == 0, b == 1 { return .closed("relu", []) }
  let (h, g) = ((a + b) / 2, (b - a) / 2)
  let total = h * h + g * g
  guard total > 0 else { return .closed("abRelu", [1, 0, 0, 0, 0]) }
  return .closed("abRelu", [h * h / total, g * g / total, total.squareRoot(), h * h, g * g])
}

@Sendable private func abReluText(_ values: [Double]) -> String? {
  switch (values[0], values[1]) {
  case (0, 1): "Relu()"
  case (-1, 1): "Abs()"
  case (let a, 1): "LeakyRelu(\(a))"
  case (let a, let b): "ABRelu(\(a), \(b))"
  }
}
