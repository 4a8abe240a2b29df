import LinearAlgebra
import NumericCore

/// A row-major matrix of doubles that owns its memory. Bind it to a name before its view is used: a temporary frees it at once.
struct OwnedMatrix {
  private let room: Workspace<Double>
  /// The elements; valid while this value lives.
  let view: StridedMatrix<Double>

  /// rows x cols elements, zero, taken from the memory limit of the call.
  init(_ rows: Int, _ cols: Int, for purpose: String, _ context: CallContext) throws(NumericError) {
    try context.reserve(
      checkedProduct(rows, cols).flatMap { checkedProduct($0, 8) }, for: purpose,
      instead: "Use fewer units, or a larger memory_limit.")
    room = try Workspace<Double>(rows, cols, zeroed: true)
    view = StridedMatrix(room.pointer, rows: rows, cols: cols)
  }

  /// A copy of `source`.
  init(copying source: StridedMatrix<Double>, for purpose: String, _ context: CallContext) throws(NumericError) {
    try self.init(source.rows, source.cols, for: purpose, context)
    for i in 0..<source.rows { for j in 0..<source.cols { view[i, j] = source[i, j] } }
  }
}

extension StridedMatrix<Double> {
  /// Sum of the diagonal.
  var trace: Double { (0..<Swift.min(rows, cols)).reduce(0) { $0 + self[$1, $1] } }

  /// Sum of the products of corresponding elements; shapes must be equal.
  func inner(_ other: StridedMatrix<Double>) -> Double {
    var sum = 0.0
    for i in 0..<rows {
      var row = 0.0
      for j in 0..<cols { row += self[i, j] * other[i, j] }
      sum += row
    }
    return sum
  }

  /// self += factor * other, element by element.
  func add(_ factor: Double, _ other: StridedMatrix<Double>) {
    for i in 0..<rows { for j in 0..<cols { self[i, j] += factor * other[i, j] } }
  }

  /// self *= factor.
  func scale(_ factor: Double) {
    for i in 0..<rows { for j in 0..<cols { self[i, j] *= factor } }
  }

  /// Throws unless the matrix is rows x cols.
  func requireSize(_ rows: Int, _ cols: Int, _ operation: String, _ name: String) throws(NumericError) {
    guard self.rows == rows, self.cols == cols else {
      throw .invalid("[\(operation)] \(name) must have shape (\(rows), \(cols)). Received (\(self.rows), \(self.cols)).")
    }
  }
}
