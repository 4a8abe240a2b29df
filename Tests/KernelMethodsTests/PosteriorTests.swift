import KernelMethods
import NumericCore
import Testing

@Suite struct PosteriorTests {
  @Test func covarianceIsTheSchurComplement() throws {
    let p = try Problem()
    let out = try Dense(p.m, p.m)
    try posteriorCovariance(
      factor: p.factor.view, cross: p.cross.view, prior: p.test.view, out: out.view, context: CallContext(threads: 2))
    let explained = try product(p.cross, try solved(p, try p.cross.transposed()))
    #expect(distance(out, try Dense(p.m, p.m) { p.test[$0, $1] - explained[$0, $1] }) < 1e-12)
    for i in 0..<p.m { for j in 0..<i { #expect(out[i, j] == out[j, i]) } }
    let variances = try Dense(p.m, 1)
    let prior = try Dense(p.m, 1) { i, _ in p.test[i, i] }
    try posteriorVariance(
      factor: p.factor.view, cross: p.cross.view, prior: prior.view, out: variances.view, context: CallContext())
    for i in 0..<p.m { #expect(abs(variances[i, 0] - out[i, i]) < 1e-13) }
  }

  @Test func trainingPointsAreKnownExactly() throws {
    let p = try Problem()
    let out = try Dense(p.n, p.n)
    try posteriorCovariance(
      factor: p.factor.view, cross: p.train.view, prior: p.train.view, out: out.view, context: CallContext())
    #expect(out.elements.allSatisfy { abs($0) < 1e-12 })
    for i in 0..<p.n { #expect(out[i, i] >= 0) }
  }

  /// A prior that is too small for the cross kernel, as rounding makes it, leaves no negative variance.
  @Test func variancesAreNotNegative() throws {
    let p = try Problem()
    let explained = try product(p.cross, try solved(p, try p.cross.transposed()))
    let variances = try Dense(p.m, 1)
    let prior = try Dense(p.m, 1) { i, _ in (i % 2 == 0 ? 0.5 : 2) * explained[i, i] }
    try posteriorVariance(
      factor: p.factor.view, cross: p.cross.view, prior: prior.view, out: variances.view, context: CallContext())
    for i in 0..<p.m {
      let expected = i % 2 == 0 ? 0 : explained[i, i]
      #expect(variances[i, 0] >= 0 && abs(variances[i, 0] - expected) < 1e-12)
    }
    let out = try Dense(p.m, p.m)
    try posteriorCovariance(
      factor: p.factor.view, cross: p.cross.view, prior: try Dense(p.m, p.m) { 0.5 * explained[$0, $1] }.view, out: out.view,
      context: CallContext())
    for i in 0..<p.m { #expect(out[i, i] == 0) }
  }

  /// Where the trained kernel is the prior covariance, the ensemble is the posterior.
  @Test func ensembleOfTheSameKernelIsThePosterior() throws {
    let p = try Problem()
    let (ensemble, posterior) = (try Dense(p.m, p.m), try Dense(p.m, p.m))
    let kernels = EnsembleKernels(ntkCross: p.cross.view, nngpTrain: p.train.view, nngpCross: p.cross.view, nngpTest: p.test.view)
    try ensembleCovariance(factor: p.factor.view, kernels: kernels, out: ensemble.view, context: CallContext(threads: 2))
    try posteriorCovariance(
      factor: p.factor.view, cross: p.cross.view, prior: p.test.view, out: posterior.view, context: CallContext())
    #expect(distance(ensemble, posterior) < 1e-12)
  }

  @Test func shapesAndMemoryAreChecked() throws {
    let p = try Problem()
    let out = try Dense(p.m, p.m)
    #expect(throws: NumericError.self) {
      try posteriorCovariance(
        factor: p.factor.view, cross: p.test.view, prior: p.test.view, out: out.view, context: CallContext())
    }
    #expect {
      try posteriorCovariance(
        factor: p.factor.view, cross: p.cross.view, prior: p.test.view, out: out.view, context: CallContext(memoryLimit: 8))
    } throws: { ($0 as? NumericError)?.kind == .outOfMemory }
  }

  @Test func samplesHaveTheCovarianceAndDoNotDependOnTheirNumber() throws {
    let p = try Problem(n: 5, m: 3)
    let mean = try Dense(3, 2) { i, j in Double(10 * i + j) }
    let stream = PhiloxStream(key: (3, 4))
    let (few, many) = (try Dense(3, 4), try Dense(3, 40_000))
    _ = try samplePosterior(
      mean: mean.view, covariance: p.test.view, stream: stream, samples: 2, out: few.view, context: CallContext())
    _ = try samplePosterior(
      mean: mean.view, covariance: p.test.view, stream: stream, samples: 20_000, out: many.view, context: CallContext(threads: 2))
    for i in 0..<3 { for k in 0..<4 { #expect(few[i, k] == many[i, k]) } }
    for i in 0..<3 {
      for j in 0..<3 {
        let sum = (0..<40_000).reduce(0.0) { $0 + (many[i, $1] - mean[i, $1 % 2]) * (many[j, $1] - mean[j, $1 % 2]) }
        // Four standard errors of a covariance from 40,000 draws.
        let spread = (p.test[i, i] * p.test[j, j]).squareRoot() * 4 * 2.0.squareRoot() / 200
        #expect(abs(sum / 40_000 - p.test[i, j]) < spread)
      }
    }
  }

  @Test func singularCovariancesCanBeSampled() throws {
    let mean = try Dense(3, 1) { i, _ in Double(i) }
    let out = try Dense(3, 4)
    let (stream, zero) = (PhiloxStream(key: (1, 2)), try Dense(3, 3))
    #expect(
      try samplePosterior(
        mean: mean.view, covariance: zero.view, stream: stream, samples: 4, out: out.view, context: CallContext()) == 0)
    for i in 0..<3 { for s in 0..<4 { #expect(out[i, s] == Double(i)) } }
    let ones = try Dense(3, 3) { _, _ in 1 }
    let jitter = try samplePosterior(
      mean: mean.view, covariance: ones.view, stream: stream, samples: 4, out: out.view, context: CallContext())
    #expect(jitter <= 1.1e-6)
    for s in 0..<4 { #expect(abs(out[1, s] - out[0, s] - 1) < 1e-2) }
  }
}
