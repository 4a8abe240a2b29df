import NumericCore
import Testing
import TestSupport

@testable import TrainingRegimes

/// Quadratic networks: closed-form risks, best networks of each regime, and their limits.
@Suite struct QuadraticTaskTests {
  private let context = CallContext(threads: 2)

  private func gaussian(_ rows: Int, _ cols: Int, seed: UInt64) throws -> OwnedMatrix {
    let m = try OwnedMatrix(rows, cols, for: "a test", context)
    try PhiloxStream(key: (seed, 0)).fillNormal(m.view.base, count: rows * cols)
    return m
  }

  private func symmetric(_ d: Int, seed: UInt64) throws -> OwnedMatrix {
    let m = try gaussian(d, d, seed: seed)
    symmetrise(m.view)
    m.view.scale(1 / Double(d).squareRoot())
    return m
  }

  /// Classes N(0, I - D) and N(0, I + D): either can fail to be one.
  @Test(arguments: [-2.0, 2, -0.5, 0.5]) func bothClassesNeedACovariance(_ size: Double) throws {
    let (covariance, difference) = (try OwnedMatrix(2, 2, for: "a test", context), try OwnedMatrix(2, 2, for: "a test", context))
    for i in 0..<2 { for j in 0..<2 { (covariance.view[i, j], difference.view[i, j]) = i == j ? (1, size) : (0, 0) } }
    if abs(size) < 1 {
      let whitening = try Whitening(covariance: covariance.view, difference: difference.view, context: context)
      #expect(whitening.difference.view[1, 1] == size)
    } else {
      #expect(throws: NumericError.self) {
        try Whitening(covariance: covariance.view, difference: difference.view, context: context)
      }
    }
  }

  private func risk(_ regime: Regime, _ task: QuadraticTask, _ weights: StridedMatrix<Double>) throws -> Double {
    let d = task.dimension
    let form = try OwnedMatrix(d, d, for: "a test", context)
    let offset: Double
    switch regime {
    case .neuralTangent:
      let tangents = try OwnedMatrix(weights.rows, d, for: "a test", context)
      offset = try fitNeuralTangent(to: task, weights: weights, tangents: tangents.view, context: context).offset
      try addTangentForm(weights: weights, tangents: tangents.view, to: form.view, context: context)
    case .randomFeatures, .fullyTrained:
      let outputs = try OwnedMatrix(weights.rows, 1, for: "a test", context)
      let own = try OwnedMatrix(copying: weights, for: "a test", context)
      offset =
        regime == .fullyTrained
        ? try fitFullyTrained(to: task, weights: own.view, outputs: outputs.view, context: context)
        : try fitRandomFeatures(to: task, weights: own.view, outputs: outputs.view, context: context).offset
      try quadraticForm(weights: own.view, outputs: outputs.view, into: form.view, context: context)
    }
    return try task.risk(of: form.view, offset: offset, context: context)
  }

  @Test(arguments: [1, 3, 6, 9]) func everyRegimeIsBetterThanTheOneBefore(_ width: Int) throws {
    let (b, w) = (try symmetric(6, seed: 1), try gaussian(width, 6, seed: 2))
    let task = QuadraticTask.function(form: b.view, offset: 0.3)
    let (rf, nt, nn) = (
      try risk(.randomFeatures, task, w.view), try risk(.neuralTangent, task, w.view), try risk(.fullyTrained, task, w.view)
    )
    #expect(nt <= rf + 1e-12)
    #expect(rf <= task.variance)
    #expect(nn <= rf + 1e-12)
    if width >= 6 { #expect(abs(nt) < 1e-20 * task.variance + 1e-18 && abs(nn) < 1e-18) }
  }

  @Test func smallMixturesFollowTheFirstOrderFormula() throws {
    // With Delta = eps B the explained signal is eps^2 |proj B|^2, so (1/risk - 1) 2 / eps^2 tends to that of the function task.
    let d = 8
    let (b, w) = (try symmetric(d, seed: 3), try gaussian(3, d, seed: 4))
    let identity = try OwnedMatrix(d, d, for: "a test", context)
    for i in 0..<d { identity.view[i, i] = 1 }
    let function = QuadraticTask.function(form: b.view, offset: 0)
    let eps = 1e-3
    let small = try OwnedMatrix(copying: b.view, for: "a test", context)
    small.view.scale(eps)
    let mixture = QuadraticTask.mixture(covariance: identity.view, difference: small.view)
    for regime in [Regime.randomFeatures, .neuralTangent, .fullyTrained] {
      let explained = (function.variance - (try risk(regime, function, w.view))) / 2
      let measured = (1 / (try risk(regime, mixture, w.view)) - 1) * 2 / (eps * eps)
      #expect(abs(measured - explained) < 1e-4 * explained)
    }
  }

  @Test func theTangentOptimumIsStationary() throws {
    // No step along any tangent direction lowers the exact risk of the fitted form, for classes that differ strongly.
    let (d, n) = (5, 2)
    let (difference, w, direction) = (try symmetric(d, seed: 5), try gaussian(n, d, seed: 6), try gaussian(n, d, seed: 7))
    difference.view.scale(0.4)
    let covariance = try symmetric(d, seed: 8)
    covariance.view.scale(0.2)
    for i in 0..<d { covariance.view[i, i] += 1.5 }
    let task = QuadraticTask.mixture(covariance: covariance.view, difference: difference.view)
    let tangents = try OwnedMatrix(n, d, for: "a test", context)
    _ = try fitNeuralTangent(to: task, weights: w.view, tangents: tangents.view, context: context)
    func riskAt(_ step: Double) throws -> Double {
      let (moved, form) = (
        try OwnedMatrix(copying: tangents.view, for: "a test", context), try OwnedMatrix(d, d, for: "a test", context)
      )
      moved.view.add(step, direction.view)
      try addTangentForm(weights: w.view, tangents: moved.view, to: form.view, context: context)
      return try task.risk(of: form.view, offset: task.bestOffset(for: form.view), context: context)
    }
    let (best, slope) = (try riskAt(0), (try riskAt(1e-4) - riskAt(-1e-4)) / 2e-4)
    #expect(abs(slope) < 1e-7)
    #expect(try riskAt(0.1) > best)
    #expect(best < 1)
  }

  @Test func limitsHaveTheirKnownValues() throws {
    let flat = try TargetSpectrum([Double](repeating: -2, count: 10))
    #expect(abs(flat.alignment - 1) < 1e-15)
    #expect(abs(try flat.limit(.randomFeatures, rho: 1) - 0.5) < 1e-15)
    #expect(abs(try flat.limit(.neuralTangent, rho: 0.25) - 0.75) < 1e-15)
    #expect(abs(try flat.limit(.fullyTrained, rho: 0.25) - 0.75) < 1e-15)
    #expect(abs(flat.meanTangentRisk(width: 4) - 0.6) < 1e-14)
    let huge = try TargetSpectrum([1e300, 2e300, -3e300])
    #expect(abs(try huge.limit(.fullyTrained, rho: 1.0 / 3) - 5.0 / 14) < 1e-15)
    for regime in [Regime.randomFeatures, .neuralTangent, .fullyTrained] {
      #expect(try huge.limit(regime, rho: 0) == 1)
      #expect(throws: NumericError.self) { try huge.limit(regime, rho: -0.1) }
    }
    #expect(throws: NumericError.self) { try TargetSpectrum([0, 0]) }
    #expect(throws: NumericError.self) { try TargetSpectrum([]) }
  }

  @Test func classesThatAreNotDistributionsAreRefused() throws {
    let d = 3
    let (identity, w) = (try OwnedMatrix(d, d, for: "a test", context), try gaussian(2, d, seed: 1))
    for i in 0..<d { identity.view[i, i] = 1 }
    let double = try OwnedMatrix(copying: identity.view, for: "a test", context)
    double.view.scale(2)
    let task = QuadraticTask.mixture(covariance: identity.view, difference: double.view)
    #expect { try risk(.neuralTangent, task, w.view) } throws: { ($0 as? NumericError)?.kind == .notPositiveDefinite }
  }
}
