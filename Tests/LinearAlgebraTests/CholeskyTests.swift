import LinearAlgebra
import NumericCore
import Testing

@Suite struct CholeskyTests {
  @Test(arguments: [0, 1, 2, 255, 256, 257, 700]) func reconstructsTheMatrix(_ n: Int) throws {
    let k = try Dense.covariance(n)
    let l = try Dense(n, n) { _, _ in 7 }
    let report = try cholesky(k.view, into: l.view, context: CallContext(threads: 2))
    #expect(report.jitter == 0 && report.ridge == 0)
    let back = try Dense(n, n)
    try multiplySelf(l.view, into: back.view, context: CallContext())
    // Backward error of Cholesky: n eps |K| (Higham, Accuracy and Stability, 2002, theorem 10.3).
    #expect(distance(back, k) <= 2.3e-16 * Double(n) * 10)
    #expect((0..<n).allSatisfy { i in ((i + 1)..<max(n, i + 1)).allSatisfy { l[i, $0] == 0 } })
  }

  @Test func inPlaceGivesTheSameBits() throws {
    let k = try Dense.covariance(300)
    let l = try Dense(300, 300)
    _ = try cholesky(k.view, into: l.view, context: CallContext())
    _ = try cholesky(k.view, into: k.view, context: CallContext(threads: 3))
    #expect(l.elements == k.elements)
  }

  @Test func float32MatricesAreFactoredInFloat64() throws {
    let k = try Dense.covariance(40)
    let single = try Workspace<Float>(1600)
    for i in 0..<1600 { single[i] = Float(k.room[i]) }
    let rounded = try Dense(40, 40) { i, j in Double(single[i * 40 + j]) }
    let (a, b) = (try Dense(40, 40), try Dense(40, 40))
    _ = try cholesky(StridedMatrix(single.pointer, rows: 40, cols: 40), into: a.view, context: CallContext())
    _ = try cholesky(rounded.view, into: b.view, context: CallContext())
    #expect(a.elements == b.elements)
  }

  @Test func ridgeIsRelativeOrAbsolute() throws {
    let k = try Dense(2, 2) { i, j in i == j ? 4 : 0 }
    let l = try Dense(2, 2)
    #expect(try cholesky(k.view, into: l.view, Regularization(ridge: 0.5), context: CallContext()).ridge == 2)
    #expect(abs(l.view[0, 0] - 6.0.squareRoot()) < 1e-15)
    let report = try cholesky(k.view, into: l.view, Regularization(ridge: 0.5, isRelative: false), context: CallContext())
    #expect(report.ridge == 0.5)
    #expect(abs(report.logDeterminant - 2 * 1.504_077_396_776_274) < 1e-14)
  }

  /// A diagonal matrix says which rung is the first that helps: the smallest power of ten times the mean that exceeds the negative element.
  @Test(arguments: [-13, -12, -11, -10, -9, -8, -7, -6], [false, true])
  func theLadderStopsAtTheFirstRungThatHelps(_ power: Int, _ inPlace: Bool) throws {
    let rung = (0..<(-power)).reduce(1.0) { value, _ in value / 10 }
    let k = try Dense(4, 4) { i, j in i == j ? (i == 2 ? -0.5 * rung : 1) : 0 }
    let l = inPlace ? k : try Dense(4, 4)
    let report = try cholesky(k.view, into: l.view, context: CallContext())
    let mean = (3 - 0.5 * rung) / 4
    #expect(abs(report.jitter / (rung * mean) - 1) < 1e-6)
  }

