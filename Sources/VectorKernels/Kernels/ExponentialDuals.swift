import VectorKernelTypes

// Duals built from exponentials. Every exponent is written as a sum of terms <= 0 in the gap and (s_i - s_j)^2.
// A gap is written 0 - e, not -e, which would be -0 (opposite inputs) for equal ones.

/// The strip kernels of this file.
@inline(__always)
func exponentialDuals<L: Lanes>(_ type: L.Type) -> [DualKernel] {
  [
    DualKernel("sine", SineDual<L>.self),
    DualKernel("rbf", RbfDual<L>.self),
    DualKernel("snake", SnakeDual<L>.self),
    DualKernel("exp", ExpDual<L>.self),
    DualKernel("gabor", GaborDual<L>.self),
    DualKernel("expNormalized", ExpNormalizedDual<L>.self),
    DualKernel("hermite", HermiteDual<L>.self),
  ]
}

/// a sin(b x + c): with the larger M = exp(-b^2 ((s_i - s_j)^2 / 2 + s_i s_j gap)) and the smaller M (1 + E),
/// E = expm1(-2 b^2 s_i s_j |rho|): T = a^2/2 (m - cos(2c) p), Td = a^2 b^2/2 (m + cos(2c) p), where m = M for rho >= 0.
/// Parameters: |b|, a^2/2, cos(2c), a^2 b^2/2. Arrays: |b| s, 1/after.
struct SineDual<L: Lanes>: Dual {
  static var arrayCount: Int { 2 }
  let frequency: L
  let scale: L
  let phase: L
  let slopeScale: L
  @inline(__always) init(_ p: UnsafePointer<Double>) {
    frequency = L(p[0])
    scale = L(p[1])
    phase = L(p[2])
    slopeScale = L(p[3])
  }
  @inline(__always) func row(_ s: L) -> (values: RowValues<L>, deviation: L) {
    var values = RowValues<L>()
    values.e0 = frequency * s
    let e = L.exponentialMinusOne(L(-2) * (values.e0 * values.e0))
    let variance = scale * L.fma(-phase, e, L.one - phase)
    values.e1 = variance.reciprocalSquareRoot()
    return (values, variance.squareRoot())
  }
  @inline(__always) func pair(_ g: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L) {
    let negative = g.signBit()
    let size = g.withoutSign()
    let difference = a.e0 - b.e0
    let product = a.e0 * b.e0
    let large = L.exponential(-L.fma(L(0.5) * difference, difference, product * size))
    let e = L.exponentialMinusOne(L(-2) * product * (L.one - size))
    let value = large * ((L.one - phase) + L.select(negative, e, -(phase * e)))
    let sum = large * L.fma(L.select(negative, L.one, phase), e, L.one + phase)
    let next = gap(ofCorrelation: scale * value * (a.e1 * b.e1), equalInputs: L.equalInputs(g, a.e0, b.e0))
    return (next, slopeScale * sum)
  }
}

/// sqrt(2) sin(sqrt(2 gamma) x + pi/4): T = exp(-gamma ((s_i - s_j)^2 + 2 s_i s_j (1 - rho))), Td = 2 gamma T.
/// Parameters: sqrt(gamma), 2 gamma. Arrays: sqrt(gamma) s.
struct RbfDual<L: Lanes>: Dual {
  static var arrayCount: Int { 1 }
  static var isNonNegative: Bool { true }
  let frequency: L
  let slopeScale: L
  @inline(__always) init(_ p: UnsafePointer<Double>) {
    frequency = L(p[0])
    slopeScale = L(p[1])
  }
  @inline(__always) func row(_ s: L) -> (values: RowValues<L>, deviation: L) {
    var values = RowValues<L>()
    values.e0 = frequency * s
    return (values, .one)
  }
  @inline(__always) func pair(_ g: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L) {
    let apart = distance(g)
    let difference = a.e0 - b.e0
    let e = L.exponentialMinusOne(-L.fma(difference, difference, L(2) * (a.e0 * b.e0) * apart))
    return (L.zero - e, slopeScale * (L.one + e))
  }
}

