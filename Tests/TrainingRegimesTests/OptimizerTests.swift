import Activations
import Architectures
import Dynamics
import FiniteWidth
import NumericCore
import TestSupport
import Testing

@testable import TrainingRegimes

/// Optimisers, schedules, batches and gradient flow on networks small enough to know the answer.
@Suite struct OptimizerTests {
  private let context = CallContext(threads: 2)

  /// Memory of one run.
  private final class Memory {
    let parameters: Workspace<Double>, start: Workspace<Double>, moments: Workspace<Double>, gradient: Workspace<Double>
    let loss: Workspace<Double>, rate: Workspace<Double>, time: Workspace<Double>
    var state: TrainingState

    init(_ start: [Double], steps: Int) throws {
      let count = start.count
      parameters = try Workspace(count)
      self.start = try Workspace(count)
      moments = try Workspace(2 * count, zeroed: true)
      gradient = try Workspace(count)
      loss = try Workspace(steps + 1)
      rate = try Workspace(steps + 1)
      time = try Workspace(steps + 1)
      for (i, value) in start.enumerated() { (parameters[i], self.start[i]) = (value, value) }
      state = TrainingState(
        parameters: parameters.pointer, start: self.start.pointer, moments: moments.pointer, gradient: gradient.pointer)
    }

    var record: TrainingRecord { TrainingRecord(loss: loss.pointer, rate: rate.pointer, time: time.pointer) }
    var values: [Double] { (0..<parameters.count).map { parameters[$0] } }
  }

  private func normal(_ count: Int, _ seed: UInt64) throws -> Workspace<Double> {
    let room = try Workspace<Double>(count)
    try PhiloxStream(key: (seed, 0)).fillNormal(room.pointer, count: count)
    return room
  }

  /// Dense(6), Tanh, Dense(2) on n inputs of four numbers; without the first two layers where `isLinear`.
  private func task(
    _ n: Int, _ x: Workspace<Double>, _ y: Workspace<Double>, batch: Int, _ model: BatchPass.Model = .network,
    isLinear: Bool = false
  ) throws -> TrainingTask {
    let dense = { (out: Int) in LayerNode.dense(DenseLayer(outDim: out, weightStd: 1.3, biasStd: 0, hasBias: false)) }
    let layers = isLinear ? [dense(2)] : [dense(6), .activation(.made("Tanh", 1e-8)), dense(2)]
    return try TrainingTask(
      try Network(.serial(layers), input: GridShape(channels: 4)), model, loss: .meanSquaredError,
      x: StridedMatrix(x.pointer, rows: n, cols: 4), targets: StridedMatrix(y.pointer, rows: n, cols: 2), batchSize: batch,
      key: (3, 4))
  }

  @Test func ratesFollowTheirSchedule() {
    let steps = LearningRateSchedule(2, .piecewise(boundaries: [3, 5], factors: [0.5, 0.1]))
    #expect([0, 2, 3, 4, 5, 9].map { steps.rate($0) } == [2, 2, 1, 1, 0.1, 0.1])
    let cosine = LearningRateSchedule(1, .cosine(steps: 4, final: 0.5), warmup: 1)
    #expect(maxError([0, 1, 3, 5, 50].map { cosine.rate($0) }, [0.5, 1, 0.75, 0.5, 0.5]) < 1e-15)
  }

