#if NTK_AVX512
  import CVectorSeeds
#endif

/// Sixteen float32 lanes.
struct FloatLanes: Lanes {
  typealias Mask = SIMDMask<SIMD16<Int32>>
  var v: SIMD16<Float>

  @inline(__always) static var stride: Int { 16 }
  @inline(__always) static var lanes: Int { 16 }
  @inline(__always) init(_ x: Double) { v = SIMD16(repeating: Float(x)) }
  @inline(__always) init(v: SIMD16<Float>) { self.v = v }
  @inline(__always) static func load(_ p: UnsafeRawPointer, vector: Int) -> FloatLanes {
    FloatLanes(v: p.loadUnaligned(fromByteOffset: vector &* 64, as: SIMD16<Float>.self))
  }
  @inline(__always) static func splat(_ p: UnsafeRawPointer, index: Int) -> FloatLanes {
    FloatLanes(v: SIMD16(repeating: p.load(fromByteOffset: index &* 4, as: Float.self)))
  }
  @inline(__always) static func coefficient(_ table: UnsafeRawPointer, index: Int) -> FloatLanes { load(table, vector: index) }
  @inline(__always) func store(_ p: UnsafeMutableRawPointer, vector: Int) {
    p.storeBytes(of: v, toByteOffset: vector &* 64, as: SIMD16<Float>.self)
  }

  @inline(__always) static func + (a: FloatLanes, b: FloatLanes) -> FloatLanes { FloatLanes(v: a.v + b.v) }
  @inline(__always) static func - (a: FloatLanes, b: FloatLanes) -> FloatLanes { FloatLanes(v: a.v - b.v) }
  @inline(__always) static func * (a: FloatLanes, b: FloatLanes) -> FloatLanes { FloatLanes(v: a.v * b.v) }
  @inline(__always) static func / (a: FloatLanes, b: FloatLanes) -> FloatLanes { FloatLanes(v: a.v / b.v) }
  // By the sign bit: SIMD negation in Swift is 0 - x and would lose the sign of zero.
  @inline(__always) static prefix func - (a: FloatLanes) -> FloatLanes {
    FloatLanes(bits: a.bits ^ SIMD16<Int32>(repeating: .min))
  }
  @inline(__always) static func fma(_ a: FloatLanes, _ b: FloatLanes, _ c: FloatLanes) -> FloatLanes {
    #if NTK_FMA
      FloatLanes(v: c.v.addingProduct(a.v, b.v))
    #else
      FloatLanes(v: a.v * b.v + c.v)
    #endif
  }
  @inline(__always) func squareRoot() -> FloatLanes { FloatLanes(v: v.squareRoot()) }
  @inline(__always) func reciprocalSquareRoot() -> FloatLanes {
    #if NTK_AVX512
      let y0 = FloatLanes(v: ntk_reciprocal_root_seed16(v))
      let residual = FloatLanes.fma(-(self * y0), y0, .one)
      let y = FloatLanes.fma(FloatLanes(0.5) * y0, residual, y0)
    #else
      let y = FloatLanes(v: 1.0 / v.squareRoot())
    #endif
    return FloatLanes.select(FloatLanes.zero < self, y, .zero)
  }
  @inline(__always) func rootAndQuotient(_ numerator: FloatLanes) -> (root: FloatLanes, quotient: FloatLanes) {
    #if NTK_AVX512
      let y = reciprocalSquareRoot()
      return (self * y, numerator * y)
    #else
      let root = squareRoot()
      return (root, numerator / .max(root, FloatLanes(1e-30)))
    #endif
  }
  @inline(__always) func magnitude() -> FloatLanes { withoutSign() }

  @inline(__always) static func < (a: FloatLanes, b: FloatLanes) -> Mask { a.v .< b.v }
  @inline(__always) static func equal(_ a: FloatLanes, _ b: FloatLanes) -> Mask { a.v .== b.v }
  @inline(__always) static func and(_ a: Mask, _ b: Mask) -> Mask { a .& b }
  @inline(__always) static func differ(_ a: Mask, _ b: Mask) -> Mask { a .^ b }
  @inline(__always) static func select(_ mask: Mask, _ a: FloatLanes, _ b: FloatLanes) -> FloatLanes {
    FloatLanes(v: b.v.replacing(with: a.v, where: mask))
  }

  @inline(__always) private var bits: SIMD16<Int32> { unsafeBitCast(v, to: SIMD16<Int32>.self) }
  @inline(__always) private init(bits: SIMD16<Int32>) { v = unsafeBitCast(bits, to: SIMD16<Float>.self) }
  @inline(__always) func smallestLane() -> Double { Double(v.min()) }
  @inline(__always) func signBit() -> Mask { bits .< SIMD16<Int32>(repeating: 0) }
  @inline(__always) func plusSign() -> Mask { bits .> SIMD16<Int32>(repeating: -1) }
  @inline(__always) func withoutSign() -> FloatLanes { FloatLanes(bits: bits & SIMD16<Int32>(repeating: Int32.max)) }
  @inline(__always) static func signed(_ gap: FloatLanes, negative: Mask) -> FloatLanes { select(negative, -gap, gap) }
  @inline(__always) static func signed(_ gap: FloatLanes, like x: FloatLanes) -> FloatLanes { negated(gap, like: x) }
  @inline(__always) static func negated(_ a: FloatLanes, like x: FloatLanes) -> FloatLanes {
    FloatLanes(bits: a.bits ^ (x.bits & SIMD16<Int32>(repeating: .min)))
  }
  @inline(__always) static func equalInputs(_ gap: FloatLanes, _ a: FloatLanes, _ b: FloatLanes) -> Mask {
    (gap.bits | (a.bits ^ b.bits)) .== SIMD16<Int32>(repeating: 0)
  }

  @inline(__always) static func exponentialMinusOne(_ x: FloatLanes) -> FloatLanes {
    let bounded = max(min(x, FloatLanes(88)), FloatLanes(-103))
    let shifted = fma(bounded, FloatLanes(1.44269504), FloatLanes(12582912))
    let k = shifted - FloatLanes(12582912)
    let r = fma(k, FloatLanes(2.12194440e-4), fma(k, FloatLanes(-0.693359375), bounded))
    let r2 = r * r
    let q01 = fma(r, FloatLanes(0.1666657689), FloatLanes(0.5))
    let q23 = fma(r, FloatLanes(0.008363194882), FloatLanes(0.0416665545))
    let q = fma(r2, fma(r2, FloatLanes(0.001392620336), q23), q01)
    let small = fma(r2, q, r)
    let whole = shifted.bits &- SIMD16<Int32>(repeating: 0x4B40_0000)
    let half = whole &>> 1
    let scale = FloatLanes(bits: (half &+ 127) &<< 23) * FloatLanes(bits: ((whole &- half) &+ 127) &<< 23)
    let result = fma(scale, small, scale - .one)
    return select(FloatLanes(88) < x, FloatLanes(.infinity), result)
  }
}
