#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import LinearAlgebra
import NumericCore
import Testing

@Suite struct SymmetryTests {
  private func fault(_ a: Dense, _ tolerance: Double = 1e-8, isKernel: Bool = true, threads: Int = 1) throws -> SymmetryFault? {
    try symmetryFault(a.view, tolerance: tolerance, isKernel: isKernel, context: CallContext(threads: threads))
  }

  @Test(arguments: [0, 1, 2, 255, 256, 257, 600]) func kernelsHaveNoFault(_ n: Int) throws {
    let k = try Dense.covariance(n)
    #expect(try fault(k) == nil)
    #expect(try fault(k, isKernel: false) == nil)
  }

  /// The first one in the order of rows, for any number of threads and across tiles.
  @Test(arguments: [1, 2, 3]) func theFirstFaultIsNamed(_ threads: Int) throws {
    let k = try Dense.covariance(600)
    for (i, j) in [(599, 0), (300, 299), (300, 17), (301, 2)] { k.view[i, j] += 1e-6 * k.view[0, 0] }
    guard case .asymmetric(300, 17)? = try fault(k, threads: threads) else {
      Issue.record("\(String(describing: try fault(k, threads: threads)))")
      return
    }
  }

  @Test func differencesAreMeasuredByTheLengthsOfBoth() throws {
    // Rows of lengths 1 and 1e6: 1e-6 is rounding beside 1e12, not between the short ones.
    let k = try Dense(3, 3) { i, j in i == j ? (i == 2 ? 1e12 : 1) : 0 }
    k.view[1, 0] = 1e-6
    guard case .asymmetric(1, 0)? = try fault(k) else { return #expect(Bool(false)) }
    #expect(try fault(k, isKernel: false) == nil)
    k.view[1, 0] = 0
    k.view[2, 0] = 1e-3
    #expect(try fault(k) == nil)
  }

  @Test func negativeEigenvaluesOfTwoRows() throws {
    let k = try Dense(2, 2) { i, j in i == j ? 1 : 2 }
    guard case .indefinite(1, 0, let eigenvalue)? = try fault(k) else { return #expect(Bool(false)) }
    #expect(abs(eigenvalue + 1) < 1e-15)
    #expect(try fault(k, isKernel: false) == nil)
    k.view[1, 1] = -3
    guard case .indefinite(1, 1, -3)? = try fault(k) else { return #expect(Bool(false)) }
  }

  @Test func badRequestsAreErrors() throws {
    #expect(throws: NumericError.self) { try fault(try Dense(2, 3)) }
    #expect(throws: NumericError.self) { try fault(try Dense(2, 2), -1) }
    #expect(throws: NumericError.self) { try fault(try Dense(2, 2), .nan) }
    let (stop, large) = (CallContext { _ in false }, try Dense.covariance(1600))
    #expect { try symmetryFault(large.view, tolerance: 0, isKernel: true, context: stop) } throws: {
      ($0 as? NumericError)?.kind == .cancelled
    }
    withExtendedLifetime(large) {}
  }
}

/// D + 1 1^T with entries of D from 1 down to 10^-digits: its inverse is known (Sherman and Morrison).
@Suite struct ConditionNumberTests {
  @Test(arguments: [(1, 3.0), (7, 9), (200, 9), (600, 12)]) func theEstimateIsNearTheExactOne(_ n: Int, _ digits: Double) throws {
    let d = (0..<n).map { pow(10, -digits * Double($0) / Double(max(1, n - 1))) }
    let k = try Dense(n, n) { i, j in (i == j ? d[i] : 0) + 1 }
    let l = try Dense(n, n)
    let report = try cholesky(k.view, into: l.view, context: CallContext())
    let norm = (d.max() ?? 0) + Double(n)
    #expect(abs(report.norm - norm) <= 1e-13 * norm)
    // The column sums of |A^-1|, A^-1 = D^-1 - D^-1 1 1^T D^-1 / (1 + sum 1 / d).
    let inverses = d.map { 1 / $0 }
    let sum = inverses.reduce(0, +)
    var inverse = 0.0
    for own in inverses {
      let others: Double = (sum - own) * own / (1 + sum)
      let diagonal: Double = own - own * own / (1 + sum)
      inverse = max(inverse, diagonal + others)
    }
    let exact = 1 / (norm * inverse)
    let found = try reciprocalCondition(factor: l.view, norm: report.norm, context: CallContext(threads: 2))
    #expect(found >= exact * (1 - 1e-6) && found <= exact * (exact < 1e-6 ? 3 : Double(n)))
    #expect(found == (try reciprocalCondition(factor: l.view, norm: report.norm, context: CallContext())))
  }

  @Test func noRowsAreWellConditioned() throws {
    #expect(try reciprocalCondition(factor: try Dense(0, 0).view, norm: 0, context: CallContext()) == 1)
  }
}
