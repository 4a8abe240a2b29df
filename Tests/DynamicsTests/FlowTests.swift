import NumericCore
import TestSupport
import Testing

@testable import Dynamics

/// Differential equations whose solutions are known, and the control of steps.
@Suite struct FlowTests {
  private func room(_ values: [Double]) throws -> Workspace<Double> {
    let room = try Workspace<Double>(values.count)
    for (i, value) in values.enumerated() { room[i] = value }
    return room
  }

  /// x' = -k x in eleven numbers (one vector of eight and a rest), and a rotation in a second block.
  private func solve(_ tolerance: Double, to times: [Double]) throws -> (error: Double, steps: Int) {
    let rates = (0..<11).map { 0.1 + 0.3 * Double($0) }
    let state = try room([Double](repeating: 1, count: 11) + [1, 0] + [Double](repeating: 0, count: 9))
    let flow = try VectorFlow(state: state.pointer, blocks: 2, length: 11, tolerance: tolerance, operation: "test") { x, slope in
      for i in 0..<11 { slope[i] = -rates[i] * x[i] }
      for i in 11..<22 { slope[i] = 0 }
      (slope[11], slope[12]) = (-x[12], x[11])
    }
    for time in times { while flow.time < time { try flow.advance(to: time) } }
    let t = times.last ?? 0
    let exact = rates.map { exponential(-$0 * t) } + [cosine(t), cosine(t - .pi / 2)]
    return (maxError(exact, (0..<13).map { state[$0] }), flow.steps)
  }

  @Test func knownSolutionsAreFollowed() throws {
    let (coarse, fine) = (try solve(1e-5, to: [3]), try solve(1e-9, to: [3]))
    // The error of a step is bounded; over a unit of time they add up to a few times that.
    #expect(coarse.error < 1e-4 && fine.error < 1e-8)
    #expect(fine.error < coarse.error)
    // Order 5: 10^4 times less error costs 10^(4/5) = 6.3 times the steps, and not more than twice that.
    #expect(fine.steps > 2 * coarse.steps && fine.steps < 13 * coarse.steps)
  }

  @Test func stopsOnTheWayHardlyCostAccuracy() throws {
    #expect(try solve(1e-9, to: [0.1, 0.5, 1, 1.0001, 3]).error < 1e-8)
  }

  @Test func checkpointsContinueWithTheSameBits() throws {
    func slope(_ x: UnsafeMutablePointer<Double>, _ slope: UnsafeMutablePointer<Double>) {
      for i in 0..<3 { slope[i] = x[(i + 1) % 3] * (1 - x[i]) }
    }
    let (whole, split) = (try room([0.1, 0.2, 0.3]), try room([0.1, 0.2, 0.3]))
    let once = try VectorFlow(state: whole.pointer, length: 3, tolerance: 1e-7, operation: "test", derivative: slope)
    for _ in 0..<20 { try once.advance(to: 100) }
    var checkpoint: VectorFlow.Checkpoint?
    for steps in [7, 1, 12] {
      let flow = try VectorFlow(
        state: split.pointer, length: 3, tolerance: 1e-7, operation: "test", from: checkpoint, derivative: slope)
      for _ in 0..<steps { try flow.advance(to: 100) }
      checkpoint = flow.checkpoint
    }
    #expect(checkpoint?.time == once.time)
    #expect((0..<3).allSatisfy { whole[$0] == split[$0] })
  }

  /// x' = x^2 ends at time 1.
  @Test func blowUpsAreErrors() throws {
    let state = try room([1])
    let flow = try VectorFlow(state: state.pointer, length: 1, tolerance: 1e-6, operation: "test") { $1[0] = $0[0] * $0[0] }
    let error = #expect(throws: NumericError.self) { while true { try flow.advance(to: 2) } }
    #expect(error?.kind == .notConverged)
    #expect(abs(flow.time - 1) < 1e-3)
    #expect(throws: NumericError.self) {
      try VectorFlow(state: state.pointer, length: 1, tolerance: 1e-6, operation: "test") { $1[0] = .nan * $0[0] }
    }
  }

  /// A block whose numbers leave the finite ones in a place of any vector is noticed.
  @Test(arguments: [0, 7, 8, 10]) func stagesThatAreNotFiniteAreTriedAgain(_ place: Int) throws {
    let state = try room([Double](repeating: 0.5, count: 11))
    let flow = try VectorFlow(state: state.pointer, length: 11, tolerance: 1e-3, operation: "test") { x, slope in
      for i in 0..<11 { slope[i] = 1 }
      if x[place] > 1 { slope[place] = .infinity }
    }
    #expect(throws: NumericError.self) { while true { try flow.advance(to: 10) } }
    #expect((0..<11).allSatisfy { state[$0].isFinite && state[$0] <= 1 })
  }

  @Test func stepsGrowAndShrinkWithTheError() throws {
    var control = StepControl(step: 1, order: 2, operation: "test")
    #expect(control.proposal(to: 0.5) == 0.5)
    // Too large by four: order 2 halves it, with the margin 0.9; after a retry it may not grow.
    #expect(try !control.accepts(1, to: 10, error: 4))
    #expect(relativeError(control.step, 0.45) < 1e-15)
    #expect(try control.accepts(0.45, to: 10, error: 1e-3))
    #expect(control.time == 0.45 && control.step == 0.45)
    // Then it grows, at most five times.
    #expect(try control.accepts(0.45, to: 10, error: 0))
    #expect(relativeError(control.step, 5 * 0.45) < 1e-15)
    // A step cut short leaves the next one as it was, and ends on the limit.
    #expect(try control.accepts(control.proposal(to: 1), to: 1, error: 0.81))
    #expect(control.time == 1 && relativeError(control.step, 5 * 0.45) < 1e-15)
    #expect(try !control.accepts(1, to: 10, error: .nan))
    #expect(control.step == 0.2)
    #expect(throws: NumericError.self) { while true { _ = try control.accepts(control.step, to: 10, error: .infinity) } }
  }

  // Taylor's series, so that the test needs no library.
  private func exponential(_ x: Double) -> Double {
    let small = (1..<30).reversed().reduce(1.0) { 1 + x / 64 / Double($1) * $0 }
    return (0..<6).reduce(small) { power, _ in power * power }
  }
  private func cosine(_ x: Double) -> Double {
    (1..<20).reversed().reduce(1.0) { 1 - x * x / Double((2 * $1 - 1) * (2 * $1)) * $0 }
  }
}
