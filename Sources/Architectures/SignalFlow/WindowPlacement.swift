import NumericCore

/// How the windows of a convolution or a pooling lie on a grid, axis by axis.
public struct WindowPlacement: Hashable, Sendable {
  /// Windows along each axis.
  public let output: [Int]
  /// Positions that the first window reaches beyond the edge.
  public let before: [Int]
}

extension SlidingWindow {
  /// The windows on a grid of as many axes; nil where windows that must stay inside do not fit, or lengths are not positive.
  public func placement(on spatial: [Int]) -> WindowPlacement? {
    guard lengths.count == spatial.count, strides.count == spatial.count else { return nil }
    var (output, before): ([Int], [Int]) = ([], [])
    for (size, (length, stride)) in zip(spatial, zip(lengths, strides)) {
      guard size >= 1, length >= 1, stride >= 1 else { return nil }
      switch padding {
      case .valid:
        guard length <= size else { return nil }
        output.append((size - length) / stride + 1)
        before.append(0)
      case .same, .circular:
        let count = (size - 1) / stride + 1
        // The last window starts inside, so only its length can overflow.
        guard let reach = checkedSum((count - 1) * stride, length) else { return nil }
        output.append(count)
        before.append(max(0, reach - size) / 2)
      }
    }
    return WindowPlacement(output: output, before: before)
  }
}