  /// Two steps of one parameter by hand.
  @Test func rulesAreThoseOfTheirPapers() {
    let (rate, g, h) = (0.1, 0.8, -0.3)
    func steps(_ rule: OptimizerRule, decay: Double = 0) -> Double {
      var (parameter, moments) = (2.0, [0.0, 0.0])
      let optimizer = Optimizer(rule, schedule: LearningRateSchedule(rate), weightDecay: decay)
      for (step, slope) in [g, h].enumerated() {
        var gradient = slope
        optimizer.apply(0..<1, step: step, gradient: &gradient, parameters: &parameter, moments: &moments, count: 1)
      }
      return parameter
    }
    #expect(abs(steps(.descent(momentum: 0, isNesterov: false), decay: 0.5) - (1.82 - 0.1 * (h + 0.91))) < 1e-15)
    #expect(abs(steps(.descent(momentum: 0.9, isNesterov: false)) - (2 - rate * (g + 0.9 * g + h))) < 1e-15)
    let velocity = 0.9 * g + h
    #expect(abs(steps(.descent(momentum: 0.9, isNesterov: true)) - (2 - rate * (1.9 * g + h + 0.9 * velocity))) < 1e-15)
    // Algorithm 1 of arXiv:1412.6980; its first step is g / (|g| + epsilon) times the rate.
    let (b1, b2, epsilon) = (0.9, 0.99, 0.25)
    let first = 2 - rate * g / (g + epsilon)
    let m = (b1 * (1 - b1) * g + (1 - b1) * h) / (1 - b1 * b1)
    let v = (b2 * (1 - b2) * g * g + (1 - b2) * h * h) / (1 - b2 * b2)
    let expected = first - rate * m / (v.squareRoot() + epsilon)
    #expect(abs(steps(.adam(b1: b1, b2: b2, epsilon: epsilon)) - expected) < 1e-14)
  }

