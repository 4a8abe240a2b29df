import NumericCore

/// Decodes and validates convolutions and pooling of an op table.
enum SpatialDecoder {
  /// Most positions of a window along one axis, and longest stride.
  static let maxWindow = 1 << 20

  /// Numbers as NTK_CONVOLUTION lists them.
  static func convolution(_ cursor: inout OpCursor) throws(NumericError) -> ConvolutionLayer {
    let dense = try OpTableDecoder.linear("Conv", -1, &cursor)
    return ConvolutionLayer(dense: dense, window: try window("Conv", &cursor))
  }

  /// Numbers as NTK_POOL lists them.
  static func pooling(_ cursor: inout OpCursor) throws(NumericError) -> PoolingLayer {
    let (isMean, normalizesEdges) = (try cursor.integer() != 0, try cursor.integer() != 0)
    return PoolingLayer(window: try window("AvgPool", &cursor), isMean: isMean, normalizesEdges: normalizesEdges)
  }

  private static func window(_ name: String, _ cursor: inout OpCursor) throws(NumericError) -> SlidingWindow {
    let (axes, number) = (try cursor.integer(), try cursor.integer())
    guard axes == 1 || axes == 2 else {
      throw .invalid("[\(name)] windows must have one or two axes. Received \(axes).")
    }
    guard let padding = Padding(rawValue: Int(number)) else {
      throw .invalid("[\(name)] padding must be 0 (valid), 1 (same) or 2 (circular). Received \(number).")
    }
    var (lengths, strides): ([Int], [Int]) = ([], [])
    for _ in 0..<axes { lengths.append(try length(name, &cursor)) }
    for _ in 0..<axes { strides.append(try length(name, &cursor)) }
    return SlidingWindow(lengths: lengths, strides: strides, padding: padding)
  }

  private static func length(_ name: String, _ cursor: inout OpCursor) throws(NumericError) -> Int {
    let length = try cursor.integer()
    guard length >= 1, length <= Int64(maxWindow) else {
      throw .invalid("[\(name)] windows and strides must be in 1...\(maxWindow). Received \(length).")
    }
    return Int(length)
  }
}
