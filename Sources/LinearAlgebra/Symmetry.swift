import NumericCore

/// Where a matrix is not symmetric, or not that of inner products.
public enum SymmetryFault: Sendable {
  /// The elements (row, column) and (column, row) differ.
  case asymmetric(row: Int, column: Int)
  /// The 2 x 2 block of both rows (row = column: one diagonal element) has this negative eigenvalue, and so has the matrix one that is
  /// not larger.
  case indefinite(row: Int, column: Int, eigenvalue: Double)

  fileprivate var place: (Int, Int) {
    switch self {
    case .asymmetric(let row, let column), .indefinite(let row, let column, _): (row, column)
    }
  }
}

/// The first fault of a square matrix, row by row in its lower triangle; nil where there is none beyond `tolerance`. O(n^2).
///
/// `isKernel`: rounding of inner products is relative to the lengths of both vectors, so differences are measured by the square roots of
/// both diagonal elements, and no element may be larger than these (Cauchy and Schwarz). Else by the largest element.
@_specialize(where Element == Double)
@_specialize(where Element == Float)
public func symmetryFault<Element: BLASReal>(
  _ a: StridedMatrix<Element>, tolerance: Double, isKernel: Bool, context: CallContext
) throws(NumericError) -> SymmetryFault? {
  let n = a.rows
  guard a.cols == n else { throw .invalid("[symmetry] needs a square matrix. Received (\(n), \(a.cols)).") }
  guard tolerance >= 0 else { throw .invalid("[symmetry] the tolerance must be 0 or more. Received \(tolerance).") }
  let lengths = try Workspace<Double>(n)
  var largest = 0.0
  for i in 0..<n {
    let value = Double(a[i, i])
    largest = max(largest, abs(value))
    lengths[i] = abs(value).squareRoot()
  }
  if isKernel {
    for i in 0..<n where Double(a[i, i]) < -tolerance * largest {
      return .indefinite(row: i, column: i, eigenvalue: Double(a[i, i]))
    }
  } else {
    for i in 0..<n { for j in 0..<n { largest = max(largest, abs(Double(a[i, j]))) } }
  }
  let search = FaultSearch(a: a, lengths: lengths.pointer, largest: largest, tolerance: tolerance, isKernel: isKernel)
  let tiles = LowerTiles(n: n, tile: 256)
  let found = UnsafeMutableBufferPointer<SymmetryFault?>.allocate(capacity: tiles.count)
  found.initialize(repeating: nil)
  defer { found.deallocate() }
  nonisolated(unsafe) let faults = found
  try runTasks(tiles.count, context: context) { (task, _) throws(NumericError) in
    let (i, j, rows, columns) = tiles.range(task)
    faults[task] = search.first(i..<i + rows, j..<j + columns)
  }
  return found.compactMap { $0 }.min { $0.place < $1.place }
}

private struct FaultSearch<Element: BLASReal>: @unchecked Sendable {
  let a: StridedMatrix<Element>
  let lengths: UnsafePointer<Double>
  let largest: Double
  let tolerance: Double
  let isKernel: Bool

  /// The first fault below the diagonal in a tile.
  @_specialize(where Element == Double)
  @_specialize(where Element == Float)
  func first(_ rows: Range<Int>, _ columns: Range<Int>) -> SymmetryFault? {
    for i in rows {
      for j in columns where j < i {
        let (below, above) = (Double(a[i, j]), Double(a[j, i]))
        let bound = isKernel ? lengths[i] * lengths[j] : largest
        let size = max(abs(below), abs(above))
        if abs(below - above) > tolerance * max(bound, isKernel ? size : 0) { return .asymmetric(row: i, column: j) }
        guard isKernel, size > bound * (1 + tolerance) + 1e-13 * largest else { continue }
        let (p, q) = (Double(a[i, i]), Double(a[j, j]))
        let half = 0.5 * (p - q)
        return .indefinite(row: i, column: j, eigenvalue: 0.5 * (p + q) - (half * half + below * below).squareRoot())
      }
    }
    return nil
  }
}
