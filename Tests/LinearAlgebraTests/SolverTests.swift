import LinearAlgebra
import NumericCore
import Testing

/// What every solver of the table must do, on one system after another.
@Suite struct SolverTests {
  private static let names = SolverTable.all.map(\.name)

  private func solver(_ name: String) throws -> any LinearSolver { try #require(SolverTable.all.first { $0.name == name }) }

  private func solve(
    _ name: String, _ a: Dense, _ b: Dense, _ change: (inout SolveRequest) -> Void = { _ in },
    context: CallContext = CallContext()
  ) throws -> (x: Dense, result: SolveResult) {
    var request = SolveRequest()
    change(&request)
    let x = try Dense(b.rows, b.cols) { _, _ in .nan }
    let result = try solver(name).solve(
      try DenseOperator(a.view, context: CallContext()), b.view, into: x.view, request, context: context)
    return (x, result)
  }

  /// Elimination with row pivoting, the reference.
  private func eliminated(_ a: Dense, _ b: [Double]) -> [Double] {
    let n = a.rows
    var m = (0..<n).map { i in (0..<n).map { a[i, $0] } + [b[i]] }
    for k in 0..<n {
      let pivot = (k..<n).max { abs(m[$0][k]) < abs(m[$1][k]) } ?? k
      m.swapAt(k, pivot)
      for i in k + 1..<max(n, k + 1) {
        let factor = m[i][k] / m[k][k]
        for j in k...n { m[i][j] -= factor * m[k][j] }
      }
    }
    var x = [Double](repeating: 0, count: n)
    for i in (0..<n).reversed() { x[i] = (m[i][n] - (i + 1..<n).reduce(0) { $0 + m[i][$1] * x[$1] }) / m[i][i] }
    return x
  }

  private func relative(_ a: Dense, _ x: Dense, _ b: Dense, _ k: Int) -> Double {
    let n = a.rows
    let r = (0..<n).map { i in b[k, i] - (0..<n).reduce(0) { $0 + a[i, $1] * x[k, $1] } }
    let size = (0..<n).reduce(0) { $0 + b[k, $1] * b[k, $1] }
    return (r.reduce(0) { $0 + $1 * $1 } / size).squareRoot()
  }

  @Test func namesAreUniqueAndStay() {
    #expect(Array(SolverTable.all.map(\.name).prefix(2)) == ["cholesky", "cg"])
    #expect(Set(SolverTable.all.map(\.name)).count == SolverTable.all.count)
    for solver in SolverTable.all { #expect(!solver.summary.isEmpty && solver.summary.utf8.count < 160) }
  }

  @Test(arguments: names, [1, 2, 7, 60, 300]) func randomSystems(_ name: String, _ n: Int) throws {
    let (a, b) = (try Dense.covariance(n, seed: 5), try Dense.random(3, n, seed: 9))
    let (x, result) = try solve(name, a, b) { $0.tolerance = 1e-11 }
    #expect(result.status == .converged && result.jitter == 0)
    for k in 0..<3 {
      let expected = eliminated(a, (0..<n).map { b[k, $0] })
      let scale = expected.reduce(0) { max($0, abs($1)) }
      for i in 0..<n { #expect(abs(x[k, i] - expected[i]) < 1e-9 * scale) }
      #expect(abs(result.residuals[k] - relative(a, x, b, k)) < 1e-13)
    }
  }

  /// Rows and columns from 1e-4 to 1e4: the condition number is about 1e16, the right-hand side is one that A reaches.
  @Test(arguments: names) func badlyScaledSystems(_ name: String) throws {
    let (n, base) = (12, try Dense.covariance(12, seed: 3))
    let scale = (0..<n).map { i in (0..<abs(i - 6)).reduce(1.0) { s, _ in s * (i < 6 ? 0.2 : 4) } }
    let a = try Dense(n, n) { base[$0, $1] * scale[$0] * scale[$1] }
    let truth = (0..<n).map { 1 / scale[$0] }
    let b = try Dense(1, n) { _, i in (0..<n).reduce(0) { $0 + a[i, $1] * truth[$1] } }
    let (x, result) = try solve(name, a, b) { ($0.tolerance, $0.mostIterations) = (1e-9, 2000) }
    #expect(result.status == .converged, "\(result)")
    #expect(relative(a, x, b, 0) < 1.01e-9)
  }

  /// A projection of rank 3: what it reaches is solved, what it does not is told, and nothing is infinite.
  @Test(arguments: names) func singularSystems(_ name: String) throws {
    let (n, g) = (10, try Dense.random(3, 10, seed: 21))
    let a = try Dense(n, n) { i, j in (0..<3).reduce(0) { $0 + g[$1, i] * g[$1, j] } }
    let inside = try Dense(1, n) { _, i in g[0, i] - 2 * g[2, i] }
    let (x, result) = try solve(name, a, inside) { $0.tolerance = 1e-6 }
    #expect(result.status == .converged, "\(result)")
    #expect(x.elements.allSatisfy(\.isFinite) && relative(a, x, inside, 0) < 1e-6)
    let outside = try Dense.random(1, n, seed: 22)
    let (y, other) = try solve(name, a, outside)
    #expect(other.status != .converged && y.elements.allSatisfy(\.isFinite) && other.residuals[0] > 1e-3)
  }

  @Test(arguments: names) func zeroRightHandSidesAndColumnsThatEndEarly(_ name: String) throws {
    let a = try Dense(50, 50) { $0 == $1 ? Double($0 + 1) : 0 }
    // One unit vector (done after one step), zeros, and a full column.
    let b = try Dense(3, 50) { k, i in k == 0 ? (i == 4 ? 2 : 0) : k == 1 ? 0 : 1 }
    let (x, result) = try solve(name, a, b) { $0.tolerance = 1e-12 }
    #expect(result.status == .converged && result.residuals[1] == 0)
    for i in 0..<50 {
      #expect(abs(x[0, i] - (i == 4 ? 0.4 : 0)) < 1e-14 && x[1, i] == 0 && abs(x[2, i] - 1 / Double(i + 1)) < 1e-12)
    }
  }

  @Test(arguments: names) func bitsDoNotDependOnThreads(_ name: String) throws {
    let (a, b) = (try Dense.covariance(400, seed: 5), try Dense.random(4, 400, seed: 9))
    let one = try solve(name, a, b, context: CallContext(threads: 1)).x
    for threads in [2, 5] { #expect(try solve(name, a, b, context: CallContext(threads: threads)).x.elements == one.elements) }
  }

  @Test(arguments: names) func requestsThatAreNoneAndCancellations(_ name: String) throws {
    let (a, b) = (try Dense.covariance(8), try Dense.random(2, 8))
    for tolerance in [0.0, 1, -1, .nan] {
      #expect(throws: NumericError.self) { try solve(name, a, b) { $0.tolerance = tolerance } }
    }
    #expect(throws: NumericError.self) { try solve(name, a, b) { $0.mostIterations = -1 } }
    #expect(throws: NumericError.self) { try solve(name, a, try Dense.random(2, 7)) }
    #expect(throws: NumericError.self) { try solve(name, a, try Dense(1, 8) { _, i in i == 3 ? .nan : 1 }) }
    #expect { try solve(name, a, b, context: CallContext(memoryLimit: 10)) } throws: {
      ($0 as? NumericError)?.kind == .outOfMemory
    }
    let x = try Dense(2, 8)
    let infinite = ProductOperator(dimension: 8) { (_, y, _) throws(NumericError) in for i in 0..<8 { y[i] = .infinity } }
    #expect { try solver(name).solve(infinite, b.view, into: x.view, SolveRequest(), context: CallContext()) } throws: {
      ($0 as? NumericError)?.kind == .invalidArgument
    }
    let stopped = ProductOperator(dimension: 8) { (_, _, _) throws(NumericError) in throw .cancelled }
    #expect(throws: NumericError.cancelled) {
      try solver(name).solve(stopped, b.view, into: x.view, SolveRequest(), context: CallContext())
    }
  }

  @Test func choleskyNamesTheRowAndConjugateGradientsTheStatus() throws {
    let a = try Dense(5, 5) { $0 == $1 ? ($0 == 3 ? -1 : 2) : 0 }
    let b = try Dense(1, 5) { _, _ in 1 }
    #expect { try solve("cholesky", a, b) } throws: {
      ($0 as? NumericError)?.kind == .notPositiveDefinite && ($0 as? NumericError)?.index.0 == 3
    }
    let (x, result) = try solve("cg", a, b)
    #expect(result.status == .notPositiveDefinite && x.elements.allSatisfy(\.isFinite))
  }

