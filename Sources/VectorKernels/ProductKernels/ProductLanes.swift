/// A few columns of a product: the vectors that one row's numbers are multiplied with at a time.
///
/// `multiplyAdd` is one fused operation per column where the processor has it, so that every column is summed in the same order with
/// the same roundings, wherever it stands.
protocol ProductLanes {
  associatedtype Element: BinaryFloatingPoint & BitwiseCopyable
  static var columns: Int { get }
  init()
  static func load(_ p: UnsafePointer<Element>) -> Self
  func store(_ p: UnsafeMutablePointer<Element>)
  static func + (a: Self, b: Self) -> Self
  /// self + a b
  func multiplyAdd(_ a: Element, _ b: Self) -> Self
}

/// Eight columns of float64.
struct EightDoubles: ProductLanes {
  var v = SIMD8<Double>()
  @inline(__always) static var columns: Int { 8 }
  @inline(__always) static func load(_ p: UnsafePointer<Double>) -> EightDoubles {
    EightDoubles(v: UnsafeRawPointer(p).loadUnaligned(as: SIMD8<Double>.self))
  }
  @inline(__always) func store(_ p: UnsafeMutablePointer<Double>) {
    UnsafeMutableRawPointer(p).storeBytes(of: v, as: SIMD8<Double>.self)
  }
  @inline(__always) static func + (a: EightDoubles, b: EightDoubles) -> EightDoubles { EightDoubles(v: a.v + b.v) }
  @inline(__always) func multiplyAdd(_ a: Double, _ b: EightDoubles) -> EightDoubles {
    #if NTK_FMA
      EightDoubles(v: v.addingProduct(SIMD8(repeating: a), b.v))
    #else
      EightDoubles(v: v + SIMD8(repeating: a) * b.v)
    #endif
  }
}

/// Sixteen columns of float32.
struct SixteenFloats: ProductLanes {
  var v = SIMD16<Float>()
  @inline(__always) static var columns: Int { 16 }
  @inline(__always) static func load(_ p: UnsafePointer<Float>) -> SixteenFloats {
    SixteenFloats(v: UnsafeRawPointer(p).loadUnaligned(as: SIMD16<Float>.self))
  }
  @inline(__always) func store(_ p: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(p).storeBytes(of: v, as: SIMD16<Float>.self)
  }
  @inline(__always) static func + (a: SixteenFloats, b: SixteenFloats) -> SixteenFloats { SixteenFloats(v: a.v + b.v) }
  @inline(__always) func multiplyAdd(_ a: Float, _ b: SixteenFloats) -> SixteenFloats {
    #if NTK_FMA
      SixteenFloats(v: v.addingProduct(SIMD16(repeating: a), b.v))
    #else
      SixteenFloats(v: v + SIMD16(repeating: a) * b.v)
    #endif
  }
}

/// Four of them side by side: with six rows they fill the registers of AVX-512.
struct FourVectors<Part: ProductLanes>: ProductLanes {
  var a = Part()
  var b = Part()
  var c = Part()
  var d = Part()
  @inline(__always) static var columns: Int { 4 &* Part.columns }
  @inline(__always) static func load(_ p: UnsafePointer<Part.Element>) -> FourVectors {
    let n = Part.columns
    return FourVectors(a: .load(p), b: .load(p + n), c: .load(p + 2 &* n), d: .load(p + 3 &* n))
  }
  @inline(__always) func store(_ p: UnsafeMutablePointer<Part.Element>) {
    let n = Part.columns
    a.store(p)
    b.store(p + n)
    c.store(p + 2 &* n)
    d.store(p + 3 &* n)
  }
  @inline(__always) static func + (x: FourVectors, y: FourVectors) -> FourVectors {
    FourVectors(a: x.a + y.a, b: x.b + y.b, c: x.c + y.c, d: x.d + y.d)
  }
  @inline(__always) func multiplyAdd(_ x: Part.Element, _ y: FourVectors) -> FourVectors {
    FourVectors(
      a: a.multiplyAdd(x, y.a), b: b.multiplyAdd(x, y.b), c: c.multiplyAdd(x, y.c), d: d.multiplyAdd(x, y.d))
  }
}

#if NTK_AVX512
  typealias WideDoubles = FourVectors<EightDoubles>
  typealias WideFloats = FourVectors<SixteenFloats>
#else
  typealias WideDoubles = EightDoubles
  typealias WideFloats = SixteenFloats
#endif
