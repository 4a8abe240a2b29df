import VectorKernelTypes

/// A continuous function that is linear between knots: c + m x + sum_k delta_k max(e_k x - tau_k, 0), e_k = 1 or -1, tau_k >= 0.
///
/// With h = tau / s, Q the upper tail of the normal distribution, q = 1/2 - Q(h), phi its density and w_h = (k - rho h) / sin t, the
/// probability that both exceed h and k is
///   L = (pi - t) / (2 pi) - (q_h + q_k) / 2 + D_h(w_h) + D_k(w_k),  D_h(w) = h / (2 pi) int_0^w (1 - exp(-(h^2 + y^2) / 2)) / (h^2 + y^2) dy,
/// which holds for all signs (from Owen's T function, Ann. Math. Stat. 27, 1956; D is an entire function of both). What Hermite terms
/// of degree 0 and 1 leave of E max(x - h, 0) max(y - k, 0) is, with X = D_h + D_k - q_h q_k and S_h(w) = phi(h) (1/2 - Q(w)),
///   (rho asin rho + sin t - 1) / (2 pi)
///     + (sin t (exp(-E) - 1) - exp(-(h^2 + k^2) / 2) + 1) / (2 pi) + rho X + h k (asin(rho) / (2 pi) + X)
///     + h (S_k(w_k) - phi(k) q_h) + k (S_h(w_h) - phi(h) q_k),   E = (h^2 - 2 rho h k + k^2) / (2 sin^2 t).
/// The first line does not depend on the knots and is summed apart; the others are of the order of h k, so that for large deviations
/// nothing cancels. D is odd in w: w = 2 b x / (1 - x^2) with b = sqrt(9 + h^2) makes it x (A(z) + y B(z)) with
/// y = 2 x^2 - 1 and z = 2 y^2 - 1 (in powers of y coefficients would be as large as 10^3). For w > 0, S is
/// phi(h) / 2 - exp(-E) m(w) / (2 pi) with Mills' ratio m, the same E for both sides.
///
/// Arrays: s, E f / after, E z f / after, s / after, E f', sum of the weights; for each group of knots h, q, phi, 1 - exp(-h^2 / 2), b, its
/// weight delta (0 where h > 9), and the coefficients of A and B, highest power first, in turn; then the epilogue's.
/// Parameters from 16 on: groups, coefficients of A and B together, parity (1 and 2: a group is a pair of opposite knots), then the e_k.
@inline(__always)
func piecewiseLinearStrip<L: Lanes>(_ type: L.Type, _ arguments: borrowing StripArguments) {
  let affine = Affine<L>(arguments, arraysBefore: 1 &+ arguments.terms, parametersBefore: 8)
  let reader = PiecewiseLinearReader<L>(arguments)
  let first = arguments.column / L.lanes
  for k in 0..<((arguments.count &+ L.lanes &- 1) / L.lanes) {
    let g = L.load(arguments.gap, vector: k)
    let (correlation, slope, isEqual) = reader.pair(g, first &+ k)
    affine.finish(gap: gap(ofCorrelation: correlation, equalInputs: isEqual), slope: slope, vector: k, column: first &+ k)
  }
}

/// The angle between two inputs, acute, and the sign of its cosine as that of `sign`.
private struct PairAngle<L: Lanes> {
  var size: L
  var sine: L
  var cosine: L
  /// asin |rho| / (2 pi)
  var arc: L
  var sign: L

  /// The angle between one input and the opposite of the other.
  @inline(__always) var opposite: PairAngle {
    var other = self
    other.sign = -sign
    return other
  }
}

/// Numbers of one knot on one side.
private struct Knot<L: Lanes> {
  var h: L
  var q: L
  var density: L
  var missing: L
  var width: L
  var weight: L
}

private struct PiecewiseLinearReader<L: Lanes> {
  private let groups: Int
  private let terms: Int
  private let parity: Int
  private let signs: UnsafePointer<Double>
  private let rowArrays: UnsafePointer<UnsafeRawPointer>
  private let colArrays: UnsafePointer<UnsafeRawPointer>
  private let row: Int
  private let ratio = AngleRatio<L>(.whole)
  private static var leading: Int { 6 }

  @inline(__always) init(_ arguments: borrowing StripArguments) {
    let p = arguments.parameters + 16
    groups = Int(p[0])
    terms = Int(p[1])
    parity = Int(p[2])
    signs = p + 3
    (rowArrays, colArrays, row) = (arguments.rowArrays, arguments.colArrays, arguments.row)
  }

