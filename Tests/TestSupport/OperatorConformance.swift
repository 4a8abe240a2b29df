import LinearAlgebra
import NumericCore

/// What every symmetric operator must do, checked against its matrix; returns what it does not.
public struct OperatorConformance {
  private let entry: (Int, Int) -> Double
  private let tolerance: Double
  private var failures: [String] = []

  /// Failures of the operator that `make` makes, whose matrix has the elements `entry`, to `tolerance` of the largest of them.
  public static func failures(
    of make: () throws -> any SymmetricOperator, entry: @escaping (Int, Int) -> Double, tolerance: Double = 1e-12
  ) throws -> [String] {
    let op = try make()
    let scale = (0..<op.dimension).reduce(0.0) { m, i in (0..<op.dimension).reduce(m) { max($0, abs(entry(i, $1))) } }
    var check = OperatorConformance(entry: entry, tolerance: tolerance * max(scale, 1e-300) * Double(op.dimension))
    try check.products(op)
    try check.rowsAndDiagonal(op)
    try check.threads(make)
    return check.failures
  }

  private init(entry: @escaping (Int, Int) -> Double, tolerance: Double) {
    (self.entry, self.tolerance) = (entry, tolerance)
  }

  /// A block of products is the product with the matrix, twice over, and its rows are those of one vector at a time.
  private mutating func products(_ op: any SymmetricOperator) throws {
    let (n, count) = (op.dimension, 3)
    let (x, y, again) = (try random(n, count), try Workspace<Double>(n * count), try Workspace<Double>(n * count))
    for target in [y, again] {
      for i in 0..<n * count { target[i] = .nan }
      try op.multiply(block(x, n), into: block(target, n), context: CallContext(threads: 2))
    }
    expect(Array(y.buffer) == Array(again.buffer), "the second product has other bits than the first")
    let single = try Workspace<Double>(n)
    for k in 0..<count {
      try op.multiply(UnsafePointer(x.pointer + k * n), into: single.pointer, context: CallContext())
      for i in 0..<n {
        let expected = (0..<n).reduce(0.0) { $0 + entry(i, $1) * x[k * n + $1] }
        expect(abs(y[k * n + i] - expected) <= 4 * tolerance, "product \(k) at \(i): \(y[k * n + i]), not \(expected)")
        expect(abs(single[i] - expected) <= 4 * tolerance, "single product \(k) at \(i): \(single[i]), not \(expected)")
      }
    }
  }

  private mutating func rowsAndDiagonal(_ op: any SymmetricOperator) throws {
    let n = op.dimension
    let indices = n > 3 ? [n - 1, 0, 1, 2, n / 2, n - 1] : [n - 1, 0]
    let (rows, diagonal, whole) = (
      try Workspace<Double>(n * indices.count), try Workspace<Double>(n), try Workspace<Double>(n * n)
    )
    try op.rows(indices, into: StridedMatrix(rows.pointer, rows: indices.count, cols: n), context: CallContext())
    try op.diagonal(into: diagonal.pointer, context: CallContext())
    try op.matrix(into: StridedMatrix(whole.pointer, rows: n, cols: n), context: CallContext())
    for i in 0..<n {
      for (k, index) in indices.enumerated() { near(rows[k * n + i], entry(index, i), "row \(index) at \(i)") }
      near(diagonal[i], entry(i, i), "diagonal at \(i)")
      for j in 0..<n { near(whole[i * n + j], entry(i, j), "matrix at \(i), \(j)") }
    }
  }

  /// The same bits on one, two and five threads.
  private mutating func threads(_ make: () throws -> any SymmetricOperator) throws {
    var bits: [[Double]] = []
    for threads in [1, 2, 5] {
      let op = try make()
      let (x, y) = (try random(op.dimension, 2), try Workspace<Double>(op.dimension * 2))
      try op.multiply(block(x, op.dimension), into: block(y, op.dimension), context: CallContext(threads: threads))
      bits.append(Array(y.buffer))
    }
    expect(bits[0] == bits[1] && bits[0] == bits[2], "bits depend on the threads")
  }

  private mutating func near(_ found: Double, _ expected: Double, _ place: String) {
    expect(abs(found - expected) <= tolerance, "\(place): \(found), not \(expected)")
  }

  private mutating func expect(_ holds: Bool, _ failure: @autoclosure () -> String) {
    if !holds { failures.append(failure()) }
  }

  private func random(_ n: Int, _ count: Int) throws -> Workspace<Double> {
    let room = try Workspace<Double>(n * count)
    PhiloxStream(key: (7, 3)).fillNormal(room.pointer, count: n * count)
    return room
  }

  private func block(_ room: Workspace<Double>, _ n: Int) -> StridedMatrix<Double> {
    StridedMatrix(room.pointer, rows: room.count / n, cols: n)
  }
}
