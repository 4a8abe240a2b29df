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
    PhiloxStream(key: (seed, 0)).fillNormal(m.room.pointer, count: rows * cols)
    return m
  }

  /// x x^T / n + I, positive definite.
  static func covariance(_ n: Int, seed: UInt64 = 1) throws -> Dense {
    let x = try random(n, n, seed: seed)
    let k = try Dense(n, n) { i, j in i == j ? 1 : 0 }
    try multiplySelf(x.view, into: k.view, alpha: 1 / Double(max(n, 1)), beta: 1, context: CallContext())
    return k
  }

  var elements: [Double] { Array(room.buffer) }
}

/// Textbook product, for comparison.
func product(_ a: StridedMatrix<Double>, _ b: StridedMatrix<Double>) throws -> Dense {
  try Dense(a.rows, b.cols) { i, j in (0..<a.cols).reduce(0) { $0 + a[i, $1] * b[$1, j] } }
}

/// Largest difference of two matrices.
func distance(_ a: StridedMatrix<Double>, _ b: StridedMatrix<Double>) -> Double {
  var worst = a.rows == b.rows && a.cols == b.cols ? 0 : Double.infinity
  for i in 0..<a.rows { for j in 0..<a.cols { worst = max(worst, abs(a[i, j] - b[i, j])) } }
  return worst
}