/// x + sin^2(a x) / a. With k = 2 a^2, x = k s_i s_j, M = exp(-k (s_i - s_j)^2 - 2 x gap) and E = expm1(-2 x |rho|):
/// T = s_i s_j (rho + (1 - exp(-k q_i)) (1 - exp(-k q_j)) / (2 x) + M E^2 / (4 x)), Td = 1 - M expm1(-4 x |rho|) / 2 with the sign of rho.
/// Parameters: sqrt(k). Arrays: r = sqrt(k) s, s/after, (1 - exp(-r^2)) / (sqrt(2) r) times that.
struct SnakeDual<L: Lanes>: Dual {
  static var arrayCount: Int { 3 }
  let frequency: L
  @inline(__always) init(_ p: UnsafePointer<Double>) { frequency = L(p[0]) }
  @inline(__always) func row(_ s: L) -> (values: RowValues<L>, deviation: L) {
    var values = RowValues<L>()
    let r = frequency * s
    let (once, twice) = (L.exponentialMinusOne(-(r * r)), L.exponentialMinusOne(L(-2) * r * r))
    let inverse = L.one / L.max(r, L(1e-150))
    let (even, wave) = (L(0.5.squareRoot()) * once * inverse, L(0.5) * twice * inverse)
    let root = L.fma(even, even, L.fma(wave, wave, .one)).squareRoot()
    values.e0 = r
    values.e1 = L.one / root
    values.e2 = -even * values.e1
    return (values, s * root)
  }
  @inline(__always) func pair(_ g: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L) {
    let size = g.withoutSign()
    let difference = a.e0 - b.e0
    let product = a.e0 * b.e0
    let large = L.exponential(-L.fma(difference, difference, L(2) * product * size))
    let e = L.exponentialMinusOne(L(-2) * product * (L.one - size))
    let wave = L(0.25) * large * (e * e) / L.max(product, L(1e-300))
    let rho = L.negated(L.one - size, like: g)
    let value = L.fma(rho + wave, a.e1 * b.e1, a.e2 * b.e2)
    // expm1(2 x) = expm1(x) (2 + expm1(x)).
    let slope = L.one - L.negated(L(0.5) * large * (e * (L(2) + e)), like: g)
    return (gap(ofCorrelation: value, equalInputs: L.equalInputs(g, a.e0, b.e0)), slope)
  }
}

/// a exp(b x): rho' = exp(-b^2 ((s_i - s_j)^2 / 2 + s_i s_j (1 - rho))), deviation |a| exp(b^2 q).
/// Parameters: |b|, |a|, b^2. Arrays: |b| s, after.
struct ExpDual<L: Lanes>: Dual {
  static var arrayCount: Int { 2 }
  static var isNonNegative: Bool { true }
  let rate: L
  let amplitude: L
  let slopeScale: L
  @inline(__always) init(_ p: UnsafePointer<Double>) {
    rate = L(p[0])
    amplitude = L(p[1])
    slopeScale = L(p[2])
  }
  @inline(__always) func row(_ s: L) -> (values: RowValues<L>, deviation: L) {
    var values = RowValues<L>()
    values.e0 = rate * s
    values.e1 = amplitude * L.exponential(values.e0 * values.e0)
    return (values, values.e1)
  }
  @inline(__always) func pair(_ g: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L) {
    let difference = a.e0 - b.e0
    let e = L.exponentialMinusOne(-L.fma(L(0.5) * difference, difference, (a.e0 * b.e0) * distance(g)))
    return (L.zero - e, slopeScale * (a.e1 * b.e1) * (L.one + e))
  }
}