  @Test func anEpochOfWholeBatchesHasNoEmptyOne() throws {
    let batches = try EpochBatches(count: 12, size: 4, key: (1, 2))
    #expect(batches.stepsPerEpoch == 3)
    for step in 0..<7 { #expect(batches.indices(step)?.count == 4) }
    #expect((3..<6).flatMap { Array(batches.indices($0)!) }.sorted() == Array(0..<12))
  }

  @Test func batchesOfAnEpochAreAPermutation() throws {
    let batches = try EpochBatches(count: 11, size: 4, key: (1, 2))
    #expect(batches.stepsPerEpoch == 3)
    let epochs = (0..<2).map { epoch in (3 * epoch..<3 * epoch + 3).flatMap { Array(batches.indices($0)!) } }
    for epoch in epochs { #expect(epoch.sorted() == Array(0..<11)) }
    #expect(epochs[0] != epochs[1])
    // Going back gives the same order again.
    #expect((0..<3).flatMap { Array(batches.indices($0)!) } == epochs[0])
    #expect(try EpochBatches(count: 4, size: 4, key: (1, 2)).indices(0) == nil)
    #expect(throws: NumericError.self) { try EpochBatches(count: 4, size: 5, key: (1, 2)) }
  }

  @Test(arguments: [OptimizerRule.descent(momentum: 0.9, isNesterov: true), .adam(b1: 0.9, b2: 0.99, epsilon: 1e-8)])
  func splitRunsAndThreadsKeepTheBits(_ rule: OptimizerRule) throws {
    let (x, y, start) = (try normal(120, 1), try normal(60, 2), try normal(36, 3))
    let optimizer = Optimizer(rule, schedule: LearningRateSchedule(0.05), weightDecay: 0.01)
    var results: [[Double]] = []
    for (splits, threads) in [([20], 1), ([7, 13], 3), ([1, 1, 18], 2)] {
      let memory = try Memory((0..<36).map { start[$0] }, steps: 20)
      for steps in splits {
        var record = memory.record
        try train(
          task(30, x, y, batch: 8), optimizer, steps: steps, state: &memory.state, record: &record,
          context: CallContext(threads: threads))
        #expect(record.count == steps)
      }
      results.append(memory.values)
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
    withExtendedLifetime((x, y)) {}
  }

  @Test func lazyTrainingOfALinearNetworkIsTraining() throws {
    let (x, y, start) = (try normal(36, 1), try normal(18, 2), try normal(8, 3))
    let optimizer = Optimizer(.descent(momentum: 0, isNesterov: false), schedule: LearningRateSchedule(0.3))
    let results = try [BatchPass.Model.network, .linearised].map { model in
      let memory = try Memory((0..<8).map { start[$0] }, steps: 15)
      var record = memory.record
      try train(
        task(9, x, y, batch: 4, model, isLinear: true), optimizer, steps: 15, state: &memory.state, record: &record,
        context: context)
      return memory.values + (0..<15).map { memory.loss[$0] }
    }
    #expect(maxError(results[0], results[1]) < 1e-13)
    withExtendedLifetime((x, y)) {}
  }

  @Test func flowDescendsAndArrives() throws {
    let (x, y, start) = (try normal(36, 1), try normal(18, 2), try normal(36, 3))
    let memory = try Memory((0..<36).map { start[$0] }, steps: 500)
    var record = memory.record
    try train(
      task(9, x, y, batch: 9), GradientFlow(time: 5, tolerance: 1e-8), steps: 500, state: &memory.state, record: &record,
      context: context)
    #expect(record.outcome == .finished)
    #expect(record.count == memory.state.step + 1)
    #expect(memory.time[record.count - 1] == 5)
    for k in 1..<record.count { #expect(memory.loss[k] < memory.loss[k - 1]) }
    // One long step of gradient descent cannot follow; many short ones can, to first order.
    let steps = 20_000
    let slow = try Memory((0..<36).map { start[$0] }, steps: steps)
    var descent = slow.record
    try train(
      task(9, x, y, batch: 9),
      Optimizer(.descent(momentum: 0, isNesterov: false), schedule: LearningRateSchedule(5 / Double(steps))),
      steps: steps, state: &slow.state, record: &descent, context: context)
    #expect(maxError(slow.values, memory.values) < 1e-4)
    withExtendedLifetime((x, y)) {}
  }

  @Test func divergenceAndThresholdsEndARun() throws {
    let (x, y, start) = (try normal(36, 1), try normal(18, 2), try normal(36, 3))
    let memory = try Memory((0..<36).map { start[$0] }, steps: 400)
    var record = memory.record
    let wild = Optimizer(.descent(momentum: 0, isNesterov: false), schedule: LearningRateSchedule(1e9))
    try train(task(9, x, y, batch: 9), wild, steps: 400, state: &memory.state, record: &record, context: context)
    #expect(record.outcome == .diverged)
    #expect(record.count == memory.state.step + 1)
    #expect(!memory.loss[record.count - 1].isFinite)
    let calm = try Memory((0..<36).map { start[$0] }, steps: 400)
    var journal = calm.record
    try train(
      task(9, x, y, batch: 9), Optimizer(.descent(momentum: 0, isNesterov: false), schedule: LearningRateSchedule(0.5)),
      steps: 400,
      threshold: 0.2, state: &calm.state, record: &journal, context: context)
    #expect(journal.outcome == .reachedThreshold)
    #expect(calm.loss[journal.count - 1] <= 0.2)
    withExtendedLifetime((x, y)) {}
  }

  @Test func cancellationLeavesWholeSteps() throws {
    let (x, y, start) = (try normal(36, 1), try normal(18, 2), try normal(36, 3))
    let optimizer = Optimizer(.adam(b1: 0.9, b2: 0.999, epsilon: 1e-8), schedule: LearningRateSchedule(1e-3))
    let memory = try Memory((0..<36).map { start[$0] }, steps: 5_000_000)
    var record = memory.record
    let stopping = CallContext(threads: 1) { _ in false }
    #expect(throws: NumericError.self) {
      try train(task(9, x, y, batch: 4), optimizer, steps: 5_000_000, state: &memory.state, record: &record, context: stopping)
    }
    #expect(memory.state.step == record.count)
    let again = try Memory((0..<36).map { start[$0] }, steps: record.count)
    var journal = again.record
    try train(task(9, x, y, batch: 4), optimizer, steps: record.count, state: &again.state, record: &journal, context: context)
    #expect(again.values == memory.values)
    withExtendedLifetime((x, y)) {}
  }

  @Test func badNumbersAreRefused() {
    for rate in [0, -1, Double.nan, .infinity] {
      #expect(throws: NumericError.self) { try LearningRateSchedule(rate).check() }
    }
    #expect(throws: NumericError.self) { try LearningRateSchedule(1, .piecewise(boundaries: [1], factors: [])).check() }
    #expect(throws: NumericError.self) { try LearningRateSchedule(1, .cosine(steps: 0, final: 0)).check() }
    for rule in [
      OptimizerRule.descent(momentum: 1, isNesterov: false), .adam(b1: 1, b2: 0, epsilon: 1), .adam(b1: 0, b2: 0, epsilon: 0),
    ] {
      #expect(throws: NumericError.self) { try Optimizer(rule, schedule: LearningRateSchedule(1)).check() }
    }
  }
}
