import Activations
import Architectures
import Dynamics
import NumericCore
import Synchronization
import Testing
import TestSupport

@testable import TrainingRegimes

/// The threads of a training step, and a run of stochastic gradient descent.
@Suite struct TwoLayerTrainingTests {
  @Test(arguments: [1, 2, 5]) func everyTaskOfEveryPhaseRunsOnce(_ threads: Int) throws {
    let counts = (7, 3)
    let first = (0..<counts.0).map { _ in Counter() }
    let second = (0..<counts.1).map { _ in Counter() }
    let mixed = Counter()
    try StepCrew.lead(
      threads: threads, counts: counts,
      body: { phase, task in
        // Phase 1 of a step starts when all of phase 0 is done.
        if phase == 1, Set(first.map(\.value)).count != 1 { mixed.add() }
        (phase == 0 ? first[task] : second[task]).add()
      }
    ) { crew in
      for _ in 0..<2 * 200 { crew.run() }
    }
    #expect((first + second).allSatisfy { $0.value == 200 })
    #expect(mixed.value == 0)
  }

  @Test func aFailureOfTheLeaderEndsTheHelpers() {
    #expect(throws: NumericError.cancelled) {
      try StepCrew.lead(threads: 3, counts: (4, 4), body: { _, _ in }) { crew throws(NumericError) in
        crew.run()
        throw .cancelled
      }
    }
  }

  @Test func cancelledRunsSayHowFarTheyCame() throws {
    let context = CallContext(threads: 2)
    let form = try OwnedMatrix(3, 3, for: "a test", context)
    let (weights, outputs) = (try OwnedMatrix(2, 3, for: "a test", context), try OwnedMatrix(2, 1, for: "a test", context))
    for i in 0..<2 { weights.view[i, i] = 1 }
    form.view[0, 0] = 1
    let network = try TwoLayerNetwork(
      weights: weights.view, outputs: outputs.view, tangents: nil, activation: .made("Polynomial", 0, 0, 1))
    let sgd = try TwoLayerSGD(
      rates: .init(weights: 1, tangents: 0, outputs: 1, offset: 1), sharesOutputs: false, batch: 5, firstStep: 0,
      steps: 100_000_000, schedule: [(step: 0, rate: 1e-3)], key: 1)
    let room = try OwnedMatrix(1, 1, for: "a test", context)
    var (offset, record) = (0.0, TrainingRecord(loss: room.view.base, window: 100_000_000))
    let impatient = CallContext(threads: 2) { _ in false }
    #expect(throws: NumericError.cancelled) {
      try sgd.run(
        network, offset: &offset, on: .function(form: form.view, offset: 0), record: &record, context: impatient)
    }
    #expect(record.steps > 0)
    #expect(record.count == 1 && record.outcome == .finished)
    #expect(room.view[0, 0].isFinite && room.view[0, 0] > 0)
  }

  @Test func runsThatMakeNoSenseAreRefused() {
    let rates = TwoLayerSGD.Rates(weights: 1, tangents: 0, outputs: 1, offset: 1)
    for (batch, steps, schedule) in [
      (0, 1, [(step: 0, rate: 1.0)]), (1, -1, [(step: 0, rate: 1.0)]), (1, 1, []), (1, 1, [(step: 1, rate: 1.0)]),
      (1, 1, [(step: 0, rate: .nan)]),
    ] {
      #expect(throws: NumericError.self) {
        try TwoLayerSGD(
          rates: rates, sharesOutputs: false, batch: batch, firstStep: 0, steps: steps, schedule: schedule, key: 0
        )
      }
    }
  }
}

/// A number that threads may count up.
private final class Counter: Sendable {
  private let count = Atomic<Int>(0)
  var value: Int { count.load(ordering: .relaxed) }
  func add() { count.add(1, ordering: .relaxed) }
}