/// exp(-x^2) sin(x). With D = 1 + 2 (a + b) + f, f = 4 (ab - c^2) and c the covariance:
/// T = exp(-(a + b + f + 2c) / (2D)) (exp(2c / D) - 1) / (2 sqrt(D)). Arrays: s, 1/after.
struct GaborDual<L: Lanes>: Dual {
  static var arrayCount: Int { 2 }
  @inline(__always) init(_ p: UnsafePointer<Double>) {}
  @inline(__always) func row(_ s: L) -> (values: RowValues<L>, deviation: L) {
    var values = RowValues<L>()
    values.e0 = s
    let (variance, _) = dual(.zero, s * s, s, s)
    values.e1 = variance.reciprocalSquareRoot()
    return (values, variance.squareRoot())
  }
  @inline(__always) func pair(_ g: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L) {
    let size = g.withoutSign()
    let covariance = (a.e0 * b.e0) * L.negated(L.one - size, where: g.signBit())
    let (value, slope) = dual(size, covariance, a.e0, b.e0)
    return (gap(ofCorrelation: value * (a.e1 * b.e1), equalInputs: L.equalInputs(g, a.e0, b.e0)), slope)
  }
  @inline(__always) private func dual(_ size: L, _ c: L, _ sa: L, _ sb: L) -> (L, L) {
    let product = sa * sb
    let sum = sa * sa + sb * sb
    let f = L(4) * (product * product) * (size * (L(2) - size))
    let denominator = L.fma(L(2), sum, f) + L.one
    let inverse = L.one / denominator
    let left = L.exponential(L(-0.5) * (sum + f + L(2) * c) * inverse)
    let right = L.exponentialMinusOne(L(2) * c * inverse)
    let y = denominator.reciprocalSquareRoot()
    let shared = L.one + L(2) * sum + L(4) * L.fma(c, c, product * product)
    let odd = L(4) * c * (f + L(3) * sum + L(2))
    let slope = L(0.5) * left * L.fma(right + L.one, shared + odd, shared - odd) * (y * inverse * inverse)
    return (L(0.5) * left * right * y, slope)
  }
}

/// The kernel sqrt(q_i q_j) exp(gamma (rho + shift)) (Shankar et al., arXiv:2003.02237).
/// Parameters: gamma, deviation factor, gamma exp(gamma (1 + shift)).
struct ExpNormalizedDual<L: Lanes>: Dual {
  static var arrayCount: Int { 0 }
  static var isNonNegative: Bool { true }
  let gamma: L
  let factor: L
  let slopeScale: L
  @inline(__always) init(_ p: UnsafePointer<Double>) {
    gamma = L(p[0])
    factor = L(p[1])
    slopeScale = L(p[2])
  }
  @inline(__always) func row(_ s: L) -> (values: RowValues<L>, deviation: L) { (RowValues(), s * factor) }
  @inline(__always) func pair(_ g: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L) {
    let e = L.exponentialMinusOne(-(gamma * distance(g)))
    return (L.zero - e, slopeScale * (L.one + e))
  }
}

/// He_n / sqrt(n!) for unit variances: T = (s_i s_j rho)^n, Td = n (s_i s_j rho)^(n-1). Parameters: n. Arrays: s.
struct HermiteDual<L: Lanes>: Dual {
  static var arrayCount: Int { 1 }
  let degree: Int
  @inline(__always) init(_ p: UnsafePointer<Double>) { degree = Int(p[0]) }
  @inline(__always) func row(_ s: L) -> (values: RowValues<L>, deviation: L) {
    var values = RowValues<L>()
    values.e0 = s
    return (values, power(s, degree))
  }
  @inline(__always) func pair(_ g: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L) {
    let rho = L.negated(L.one - g.withoutSign(), where: g.signBit())
    let slope = degree == 0 ? L.zero : L(Double(degree)) * power((a.e0 * b.e0) * rho, degree &- 1)
    return (gap(ofCorrelation: power(rho, degree), equalInputs: L.equalInputs(g, a.e0, b.e0)), slope)
  }
  @inline(__always) private func power(_ x: L, _ n: Int) -> L {
    var result = L.one
    for _ in 0..<n { result = result * x }
    return result
  }
}

/// 1 - rho from a signed gap.
@inline(__always)
private func distance<L: Lanes>(_ g: L) -> L {
  let size = g.withoutSign()
  return L.select(g.signBit(), L(2) - size, size)
}
