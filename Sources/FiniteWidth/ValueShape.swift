import Architectures
import LinearAlgebra
import NumericCore

/// What one input has become at some point of a network: channels at positions, and how many rows of it there are.
public struct ValueShape: Equatable, Sendable {
  /// Positions along the first spatial axis; 1 without spatial axes.
  public var height = 1
  /// Positions along the second spatial axis.
  public var width = 1
  /// Numbers at each position.
  public var channels: Int
  /// 0: flat, 1: a line, 2: an image.
  public var spatialAxes = 0
  /// Rows per input: more than one after a concatenation along the batch.
  public var blocks = 1

  /// A flat value of `channels` numbers.
  public init(channels: Int) { self.channels = channels }

  /// A line (`width` 1) or an image of positions with `channels` numbers each.
  public init(height: Int, width: Int, channels: Int, spatialAxes: Int) {
    self.height = height
    self.width = width
    self.channels = channels
    self.spatialAxes = spatialAxes
  }

  /// Positions of one input.
  public var positions: Int { height &* width }
  /// Numbers of one input.
  public var size: Int { positions &* channels }

  /// The shape, if all its sizes are positive and few enough for BLAS to count.
  func checked(_ name: String) throws(NumericError) -> ValueShape {
    let size = checkedProduct(height, width).flatMap { checkedProduct($0, channels) }
    guard height >= 1, width >= 1, channels >= 1, blocks >= 1, blocks < 1 << 20, let size, size <= Int(Int32.max) else {
      throw .invalid("[\(name)] needs 1 to \(Int32.max) units. Received \(height) x \(width) positions of \(channels) channels.")
    }
    return self
  }
}

/// How the windows of a convolution or a pooling lie on an image.
struct WindowGeometry: Equatable, Sendable {
  let window: SlidingWindow
  let input: ValueShape
  let output: (height: Int, width: Int)
  /// Positions that the first window reaches beyond the edge.
  let before: (height: Int, width: Int)
  /// What windows laid out as rows and the image have in common: stretches of numbers that are contiguous in both.
  private var runs: [WindowRun] = []
  /// Whether every place of every window lies on the image.
  private var isWhole = false

  init(_ window: SlidingWindow, on input: ValueShape, name: String) throws(NumericError) {
    self.window = window
    self.input = input
    let rows = try WindowGeometry.axis(input.height, window.height, window.strideHeight, window.padding, name)
    let cols = try WindowGeometry.axis(input.width, window.width, window.strideWidth, window.padding, name)
    output = (rows.output, cols.output)
    before = (rows.before, cols.before)
    // As many numbers as BLAS counts: every product of sizes below stays in range.
    let places = checkedProduct(window.height, window.width).flatMap { checkedProduct($0, input.channels) }
    let windows = checkedProduct(output.height, output.width)
    guard let places, let windows, let all = checkedProduct(places, windows), all <= Int(Int32.max) else {
      throw .invalid(
        "[\(name)] needs at most \(Int32.max) numbers in the windows of one input. Received \(output.height) x \(output.width) windows "
          + "of \(window.height) x \(window.width) positions with \(input.channels) channels.")
    }
    findRuns()
  }

  private mutating func findRuns() {
    let channels = input.channels
    var found: [WindowRun] = []
    forEachPlace { (output, place, position) in
      let (target, source) = (output &* patchSize &+ place &* channels, position &* channels)
      if let last = found.last, last.target &+ last.count == target, last.source &+ last.count == source {
        found[found.count - 1].count &+= channels
      } else {
        found.append(WindowRun(target: target, source: source, count: channels))
      }
    }
    runs = found
    isWhole = found.reduce(0) { $0 &+ $1.count } == positions &* patchSize
  }

  /// Writes the windows of one input `x` into `rows`, one row after the other; zero beyond the edge.
  func lay<Real: BLASReal>(_ x: UnsafePointer<Real>, into rows: UnsafeMutablePointer<Real>) {
    if !isWhole { rows.update(repeating: 0, count: positions &* patchSize) }
    runs.withUnsafeBufferPointer { runs in
      for run in runs {
        let (target, source) = (rows + run.target, x + run.source)
        // Most runs are too short for a call.
        if run.count <= 32 {
          for i in 0..<run.count { target[i] = source[i] }
        } else {
          target.update(from: source, count: run.count)
        }
      }
    }
  }

  /// The transpose of `lay`: adds the rows' numbers to where they come from.
  func addBack<Real: BLASReal>(_ rows: UnsafePointer<Real>, to x: UnsafeMutablePointer<Real>) {
    runs.withUnsafeBufferPointer { runs in
      for run in runs {
        let (target, source) = (x + run.source, rows + run.target)
        for i in 0..<run.count { target[i] += source[i] }
      }
    }
  }

  /// Positions in a window times channels.
  var patchSize: Int { window.height &* window.width &* input.channels }
  var positions: Int { output.height &* output.width }
  /// Numbers of all windows of one input.
  var numbers: Int { positions &* patchSize }

  private static func axis(
    _ size: Int, _ window: Int, _ stride: Int, _ padding: Padding, _ name: String
  ) throws(NumericError) -> (output: Int, before: Int) {
    switch padding {
    case .valid:
      guard window <= size else {
        throw .invalid("[\(name)] a VALID window must fit in the image. Received a window of \(window) on \(size) positions.")
      }
      return ((size - window) / stride + 1, 0)
    case .same, .circular:
      let output = (size - 1) / stride + 1
      return (output, max(0, (output - 1) * stride + window - size) / 2)
    }
  }

  /// The input position under place `k` of the window at output `o` along one axis of `size`, or nil beyond the edge.
  @inline(__always)
  private func position(_ o: Int, _ k: Int, _ stride: Int, _ before: Int, _ size: Int) -> Int? {
    let i = o &* stride &+ k &- before
    if i >= 0 && i < size { return i }
    guard window.padding == .circular else { return nil }
    let wrapped = i % size
    return wrapped < 0 ? wrapped &+ size : wrapped
  }

  /// Calls `body` for every window and every place in it that lies on the image.
  @inline(__always)
  func forEachPlace(_ body: (_ output: Int, _ place: Int, _ input: Int) -> Void) {
    for oy in 0..<output.height {
      for ox in 0..<output.width {
        for ky in 0..<window.height {
          guard let y = position(oy, ky, window.strideHeight, before.height, input.height) else { continue }
          for kx in 0..<window.width {
            guard let x = position(ox, kx, window.strideWidth, before.width, input.width) else { continue }
            body(oy &* output.width &+ ox, ky &* window.width &+ kx, y &* input.width &+ x)
          }
        }
      }
    }
  }

  static func == (a: WindowGeometry, b: WindowGeometry) -> Bool { a.window == b.window && a.input == b.input }
}

/// A stretch of numbers of a window's row and where it is in the image.
struct WindowRun {
  var target: Int
  var source: Int
  var count: Int
}