  @Test func theLadderEndsAtItsLargestJitter() throws {
    let k = try Dense(4, 4) { i, j in i == j ? (i == 2 ? -2e-6 : 1) : 0 }
    let l = try Dense(4, 4)
    #expect { try cholesky(k.view, into: l.view, context: CallContext()) } throws: {
      guard let error = $0 as? NumericError else { return false }
      return error.kind == .notPositiveDefinite && error.index.0 == 2 && abs(error.value / 0.75e-6 - 1) < 1e-5
    }
    #expect(throws: NumericError.self) {
      try cholesky(k.view, into: l.view, Regularization(ridge: -1), context: CallContext())
    }
  }

  /// Duplicate rows: singular, so the ladder must add a little, in place too.
  @Test(arguments: [false, true]) func singularMatricesGetJitter(_ inPlace: Bool) throws {
    let x = try Dense.random(50, 3)
    let k = try Dense(300, 300)
    let repeated = try Dense(300, 3) { i, j in x.view[i % 50, j] }
    try multiplySelf(repeated.view, into: k.view, context: CallContext())
    let original = try Dense(300, 300) { k.view[$0, $1] }
    let l = inPlace ? k : try Dense(300, 300)
    let report = try cholesky(k.view, into: l.view, context: CallContext())
    let mean = (0..<300).reduce(0) { $0 + original.view[$1, $1] } / 300
    #expect(report.jitter > 0 && report.jitter <= 1.000_001e-6 * mean)
    let back = try Dense(300, 300)
    try multiplySelf(l.view, into: back.view, context: CallContext())
    for i in 0..<300 { back.view[i, i] -= report.jitter }
    #expect(distance(back, original) < 1e-12 * mean)
  }

  @Test func indefiniteMatricesNameThePivot() throws {
    let k = try Dense(400, 400) { i, j in i == j ? (i == 300 ? -1 : 1) : 0 }
    let l = try Dense(400, 400)
    #expect { try cholesky(k.view, into: l.view, context: CallContext()) } throws: {
      guard let error = $0 as? NumericError else { return false }
      return error.kind == .notPositiveDefinite && error.index.0 == 300 && error.value > 9e-7 && error.value < 1.1e-6
    }
    #expect { try cholesky(k.view, into: l.view, Regularization(largestJitter: 0), context: CallContext()) } throws: {
      ($0 as? NumericError)?.kind == .notPositiveDefinite && ($0 as? NumericError)?.value == 0
    }
  }

  @Test func notANumberIsNotPositiveDefinite() throws {
    let k = try Dense(3, 3) { i, j in i == j ? (i == 1 ? .nan : 1) : 0 }
    let l = try Dense(3, 3)
    #expect(throws: NumericError.self) { try cholesky(k.view, into: l.view, context: CallContext()) }
  }

  @Test func badArgumentsAreErrors() throws {
    let (k, wide) = (try Dense.covariance(3), try Dense(3, 4))
    #expect(throws: NumericError.self) { try cholesky(wide.view, into: k.view, context: CallContext()) }
    #expect(throws: NumericError.self) { try cholesky(k.view, into: k.view, Regularization(ridge: -1), context: CallContext()) }
    #expect(throws: NumericError.self) { try cholesky(k.view, into: k.view, Regularization(ridge: .nan), context: CallContext()) }
  }

  @Test func canBeCancelled() throws {
    // Long enough for a report, which is due after 50 ms.
    let k = try Dense(4000, 4000) { i, j in i == j ? 2 : 0 }
    let stop = CallContext(threads: 1) { _ in false }
    #expect { try cholesky(k.view, into: k.view, context: stop) } throws: { ($0 as? NumericError)?.kind == .cancelled }
  }

  @Test(arguments: [(1, 1), (5, 0), (300, 1), (520, 260)]) func solves(_ shape: (Int, Int)) throws {
    let (n, m) = shape
    let (k, b) = (try Dense.covariance(n), try Dense.random(n, m, seed: 3))
    let l = try Dense(n, n)
    _ = try cholesky(k.view, into: l.view, context: CallContext())
    for (system, matrix) in [(FactorSystem.whole, k), (.forward, l), (.backward, try l.transposed())] {
      let x = try Dense(b.view)
      try solve(system, l.view, x.view, context: CallContext(threads: 2))
      #expect(distance(try product(matrix, x), b) < 1e-11)
    }
  }
}