  @inline(__always) private func own(_ k: Int) -> L { .splat(rowArrays[k], index: row) }
  @inline(__always) private func other(_ k: Int, _ at: Int) -> L { .load(colArrays[k], vector: at) }
  @inline(__always) private func start(_ group: Int) -> Int {
    PiecewiseLinearReader.leading &+ group &* (PiecewiseLinearReader.leading &+ terms)
  }

  /// The correlation after the layer, Td, and whether the inputs are equal.
  @inline(__always) func pair(_ g: L, _ at: Int) -> (correlation: L, slope: L, isEqual: L.Mask) {
    let size = g.withoutSign()
    let (angle, sine, cosine) = acuteAngle(size, ratio)
    let arc = L(1 / (2 * Double.pi)) * (L(Double.pi / 2) - angle)
    let place = PairAngle(size: size, sine: sine, cosine: cosine, arc: arc, sign: L.signed(.one, like: g))
    let weights = own(5) * other(5, at)
    let base = L.fma(cosine, arc, L(1 / (2 * Double.pi)) * (sine - .one))
    var value = weights * base
    var slope = weights * L.negated(arc, like: g)
    for k in 0..<groups {
      for l in k..<groups {
        let one = term(k, l, at, place)
        if l == k {
          value = value + one.value
          slope = slope + one.slope
        } else {
          let mirrored = term(l, k, at, place)
          value = value + (one.value + mirrored.value)
          slope = slope + (one.slope + mirrored.slope)
        }
      }
    }
    let linear = L.fma(L.negated(cosine, like: g), own(2) * other(2, at), own(1) * other(1, at))
    let (a, b) = (own(0), other(0, at))
    return (
      L.fma(own(3) * other(3, at), value, linear), L.fma(own(4), other(4, at), slope), L.equalInputs(g, a, b)
    )
  }

  /// What group k of the row and group l of the column add, with the opposite knots where there are any.
  @inline(__always) private func term(_ k: Int, _ l: Int, _ at: Int, _ place: PairAngle<L>) -> (value: L, slope: L) {
    let (i, j) = (start(k), start(l))
    let a = Knot(h: own(i), q: own(i &+ 1), density: own(i &+ 2), missing: own(i &+ 3), width: own(i &+ 4), weight: own(i &+ 5))
    let b = Knot(
      h: other(j, at), q: other(j &+ 1, at), density: other(j &+ 2, at), missing: other(j &+ 3, at), width: other(j &+ 4, at),
      weight: other(j &+ 5, at))
    let weight = a.weight * b.weight
    if parity == 0 {
      let isOpposite = signs[k] != signs[l]
      let (value, slope) = moment(a, b, i, j, at, isOpposite ? place.opposite : place)
      return (weight * value, weight * (isOpposite ? -slope : slope))
    }
    let same = moment(a, b, i, j, at, place)
    let mirrored = moment(a, b, i, j, at, place.opposite)
    let twice = weight + weight
    // Opposite knots of an odd function have opposite weights; the slopes of their ramps are opposite too.
    if parity == 1 { return (twice * (same.value - mirrored.value), twice * (same.slope + mirrored.slope)) }
    return (twice * (same.value + mirrored.value), twice * (same.slope - mirrored.slope))
  }

