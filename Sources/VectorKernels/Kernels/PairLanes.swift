/// Two vectors side by side. The formulas here are long chains of dependent operations; two chains that run interleaved keep the
/// arithmetic units busy where one would wait.
struct PairLanes<L: Lanes>: Lanes {
  struct Mask: Sendable {
    var a: L.Mask
    var b: L.Mask
    @inline(__always) init(_ a: L.Mask, _ b: L.Mask) {
      self.a = a
      self.b = b
    }
  }

  var a: L
  var b: L

  @inline(__always) static var stride: Int { 2 &* L.stride }
  @inline(__always) static var lanes: Int { 2 &* L.lanes }
  @inline(__always) init(_ x: Double) {
    a = L(x)
    b = a
  }
  @inline(__always) init(_ a: L, _ b: L) {
    self.a = a
    self.b = b
  }
  @inline(__always) static func load(_ p: UnsafeRawPointer, vector: Int) -> Self {
    Self(.load(p, vector: 2 &* vector), .load(p, vector: 2 &* vector &+ 1))
  }
  @inline(__always) static func splat(_ p: UnsafeRawPointer, index: Int) -> Self {
    let x = L.splat(p, index: index)
    return Self(x, x)
  }
  @inline(__always) static func coefficient(_ table: UnsafeRawPointer, index: Int) -> Self {
    let x = L.coefficient(table, index: index)
    return Self(x, x)
  }
  @inline(__always) func store(_ p: UnsafeMutableRawPointer, vector: Int) {
    a.store(p, vector: 2 &* vector)
    b.store(p, vector: 2 &* vector &+ 1)
  }

  @inline(__always) static func + (x: Self, y: Self) -> Self { Self(x.a + y.a, x.b + y.b) }
  @inline(__always) static func - (x: Self, y: Self) -> Self { Self(x.a - y.a, x.b - y.b) }
  @inline(__always) static func * (x: Self, y: Self) -> Self { Self(x.a * y.a, x.b * y.b) }
  @inline(__always) static func / (x: Self, y: Self) -> Self { Self(x.a / y.a, x.b / y.b) }
  @inline(__always) static prefix func - (x: Self) -> Self { Self(-x.a, -x.b) }
  @inline(__always) static func fma(_ x: Self, _ y: Self, _ z: Self) -> Self { Self(.fma(x.a, y.a, z.a), .fma(x.b, y.b, z.b)) }
  @inline(__always) func squareRoot() -> Self { Self(a.squareRoot(), b.squareRoot()) }
  @inline(__always) func reciprocalSquareRoot() -> Self { Self(a.reciprocalSquareRoot(), b.reciprocalSquareRoot()) }
  @inline(__always) func magnitude() -> Self { Self(a.magnitude(), b.magnitude()) }
  @inline(__always) func rootAndQuotient(_ numerator: Self) -> (root: Self, quotient: Self) {
    let (x, y) = (a.rootAndQuotient(numerator.a), b.rootAndQuotient(numerator.b))
    return (Self(x.root, y.root), Self(x.quotient, y.quotient))
  }
  @inline(__always) static func arcsineRatio() -> (UnsafeRawPointer, degree: Int) { L.arcsineRatio() }
  @inline(__always) static func arcsineRatio(_ z: Self, _ c: UnsafeRawPointer, degree: Int) -> Self {
    polynomial(z, c, degree: degree)
  }
  @inline(__always) static func angleRatio(_ reach: GapReach) -> (UnsafeRawPointer, degree: Int) { L.angleRatio(reach) }
  @inline(__always) static func angleRatio(_ gap: Self, _ c: UnsafeRawPointer, degree: Int) -> Self {
    polynomial(gap, c, degree: degree)
  }
  @inline(__always) static func exponentialMinusOne(_ x: Self) -> Self {
    Self(.exponentialMinusOne(x.a), .exponentialMinusOne(x.b))
  }

  @inline(__always) static func < (x: Self, y: Self) -> Mask { Mask(x.a < y.a, x.b < y.b) }
  @inline(__always) static func equal(_ x: Self, _ y: Self) -> Mask { Mask(L.equal(x.a, y.a), L.equal(x.b, y.b)) }
  @inline(__always) static func and(_ x: Mask, _ y: Mask) -> Mask { Mask(L.and(x.a, y.a), L.and(x.b, y.b)) }
  @inline(__always) static func differ(_ x: Mask, _ y: Mask) -> Mask { Mask(L.differ(x.a, y.a), L.differ(x.b, y.b)) }
  @inline(__always) static func select(_ mask: Mask, _ x: Self, _ y: Self) -> Self {
    Self(.select(mask.a, x.a, y.a), .select(mask.b, x.b, y.b))
  }

  @inline(__always) func signBit() -> Mask { Mask(a.signBit(), b.signBit()) }
  @inline(__always) func plusSign() -> Mask { Mask(a.plusSign(), b.plusSign()) }
  @inline(__always) func withoutSign() -> Self { Self(a.withoutSign(), b.withoutSign()) }
  @inline(__always) static func signed(_ gap: Self, negative: Mask) -> Self {
    Self(.signed(gap.a, negative: negative.a), .signed(gap.b, negative: negative.b))
  }
  @inline(__always) static func signed(_ gap: Self, like x: Self) -> Self {
    Self(.signed(gap.a, like: x.a), .signed(gap.b, like: x.b))
  }
  @inline(__always) static func negated(_ y: Self, like x: Self) -> Self {
    Self(.negated(y.a, like: x.a), .negated(y.b, like: x.b))
  }
  @inline(__always) static func equalInputs(_ gap: Self, _ x: Self, _ y: Self) -> Mask {
    Mask(L.equalInputs(gap.a, x.a, y.a), L.equalInputs(gap.b, x.b, y.b))
  }
  @inline(__always) func smallestLane() -> Double { Swift.min(a.smallestLane(), b.smallestLane()) }
}
