/// A vector of numbers and the few operations that the formulas of this module need.
///
/// One source serves float64, float32 and float64 with a derivative. Every conformance names concrete SIMD overloads: generic
/// SIMD code would compile to scalar loops.
protocol Lanes: Sendable {
  associatedtype Mask: Sendable
  /// Numbers in memory per vector (lanes times planes).
  static var stride: Int { get }
  static var lanes: Int { get }

  init(_ x: Double)
  /// A constant that depends on the parameters of a layer; only lanes with a derivative use `derivative`.
  init(_ x: Double, derivative: Double)
  static func load(_ p: UnsafeRawPointer, vector: Int) -> Self
  /// The number at `index`, in every lane.
  static func splat(_ p: UnsafeRawPointer, index: Int) -> Self
  /// Coefficient `index` of a table in which each stands once per lane: an operand in memory, no register and no broadcast.
  static func coefficient(_ table: UnsafeRawPointer, index: Int) -> Self
  func store(_ p: UnsafeMutableRawPointer, vector: Int)

  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func / (a: Self, b: Self) -> Self
  static prefix func - (a: Self) -> Self
  /// a * b + c
  static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self
  func squareRoot() -> Self
  /// 1 / sqrt(x) for x > 0; 0 for x = 0.
  func reciprocalSquareRoot() -> Self
  /// |x| as a number (a derivative changes sign with it).
  func magnitude() -> Self
  /// (sqrt(x), numerator / sqrt(x)) for x >= 0; for x = 0 the quotient is finite.
  func rootAndQuotient(_ numerator: Self) -> (root: Self, quotient: Self)
  /// The polynomial of `ArcsineRatio`: where its coefficients stand, and its value.
  static func arcsineRatio() -> (UnsafeRawPointer, degree: Int)
  static func arcsineRatio(_ z: Self, _ coefficients: UnsafeRawPointer, degree: Int) -> Self
  /// The polynomial of `AngleRatio`: where its coefficients stand, and its value.
  static func angleRatio(_ reach: GapReach) -> (UnsafeRawPointer, degree: Int)
  static func angleRatio(_ gap: Self, _ coefficients: UnsafeRawPointer, degree: Int) -> Self
  /// exp(x) - 1 with relative accuracy, for x <= 700 (float32: 80).
  static func exponentialMinusOne(_ x: Self) -> Self

  static func < (a: Self, b: Self) -> Mask
  static func equal(_ a: Self, _ b: Self) -> Mask
  static func and(_ a: Mask, _ b: Mask) -> Mask
  static func differ(_ a: Mask, _ b: Mask) -> Mask
  static func select(_ mask: Mask, _ a: Self, _ b: Self) -> Self

  /// Signed gaps: whether the sign bit is set (also of -0), the magnitude, and the inverse of the two.
  func signBit() -> Mask
  func plusSign() -> Mask
  func withoutSign() -> Self
  static func signed(_ gap: Self, negative: Mask) -> Self
  /// The same where the sign is that of another vector: its bit is moved, without a mask.
  static func signed(_ gap: Self, like x: Self) -> Self
  /// `a`, or -a as a number where the sign bit of `x` is set.
  static func negated(_ a: Self, like x: Self) -> Self
  /// Pairs of equal inputs: gap +0 (for -0 the correlation is -1) and the same deviation, both to the bit.
  static func equalInputs(_ gap: Self, _ a: Self, _ b: Self) -> Mask
  func smallestLane() -> Double
}

extension Lanes {
  @inline(__always) init(_ x: Double, derivative: Double) { self.init(x) }
  /// -x where `mask`, as numbers (a derivative changes sign too, other than in `signed`).
  @inline(__always) static func negated(_ x: Self, where mask: Mask) -> Self { select(mask, -x, x) }
  @inline(__always) static var one: Self { Self(1) }
  @inline(__always) static var zero: Self { Self(0) }
  @inline(__always) static func min(_ a: Self, _ b: Self) -> Self { select(b < a, b, a) }
  @inline(__always) static func max(_ a: Self, _ b: Self) -> Self { select(a < b, b, a) }
  @inline(__always) static func exponential(_ x: Self) -> Self { exponentialMinusOne(x) + one }
}
