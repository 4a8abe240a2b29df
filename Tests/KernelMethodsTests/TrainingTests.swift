import KernelMethods
import NumericCore
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite struct TrainingTests {
  let p: Problem
  let residual: Dense

  init() throws {
    p = try Problem()
    residual = try Dense.random(p.n, 2, seed: 9)
  }

  private func flow(_ times: [Double]) throws -> (train: Dense, test: Dense) {
    let (train, test) = (try Dense(p.n, 2 * times.count), try Dense(p.m, 2 * times.count))
    try gradientFlow(
      p.spectrum, times: times, residual: residual.view, train: train.view, cross: p.cross.view, test: test.view,
      context: CallContext(threads: 2))
    return (train, test)
  }

  @Test func nothingMovesAtTimeZero() throws {
    let (train, test) = try flow([0])
    #expect((train.elements + test.elements).allSatisfy { $0 == 0 })
  }

  @Test func infiniteTimeIsRegression() throws {
    let (train, test) = try flow([.infinity])
    #expect(distance(train, try Dense(p.n, 2) { -residual[$0, $1] }) < 1e-12)
    let expected = try product(p.cross, try solved(p, residual))
    #expect(distance(test, try Dense(p.m, 2) { -expected[$0, $1] }) < 1e-11)
  }

  /// df/dt = -K (f - y) / size, by differences.
  @Test func obeysTheDifferentialEquation() throws {
    let h = 1e-4
    let (train, test) = try flow([2 - h, 2, 2 + h])
    let now = try Dense(p.n, 2) { residual[$0, $1] + train[$0, 2 + $1] }
    for (kernel, moved) in [(p.train, train), (p.cross, test)] {
      let slope = try product(kernel, now)
      for i in 0..<moved.view.rows {
        for j in 0..<2 {
          let difference = (moved[i, 4 + j] - moved[i, j]) / (2 * h)
          #expect(abs(difference + slope[i, j] / Double(p.n)) < 1e-7)
        }
      }
    }
  }

  @Test func singularKernelsStayFinite() throws {
    let values = try Workspace<Double>(2)
    (values[0], values[1]) = (0, 2)
    let vectors = try Dense(2, 2) { $0 == $1 ? 1 : 0 }
    let spectrum = Spectrum(values: values.pointer, vectors: vectors.view, size: 2)
    let start = try Dense(2, 1) { _, _ in 1 }
    let (train, test) = (try Dense(2, 1), try Dense(2, 1))
    try gradientFlow(
      spectrum, times: [.infinity], residual: start.view, train: train.view, cross: vectors.view, test: test.view,
      context: CallContext())
    #expect(train.elements == [0, -1] && test.elements == [0, -0.5])
  }

  @Test(arguments: [FlowKind.nngp, .ntk]) func covarianceGoesFromPriorToPosterior(_ kind: FlowKind) throws {
    let kernels = EnsembleKernels(ntkCross: p.cross.view, nngpTrain: p.train.view, nngpCross: p.cross.view, nngpTest: p.test.view)
    let out = try Dense(2 * p.m, p.m)
    try flowTestCovariance(
      p.spectrum, kind, times: [0, .infinity], kernels: kernels, out: out.view, context: CallContext(threads: 2))
    let posterior = try Dense(p.m, p.m)
    try posteriorCovariance(
      factor: p.factor.view, cross: p.cross.view, prior: p.test.view, out: posterior.view, context: CallContext())
    #expect(distance(try Dense(p.m, p.m) { out[$0, $1] }, p.test) < 1e-12)
    #expect(distance(try Dense(p.m, p.m) { out[p.m + $0, $1] }, posterior) < 1e-11)
    let onTrain = try Dense(2 * p.n, p.n)
    try flowTrainCovariance(
      p.spectrum, kind, times: [0, .infinity], nngp: p.train.view, out: onTrain.view, context: CallContext())
    #expect(distance(try Dense(p.n, p.n) { onTrain[$0, $1] }, p.train) < 1e-12)
    #expect(onTrain.elements[(p.n * p.n)...].allSatisfy { abs($0) < 1e-12 })
  }

  /// One training and one test point: f_t(*) = f_0(*) - k* (1 - exp(-K t)) / K f_0(x), whose variance is elementary.
  @Test(arguments: [0.3, 1.7]) func spreadsAtFiniteTimesAreThoseOfOnePoint(_ t: Double) throws {
    let (nngp, ntk, one) = (try Dense(1, 1) { _, _ in 2 }, try Dense(1, 1) { _, _ in 3 }, try Dense(1, 1) { _, _ in 1 })
    let (nngpCross, ntkCross) = (try Dense(1, 1) { _, _ in 0.5 }, try Dense(1, 1) { _, _ in 0.75 })
    let prior = try Dense(1, 1) { _, _ in 1.5 }
    for (kind, kernel, cross) in [(FlowKind.nngp, nngp, nngpCross), (.ntk, ntk, ntkCross)] {
      let (k, c) = (kernel[0, 0], cross[0, 0])
      let spectrum = Spectrum(values: kernel.room.pointer, vectors: one.view, size: 1)
      let kernels = EnsembleKernels(
        ntkCross: cross.view, nngpTrain: nngp.view, nngpCross: nngpCross.view, nngpTest: prior.view)
      let (test, train) = (try Dense(1, 1), try Dense(1, 1))
      try flowTestCovariance(spectrum, kind, times: [t], kernels: kernels, out: test.view, context: CallContext())
      try flowTrainCovariance(spectrum, kind, times: [t], nngp: nngp.view, out: train.view, context: CallContext())
      let weight = c * (1 - exp(-k * t)) / k
      #expect(abs(test[0, 0] - (1.5 - 2 * weight * 0.5 + weight * weight * 2)) < 1e-14)
      #expect(abs(train[0, 0] - 2 * exp(-2 * k * t)) < 1e-14)
    }
  }

  // MARK: - Differential equations

  private func descend(_ loss: Loss, damping: Double? = nil, times: [Double], context: CallContext = CallContext()) throws
    -> Dense
  {
    let solver = GradientDescent(loss: loss, kernel: p.train.view, outputs: 2, damping: damping)
    let length = 2 * p.n
    let start = try Dense(1, length * solver.blocks)
    for k in 0..<length { start.room[k] = residual.room[k] }
    let out = try Dense(times.count, start.view.cols)
    try solver.run(from: start.room.pointer, times: times, out: out.view, context: context)
    return out
  }

  /// Towards zero targets from the residual: the closed form, with all 60 outputs in the mean.
  @Test func squaredLossAgreesWithTheClosedForm() throws {
    let zeros = try Dense(p.n, 2)
    let times = [0.0, 0.5, 30, 3000, .infinity]
    let out = try descend(.meanSquaredError(targets: zeros.room.pointer), times: times)
    let spectrum = Spectrum(values: p.values.pointer, vectors: p.vectors.view, size: Double(2 * p.n))
    let change = try Dense(p.n, 2 * times.count)
    try gradientFlow(
      spectrum, times: times, residual: residual.view, train: change.view, cross: nil, test: nil, context: CallContext())
    for t in 0..<times.count {
      for i in 0..<p.n {
        for j in 0..<2 {
          #expect(abs(out[t, 2 * i + j] - residual[i, j] - change[i, 2 * t + j]) < 1e-7)
        }
      }
    }
  }

  @Test func integralsGiveTheOutputs() throws {
    let targets = try Dense.random(p.n, 2, seed: 11)
    for damping in [nil, -0.3] as [Double?] {
      let out = try descend(
        .crossEntropy(targets: targets.room.pointer, classes: 2, divisor: Double(p.n)), damping: damping, times: [40])
      let integral = try Dense(p.n, 2) { out[0, 2 * p.n + 2 * $0 + $1] }
      let moved = try product(p.train, integral)
      #expect(distance(try Dense(p.n, 2) { residual[$0, $1] - moved[$0, $1] }, try Dense(p.n, 2) { out[0, 2 * $0 + $1] }) < 1e-9)
    }
  }

  /// Weights of classes that do not add up to one, against differences of -sum(y log_softmax(f)) / n.
  @Test func crossEntropyTakesAnyWeightsOfClasses() throws {
    let targets = (0..<2 * p.n).map { 0.3 + 0.4 * Double($0 % 5) }
    let count = Double(p.n)
    let ready = try targets.withUnsafeBufferPointer {
      try descend(.crossEntropy(targets: $0.baseAddress!, classes: 2, divisor: count), times: [3])
    }
    let value = try descend(
      .value { f, value in
        value.pointee = 0
        for i in stride(from: 0, to: targets.count, by: 2) {
          let largest = max(f[i], f[i + 1])
          let total = largest + log(exp(f[i] - largest) + exp(f[i + 1] - largest))
          value.pointee += (targets[i] * (total - f[i]) + targets[i + 1] * (total - f[i + 1])) / count
        }
        return true
      }, times: [3])
    #expect(distance(value, ready) < 1e-8)
  }

  @Test func callersLossesAgreeWithTheReadyMadeOne() throws {
    let count = Double(2 * p.n)
    let targets = try Dense.random(p.n, 2, seed: 11).elements
    let ready = try targets.withUnsafeBufferPointer { try descend(.meanSquaredError(targets: $0.baseAddress!), times: [3, 50]) }
    let slope = try descend(
      .gradient { f, g in
        for k in 0..<targets.count { g[k] = (f[k] - targets[k]) / count }
        return true
      }, times: [3, 50])
    #expect(slope.elements == ready.elements)
    let value = try descend(
      .value { f, v in
        v.pointee = (0..<targets.count).reduce(0) { $0 + (f[$1] - targets[$1]) * (f[$1] - targets[$1]) } / (2 * count)
        return true
      }, times: [3, 50])
    #expect(distance(value, ready) < 1e-8)
  }

  @Test func logisticIsCrossEntropyBetweenAnOutputAndZero() throws {
    let targets = try Dense.random(p.n, 2, seed: 11).elements
    let slope = { (f: Double, y: Double) in 1 / (1 + exp(-f)) - y }
    let count = Double(targets.count)
    let given = try targets.withUnsafeBufferPointer { try descend(.logistic(targets: $0.baseAddress!), times: [3, 50]) }
    let expected = try descend(
      .gradient { f, g in
        for k in 0..<targets.count { g[k] = slope(f[k], targets[k]) / count }
        return true
      }, times: [3, 50])
    #expect(distance(given, expected) < 1e-12)
  }

  @Test func failuresOfTheCallerEndTheRun() throws {
    #expect { try descend(.gradient { _, _ in false }, times: [1]) } throws: { ($0 as? NumericError)?.kind == .callbackFailed }
  }

  @Test func explosionsAreErrors() throws {
    // df/dt = K f^3 grows without bound in finite time.
    let count = 2 * p.n
    let grow = Loss.gradient { f, g in
      for k in 0..<count { g[k] = -f[k] * f[k] * f[k] }
      return true
    }
    #expect { try descend(grow, times: [1e3]) } throws: { ($0 as? NumericError)?.kind == .notConverged }
  }

  @Test func canBeCancelled() throws {
    let targets = try Dense(p.n, 2)
    let stop = CallContext { _ in false }
    #expect { try descend(.meanSquaredError(targets: targets.room.pointer), times: [1e9], context: stop) } throws: {
      ($0 as? NumericError)?.kind == .cancelled
    }
  }
}
