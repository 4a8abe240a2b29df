import Activations
import NumericCore
import VectorKernelTypes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The closed-form dual of a continuous function that is linear between knots; formulas stand at `piecewiseLinearStrip`.
struct PiecewiseLinearDual: TabulatedDual {
  /// Coefficients of D / x, an even number: errors of 1e-19 h, which bounded functions multiply by s^2.
  private static let terms = 52
  /// Knots further out than this many deviations do not count (exp(-81/2) is 3e-18).
  private static let furthest = 9.0
  private static let nodes = ChebyshevNodes(terms)

  private let function: PiecewiseLinear
  /// The slope between the knots on either side of 0 (left of a knot at 0).
  private let middle: Double
  /// All knots: 1 or -1, |t|, change of the slope.
  private let knots: [Knot]
  /// Knots that the strip kernel knows: for a function of one parity the positive ones.
  private let groups: [Knot]
  private let parity: Int

  private struct Knot {
    var sign: Double
    var place: Double
    var weight: Double
  }

  init(_ function: PiecewiseLinear) {
    self.function = function
    let slopes = function.slopes
    middle = slopes[function.knots.count { $0 < 0 }]
    let all = zip(function.knots, zip(slopes, slopes.dropFirst())).map { (t, change) in
      Knot(sign: t < 0 ? -1 : 1, place: abs(t), weight: change.1 - change.0)
    }
    knots = all
    let hasZero = all.contains { $0.place == 0 }
    parity = hasZero ? 0 : function.parity.rawValue
    groups = parity == 0 ? all : all.filter { $0.sign > 0 }
  }

  var arrayCount: Int { 5 + groups.count * (6 + PiecewiseLinearDual.terms) }

  func strip(in layers: LayerStrips) -> StripFunction { layers.piecewiseLinear }

  func parameters() -> [Double] {
    [groups.count, PiecewiseLinearDual.terms, parity].map(Double.init) + groups.map(\.sign)
  }

  func row(_ s: Double) -> (deviation: Tangent, first: Tangent, arrays: [Tangent]) {
    let own = Tangent(s, 1)
    var mean = Tangent(function.valueAtZero, 0)
    var linear = own * middle
    var slope = Tangent(middle, 0)
    var weights = Tangent(0, 0)
    let sides = knots.map { KnotSide($0.place, s, furthest: PiecewiseLinearDual.furthest) }
    for (knot, side) in zip(knots, sides) where side.isNear {
      mean = mean + own * side.ramp * knot.weight
      linear = linear + own * side.tail * (knot.sign * knot.weight)
      slope = slope + side.tail * (knot.sign * knot.weight)
      weights = weights + Tangent(knot.weight, 0)
    }
    let rest = remainder(sides)
    let variance = mean * mean + linear * linear + own * own * rest
    let after = Tangent(max(variance.value, 0), variance.slope).squareRoot()
    let inverse = after.value > 0 ? Tangent(1, 0) / after : Tangent(0, 0)
    var arrays = [mean * inverse, linear * inverse, own * inverse, slope, weights]
    for (knot, side) in zip(knots, sides) where parity == 0 || knot.sign > 0 {
      arrays += [side.h, side.q, side.density, side.missing, side.width, Tangent(side.isNear ? knot.weight : 0, 0)]
      arrays += side.d(PiecewiseLinearDual.nodes)
    }
    return (after, own, arrays)
  }

  /// What is left of E f(s z)^2 / s^2 beyond the Hermite terms of degree 0 and 1: the formula of the strip kernel at t = 0 for ramps that
  /// face alike and at t = pi for opposite ones, where w is infinite, or 0 between a knot and itself.
  private func remainder(_ sides: [KnotSide]) -> Tangent {
    var (sum, weights) = (Tangent(0, 0), 0.0)
    for (i, a) in zip(knots, sides) where a.isNear {
      weights += i.weight
      for (j, b) in zip(knots, sides) where b.isNear { sum = sum + KnotSide.atEnd(a, b, i.sign * j.sign) * (i.weight * j.weight) }
    }
    return sum + Tangent(weights * weights * (0.25 - 0.5 / .pi), 0)
  }
}

/// Everything about a knot at distance tau that depends on one deviation, with derivatives by it.
private struct KnotSide {
  let isNear: Bool
  let h: Tangent
  /// Q(h), 1/2 - Q(h), the density, 1 - exp(-h^2 / 2), phi(h) - h Q(h).
  let tail: Tangent
  let q: Tangent
  let density: Tangent
  let missing: Tangent
  let ramp: Tangent
  /// b of the map w = 2 b x / (1 - x^2).
  let width: Tangent

