import VectorKernelTypes

// Duals that depend on the angle between the inputs (Cho & Saul, arXiv:1112.3712, and arXiv:1711.09090 for the two slopes).

/// The strip kernels of this file.
@inline(__always)
func angularDuals<L: Lanes>(_ type: L.Type) -> [DualKernel] {
  [
    DualKernel("relu", ReLUDual<L>.self),
    DualKernel("acuteReLU", AcuteReLUDual<L, WholeReach>.self),
    DualKernel("wideReLU", AcuteReLUDual<L, WideReach>.self),
    DualKernel("narrowReLU", AcuteReLUDual<L, NarrowReach>.self),
    DualKernel("tightReLU", AcuteReLUDual<L, TightReach>.self),
    DualKernel("abRelu", ABReluDual<L>.self),
    DualKernel("sign", SignDual<L>.self),
    DualKernel("step", StepDual<L>.self),
    DualKernel("rectifiedMonomial", RectifiedMonomialDual<L>.self),
  ]
}

/// a min(x, 0) + b max(x, 0) = h x + g |x|. Parameters: h^2/(h^2+g^2), g^2/(h^2+g^2), sqrt(h^2+g^2), h^2, g^2.
///
/// With t the acute angle of |rho| and e = sin t - t cos t, the dual of |x| has gap 1 - |rho| - 2 e / pi.
struct ABReluDual<L: Lanes>: Dual {
  static var arrayCount: Int { 0 }
  let linear: L
  let even: L
  let deviation: L
  let slopeLinear: L
  let slopeEven: L
  private let ratio = AngleRatio<L>(.whole)

  @inline(__always) init(_ p: UnsafePointer<Double>) {
    linear = L(p[0])
    even = L(p[1])
    deviation = L(p[2])
    slopeLinear = L(p[3])
    slopeEven = L(p[4])
  }

  @inline(__always) func row(_ s: L) -> (values: RowValues<L>, deviation: L) { (RowValues(), s * deviation) }

  @inline(__always) func pair(_ g: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L) {
    let negative = g.signBit()
    let size = g.withoutSign()
    let (angle, sine, cosine) = acuteAngle(size, ratio)
    let excess = L(2 / Double.pi) * L.fma(-angle, cosine, sine)
    let evenGap = size - excess
    // 1 - rho' and 1 + rho': keep the smaller one.
    let below = L.fma(linear, L.select(negative, L(2) - size, size), even * evenGap)
    let above = L.fma(linear, L.select(negative, size, L(2) - size), even * (L(2) - evenGap))
    let turned = above < below
    let turn = L.fma(L(-2 / Double.pi), angle, L.one)
    let slope = L.fma(slopeEven, L.negated(turn, where: negative), slopeLinear)
    return (L.signed(L.select(turned, above, below), negative: turned), slope)
  }
}

/// max(x, 0), the case h = g = 1/2 by itself because it is so common: rho' = (sin t + (pi - t) cos t) / pi is never negative.
struct ReLUDual<L: Lanes>: Dual {
  static var arrayCount: Int { 0 }
  static var isNonNegative: Bool { true }
  private let ratio = AngleRatio<L>(.whole)
  @inline(__always) init(_ p: UnsafePointer<Double>) {}

  @inline(__always) func row(_ s: L) -> (values: RowValues<L>, deviation: L) { (RowValues(), s * L(0.5.squareRoot())) }

  @inline(__always) func pair(_ g: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L) {
    let negative = g.signBit()
    let size = g.withoutSign()
    let (angle, sine, cosine) = acuteAngle(size, ratio)
    // 1 - rho' is 1 - rho - (sin t - t cos t)/pi for acute angles, and 1 - (sin t - t cos t)/pi for obtuse ones.
    let excess = L.fma(-angle, cosine, sine)
    let share = L(1 / (2 * Double.pi)) * angle
    return (
      L.fma(L(-1 / Double.pi), excess, L.select(negative, .one, size)), L.select(negative, share, L(0.5) - share)
    )
  }
}

/// max(x, 0) where the correlation before it is known not to be negative either, as after another ReLU: no signs to look at. `Reach`
/// says how large gaps can be: they shrink from layer to layer.
struct AcuteReLUDual<L: Lanes, Reach: KnownReach>: Dual {
  static var arrayCount: Int { 0 }
  static var isNonNegative: Bool { true }
  private let ratio = AngleRatio<L>(Reach.reach)
  @inline(__always) init(_ p: UnsafePointer<Double>) {}

  @inline(__always) func row(_ s: L) -> (values: RowValues<L>, deviation: L) { (RowValues(), s * L(0.5.squareRoot())) }

