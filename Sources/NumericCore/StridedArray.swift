/// An array of any rank somewhere in memory: base pointer, shape, strides in elements (negative and zero are fine).
///
/// It does not own its memory; it lives for one call.
public struct StridedArray<Element>: @unchecked Sendable {
  /// The element whose indices are all 0.
  public let base: UnsafeMutablePointer<Element>
  /// Length of each axis.
  public let shape: [Int]
  /// Elements from one index of an axis to the next.
  public let strides: [Int]

  /// A view; `shape` and `strides` have one number per axis.
  public init(_ base: UnsafeMutablePointer<Element>, shape: [Int], strides: [Int]) {
    self.base = base
    self.shape = shape
    self.strides = strides
  }

  /// Elements behind one index of the first axis.
  public var countPerEntry: Int { shape.dropFirst().reduce(1, *) }

  /// The array as a matrix with one row per index of the first axis and row-major columns; nil where no strides describe that.
  public var rows: StridedMatrix<Element>? {
    guard let rows = shape.first, let rowStride = strides.first else { return nil }
    var (cols, colStride) = (1, 1)
    for axis in stride(from: shape.count - 1, to: 0, by: -1) where shape[axis] != 1 {
      guard cols > 1 else {
        (cols, colStride) = (shape[axis], strides[axis])
        continue
      }
      guard strides[axis] == cols * colStride else { return nil }
      cols *= shape[axis]
    }
    if countPerEntry == 0 { cols = 0 }
    return StridedMatrix(base, rows: rows, cols: cols, rowStride: rowStride, colStride: colStride)
  }

  /// Copies the numbers of entry `index` of the first axis in row-major order.
  public func copyEntry(_ index: Int, to target: UnsafeMutablePointer<Element>) {
    var place = [Int](repeating: 0, count: shape.count)
    var offset = index &* (strides.first ?? 0)
    for k in 0..<countPerEntry {
      target[k] = base[offset]
      // The next index, last axis first.
      for axis in stride(from: shape.count - 1, to: 0, by: -1) {
        place[axis] += 1
        offset = offset &+ strides[axis]
        if place[axis] < shape[axis] { break }
        offset = offset &- shape[axis] &* strides[axis]
        place[axis] = 0
      }
    }
  }
}
