#if NTK_AVX512
  import CVectorSeeds
#endif

/// Eight float64 lanes.
struct DoubleLanes: Lanes {
  typealias Mask = SIMDMask<SIMD8<Int64>>
  var v: SIMD8<Double>

  @inline(__always) static var stride: Int { 8 }
  @inline(__always) static var lanes: Int { 8 }
  @inline(__always) init(_ x: Double) { v = SIMD8(repeating: x) }
  @inline(__always) init(v: SIMD8<Double>) { self.v = v }
  @inline(__always) static func load(_ p: UnsafeRawPointer, vector: Int) -> DoubleLanes {
    DoubleLanes(v: p.loadUnaligned(fromByteOffset: vector &* 64, as: SIMD8<Double>.self))
  }
  @inline(__always) static func splat(_ p: UnsafeRawPointer, index: Int) -> DoubleLanes {
    DoubleLanes(p.load(fromByteOffset: index &* 8, as: Double.self))
  }
  @inline(__always) static func coefficient(_ table: UnsafeRawPointer, index: Int) -> DoubleLanes { load(table, vector: index) }
  @inline(__always) func store(_ p: UnsafeMutableRawPointer, vector: Int) {
    p.storeBytes(of: v, toByteOffset: vector &* 64, as: SIMD8<Double>.self)
  }

  @inline(__always) static func + (a: DoubleLanes, b: DoubleLanes) -> DoubleLanes { DoubleLanes(v: a.v + b.v) }
  @inline(__always) static func - (a: DoubleLanes, b: DoubleLanes) -> DoubleLanes { DoubleLanes(v: a.v - b.v) }
  @inline(__always) static func * (a: DoubleLanes, b: DoubleLanes) -> DoubleLanes { DoubleLanes(v: a.v * b.v) }
  @inline(__always) static func / (a: DoubleLanes, b: DoubleLanes) -> DoubleLanes { DoubleLanes(v: a.v / b.v) }
  // By the sign bit: SIMD negation in Swift is 0 - x and would lose the sign of zero.
  @inline(__always) static prefix func - (a: DoubleLanes) -> DoubleLanes {
    DoubleLanes(bits: a.bits ^ SIMD8<Int64>(repeating: .min))
  }
  @inline(__always) static func fma(_ a: DoubleLanes, _ b: DoubleLanes, _ c: DoubleLanes) -> DoubleLanes {
    #if NTK_FMA
      DoubleLanes(v: c.v.addingProduct(a.v, b.v))
    #else
      DoubleLanes(v: a.v * b.v + c.v)
    #endif
  }
  @inline(__always) func squareRoot() -> DoubleLanes { DoubleLanes(v: v.squareRoot()) }
  @inline(__always) func reciprocalSquareRoot() -> DoubleLanes {
    #if NTK_AVX512
      // A 14-bit guess and two Newton steps; the second through the residual, so that the result is good to the last bit or two.
      let y0 = DoubleLanes(v: ntk_reciprocal_root_seed8(v))
      let y1 = y0 * DoubleLanes.fma(DoubleLanes(-0.5) * self * y0, y0, DoubleLanes(1.5))
      let residual = DoubleLanes.fma(-(self * y1), y1, .one)
      let y = DoubleLanes.fma(DoubleLanes(0.5) * y1, residual, y1)
    #else
      let y = DoubleLanes(v: 1.0 / v.squareRoot())
    #endif
    return DoubleLanes.select(DoubleLanes.zero < self, y, .zero)
  }
  @inline(__always) func rootAndQuotient(_ numerator: DoubleLanes) -> (root: DoubleLanes, quotient: DoubleLanes) {
    #if NTK_AVX512
      let y = reciprocalSquareRoot()
      return (self * y, numerator * y)
    #else
      let root = squareRoot()
      return (root, numerator / .max(root, DoubleLanes(1e-300)))
    #endif
  }
  @inline(__always) func magnitude() -> DoubleLanes { withoutSign() }

