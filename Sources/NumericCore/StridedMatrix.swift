/// A matrix somewhere in memory: base pointer, shape, strides in elements (negative and zero are fine).
///
/// It does not own its memory; it lives for one call.
public struct StridedMatrix<Element>: @unchecked Sendable {
  /// Element (0, 0).
  public let base: UnsafeMutablePointer<Element>
  /// Number of rows.
  public let rows: Int
  /// Number of columns.
  public let cols: Int
  /// Elements from one row to the next.
  public let rowStride: Int
  /// Elements from one column to the next.
  public let colStride: Int

  /// A view of given shape and strides.
  public init(_ base: UnsafeMutablePointer<Element>, rows: Int, cols: Int, rowStride: Int, colStride: Int) {
    self.base = base
    self.rows = rows
    self.cols = cols
    self.rowStride = rowStride
    self.colStride = colStride
  }

  /// A row-major matrix without gaps.
  public init(_ base: UnsafeMutablePointer<Element>, rows: Int, cols: Int) {
    self.init(base, rows: rows, cols: cols, rowStride: cols, colStride: 1)
  }

  /// Whether rows are contiguous, so that a row can be read as a vector.
  public var hasContiguousRows: Bool { colStride == 1 || cols <= 1 }

  /// Element (i, j); indices are not checked.
  @inlinable public subscript(_ i: Int, _ j: Int) -> Element {
    get { base[i &* rowStride &+ j &* colStride] }
    nonmutating set { base[i &* rowStride &+ j &* colStride] = newValue }
  }

  /// The transpose, sharing the memory.
  public var transposed: StridedMatrix {
    StridedMatrix(base, rows: cols, cols: rows, rowStride: colStride, colStride: rowStride)
  }
}

/// a * b, or nil where the product leaves Int.
public func checkedProduct(_ a: Int, _ b: Int) -> Int? {
  let (value, overflow) = a.multipliedReportingOverflow(by: b)
  return overflow ? nil : value
}

/// a + b, or nil where the sum leaves Int.
public func checkedSum(_ a: Int, _ b: Int) -> Int? {
  let (value, overflow) = a.addingReportingOverflow(b)
  return overflow ? nil : value
}
