import NumericCore

/// A matrix as BLAS wants it: a base, a leading dimension, and whether it is stored transposed. Packs a copy where strides are odd.
struct Operand<Element: BLASReal> {
  let base: UnsafePointer<Element>
  let leading: Int
  let isTransposed: Bool
  /// Owns the packed copy, if one was made.
  private let packed: Workspace<Element>?

  init(_ m: StridedMatrix<Element>, _ context: CallContext) throws(NumericError) {
    if let (leading, isTransposed) = m.blasLayout {
      self.init(UnsafePointer(m.base), leading, isTransposed, nil)
      return
    }
    let bytes = checkedProduct(m.rows, m.cols).flatMap { checkedProduct($0, MemoryLayout<Element>.stride) }
    try context.reserve(bytes, for: "a contiguous copy of a \(m.rows) x \(m.cols) matrix", instead: "Pass a contiguous array.")
    let copy = try Workspace<Element>(m.rows, m.cols)
    try m.copy(to: StridedMatrix(copy.pointer, rows: m.rows, cols: m.cols))
    self.init(UnsafePointer(copy.pointer), max(1, m.cols), false, copy)
  }

  private init(_ base: UnsafePointer<Element>, _ leading: Int, _ isTransposed: Bool, _ packed: Workspace<Element>?) {
    self.base = base
    self.leading = leading
    self.isTransposed = isTransposed
    self.packed = packed
  }

  /// Address of element (i, j).
  func at(_ i: Int, _ j: Int) -> UnsafePointer<Element> {
    isTransposed ? base + (j &* leading &+ i) : base + (i &* leading &+ j)
  }
}

extension StridedMatrix {
  /// Leading dimension and orientation if BLAS can read the matrix in place, or nil.
  var blasLayout: (leading: Int, isTransposed: Bool)? {
    let limit = Int(Int32.max)
    if rows == 0 || cols == 0 { return (max(1, min(cols, limit)), false) }
    if cols <= 1 || colStride == 1 {
      let leading = rows <= 1 ? max(1, cols) : rowStride
      if leading >= max(1, cols), leading <= limit { return (leading, false) }
    }
    if rows <= 1 || rowStride == 1 {
      let leading = cols <= 1 ? max(1, rows) : colStride
      if leading >= max(1, rows), leading <= limit { return (leading, true) }
    }
    return nil
  }

  /// Copies every element into a matrix of the same shape. Can be cancelled.
  func copy(to target: StridedMatrix) throws(NumericError) {
    for i in 0..<rows {
      if i % 16 == 0 { try checkCancelled() }
      let source = base + i &* rowStride
      let destination = target.base + i &* target.rowStride
      if colStride == 1, target.colStride == 1 {
        destination.update(from: source, count: cols)
      } else {
        for j in 0..<cols { destination[j &* target.colStride] = source[j &* colStride] }
      }
    }
  }
}

/// Throws unless `n` fits the 32-bit integers of BLAS and LAPACK.
func requireInt32(_ n: Int, _ operation: String) throws(NumericError) {
  guard n <= Int(Int32.max) else {
    throw .invalid("[\(operation)] sizes must be at most \(Int32.max). Received \(n).")
  }
}
