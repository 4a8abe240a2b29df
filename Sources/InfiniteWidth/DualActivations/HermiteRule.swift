/// Gauss-Hermite quadrature for the weight exp(-x^2).
///
/// Nodes are found one after the other by following the phase of the Hermite function (Glaser, Liu & Rokhlin, SIAM J. Sci. Comput. 29,
/// 2007), which cannot skip one at any degree; Newton's method with a compensated recurrence then makes them right to the last bit or
/// two, and the weights to a few, up to degree 600 (beyond, weights underflow and the recurrence overflows).
public enum HermiteRule {
  /// Nodes, largest first, and weights of the n-point rule. O(n^2).
  public static func physicists(_ n: Int) -> ([Double], [Double]) {
    let polynomial = ScaledHermite(degree: n)
    var (x, w) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
    // For odd n the phase starts at the root 0, for even n at an extremum half a turn before the first root.
    var root = 0.0
    for i in 0..<(n + 1) / 2 {
      let isMiddle = n % 2 == 1 && i == 0
      if !isMiddle { root = follow(n, from: root, phase: i == 0 ? Double.pi / 2 : 0) }
      let (node, weight) = polynomial.rule(near: root, isRoot: isMiddle)
      root = node
      let (low, high) = ((n + 1) / 2 - 1 - i, n - 1 - ((n + 1) / 2 - 1 - i))
      (x[low], x[high]) = (node, -node)
      (w[low], w[high]) = (weight, weight)
    }
    return (x, w)
  }

  /// Near the root after `x`: sqrt(r) psi = a sin(phi), psi' = a cos(phi) with r = 2 n + 1 - x^2, from `phase` to pi by Runge-Kutta steps.
  private static func follow(_ n: Int, from x: Double, phase: Double) -> Double {
    let steps = 12
    let h = (Double.pi - phase) / Double(steps)
    let slope = { (x: Double, phase: Double) -> Double in
      let r = max(Double(2 * n + 1) - x * x, 0.5)
      return 1 / (r.squareRoot() - x / (2 * r) * sine(2 * phase))
    }
    var (x, phase) = (x, phase)
    for _ in 0..<steps {
      let k1 = slope(x, phase)
      let k2 = slope(x + h / 2 * k1, phase + h / 2)
      let k3 = slope(x + h / 2 * k2, phase + h / 2)
      let k4 = slope(x + h * k3, phase + h)
      x += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
      phase += h
    }
    return x
  }
}

/// Monic Hermite polynomials p_(k+1) = x p_k - (k/2) p_(k-1), each divided by a power of two near its norm so that all coefficients are
/// exact; rounding errors are carried along to first order.
private struct ScaledHermite {
  private let degree: Int
  /// Factors of x and of the polynomial before.
  private var ahead: [Double] = []
  private var back: [Double] = []
  /// The squared norm of the polynomial of degree n - 1.
  private var norm = Double.pi.squareRoot()

  init(degree: Int) {
    self.degree = degree
    var last = 1.0
    for k in 0..<max(0, degree) {
      // The power of two below sqrt(k + 1), by its exponent.
      let scale = Double(sign: .plus, exponent: (Double(k + 1).exponent) / 2, significand: 1)
      ahead.append(1 / scale)
      back.append(Double(k) / 2 / (scale * last))
      if k + 1 < degree { norm *= Double(k + 1) / 2 / (scale * scale) }
      last = scale
    }
  }

  /// The polynomials of degree n and n - 1 at x.
  private func values(_ x: Double) -> (value: Double, previous: Double) {
    var (previous, current) = (0.0, 1.0)
    var (previousError, error) = (0.0, 0.0)
    for k in 0..<degree {
      let (a, b) = (ahead[k] * x, back[k])
      let (first, second) = (a * current, b * previous)
      let next = first - second
      let other = next - first
      // What the two products and the difference lost.
      let lost =
        (first - (next - other)) - (second + other)
        + ((-first).addingProduct(a, current) - (-second).addingProduct(b, previous))
      let nextError = a * error - b * previousError + lost
      (previous, current) = (current, next)
      (previousError, error) = (error, nextError)
    }
    return (current + error, previous + previousError)
  }

  /// The root near `start` and its weight.
  func rule(near start: Double, isRoot: Bool) -> (node: Double, weight: Double) {
    var x = start
    var step = 0.0
    var last = values(x)
    // p_n' = n p_(n-1), and the same after scaling but for one factor.
    let factor = degree > 0 ? Double(degree) * ahead[degree - 1] : 1
    for _ in 0..<(isRoot ? 0 : 8) {
      step = last.value / (factor * last.previous)
      let moved = x - step
      if moved == x { break }
      x = moved
      last = values(x)
    }
    // The true root is `step` below x, less than its rounding; there p_(n-1) is smaller by the factor exp(-2 x step).
    let rest = isRoot ? 0 : last.value / (factor * last.previous)
    return (x, norm / Double(degree) / last.previous / last.previous * (1 + 4 * x * rest))
  }
}
