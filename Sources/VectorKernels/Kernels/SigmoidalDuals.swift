import VectorKernelTypes

// Duals through t = rho u_i u_j with u^2 = p / (1 + p), d^2 = 1 / (1 + p): Gaussian integrals of erf, GELU and Gaussian.

/// The strip kernels of this file.
@inline(__always)
func sigmoidalDuals<L: Lanes>(_ type: L.Type) -> [DualKernel] {
  [
    DualKernel("erf", ErfDual<L, NoShift>.self),
    DualKernel("shiftedErf", ErfDual<L, SomeShift>.self),
    DualKernel("gelu", GeluDual<L>.self),
    DualKernel("gaussian", GaussianDual<L>.self),
  ]
}

/// a erf(b x) + c (Williams 1997). p = 2 b^2 q; T = a^2 (2/pi) asin(t) + c^2; Td = a^2 b^2 (4/pi) d_i d_j / sqrt(1 - t^2).
/// Parameters: sqrt(2) |b|, a^2 2/pi, c, a^2 b^2 4/pi.
/// Arrays: u, d^2, d, |a| sqrt(2/pi) / deviation after; with a shift, c / deviation after.
struct ErfDual<L: Lanes, Shift: ErfShift>: Dual {
  static var arrayCount: Int { Shift.exists ? 5 : 4 }
  private let width: L
  private let scale: L
  private let offset: L
  private let slopeScale: L
  private let ratio = ArcsineRatio<L>()
  @inline(__always) init(_ p: UnsafePointer<Double>) {
    width = L(p[0])
    scale = L(p[1])
    offset = L(p[2])
    slopeScale = L(p[3])
  }
  @inline(__always) func row(_ s: L) -> (values: RowValues<L>, deviation: L) {
    let r = width * s
    var values = RowValues<L>()
    let (u, d) = shares(r)
    values.e0 = u
    values.e1 = d * d
    values.e2 = d
    let w = scaledComplement(.zero, u, u, values.e1, values.e1)
    let variance = L.fma(scale, arcsine(u * u, complement: w, root: w.squareRoot(), ratio), offset * offset)
    // One rounding less than the root of `scale` times this would have: every pair is multiplied by it.
    values.e3 = L.select(L.zero < variance, scale / variance, .zero).squareRoot()
    values.e4 = offset * variance.reciprocalSquareRoot()
    return (values, variance.squareRoot())
  }
  @inline(__always) func pair(_ g: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L) {
    let size = g.withoutSign()
    let t = (L.one - size) * (a.e0 * b.e0)
    let w = scaledComplement(size, a.e0, b.e0, a.e1, b.e1)
    let (root, y) = w.rootAndQuotient(slopeScale)
    let even = arcsine(t, complement: w, root: root, ratio) * (a.e3 * b.e3)
    let equal = L.equalInputs(g, a.e0, b.e0)
    let slope = (a.e2 * b.e2) * y
    if Shift.exists {
      return (gap(ofCorrelation: L.fma(a.e4, b.e4, .negated(even, like: g)), equalInputs: equal), slope)
    }
    return (.signed(L.select(equal, .zero, L.max(L.one - even, .zero)), like: g), slope)
  }
}

/// Whether erf is shifted: c /= 0.
protocol ErfShift: SendableMetatype { static var exists: Bool { get } }
enum NoShift: ErfShift { @inline(__always) static var exists: Bool { false } }
enum SomeShift: ErfShift { @inline(__always) static var exists: Bool { true } }

