#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Philox4x64-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011,
/// doi:10.1145/2063384.2063405), with the stream order of `numpy.random.Philox(counter=, key=)`.
///
/// Block b of four words depends on the key and on counter + b + 1 only, so any part of the stream can be made anywhere.
public struct PhiloxStream: Sendable {
  /// The key: which stream.
  public let key: (UInt64, UInt64)
  /// The counter before the first block.
  public let counter: (UInt64, UInt64, UInt64, UInt64)

  /// The stream of a key, from a counter on.
  public init(key: (UInt64, UInt64), counter: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)) {
    self.key = key
    self.counter = counter
  }

  /// Words 4 b ... 4 b + 3 of the stream.
  public func block(_ b: UInt64) -> (UInt64, UInt64, UInt64, UInt64) {
    // NumPy increments the counter before the first block.
    var c = PhiloxStream.advance(counter, by: b)
    c = PhiloxStream.advance(c, by: 1)
    var k = key
    for round in 0..<10 {
      if round > 0 { k = (k.0 &+ 0x9E37_79B9_7F4A_7C15, k.1 &+ 0xBB67_AE85_84CA_A73B) }
      let a = c.0.multipliedFullWidth(by: 0xD2E7_470E_E14C_6C93)
      let b = c.2.multipliedFullWidth(by: 0xCA5A_8263_9512_1157)
      c = (b.high ^ c.1 ^ k.0, b.low, a.high ^ c.3 ^ k.1, a.low)
    }
    return c
  }

  /// The next `count` raw words into `out`. Can be cancelled.
  public func fillRaw(_ out: UnsafeMutablePointer<UInt64>, count: Int) throws(NumericError) {
    try forEachSlice(of: count) { (slice) throws(NumericError) in
      for i in stride(from: slice.lowerBound, to: slice.upperBound, by: 4) {
        let w = block(UInt64(i) / 4)
        out[i] = w.0
        if i &+ 1 < count { out[i &+ 1] = w.1 }
        if i &+ 2 < count { out[i &+ 2] = w.2 }
        if i &+ 3 < count { out[i &+ 3] = w.3 }
      }
    }
  }

  /// `count` standard normal numbers: one Box-Muller pair for each two words, so number i depends on i only. Can be cancelled.
  public func fillNormal(_ out: UnsafeMutablePointer<Double>, count: Int) throws(NumericError) {
    try forEachSlice(of: count) { (slice) throws(NumericError) in
      for i in stride(from: slice.lowerBound, to: slice.upperBound, by: 4) {
        let w = block(UInt64(i) / 4)
        let first = PhiloxStream.normalPair(w.0, w.1)
        let second = PhiloxStream.normalPair(w.2, w.3)
        out[i] = first.0
        if i &+ 1 < count { out[i &+ 1] = first.1 }
        if i &+ 2 < count { out[i &+ 2] = second.0 }
        if i &+ 3 < count { out[i &+ 3] = second.1 }
      }
    }
  }

  /// A word as a uniform number in (0, 1]: 53 bits, never 0.
  public static func uniform(_ word: UInt64) -> Double { (Double(word >> 11) + 1) * 0x1p-53 }

  private static func normalPair(_ a: UInt64, _ b: UInt64) -> (Double, Double) {
    let radius = (-2 * log(uniform(a))).squareRoot()
    let angle = 2 * Double.pi * uniform(b)
    return (radius * cos(angle), radius * sin(angle))
  }

  private static func advance(_ c: (UInt64, UInt64, UInt64, UInt64), by n: UInt64) -> (UInt64, UInt64, UInt64, UInt64) {
    var c = c
    let (sum, carry) = c.0.addingReportingOverflow(n)
    c.0 = sum
    guard carry else { return c }
    c.1 &+= 1
    if c.1 == 0 {
      c.2 &+= 1
      if c.2 == 0 { c.3 &+= 1 }
    }
    return c
  }
}
