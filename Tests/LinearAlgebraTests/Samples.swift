import LinearAlgebra
import NumericCore

/// A matrix that owns its memory, for tests.
struct Dense {
  let room: Workspace<Double>
  let view: StridedMatrix<Double>

  init(_ rows: Int, _ cols: Int, _ element: (Int, Int) -> Double = { _, _ in 0 }) throws {
    room = try Workspace<Double>(rows * cols)
    view = StridedMatrix(room.pointer, rows: rows, cols: cols)
    for i in 0..<rows { for j in 0..<cols { view[i, j] = element(i, j) } }
  }

  /// Standard normal entries.
  static func random(_ rows: Int, _ cols: Int, seed: UInt64 = 1) throws -> Dense {
    let m = try Dense(rows, cols)
    try PhiloxStream(key: (seed, 0)).fillNormal(m.room.pointer, count: rows * cols)
    return m
  }

  /// x x^T / n + I, positive definite.
  static func covariance(_ n: Int, seed: UInt64 = 1) throws -> Dense {
    let x = try random(n, n, seed: seed)
    let k = try Dense(n, n) { i, j in i == j ? 1 : 0 }
    try multiplySelf(x.view, into: k.view, alpha: 1 / Double(max(n, 1)), beta: 1, context: CallContext())
    return k
  }

  /// A copy of any view; the memory behind the view must be alive.
  init(_ source: StridedMatrix<Double>) throws {
    try self.init(source.rows, source.cols) { source[$0, $1] }
  }

  var rows: Int { view.rows }
  var cols: Int { view.cols }
  subscript(_ i: Int, _ j: Int) -> Double { room[i * view.cols + j] }
  var elements: [Double] { Array(room.buffer) }
  func transposed() throws -> Dense { try Dense(cols, rows) { self[$1, $0] } }
}

/// Textbook product, to test `multiply` against.
func textbookProduct(_ a: Dense, _ b: Dense) throws -> Dense {
  try Dense(a.rows, b.cols) { i, j in (0..<a.cols).reduce(0) { $0 + a[i, $1] * b[$1, j] } }
}

/// Product by `multiply`, which has tests of its own.
func product(_ a: Dense, _ b: Dense) throws -> Dense {
  let c = try Dense(a.rows, b.cols)
  try multiply(a.view, b.view, into: c.view, context: CallContext())
  return c
}

/// Largest difference of two matrices.
func distance(_ a: Dense, _ b: Dense) -> Double {
  guard a.rows == b.rows, a.cols == b.cols else { return .infinity }
  return zip(a.elements, b.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
}
