/// Eight float64 lanes, each with a derivative: forward-mode differentiation of the same formulas.
///
/// In memory a vector is eight values, then eight derivatives. Where a square root of zero would have an infinite derivative
/// (the angle between an input and itself), the inner derivative is zero too, and so is the result.
struct TangentLanes: Lanes {
  typealias Mask = DoubleLanes.Mask
  var v: DoubleLanes
  var d: DoubleLanes

  @inline(__always) static var stride: Int { 16 }
  @inline(__always) static var lanes: Int { 8 }
  @inline(__always) init(_ x: Double) {
    v = DoubleLanes(x)
    d = .zero
  }
  @inline(__always) init(_ x: Double, derivative: Double) {
    v = DoubleLanes(x)
    d = DoubleLanes(derivative)
  }
  @inline(__always) init(_ v: DoubleLanes, _ d: DoubleLanes) {
    self.v = v
    self.d = d
  }
  @inline(__always) static func load(_ p: UnsafeRawPointer, vector: Int) -> TangentLanes {
    TangentLanes(.load(p, vector: 2 &* vector), .load(p, vector: 2 &* vector &+ 1))
  }
  @inline(__always) static func splat(_ p: UnsafeRawPointer, index: Int) -> TangentLanes {
    let at = (index &>> 3) &* 16 &+ (index & 7)
    return TangentLanes(.splat(p, index: at), .splat(p, index: at &+ 8))
  }
  @inline(__always) static func coefficient(_ table: UnsafeRawPointer, index: Int) -> TangentLanes {
    TangentLanes(.coefficient(table, index: index), .zero)
  }
  @inline(__always) func store(_ p: UnsafeMutableRawPointer, vector: Int) {
    v.store(p, vector: 2 &* vector)
    d.store(p, vector: 2 &* vector &+ 1)
  }

  @inline(__always) static func + (a: Self, b: Self) -> Self { Self(a.v + b.v, a.d + b.d) }
  @inline(__always) static func - (a: Self, b: Self) -> Self { Self(a.v - b.v, a.d - b.d) }
  @inline(__always) static func * (a: Self, b: Self) -> Self { Self(a.v * b.v, .fma(a.v, b.d, a.d * b.v)) }
  @inline(__always) static func / (a: Self, b: Self) -> Self {
    let q = a.v / b.v
    return Self(q, (a.d - q * b.d) / b.v)
  }
  @inline(__always) static prefix func - (a: Self) -> Self { Self(-a.v, -a.d) }
  @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self {
    Self(.fma(a.v, b.v, c.v), .fma(a.v, b.d, .fma(a.d, b.v, c.d)))
  }
  @inline(__always) func squareRoot() -> Self {
    Self(v.squareRoot(), DoubleLanes(0.5) * d * v.reciprocalSquareRoot())
  }
  @inline(__always) func reciprocalSquareRoot() -> Self {
    let y = v.reciprocalSquareRoot()
    return Self(y, DoubleLanes(-0.5) * d * (y * y * y))
  }
  @inline(__always) func rootAndQuotient(_ numerator: Self) -> (root: Self, quotient: Self) {
    (squareRoot(), numerator * reciprocalSquareRoot())
  }
  @inline(__always) func magnitude() -> Self { Self(v.withoutSign(), .signed(d, negative: v.signBit())) }

  @inline(__always) static func < (a: Self, b: Self) -> Mask { a.v < b.v }
  @inline(__always) static func equal(_ a: Self, _ b: Self) -> Mask { DoubleLanes.equal(a.v, b.v) }
  @inline(__always) static func and(_ a: Mask, _ b: Mask) -> Mask { a .& b }
  @inline(__always) static func differ(_ a: Mask, _ b: Mask) -> Mask { a .^ b }
  @inline(__always) static func select(_ mask: Mask, _ a: Self, _ b: Self) -> Self {
    Self(.select(mask, a.v, b.v), .select(mask, a.d, b.d))
  }