  /// The second and third line of the formula, and X.
  @inline(__always) private func moment(
    _ a: Knot<L>, _ b: Knot<L>, _ i: Int, _ j: Int, _ at: Int, _ place: PairAngle<L>
  ) -> (value: L, slope: L) {
    let (signedA, signedB) = (L.negated(a.h, like: place.sign), L.negated(b.h, like: place.sign))
    let na = (b.h - signedA) + signedA * place.size
    let nb = (a.h - signedB) + signedB * place.size
    let (xa, xb) = (map(na, a.width, place.sine), map(nb, b.width, place.sine))
    let (ya, yb) = (L.fma(L(2) * xa, xa, -.one), L.fma(L(2) * xb, xb, -.one))
    let shift = PiecewiseLinearReader.leading
    let (za, zb) = (L.fma(L(2) * ya, ya, -.one), L.fma(L(2) * yb, yb, -.one))
    var (evenA, oddA, evenB, oddB) = (L.zero, L.zero, L.zero, L.zero)
    var m = 0
    while m < terms {
      evenA = L.fma(evenA, za, own(i &+ shift &+ m))
      oddA = L.fma(oddA, za, own(i &+ shift &+ m &+ 1))
      evenB = L.fma(evenB, zb, other(j &+ shift &+ m, at))
      oddB = L.fma(oddB, zb, other(j &+ shift &+ m &+ 1, at))
      m = m &+ 2
    }
    let (da, db) = (L.fma(ya, oddA, evenA), L.fma(yb, oddB, evenB))
    let apart = L.select(place.sign < .zero, a.h + b.h, a.h - b.h)
    let product = a.h * b.h
    let square = L.max(place.sine * place.sine, L(1e-30))
    let exponent = L(0.5) * apart * (apart / square) + L.negated(product, like: place.sign) / (L(2) - place.size)
    let missing = L.fma(-a.missing, b.missing, a.missing + b.missing)
    let x = (xa * da + xb * db) - a.q * b.q
    let fall = L.exponentialMinusOne(-exponent)
    let height = L(1 / (2 * Double.pi)) * (fall + .one)
    let (sa, sb) = (tail(na, place.sine, height, a.density), tail(nb, place.sine, height, b.density))
    let edges = a.h * (sb - b.density * a.q) + b.h * (sa - a.density * b.q)
    let arc = L.negated(place.arc, like: place.sign)
    let density = L(1 / (2 * Double.pi)) * L.fma(place.sine, fall, missing)
    let rho = L.negated(place.cosine, like: place.sign)
    return (density + L.fma(rho, x, L.fma(product, arc + x, edges)), x)
  }

  /// x with 2 b x / (1 - x^2) = n / sin t; 0 where both are 0.
  @inline(__always) private func map(_ n: L, _ width: L, _ sine: L) -> L {
    let scaled = width * sine
    return n / L.max(scaled + L.fma(scaled, scaled, n * n).squareRoot(), L(1e-30))
  }

  /// S(w) for w = n / sin t.
  @inline(__always) private func tail(_ n: L, _ sine: L, _ height: L, _ density: L) -> L {
    let half = L.fma(-height, mills(n.magnitude(), sine), L(0.5) * density)
    return L.negated(half, like: n)
  }

  /// Mills' ratio (1 - Phi(w)) / phi(w) at w = n / sin t >= 0: a polynomial in z = (w - 4) / (w + 4), to 2e-16.
  @inline(__always) private func mills(_ n: L, _ sine: L) -> L {
    let scaled = L(4) * sine
    let z = (n - scaled) / L.max(n + scaled, L(1e-30))
    let z2 = z * z
    var even = L(-1.195119460789128794e-10)
    even = L.fma(even, z2, L(-1.149036898195308723e-9))
    even = L.fma(even, z2, L(2.626941225330784594e-8))
    even = L.fma(even, z2, L(-2.389995417214571043e-7))
    even = L.fma(even, z2, L(1.660132655709631458e-6))
    even = L.fma(even, z2, L(-0.00001078828832342051814))
    even = L.fma(even, z2, L(0.00007181099674178202324))
    even = L.fma(even, z2, L(-0.0004692014256059305583))
    even = L.fma(even, z2, L(0.001272269452837232925))
    even = L.fma(even, z2, L(0.07736659066361096641))
    even = L.fma(even, z2, L(0.3117725582109514303))
    even = L.fma(even, z2, L(0.236652382913560653))
    var odd = L(4.648504469216916982e-10)
    odd = L.fma(odd, z2, L(-5.065102371453074264e-9))
    odd = L.fma(odd, z2, L(2.989320887437237651e-8))
    odd = L.fma(odd, z2, L(-1.324642134698883051e-7))
    odd = L.fma(odd, z2, L(5.164220112630319714e-7))
    odd = L.fma(odd, z2, L(-2.079029896323326337e-6))
    odd = L.fma(odd, z2, L(0.00001160958674269526125))
    odd = L.fma(odd, z2, L(-0.0001141891819365995523))
    odd = L.fma(odd, z2, L(0.001601268862160749424))
    odd = L.fma(odd, z2, L(-0.02128652664626031062))
    odd = L.fma(odd, z2, L(-0.1797438147332566348))
    odd = L.fma(odd, z2, L(-0.4271237467660584411))
    return L.fma(odd, z, even)
  }
}
