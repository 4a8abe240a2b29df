import NumericCore
import Testing

@testable import Dynamics

/// What all runs share: when they end, what they write down, and that a cancellation leaves whole steps.
@Suite struct TrainingLoopTests {
  /// Runs on given losses; returns the columns of the record.
  private func run(
    _ losses: [Double], steps: Int, threshold: Double = -.infinity, growth: Double = .infinity, floor: Double = 1e-300,
    window: Int = 1, first: Double? = nil
  ) throws -> (record: TrainingRecord, loss: [Double], time: [Double]) {
    let (loss, time) = (try Workspace<Double>(steps + 1), try Workspace<Double>(steps + 1))
    let record = TrainingRecord(loss: loss.pointer, time: time.pointer, window: window, first: first)
    var loop = TrainingLoop(
      steps: steps, record: record, threshold: threshold, growth: growth, floor: floor, context: CallContext())
    while try loop.goesOn() {
      guard loop.takes(losses[loop.done], rate: 0.1, time: Double(loop.done)) else { break }
      loop.countStep()
    }
    let count = loop.record.count
    return (loop.record, (0..<count).map { loss[$0] }, (0..<count).map { time[$0] })
  }

  @Test func allStepsAreDone() throws {
    let found = try run([3, 2, 1], steps: 3)
    #expect(found.record.outcome == .finished && found.record.steps == 3 && found.record.first == 3)
    #expect(found.loss == [3, 2, 1] && found.time == [0, 1, 2])
    #expect(try run([], steps: 0).record.count == 0)
  }

  @Test func lossesEndRuns() throws {
    let reached = try run([3, 1, 0.5], steps: 3, threshold: 1)
    #expect(reached.record.outcome == .reachedThreshold && reached.record.steps == 1 && reached.loss == [3, 1])
    for bad in [Double.nan, .infinity, -.infinity, 31] {
      let diverged = try run([3, bad, 1], steps: 3, threshold: -5, growth: 10)
      #expect(diverged.record.outcome == .diverged && diverged.record.steps == 1 && diverged.record.count == 2)
    }
    #expect(try run([3, 30, 1], steps: 3, growth: 10).record.outcome == .finished)
    // A start near 0 may grow up to the floor; a run that goes on has the bound of its first call.
    #expect(try run([1e-9, 5, 1], steps: 3, growth: 10, floor: 1).record.outcome == .finished)
    #expect(try run([30, 5, 1], steps: 3, growth: 10, first: 1).record.outcome == .diverged)
  }

  @Test func windowsAreMeans() throws {
    let found = try run([4, 2, 5, 7, 1], steps: 5, window: 2)
    #expect(found.loss == [3, 6, 1] && found.time == [1, 3, 4])
    let diverged = try run([4, 2, 5, .nan, 1], steps: 5, window: 2)
    #expect(diverged.record.count == 2 && diverged.loss[1].isNaN)
  }

  @Test func cancellationLeavesWholeSteps() throws {
    let context = CallContext { _ in false }
    var (loop, work) = (TrainingLoop(steps: .max, context: context), 0)
    #expect(throws: NumericError.cancelled) {
      while try loop.goesOn() {
        work += 1
        loop.countStep()
      }
    }
    #expect(loop.done == work && work > 0)
  }
}