/// x Phi(x) (Tsuchida et al., arXiv:2002.08517). p = q; with P = 1/4 + asin(t) / (2 pi):
/// T = s_i s_j rho P + (v_i v_j sqrt(w) + d_i d_j t^2 / sqrt(w)) / (2 pi), v = s u;
/// Td = P + t (d_i^2 + d_j^2 + (d_i d_j)^2 / w) / (2 pi sqrt(w)).
/// Arrays: u, d, s/after, v/after, d/after.
struct GeluDual<L: Lanes>: Dual {
  static var arrayCount: Int { 5 }
  private let ratio = ArcsineRatio<L>()
  @inline(__always) init(_ p: UnsafePointer<Double>) {}
  @inline(__always) func row(_ s: L) -> (values: RowValues<L>, deviation: L) {
    var values = RowValues<L>()
    (values.e0, values.e1) = shares(s)
    values.e2 = s
    values.e3 = s * values.e0
    values.e4 = values.e1
    let (value, _) = dual(.zero, L.one, values, values)
    let deviation = value.squareRoot()
    let inverse = value.reciprocalSquareRoot()
    values.e2 = values.e2 * inverse
    values.e3 = values.e3 * inverse
    values.e4 = values.e4 * inverse
    return (values, deviation)
  }
  @inline(__always) func pair(_ g: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L) {
    let size = g.withoutSign()
    let rho = L.negated(L.one - size, where: g.signBit())
    let (correlation, slope) = dual(size, rho, a, b)
    return (gap(ofCorrelation: correlation, equalInputs: L.equalInputs(g, a.e0, b.e0)), slope)
  }
  @inline(__always) private func dual(_ size: L, _ rho: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (L, L) {
    let (da2, db2) = (a.e1 * a.e1, b.e1 * b.e1)
    let t = rho * (a.e0 * b.e0)
    let w = scaledComplement(size, a.e0, b.e0, da2, db2)
    let y = w.reciprocalSquareRoot()
    let root = w * y
    let turn = L(1 / (2 * Double.pi))
    let p = L.fma(turn, .negated(arcsine(t.magnitude(), complement: w, root: root, ratio), like: t), L(0.25))
    let tail = L.fma(a.e3 * b.e3, root, (a.e4 * b.e4) * (t * t) * y)
    let value = L.fma(turn, tail, rho * (a.e2 * b.e2) * p)
    let slope = L.fma(turn * t * y, L.fma(da2 * db2, y * y, da2 + db2), p)
    return (value, slope)
  }
}

/// a exp(b x^2). p = -2 b q (b > 0: only for 4 b q < 1); T = a^2 d_i d_j / sqrt(w); Td = a^2 2|b| t (d_i d_j)^2 / w^(3/2).
/// Parameters: sqrt(2 |b|), a^2, a^2 2 |b|, sign of -b. Arrays: u, d, d/after.
struct GaussianDual<L: Lanes>: Dual {
  static var arrayCount: Int { 3 }
  let width: L
  let scale: L
  let slopeScale: L
  let sign: L
  @inline(__always) init(_ p: UnsafePointer<Double>) {
    width = L(p[0])
    scale = L(p[1])
    slopeScale = L(p[2])
    sign = L(p[3])
  }
  @inline(__always) func row(_ s: L) -> (values: RowValues<L>, deviation: L) {
    let r = width * s
    var values = RowValues<L>()
    // 1 + p <= 0: the integral diverges; the root of a negative number marks the row as not finite.
    values.e1 = L.one / L.fma(sign * r, r, .one).squareRoot()
    values.e0 = r * values.e1
    let d2 = values.e1 * values.e1
    let w = scaledComplement(.zero, values.e0, values.e0, d2, d2)
    let variance = scale * d2 / w.squareRoot()
    let deviation = variance.squareRoot()
    values.e2 = values.e1 / deviation
    return (values, deviation)
  }
  @inline(__always) func pair(_ g: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L) {
    let size = g.withoutSign()
    let t = L.negated(L.one - size, where: g.signBit()) * (a.e0 * b.e0)
    let w = scaledComplement(size, a.e0, b.e0, a.e1 * a.e1, b.e1 * b.e1)
    let y = w.reciprocalSquareRoot()
    let next = gap(ofCorrelation: scale * (a.e2 * b.e2) * y, equalInputs: L.equalInputs(g, a.e0, b.e0))
    let dd = a.e1 * b.e1
    return (next, slopeScale * t * (dd * dd) * (y * y * y))
  }
}

/// (u, d) = (r, 1) / sqrt(1 + r^2).
@inline(__always)
private func shares<L: Lanes>(_ r: L) -> (L, L) {
  // For large r through 1/r, so that r^2 cannot overflow.
  let large = L.one < r
  let x = L.select(large, L.one / r, r)
  let n = L.fma(x, x, .one).reciprocalSquareRoot()
  return (L.select(large, n, x * n), L.select(large, x * n, n))
}