  /// Indefinite systems, and the least-squares solution where a singular one cannot be solved: A r = 0.
  @Test func minimalResidualsNeedNoSign() throws {
    let n = 90
    let g = try Dense.random(n, n, seed: 4)
    let a = try Dense(n, n) { g[$0, $1] + g[$1, $0] }
    let b = try Dense.random(2, n, seed: 5)
    let (x, result) = try solve("minres", a, b)
    #expect(result.status == .converged && result.iterations >= n / 2)
    for k in 0..<2 { #expect(relative(a, x, b, k) < 1.01e-8) }
    let singular = try Dense(n, n) { $0 == $1 ? Double($0 % 9) - 4 : 0 }
    let (y, other) = try solve("minres", singular, b)
    #expect(other.status == .stalled && other.iterations < 3 * 9)
    for i in 0..<n {
      let value = Double(i % 9) - 4
      #expect(value == 0 || abs(y[0, i] - b[0, i] / value) < 1e-8)
    }
  }

  @Test func conjugateGradientsCountTheirIterations() throws {
    // Four different eigenvalues: four iterations (in exact arithmetic).
    let a = try Dense(40, 40) { $0 == $1 ? Double(1 + $0 % 4) : 0 }
    let (_, result) = try solve("cg", a, try Dense.random(2, 40))
    #expect(result.iterations == 4)
    let hard = try Dense(200, 200) { $0 == $1 ? Double(1 + $0 * $0) : 0 }
    let (x, cut) = try solve("cg", hard, try Dense.random(1, 200)) { $0.mostIterations = 5 }
    #expect(cut.status == .iterationLimit && cut.iterations == 5 && x.elements.allSatisfy(\.isFinite))
  }

  /// The tolerance is below what rounding allows.
  @Test func stallingIsTold() throws {
    let hilbert = try Dense(12, 12) { 1 / Double(1 + $0 + $1) }
    let (_, result) = try solve("cg", hilbert, try Dense.random(1, 12)) { ($0.tolerance, $0.mostIterations) = (1e-15, 100_000) }
    #expect(result.status == .stalled || result.status == .notPositiveDefinite)
    #expect(result.residuals[0] > 1e-15)
  }

  @Test func automaticTakesWhatFits() throws {
    let small = ProductOperator(dimension: 100) { (_, _, _) throws(NumericError) in }
    #expect(SolverTable.automatic(small, context: CallContext()).name == "cholesky")
    #expect(SolverTable.automatic(small, context: CallContext(memoryLimit: 100_000)).name == "cg")
    let large = ProductOperator(dimension: 1_000_000) { (_, _, _) throws(NumericError) in }
    #expect(SolverTable.automatic(large, context: CallContext()).name == "cg")
  }
}
