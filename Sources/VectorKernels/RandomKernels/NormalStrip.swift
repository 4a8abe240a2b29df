/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, doi:10.1145/2063384.2063405), eight blocks at a
/// time, each word in the low half of a 64-bit lane, where the processor multiplies 32 by 32 bits in one instruction.
@inline(__always)
private func philox(
  _ counter: (SIMD8<UInt64>, SIMD8<UInt64>, UInt64, UInt64), _ key: (UInt32, UInt32)
) -> (SIMD8<UInt64>, SIMD8<UInt64>, SIMD8<UInt64>, SIMD8<UInt64>) {
  let low = SIMD8<UInt64>(repeating: 0xFFFF_FFFF)
  var c = (counter.0, counter.1, SIMD8<UInt64>(repeating: counter.2), SIMD8<UInt64>(repeating: counter.3))
  var k = key
  for _ in 0..<10 {
    let a = (c.0 & low) &* 0xD251_1F53
    let b = (c.2 & low) &* 0xCD9E_8D57
    c = ((b &>> 32) ^ c.1 ^ UInt64(k.0), b, (a &>> 32) ^ c.3 ^ UInt64(k.1), a)
    k = (k.0 &+ 0x9E37_79B9, k.1 &+ 0xBB67_AE85)
  }
  return (c.0 & low, c.1 & low, c.2 & low, c.3 & low)
}

/// Words of blocks `first`..<`first` + 8 of a stream, as the lanes of four vectors: lane i of vector w is word w of block first + i.
@inline(__always)
private func words(
  key: UInt64, stream: UInt64, first: UInt64
) -> (SIMD8<UInt64>, SIMD8<UInt64>, SIMD8<UInt64>, SIMD8<UInt64>) {
  let blocks = SIMD8<UInt64>(0, 1, 2, 3, 4, 5, 6, 7) &+ first
  let low = SIMD8<UInt64>(repeating: 0xFFFF_FFFF)
  return philox(
    (blocks & low, blocks &>> 32, stream & 0xFFFF_FFFF, stream &>> 32),
    (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key &>> 32)))
}

/// 32 raw words: the four words of block `first`, those of the next block, and so on.
public func philoxWords(_ out: UnsafeMutablePointer<UInt32>, key: UInt64, stream: UInt64, first: UInt64) {
  let w = words(key: key, stream: stream, first: first)
  for i in 0..<8 {
    out[4 &* i] = UInt32(truncatingIfNeeded: w.0[i])
    out[4 &* i &+ 1] = UInt32(truncatingIfNeeded: w.1[i])
    out[4 &* i &+ 2] = UInt32(truncatingIfNeeded: w.2[i])
    out[4 &* i &+ 3] = UInt32(truncatingIfNeeded: w.3[i])
  }
}

/// `strips` times 32 standard normal numbers by Box and Muller: strip s uses the eight blocks from 8 (first + s) on.
///
/// A pair of words makes a pair of numbers, 16 apart: the radius from 32 bits of one, the angle from 25 bits of the other. Numbers are
/// rounded to float32 and at most 6.8 in size.
public func fillNormalStrips(_ out: UnsafeMutablePointer<Float>, strips: Int, key: UInt64, stream: UInt64, first: UInt64) {
  for s in 0..<strips {
    let w = words(key: key, stream: stream, first: (first &+ UInt64(s)) &* 8)
    let radial = unsafeBitCast(w.0 | (w.1 &<< 32), to: SIMD16<UInt32>.self)
    let angular = unsafeBitCast(w.2 | (w.3 &<< 32), to: SIMD16<UInt32>.self)
    let radius = (-2 * naturalLogarithm(radial)).squareRoot()
    let (cosine, sine) = circle(angular)
    let target = UnsafeMutableRawPointer(out + 32 &* s)
    target.storeBytes(of: radius * cosine, as: SIMD16<Float>.self)
    target.storeBytes(of: radius * sine, toByteOffset: 64, as: SIMD16<Float>.self)
  }
}

/// log of (word + 1/2) 2^-32, a number in (0, 1].
@inline(__always)
private func naturalLogarithm(_ word: SIMD16<UInt32>) -> SIMD16<Float> {
  // Two exact halves, so that small words keep their bits.
  let high = small(word &>> 16)
  let low = small(word & 0xFFFF)
  let uniform = (low + 0.5) * 0x1p-32 + high * 0x1p-16
  let bits = unsafeBitCast(uniform, to: SIMD16<UInt32>.self)
  // uniform = 2^e m with m in [sqrt 1/2, sqrt 2).
  let shifted = bits &- 0x3F35_04F3
  let exponent = unsafeBitCast(shifted, to: SIMD16<Int32>.self) &>> 23
  let mantissa = unsafeBitCast((shifted & 0x007F_FFFF) &+ 0x3F35_04F3, to: SIMD16<Float>.self)
  // log m = 2 artanh s, s = (m - 1) / (m + 1), |s| < 0.1716: the series to s^9 leaves 3e-9.
  let s = (mantissa - 1) / (mantissa + 1)
  let t = s * s
  var series = t * (2.0 / 9) + (2.0 / 7)
  series = series * t + (2.0 / 5)
  series = series * t + (2.0 / 3)
  let logarithm = s * (series * t) + 2 * s
  return signed(exponent) * 0.693_147_18 + logarithm
}

/// Cosine and sine of an angle of word 2^-32 turns.
@inline(__always)
private func circle(_ word: SIMD16<UInt32>) -> (SIMD16<Float>, SIMD16<Float>) {
  // The two highest bits choose the quarter, the others a position in it from -1/2 to 1/2 of a quarter.
  let position = signed(unsafeBitCast(word &<< 2, to: SIMD16<Int32>.self) &>> 9) * (0x1p-23 * 1.570_796_3)
  let t = position * position
  var c = t * 2.443_315_7e-5 - 1.388_731_6e-3
  c = c * t + 4.166_664_6e-2
  c = (c * t - 0.5) * t + 1
  var s = t * -1.951_529_6e-4 + 8.332_161e-3
  s = s * t - 0.166_666_55
  s = s * t * position + position
  // One bit turns the quarter about zero into the opposite one, the other turns both by a right angle.
  let cosine = unsafeBitCast(c, to: SIMD16<UInt32>.self) ^ ((word & 0x4000_0000) &<< 1)
  let sine = unsafeBitCast(s, to: SIMD16<UInt32>.self)
  let turns = unsafeBitCast(unsafeBitCast(word, to: SIMD16<Int32>.self) &>> 31, to: SIMD16<UInt32>.self)
  let change = (cosine ^ sine) & turns
  return (unsafeBitCast(cosine ^ change, to: SIMD16<Float>.self), unsafeBitCast(sine ^ change, to: SIMD16<Float>.self))
}

// Whole numbers become floats by way of the mantissa: the library's conversion is a call that goes lane by lane.

/// Numbers below 2^23.
@inline(__always)
private func small(_ x: SIMD16<UInt32>) -> SIMD16<Float> {
  unsafeBitCast(x | 0x4B00_0000, to: SIMD16<Float>.self) - 0x1p23
}

/// Numbers from -2^22 to 2^22.
@inline(__always)
private func signed(_ x: SIMD16<Int32>) -> SIMD16<Float> {
  unsafeBitCast(x &+ 0x4B40_0000, to: SIMD16<Float>.self) - 0x1.8p23
}
