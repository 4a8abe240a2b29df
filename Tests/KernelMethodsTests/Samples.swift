import KernelMethods
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

  func copy() throws -> Dense { try Dense(view.rows, view.cols) { self[$0, $1] } }
  func transposed() throws -> Dense { try Dense(view.cols, view.rows) { self[$1, $0] } }
  subscript(_ i: Int, _ j: Int) -> Double { room[i * view.cols + j] }

  static func random(_ rows: Int, _ cols: Int, seed: UInt64 = 1) throws -> Dense {
    let m = try Dense(rows, cols)
    try PhiloxStream(key: (seed, 0)).fillNormal(m.room.pointer, count: rows * cols)
    return m
  }

  var elements: [Double] { Array(room.buffer) }
}

/// A kernel between n training and m test points that is jointly positive definite, with its factor and spectrum.
struct Problem {
  let n, m: Int
  let train, cross, test, factor, vectors: Dense
  let values: Workspace<Double>

  init(n: Int = 30, m: Int = 8, seed: UInt64 = 1) throws {
    (self.n, self.m) = (n, m)
    let x = try Dense.random(n + m, n + m + 3, seed: seed)
    let all = try Dense(n + m, n + m) { $0 == $1 ? 0.1 : 0 }
    try multiplySelf(x.view, into: all.view, alpha: 1 / Double(n), beta: 1, context: CallContext())
    train = try Dense(n, n) { all.view[$0, $1] }
    cross = try Dense(m, n) { all.view[n + $0, $1] }
    test = try Dense(m, m) { all.view[n + $0, n + $1] }
    factor = try Dense(n, n)
    _ = try cholesky(train.view, into: factor.view, context: CallContext())
    values = try Workspace<Double>(n)
    vectors = try Dense(n, n)
    try symmetricEigen(train.view, values: values.pointer, vectors: vectors.view, context: CallContext())
  }

  var spectrum: Spectrum { Spectrum(values: values.pointer, vectors: vectors.view, size: Double(n)) }
}

/// The product of two matrices.
func product(_ a: Dense, _ b: Dense) throws -> Dense {
  let c = try Dense(a.view.rows, b.view.cols)
  try multiply(a.view, b.view, into: c.view, context: CallContext())
  return c
}

/// Largest difference of two matrices.
func distance(_ a: Dense, _ b: Dense) -> Double {
  guard a.view.rows == b.view.rows, a.view.cols == b.view.cols else { return .infinity }
  return zip(a.elements, b.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

/// K^-1 b.
func solved(_ p: Problem, _ b: Dense) throws -> Dense {
  let x = try b.copy()
  try solve(.whole, p.factor.view, x.view, context: CallContext())
  return x
}
