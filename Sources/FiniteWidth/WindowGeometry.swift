import Architectures
import LinearAlgebra

/// How the windows of a convolution or a pooling lie on an image.
struct WindowGeometry: Equatable, Sendable {
  let window: GridSize
  let stride: GridSize
  let isCircular: Bool
  let input: GridSize
  let channels: Int
  let output: GridSize
  /// Positions that the first window reaches beyond the edge.
  let before: GridSize
  /// What windows laid out as rows and the image have in common: stretches of numbers that are contiguous in both.
  private var runs: [WindowRun] = []
  /// Whether every place of every window lies on the image.
  private var isWhole = false

  init(_ window: SlidingWindow, _ placement: WindowPlacement, on input: Signal) {
    self.window = GridSize(window.lengths, missing: 1)
    stride = GridSize(window.strides, missing: 1)
    isCircular = window.padding == .circular
    self.input = GridSize(input.spatial, missing: 1)
    channels = input.channels
    output = GridSize(placement.output, missing: 1)
    before = GridSize(placement.before, missing: 0)
    findRuns()
  }

  private mutating func findRuns() {
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
  var patchSize: Int { window.height &* window.width &* channels }
  var positions: Int { output.height &* output.width }

  /// The input position under place `k` of the window at output `o` along one axis of `size`, or nil beyond the edge.
  @inline(__always)
  private func position(_ o: Int, _ k: Int, _ stride: Int, _ before: Int, _ size: Int) -> Int? {
    let i = o &* stride &+ k &- before
    if i >= 0 && i < size { return i }
    guard isCircular else { return nil }
    let wrapped = i % size
    return wrapped < 0 ? wrapped &+ size : wrapped
  }

  /// Calls `body` for every window and every place in it that lies on the image.
  @inline(__always)
  func forEachPlace(_ body: (_ output: Int, _ place: Int, _ input: Int) -> Void) {
    for oy in 0..<output.height {
      for ox in 0..<output.width {
        for ky in 0..<window.height {
          guard let y = position(oy, ky, stride.height, before.height, input.height) else { continue }
          for kx in 0..<window.width {
            guard let x = position(ox, kx, stride.width, before.width, input.width) else { continue }
            body(oy &* output.width &+ ox, ky &* window.width &+ kx, y &* input.width &+ x)
          }
        }
      }
    }
  }

  // The runs follow from the rest.
  static func == (a: WindowGeometry, b: WindowGeometry) -> Bool {
    a.window == b.window && a.stride == b.stride && a.isCircular == b.isCircular && a.input == b.input && a.channels == b.channels
  }
}

/// Two lengths, the second one that of a line where there is only one axis.
struct GridSize: Equatable {
  var height: Int
  var width: Int

  init(_ lengths: [Int], missing: Int) {
    height = lengths.first ?? missing
    width = lengths.count > 1 ? lengths[1] : missing
  }
}

/// A stretch of numbers of a window's row and where it is in the image.
struct WindowRun {
  var target: Int
  var source: Int
  var count: Int
}