  @inline(__always) static func < (a: DoubleLanes, b: DoubleLanes) -> Mask { a.v .< b.v }
  @inline(__always) static func equal(_ a: DoubleLanes, _ b: DoubleLanes) -> Mask { a.v .== b.v }
  @inline(__always) static func and(_ a: Mask, _ b: Mask) -> Mask { a .& b }
  @inline(__always) static func differ(_ a: Mask, _ b: Mask) -> Mask { a .^ b }
  @inline(__always) static func select(_ mask: Mask, _ a: DoubleLanes, _ b: DoubleLanes) -> DoubleLanes {
    DoubleLanes(v: b.v.replacing(with: a.v, where: mask))
  }

  @inline(__always) private var bits: SIMD8<Int64> { unsafeBitCast(v, to: SIMD8<Int64>.self) }
  @inline(__always) private init(bits: SIMD8<Int64>) { v = unsafeBitCast(bits, to: SIMD8<Double>.self) }
  @inline(__always) func smallestLane() -> Double { v.min() }
  @inline(__always) func signBit() -> Mask { bits .< SIMD8<Int64>(repeating: 0) }
  @inline(__always) func plusSign() -> Mask { bits .> SIMD8<Int64>(repeating: -1) }
  @inline(__always) func withoutSign() -> DoubleLanes { DoubleLanes(bits: bits & SIMD8<Int64>(repeating: Int64.max)) }
  @inline(__always) static func signed(_ gap: DoubleLanes, negative: Mask) -> DoubleLanes { select(negative, -gap, gap) }
  @inline(__always) static func signed(_ gap: DoubleLanes, like x: DoubleLanes) -> DoubleLanes { negated(gap, like: x) }
  @inline(__always) static func negated(_ a: DoubleLanes, like x: DoubleLanes) -> DoubleLanes {
    DoubleLanes(bits: a.bits ^ (x.bits & SIMD8<Int64>(repeating: .min)))
  }
  @inline(__always) static func equalInputs(_ gap: DoubleLanes, _ a: DoubleLanes, _ b: DoubleLanes) -> Mask {
    (gap.bits | (a.bits ^ b.bits)) .== SIMD8<Int64>(repeating: 0)
  }

  // x = k ln 2 + r; exp(r) - 1 = r + r^2 Q(r); then 2^k (exp(r) - 1) + (2^k - 1), both without cancellation.
  @inline(__always) static func exponentialMinusOne(_ x: DoubleLanes) -> DoubleLanes {
    let bounded = max(min(x, DoubleLanes(709)), DoubleLanes(-745))
    // Adding 1.5 * 2^52 rounds to an integer and leaves it in the low bits.
    let shifted = fma(bounded, DoubleLanes(1.4426950408889634074), DoubleLanes(6755399441055744))
    let k = shifted - DoubleLanes(6755399441055744)
    let r = fma(k, DoubleLanes(-1.90821492927058770002e-10), fma(k, DoubleLanes(-6.93147180369123816490e-01), bounded))
    let r2 = r * r
    let r4 = r2 * r2
    let q01 = fma(r, DoubleLanes(0.16666666666666671), DoubleLanes(0.5))
    let q23 = fma(r, DoubleLanes(0.008333333333326119862), DoubleLanes(0.04166666666666666976))
    let q45 = fma(r, DoubleLanes(0.0001984126987487397508), DoubleLanes(0.00138888888888837374))
    let q67 = fma(r, DoubleLanes(2.75572553325544091e-6), DoubleLanes(0.00002480158732558583888))
    let q89 = fma(r, DoubleLanes(2.510524515390136985e-8), DoubleLanes(2.755727359479941319e-7))
    let q = fma(r4, fma(r4, fma(r2, DoubleLanes(2.091470706961235337e-9), q89), fma(r2, q67, q45)), fma(r2, q23, q01))
    let small = fma(r2, q, r)
    // 2^k in two halves, so that results down to the subnormal range come out right.
    let whole = shifted.bits &- SIMD8<Int64>(repeating: 0x4338_0000_0000_0000)
    let half = whole &>> 1
    let rest = whole &- half
    let a = DoubleLanes(bits: (half &+ 1023) &<< 52)
    let b = DoubleLanes(bits: (rest &+ 1023) &<< 52)
    let scale = a * b
    let result = fma(scale, small, scale - .one)
    return select(DoubleLanes(709) < x, DoubleLanes(.infinity), result)
  }
}
