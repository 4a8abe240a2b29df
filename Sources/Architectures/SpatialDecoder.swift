import NumericCore

/// Decodes and validates convolutions and pooling of an op table.
enum SpatialDecoder {
  /// Most positions of a window along one axis, and longest stride.
  static let maxWindow = 1 << 20

  /// integers: channels, flags + padding << 8, filter height + width << 32, stride height + width << 32; reals: W_std, b_std, s[0], s[1].
  static func convolution(_ record: OpRecord, at position: Int) throws(NumericError) -> ConvolutionLayer {
    let (channels, packed, filter, strides) = record.integers
    let (s0, s1) = (record.reals.2, record.reals.3)
    guard s0 >= 1, s1 >= 1, s0 <= 0x1p40, s1 <= 0x1p40, s0 == s0.rounded(), s1 == s1.rounded() else {
      throw .invalid("[Conv] s must be two positive integers. Received (\(s0), \(s1)).")
    }
    let dense = try OpTableDecoder.linear("Conv", -1, channels, packed & 0xFF, (Int64(s0), Int64(s1)), record.reals)
    return ConvolutionLayer(dense: dense, window: try window("Conv", filter, strides, packed >> 8))
  }

  /// integers: 1 mean or 0 sum, normalize edges + padding << 8, window height + width << 32, stride height + width << 32.
  static func pooling(_ record: OpRecord) throws(NumericError) -> PoolingLayer {
    let (isMean, packed, size, strides) = record.integers
    return PoolingLayer(
      window: try window("AvgPool", size, strides, packed >> 8), isMean: isMean != 0, normalizesEdges: packed & 1 != 0)
  }

  private static func window(
    _ name: String, _ size: Int64, _ strides: Int64, _ padding: Int64
  ) throws(NumericError) -> SlidingWindow {
    guard let padding = Padding(rawValue: Int(padding)) else {
      throw .invalid("[\(name)] padding must be 0 (valid), 1 (same) or 2 (circular). Received \(padding).")
    }
    // One axis has nothing in the upper half.
    let axes = size >> 32 == 0 ? 1 : 2
    let halves = { (n: Int64) in axes == 1 ? [n] : [n & 0xFFFF_FFFF, n >> 32] }
    for part in halves(size) + halves(strides) where part < 1 || part > Int64(maxWindow) {
      throw .invalid("[\(name)] windows and strides must be in 1...\(maxWindow). Received \(part).")
    }
    return SlidingWindow(lengths: halves(size).map { Int($0) }, strides: halves(strides).map { Int($0) }, padding: padding)
  }
}
