import NumericCore
import Spectra
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Numbers as a column that the core reads.
private func column(_ numbers: [Double], cols: Int = 1) throws -> (StridedMatrix<Double>, Workspace<Double>) {
  let room = try Workspace<Double>(numbers.count)
  for (i, number) in numbers.enumerated() { room[i] = number }
  return (StridedMatrix(room.pointer, rows: numbers.count / cols, cols: cols), room)
}

@Suite struct SphereTests {
  @Test(arguments: [1, 2, 3, 20, 301]) func rulesIntegratePolynomialsExactly(_ n: Int) throws {
    let rule = try AngleRule(count: n)
    for p in [0, 1, 2 * n - 1] {
      let sum = (0..<n).reduce(0) { $0 + rule.weight($1) * pow(rule.angle($1) / .pi, Double(p)) }
      #expect(abs(sum / .pi * Double(p + 1) - 1) < 1e-13)
    }
    for i in 0..<n {
      let (c, s) = rule.point(i)
      #expect(abs(c - cos(rule.angle(i))) < 5e-16 && abs(s - sin(rule.angle(i))) < 5e-16)
      #expect(abs(rule.angle(i) + rule.angle(n - 1 - i) - .pi) < 1e-15)
    }
    let again = AngleRule(count: n, packed: rule.packed)
    #expect(again?.packed == rule.packed)
    #expect(AngleRule(count: n + 2, packed: rule.packed) == nil)
  }

  /// kappa = P_j has one eigenvalue, 1 / N(d, j); the others vanish far below single roundings.
  @Test(arguments: [2, 3, 4, 11], [0, 1, 5, 40]) func legendrePolynomialsAreEigenfunctions(_ d: Int, _ j: Int) throws {
    let rule = try AngleRule(count: 150)
    let angles = (0..<150).map { rule.angle($0) }
    let (rows, owner) = try column([Double](repeating: 0, count: 150 * (j + 1)), cols: 150)
    try legendrePolynomials(dimension: d, angles: angles, into: rows)
    let (values, room) = try column((0..<150).map { rows[j, $0] })
    let found = try zonalSpectrum(values, rule: rule, dimension: d, frequencies: 50, context: CallContext())
    withExtendedLifetime((owner, room)) {
      for k in 0..<50 {
        let expected = k == j ? 1 / harmonicCount(degree: j, dimension: d) : 0
        // P_j at rounded angles carries some j roundings.
        let rounding = 30 * Double(j + 1) * 0x1p-53
        #expect(abs(found.eigenvalues[k] - expected) < rounding * found.termNorms[k] + 1e-13 * expected)
      }
    }
  }

  @Test func harmonicsAreCounted() throws {
    #expect([0, 1, 2, 3].map { harmonicCount(degree: $0, dimension: 3) } == [1, 3, 5, 7])
    #expect([0, 1, 2, 3].map { harmonicCount(degree: $0, dimension: 5) } == [1, 5, 14, 30])
    #expect(harmonicCount(degree: 9, dimension: 2) == 2)
    #expect(harmonicCount(degree: 100_000, dimension: 90_000) == .infinity)
  }

  @Test func endpointsOfKnownSeries() throws {
    // exp(-3 s): 1, -3, 9/2, -9/2
    let scales = [0.9, 0.3, 0.1, 0.01, 0.001]
    let samples = scales.flatMap { scale in
      (0..<24).map { exp(-3 * scale * (1 - cos(.pi * Double($0) / 23)) / 2) }
    }
    let (values, room) = try column(samples, cols: 24)
    let found = try endpointExpansion(values, scales: scales)
    withExtendedLifetime(room) {
      for (i, expected) in [1.0, -3, 4.5, -4.5].enumerated() {
        #expect(abs(found.coefficients[i] - expected) < 1e-9)
        #expect(abs(found.coefficients[i] - expected) <= 10 * found.errors[i])
      }
    }
    #expect(throws: NumericError.self) { try endpointExpansion(values, scales: [1]) }
    #expect(throws: NumericError.self) { try endpointExpansion(values, scales: [1, 1, 1, 1, -1]) }
  }

  @Test func sizesThatDoNotFitAreErrors() throws {
    let (values, room) = try column([1, 2, 3])
    try withExtendedLifetime(room) {
      let rule = try AngleRule(count: 3)
      #expect(throws: NumericError.self) {
        try zonalSpectrum(values, rule: AngleRule(count: 4), dimension: 3, frequencies: 1, context: CallContext())
      }
      for (d, count) in [(1, 1), (-5, 1), (3, 0), (3, -1), (Int.max, 3)] {
        #expect(throws: NumericError.self) {
          try zonalSpectrum(values, rule: rule, dimension: d, frequencies: count, context: CallContext())
        }
      }
      #expect(throws: NumericError.self) {
        try frequencyEnergies(points: values, values: [1], frequencies: 3, context: CallContext())
      }
    }
  }
}

@Suite struct LearningTests {
  /// Four functions with equal eigenvalues, no ridge: least squares.
  @Test func finiteSpectraWithoutRidge() throws {
    let target = SpectralTarget(eigenvalues: [1], multiplicities: [4], energies: [2])
    let many = try learningPrediction(target, samples: 20, ridge: 0, noise: 0.3)
    #expect(many.effectiveRidge < 1e-200)
    #expect(abs(many.error - 0.3 * 4 / 16) < 1e-12)
    // With fewer samples than functions: kappa = 4 lambda - n lambda, learnt to n / 4, error E (1 - n / 4).
    let few = try learningPrediction(target, samples: 1, ridge: 0, noise: 0)
    #expect(abs(few.effectiveRidge - 3) < 1e-12)
    #expect(abs(few.learned[0] - 0.25) < 1e-12)
    #expect(abs(few.error - 2 * 0.75) < 1e-12)
  }

  @Test func equationHoldsAndErrorsFall() throws {
    let values = (0..<30).map { 1 / Double(1 + $0 * $0) }
    let target = SpectralTarget(
      eigenvalues: values, multiplicities: (0..<30).map { Double(2 * $0 + 1) }, energies: (0..<30).map { 1 / Double(1 + $0) },
      tailTrace: 0.01, tailEnergy: 0.002)
    var last = Double.infinity
    for n in [1.0, 10, 100, 1000, 1e5] {
      let found = try learningPrediction(target, samples: n, ridge: 0.1, noise: 0)
      let kappa = found.effectiveRidge
      var sum = 0.11
      for (k, value) in values.enumerated() { sum += Double(2 * k + 1) * value * kappa / (n * value + kappa) }
      #expect(abs(sum - kappa) < 1e-12 * kappa)
      #expect(found.error < last && found.error > 0.002)
      last = found.error
    }
  }
}
