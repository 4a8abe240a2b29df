import NumericCore
import Synchronization
import Testing

@Suite struct WorkersTests {
  @Test(arguments: [1, 2, 7]) func everyTaskRunsOnce(threads: Int) throws {
    let runs = (0..<100).map { _ in Counter() }
    try runTasks(100, context: CallContext(threads: threads)) { (task, worker) throws(NumericError) in
      runs[task].value.add(1, ordering: .relaxed)
      if worker >= threads { throw .invalid("worker \(worker)") }
    }
    #expect(runs.allSatisfy { $0.value.load(ordering: .relaxed) == 1 })
  }

  @Test(arguments: [1, 3]) func theFirstFailureIsThrown(threads: Int) {
    let started = Counter()
    #expect(throws: NumericError.invalid("task 5")) {
      try runTasks(10_000, context: CallContext(threads: threads)) { (task, _) throws(NumericError) in
        started.value.add(1, ordering: .relaxed)
        if task == 5 { throw .invalid("task 5") }
      }
    }
    #expect(started.value.load(ordering: .relaxed) < 10_000)
  }

  @Test(arguments: [1, 2]) func aCallerCanCancel(threads: Int) {
    let reports = Counter()
    let context = CallContext(threads: threads) { _ in
      reports.value.add(1, ordering: .relaxed)
      return false
    }
    #expect(throws: NumericError.cancelled) {
      try runTasks(1_000_000, context: context) { (_, _) throws(NumericError) in
        let end = Machine.seconds + 0.0002
        while Machine.seconds < end {}
      }
    }
    #expect(reports.value.load(ordering: .relaxed) == 1)
  }

  @Test func memoryIsRefusedBeforeItIsTaken() {
    let context = CallContext(memoryLimit: 1000)
    #expect(throws: NumericError.self) { try context.reserve(1001, for: "a test", instead: "Use less.") }
    #expect(throws: NumericError.self) { try context.reserve(nil, for: "a test", instead: "Use less.") }
    #expect(throws: Never.self) { try context.reserve(1000, for: "a test", instead: "Use less.") }
    #expect(throws: NumericError.self) { try context.reporting { _ in true }.reserve(1001, for: "a test", instead: "Use less.") }
  }

  @Test func withoutALimitHalfOfWhatIsAvailableIsOne() {
    let context = CallContext(memoryLimit: nil)
    #expect(throws: Never.self) { try context.reserve(1000, for: "a test", instead: "Use less.") }
    #expect(throws: NumericError.self) { try context.with(threads: 2).reserve(.max / 2, for: "a test", instead: "Use less.") }
  }

  /// What is available changes while we look; by a quarter it does not.
  @Test func theDefaultLimitIsHalfOfWhatIsAvailable() {
    let share = Double(CallContext(memoryLimit: nil).memoryLimit) / Double(Machine.availableMemory)
    #expect(abs(share - 0.5) < 0.125)
    #expect(throws: NumericError.self) {
      try CallContext(memoryLimit: nil).reserve(Machine.availableMemory / 4 * 3, for: "a test", instead: "Use less.")
    }
    #expect(throws: Never.self) {
      try CallContext(memoryLimit: nil).reserve(Machine.availableMemory / 4, for: "a test", instead: "Use less.")
    }
  }

  @Test func aWorkspaceTooLargeIsAnError() {
    #expect(throws: NumericError.self) { try Workspace<Double>(.max) }
    #expect(throws: NumericError.self) { try Workspace<Double>(-1) }
  }
}

private final class Counter: Sendable {
  let value = Atomic<Int>(0)
}
