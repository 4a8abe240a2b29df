#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

// Powers and their sums.

let polynomials: [ActivationEntry] = [
  ActivationEntry(
    code: 111, name: "Hermite", parameters: [ActivationParameter("degree", .integer(0...64))],
    source: "Mehler's formula, for inputs of unit variance", function: ScalarFunction.of(Hermite.self),
    parity: { evenOrOdd($0[0]) },
    dual: { .closed("hermite", [$0[0]]) }),
  polynomial,
  ActivationEntry(
    code: 113, name: "RectifiedMonomial", parameters: [ActivationParameter("degree", .integer(0...20))],
    source: "Cho and Saul, arXiv:1112.3712", function: ScalarFunction.of(RectifiedMonomial.self), isSmooth: { _ in false },
    homogeneity: { $0[0] }, dual: { .closed("rectifiedMonomial", ArcCosine.parameters(Int($0[0]))) }),
]

private let polynomial = ActivationEntry(
  code: 112, name: "Polynomial", parameters: [ActivationParameter("coef", .list(1...65))],
  source: "Mehler's formula and Gaussian moments", function: ScalarFunction.of(Polynomial.self), parity: polynomialParity,
  homogeneity: polynomialDegree, dual: { .polynomial($0) }, smoothDual: { _ in .series })

extension Activation {
  /// Coefficients by ascending power; nil where it is no polynomial.
  public var coefficients: [Double]? { entry === polynomial ? values : nil }
}

/// He_n(x) / sqrt(n!) by the three-term recurrence; its derivative is sqrt(n) times the one before.
private struct Hermite: PointFunction {
  let degree: Int
  init(_ values: [Double]) { degree = Int(values[0]) }
  @inline(__always) func jet(_ x: Double) -> Jet {
    var last: Jet = [1, 0, 0, 0]  // degrees n, n - 1, n - 2, n - 3
    for n in 0..<max(0, degree) {
      let next = (x * last[0] - Double(n).squareRoot() * last[1]) / Double(n &+ 1).squareRoot()
      last = [next, last[0], last[1], last[2]]
    }
    let n = Double(degree)
    let falling: Jet = [1, n, n * max(0, n - 1), n * max(0, n - 1) * max(0, n - 2)]
    return last * falling.squareRoot()
  }
}

/// Ascending powers.
private struct Polynomial: PointFunction {
  let coefficients: [Double]
  init(_ values: [Double]) { coefficients = values }
  @inline(__always) func jet(_ x: Double) -> Jet {
    var d = Jet(repeating: 0)
    for c in coefficients.reversed() { d = [d[0] * x + c, d[1] * x + d[0], d[2] * x + 2 * d[1], d[3] * x + 3 * d[2]] }
    return d
  }
}

/// max(x, 0)^n, with x^0 = 1 for x > 0.
private struct RectifiedMonomial: PointFunction {
  let n: Double
  init(_ values: [Double]) { n = values[0] }
  @inline(__always) func jet(_ x: Double) -> Jet {
    guard x > 0 else { return Jet(repeating: 0) }
    let power = { (k: Double, factor: Double) in factor == 0 ? 0 : factor * pow(x, k) }
    return [power(n, 1), power(n - 1, n), power(n - 2, n * (n - 1)), power(n - 3, n * (n - 1) * (n - 2))]
  }
}

@Sendable private func evenOrOdd(_ degree: Double) -> Parity { Int(degree) % 2 == 1 ? .odd : .even }

@Sendable private func polynomialParity(_ coefficients: [Double]) -> Parity {
  let powers = coefficients.indices.filter { coefficients[$0] != 0 }
  let odd = powers.count { $0 % 2 == 1 }
  return powers.isEmpty ? .none : odd == powers.count ? .odd : odd == 0 ? .even : .none
}

/// The power of a polynomial that is one; nil for sums of several.
@Sendable private func polynomialDegree(_ coefficients: [Double]) -> Double? {
  let powers = coefficients.indices.filter { coefficients[$0] != 0 }
  return powers.count == 1 ? Double(powers[0]) : nil
}
