import LinearAlgebra
import NumericCore
import Spectra
import TestSupport
import Testing

/// Traces and densities from random probes, against the matrix itself.
@Suite struct StochasticEstimatesTests {
  private let context = CallContext()
  private let n = 7

  /// A symmetric matrix with eigenvalues of both signs.
  private func entry(_ i: Int, _ j: Int) -> Double { i == j ? Double(i) - 2.5 : 1 / Double(1 + i + j) }

  private func product(_ entry: @escaping (Int, Int) -> Double, _ n: Int) -> ProductOperator {
    ProductOperator(dimension: n) { (x, y, _) throws(NumericError) in
      for i in 0..<n { y[i] = (0..<n).reduce(0) { $0 + entry(i, $1) * x[$1] } }
    }
  }

  private func matrix(_ rows: Int, _ cols: Int) throws -> (StridedMatrix<Double>, Workspace<Double>) {
    let room = try Workspace<Double>(rows * cols)
    for i in 0..<rows * cols { room[i] = .nan }
    return (StridedMatrix(room.pointer, rows: rows, cols: cols), room)
  }

  /// Every probe of a diagonal gives its trace, for sizes about the 64 signs of a word and the 256 of a block.
  @Test(arguments: [1, 63, 64, 65, 256, 257, 1000]) func diagonalsHaveTheirTraceExactly(_ n: Int) throws {
    let samples = try StochasticEstimates(product({ $0 == $1 ? Double($0) : 0 }, n), seed: 3, context: context)
      .traceSamples(probes: 3)
    #expect(samples == [Double](repeating: Double(n * (n - 1) / 2), count: 3))
  }

  @Test func probesHaveTheMeanAndTheVarianceOfHutchinson() throws {
    let estimates = try StochasticEstimates(product(entry, n), seed: 4, context: context)
    let count = 4000
    let samples = try estimates.traceSamples(probes: count)
    let trace = (0..<n).reduce(0) { $0 + entry($1, $1) }
    var outside = 0.0
    for i in 0..<n { for j in 0..<n where i != j { outside += entry(i, j) * entry(i, j) } }
    let variance = samples.reduce(0) { $0 + ($1 - trace) * ($1 - trace) } / Double(count)
    let mean = samples.reduce(0, +) / Double(count)
    #expect(abs(mean - trace) < 4 * (2 * outside / Double(count)).squareRoot())
    // The fourth moment of these sums is at most 15 times the squared variance.
    #expect(abs(variance / (2 * outside) - 1) < 4 * (14 / Double(count)).squareRoot())
    #expect(try estimates.traceSamples(probes: 5) == Array(samples.prefix(5)))
    let other = try StochasticEstimates(product(entry, n), seed: 5, context: context)
    #expect(try other.traceSamples(probes: 5) != Array(samples.prefix(5)))
  }

  /// A rule of k nodes has the moments of its probe up to degree 2 k - 1: 0 to 2 are known from products.
  @Test(arguments: [2, 4, 7, 12]) func rulesHaveTheMomentsOfTheirProbes(_ steps: Int) throws {
    let probes = 5
    let estimates = try StochasticEstimates(product(entry, n), seed: 6, context: context)
    let ((nodes, a), (weights, b)) = (try matrix(probes, steps), try matrix(probes, steps))
    try estimates.density(probes: probes, steps: steps, nodes: nodes, weights: weights)
    let first = try estimates.traceSamples(probes: probes)
    let squared = { (i: Int, j: Int) in (0..<n).reduce(0.0) { $0 + entry(i, $1) * entry($1, j) } }
    let second = try StochasticEstimates(product(squared, n), seed: 6, context: context).traceSamples(probes: probes)
    for p in 0..<probes {
      let moment = { (power: Int) in
        (0..<steps).reduce(0.0) { sum, k in
          sum + weights[p, k] * (0..<power).reduce(1.0) { product, _ in product * nodes[p, k] }
        }
      }
      #expect(abs(moment(0) * Double(probes) - 1) < 1e-13)
      #expect(abs(moment(1) * Double(probes * n) - first[p]) < 1e-11)
      #expect(abs(moment(2) * Double(probes * n) - second[p]) < 1e-10)
    }
    withExtendedLifetime((a, b)) {}
  }