  @inline(__always) func pair(_ g: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L) {
    let (angle, sine, cosine) = acuteAngle(g, ratio)
    return (
      L.fma(L(-1 / Double.pi), L.fma(-angle, cosine, sine), g), L.fma(L(-1 / (2 * Double.pi)), angle, L(0.5))
    )
  }
}

protocol KnownReach: SendableMetatype { static var reach: GapReach { get } }
enum WholeReach: KnownReach { @inline(__always) static var reach: GapReach { .whole } }
enum WideReach: KnownReach { @inline(__always) static var reach: GapReach { .wide } }
enum NarrowReach: KnownReach { @inline(__always) static var reach: GapReach { .narrow } }
enum TightReach: KnownReach { @inline(__always) static var reach: GapReach { .tight } }

/// sign(x): rho' = 1 - 2 angle / pi, Td = 0 almost everywhere.
struct SignDual<L: Lanes>: Dual {
  static var arrayCount: Int { 0 }
  private let ratio = AngleRatio<L>(.whole)
  @inline(__always) init(_ p: UnsafePointer<Double>) {}
  @inline(__always) func row(_ s: L) -> (values: RowValues<L>, deviation: L) {
    (RowValues(), L.select(L.zero < s, .one, .zero))
  }
  @inline(__always) func pair(_ g: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L) {
    let (angle, _, _) = acuteAngle(g.withoutSign(), ratio)
    return (L.signed(L(2 / Double.pi) * angle, negative: g.signBit()), .zero)
  }
}

/// 1 for x > 0, else 0: rho' = 1 - angle / pi.
struct StepDual<L: Lanes>: Dual {
  static var arrayCount: Int { 0 }
  static var isNonNegative: Bool { true }
  private let ratio = AngleRatio<L>(.whole)
  @inline(__always) init(_ p: UnsafePointer<Double>) {}
  @inline(__always) func row(_ s: L) -> (values: RowValues<L>, deviation: L) {
    (RowValues(), L.select(L.zero < s, L(0.5.squareRoot()), .zero))
  }
  @inline(__always) func pair(_ g: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L) {
    let (angle, _, _) = acuteAngle(g.withoutSign(), ratio)
    return (L(1 / Double.pi) * L.select(g.signBit(), L(Double.pi) - angle, angle), .zero)
  }
}

/// max(x, 0)^n: with J_n = A_n(rho) sin + B_n(rho) (pi - angle), T = (s_i s_j)^n J_n / (2 pi) and Td = n^2 T_(n-1).
///
/// Parameters: n, 1/J_n(1), n^2/(2 pi), deviation factor, then from 16 on the coefficients of A_n, B_n, A_(n-1), B_(n-1),
/// 24 numbers each, highest power first. Arrays: s, s^(n-1).
struct RectifiedMonomialDual<L: Lanes>: Dual {
  static var arrayCount: Int { 2 }
  let degree: Int
  let p: UnsafePointer<Double>
  private let ratio = AngleRatio<L>(.whole)
  @inline(__always) init(_ p: UnsafePointer<Double>) {
    self.p = p
    degree = Int(p[0])
  }
  @inline(__always) func row(_ s: L) -> (values: RowValues<L>, deviation: L) {
    var power = L.one
    for _ in 0..<Swift.max(degree &- 1, 0) { power = power * s }
    var values = RowValues<L>()
    values.e0 = s
    values.e1 = power
    let zeroDegree = L.select(L.zero < s, L.one, L.zero)
    return (values, (degree == 0 ? zeroDegree : power * s) * L(p[3]))
  }
  @inline(__always) func pair(_ g: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L) {
    let negative = g.signBit()
    let (angle, sine, cosine) = acuteAngle(g.withoutSign(), ratio)
    let rho = L.negated(cosine, where: negative)
    let rest = L.select(negative, angle, L(Double.pi) - angle)
    let j = L.fma(polynomial(16, rho), sine, polynomial(40, rho) * rest)
    let slope = L.fma(polynomial(64, rho), sine, polynomial(88, rho) * rest)
    let next = gap(ofCorrelation: L.max(j * L(p[1]), .zero), equalInputs: L.equalInputs(g, a.e0, b.e0))
    return (next, L(p[2]) * (a.e1 * b.e1) * slope)
  }
  @inline(__always) private func polynomial(_ at: Int, _ x: L) -> L {
    var sum = L.zero
    for k in 0..<(degree &+ 1) { sum = L.fma(sum, x, L(p[at &+ k])) }
    return sum
  }
}