  @inline(__always) func smallestLane() -> Double { v.smallestLane() }
  @inline(__always) func signBit() -> Mask { v.signBit() }
  @inline(__always) func plusSign() -> Mask { v.plusSign() }
  @inline(__always) func withoutSign() -> Self { Self(v.withoutSign(), d) }
  @inline(__always) static func signed(_ gap: Self, negative: Mask) -> Self { Self(.signed(gap.v, negative: negative), gap.d) }

  @inline(__always) static func signed(_ gap: Self, like x: Self) -> Self { Self(.signed(gap.v, like: x.v), gap.d) }
  @inline(__always) static func negated(_ a: Self, like x: Self) -> Self {
    Self(.negated(a.v, like: x.v), .negated(a.d, like: x.v))
  }
  @inline(__always) static func equalInputs(_ gap: Self, _ a: Self, _ b: Self) -> Mask {
    DoubleLanes.equalInputs(gap.v, a.v, b.v)
  }

  // d/dz asin(sqrt z)/sqrt z = (1/sqrt(1 - z) - ratio) / (2 z), by its series where z is small.
  @inline(__always) static func arcsineRatio() -> (UnsafeRawPointer, degree: Int) { DoubleLanes.arcsineRatio() }
  @inline(__always) static func arcsineRatio(_ z: Self, _ c: UnsafeRawPointer, degree: Int) -> Self {
    let ratio = DoubleLanes.arcsineRatio(z.v, c, degree: degree)
    let x = z.v
    let exact = ((DoubleLanes.one - x).reciprocalSquareRoot() - ratio) / (x + x)
    // 1/6 + 3 z/20 + 15 z^2/112 + 35 z^3/288 + 315 z^4/2816 + ... : the next term is below 1e-13 for z < 1e-3.
    let s3 = DoubleLanes.fma(x, DoubleLanes(315.0 / 2816), DoubleLanes(35.0 / 288))
    let s2 = DoubleLanes.fma(x, s3, DoubleLanes(15.0 / 112))
    let series = DoubleLanes.fma(x, DoubleLanes.fma(x, s2, DoubleLanes(3.0 / 20)), DoubleLanes(1.0 / 6))
    return Self(ratio, .select(x < DoubleLanes(1e-3), series, exact) * z.d)
  }
  // With r = t / sin t and c = cos t: dr/dgap = (1 - r c) / sin^2 t, by its series where the gap is small.
  @inline(__always) static func angleRatio(_ reach: GapReach) -> (UnsafeRawPointer, degree: Int) {
    DoubleLanes.angleRatio(reach)
  }
  @inline(__always) static func angleRatio(_ gap: Self, _ c: UnsafeRawPointer, degree: Int) -> Self {
    let ratio = DoubleLanes.angleRatio(gap.v, c, degree: degree)
    let x = gap.v
    let exact = (DoubleLanes.one - ratio * (DoubleLanes.one - x)) / (x * (DoubleLanes(2) - x))
    // 1/3 + 4 g/15 + 6 g^2/35 + 32 g^3/315 + 40 g^4/693 + ... : the next term is below 1e-16 for g < 1e-3.
    let s3 = DoubleLanes.fma(x, DoubleLanes(40.0 / 693), DoubleLanes(32.0 / 315))
    let s2 = DoubleLanes.fma(x, s3, DoubleLanes(6.0 / 35))
    let series = DoubleLanes.fma(x, DoubleLanes.fma(x, s2, DoubleLanes(4.0 / 15)), DoubleLanes(1.0 / 3))
    return Self(ratio, .select(x < DoubleLanes(1e-3), series, exact) * gap.d)
  }
  @inline(__always) static func exponentialMinusOne(_ x: Self) -> Self {
    let e = DoubleLanes.exponentialMinusOne(x.v)
    return Self(e, (e + .one) * x.d)
  }
}