  init(_ tau: Double, _ s: Double, furthest: Double) {
    let ratio = tau == 0 ? 0 : tau / s
    isNear = ratio <= furthest
    let value = isNear ? ratio : furthest
    h = Tangent(value, isNear && s > 0 ? -value / s : 0)
    let height = exp(-value * value / 2)
    let (phi, half) = (height / (2 * Double.pi).squareRoot(), erf(value / 2.0.squareRoot()) / 2)
    density = Tangent(phi, -value * phi * h.slope)
    q = Tangent(half, phi * h.slope)
    tail = Tangent(erfc(value / 2.0.squareRoot()) / 2, -phi * h.slope)
    missing = Tangent(-expm1(-value * value / 2), value * height * h.slope)
    ramp = density + h * tail * -1
    let b = (9 + value * value).squareRoot()
    width = Tangent(b, value / b * h.slope)
  }

  /// Coefficients of D(w) / x as `piecewiseLinearStrip` reads them: integrals from node to node, and the arc tangent where the exponential is gone.
  func d(_ nodes: ChebyshevNodes) -> [Tangent] {
    let (t, c) = (KnotSide.rule.0, KnotSide.rule.1)
    let v = h.value
    var (sum, last) = (0.0, 0.0)
    // Nodes come with the largest first.
    var integrals: [Double] = []
    for node in nodes.nodes.reversed() {
      let w = place(node)
      guard w < 9 else {
        integrals.append(w)
        continue
      }
      let panels = max(1, Int((w - last).rounded(.up)))
      let size = (w - last) / Double(panels)
      for panel in 0..<panels {
        let start = last + Double(panel) * size
        for (x, weight) in zip(t, c) { sum += weight * size / 2 * KnotSide.mean(v, start + size / 2 * (1 + x)) }
      }
      last = w
      integrals.append(v / (4 * .pi) * sum)
    }
    var index = nodes.nodes.count
    return polynomial(nodes) { (w, rate) in
      index -= 1
      let value = w < 9 ? integrals[index] : q.value / 2 - atan2(v, w) / (2 * .pi)
      let e = KnotSide.mean(v, w) / (4 * .pi)
      let half = erf(w / 2.0.squareRoot()) / 2
      // dD/dw = h E / (4 pi), dD/dh = phi(h) (1/2 - Q(w)) - w E / (4 pi).
      return Tangent(value, v * e * rate + (density.value * half - w * e) * h.slope)
    }
  }

  /// The lines of the formula that depend on the knots, at correlation `sign`.
  static func atEnd(_ a: KnotSide, _ b: KnotSide, _ sign: Double) -> Tangent {
    // The sign of w on either side.
    let order = a.h.value == b.h.value ? 0.0 : a.h.value < b.h.value ? 1.0 : -1.0
    let (first, second) = sign > 0 ? (order, -order) : (1, 1)
    let x = a.q * (first / 2) + b.q * (second / 2) + a.q * b.q * -1
    let product = a.h * b.h
    let missing = (a.missing + b.missing + a.missing * b.missing * -1) * (0.5 / .pi)
    let (sa, sb) = (a.density * (first / 2), b.density * (second / 2))
    let edges = a.h * (sb + b.density * a.q * -1) + b.h * (sa + a.density * b.q * -1)
    return missing + x * sign + product * (x + Tangent(sign / 4, 0)) + edges
  }

  private static let rule = GaussianQuadrature.legendre(12)

  /// (1 - exp(-r)) / r, r = (h^2 + y^2) / 2.
  private static func mean(_ h: Double, _ y: Double) -> Double {
    let r = (h * h + y * y) / 2
    return r > 0 ? -expm1(-r) / r : 1
  }

  /// w where 2 x^2 - 1 is the node.
  private func place(_ node: Double) -> Double {
    let x = ((1 + node) / 2).squareRoot()
    return 2 * width.value * x / ((1 - node) / 2)
  }

  /// Powers of z from values at the nodes, highest first, of `value(w, dw/ds)` over x: those of A and B in turn.
  private func polynomial(_ nodes: ChebyshevNodes, _ value: (Double, Double) -> Tangent) -> [Tangent] {
    let values = nodes.nodes.map { (node: Double) -> Tangent in
      let w = place(node)
      let x = ((1 + node) / 2).squareRoot()
      return value(w, w * width.slope / width.value) * (1 / x)
    }
    let powers = KnotSide.halves(nodes.coefficients(values.map(\.value)))
    let slopes = KnotSide.halves(nodes.coefficients(values.map(\.slope)))
    return zip(powers, slopes).map { Tangent($0, $1) }
  }

  /// T_(2n)(y) = T_n(z) and T_(2n+1)(y) = y V_n(z), where V has Chebyshev's recurrence and begins with 1, 2 z - 1.
  private static func halves(_ c: [Double]) -> [Double] {
    let even = ChebyshevNodes.powers(stride(from: 0, to: c.count, by: 2).map { c[$0] })
    let odd = ChebyshevNodes.powers(stride(from: 1, to: c.count, by: 2).map { c[$0] }, second: -1)
    return zip(even, odd).reversed().flatMap { [$0, $1] }
  }
}