  /// With as many steps as rows the nodes are the eigenvalues themselves.
  @Test func fullRulesAreTheSpectrum() throws {
    let ((nodes, a), (weights, b)) = (try matrix(1, n), try matrix(1, n))
    try StochasticEstimates(product(entry, n), seed: 8, context: context)
      .density(probes: 1, steps: n, nodes: nodes, weights: weights)
    let (dense, c) = try matrix(n, n)
    for i in 0..<n { for j in 0..<n { dense[i, j] = entry(i, j) } }
    let values = try Workspace<Double>(n)
    try symmetricEigen(dense, values: values.pointer, context: context)
    for k in 0..<n { #expect(abs(nodes[0, k] - values[k]) < 1e-12) }
    withExtendedLifetime((a, b, c)) {}
  }

  /// Of the identity every vector is an eigenvector: one node, and zero weights in the room that is left.
  @Test func invariantSpacesEndTheirRule() throws {
    let ((nodes, a), (weights, b)) = (try matrix(2, 4), try matrix(2, 4))
    try StochasticEstimates(product({ $0 == $1 ? 2 : 0 }, n), seed: 8, context: context)
      .density(probes: 2, steps: 4, nodes: nodes, weights: weights)
    for p in 0..<2 {
      for k in 0..<4 {
        #expect(abs(nodes[p, k] - 2) < 1e-14)
        #expect(abs(weights[p, k] - (k == 0 ? 0.5 : 0)) < 1e-15)
      }
    }
    withExtendedLifetime((a, b)) {}
  }

  @Test func badRequestsAndProductsAreErrors() throws {
    for dimension in [0, -1, Int(Int32.max) + 1, .max] {
      #expect(throws: NumericError.self) { try StochasticEstimates(product(entry, dimension), seed: 0, context: context) }
    }
    let estimates = try StochasticEstimates(product(entry, n), seed: 0, context: context)
    for probes in [0, -1, .min] {
      #expect(throws: NumericError.self) { try estimates.traceSamples(probes: probes) }
    }
    #expect(throws: NumericError.self) {
      try StochasticEstimates(product({ _, _ in .nan }, n), seed: 0, context: context).traceSamples(probes: 1)
    }
    let (room, owner) = try matrix(2, 3)
    for (probes, steps) in [(0, 3), (2, 0), (2, 2), (3, 3), (2, -1)] {
      #expect(throws: NumericError.self) {
        try estimates.density(probes: probes, steps: steps, nodes: room, weights: room)
      }
    }
    #expect(throws: NumericError.self) {
      try StochasticEstimates(product({ _, _ in .infinity }, n), seed: 0, context: context)
        .density(probes: 2, steps: 3, nodes: room, weights: room)
    }
    var calls = 0
    let impatient = CallContext { _ in
      calls += 1
      return false
    }
    #expect(throws: NumericError.cancelled) {
      try StochasticEstimates(product(entry, n), seed: 0, context: impatient).traceSamples(probes: 1000)
    }
    #expect(calls == 1)
    withExtendedLifetime(owner) {}
  }

  /// Three points on the sphere: every pair by hand, with P_1 = t and P_2 = (3 t^2 - 1) / 2.
  @Test func energiesOfFrequenciesAreMeansOverPairs() throws {
    let (points, owner) = try matrix(3, 3)
    let rows = [[1.0, 0, 0], [0.6, 0.8, 0], [0, 0.6, -0.8]]
    for i in 0..<3 { for j in 0..<3 { points[i, j] = rows[i][j] } }
    let y = [2.0, -1, 0.5]
    let found = try frequencyEnergies(points: points, values: y, frequencies: 3, context: context)
    var expected = [0.0, 0, 0]
    for (i, j) in [(0, 1), (0, 2), (1, 2)] {
      let t = zip(rows[i], rows[j]).map(*).reduce(0, +)
      for (k, p) in [1, t, (3 * t * t - 1) / 2].enumerated() { expected[k] += Double(2 * k + 1) * y[i] * y[j] * p / 3 }
    }
    #expect(maxError(found, expected) < 1e-14)
    withExtendedLifetime(owner) {}
  }
}
