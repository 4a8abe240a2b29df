import NumericCore
import Synchronization
import Testing

@Suite struct CancellationTests {
  /// One long task: nothing but its own look can end it.
  @Test(arguments: [1, 3]) func tasksHearOfIt(threads: Int) {
    let context = CallContext(threads: threads) { _ in false }
    #expect(throws: NumericError.cancelled) {
      try runTasks(threads, context: context) { (_, _) throws(NumericError) in
        while true { try checkCancelled() }
      }
    }
  }

  /// A loop inside a task that reports to nobody asks the one around it.
  @Test(arguments: [1, 2]) func innerLoopsAskTheOuterOne(threads: Int) {
    let context = CallContext(threads: threads) { _ in false }
    #expect(throws: NumericError.cancelled) {
      try runTasks(threads, context: context) { (_, _) throws(NumericError) in
        try runTasks(2, context: CallContext(threads: 2)) { (_, _) throws(NumericError) in
          while true { try checkCancelled() }
        }
      }
    }
  }

  @Test func aCallIsAskedAtMostEvery50Milliseconds() throws {
    let asked = Mutex<Int>(0)
    let began = Machine.seconds
    Listener.current = CallListener { _ in asked.withLock { $0 += 1 } == () }
    defer { Listener.current = nil }
    while Machine.seconds < began + 0.3 { try checkCancelled() }
    let elapsed = Machine.seconds - began
    let count = asked.withLock { $0 }
    #expect(count >= 1)
    #expect(Double(count) <= elapsed / 0.05)
  }

  /// What was reported last is repeated, so that a progress bar does not jump.
  @Test func questionsRepeatTheFraction() throws {
    let fractions = Mutex<Set<Double>>([])
    let listener = CallListener { fraction in fractions.withLock { $0.insert(fraction) }.inserted || true }
    Listener.current = listener
    defer { Listener.current = nil }
    #expect(listener.report(0.25))
    let end = Machine.seconds + 0.12
    while Machine.seconds < end { try checkCancelled() }
    #expect(fractions.withLock { $0 } == [0.25])
  }

  @Test func withoutAListenerNothingStops() throws {
    #expect(Listener.current == nil)
    try checkCancelled()
  }

  @Test(arguments: [0, 1, 7, 8, 9, 100]) func slicesCoverEverythingOnce(count: Int) throws {
    var seen: [Int] = []
    try forEachSlice(of: count, size: 8) { (slice) throws(NumericError) in
      #expect(slice.count <= 8)
      seen += slice
    }
    #expect(seen == Array(0..<count))
  }

  @Test func productsOfSizesAreChecked() {
    for sizes in [(1 << 32, 1 << 32), (.max, 2), (-1, 3), (3, -1), (-1, -1)] {
      #expect(throws: NumericError.self) { try Workspace<Double>(sizes.0, sizes.1) }
    }
    #expect(throws: NumericError.self) { try Workspace<Double>(1 << 22, 1 << 22, 1 << 22) }
  }

  @Test func aWorkspaceHoldsTheProduct() throws {
    let room = try Workspace<Double>(3, 4, 5, zeroed: true)
    #expect(room.count == 60)
    #expect(room.buffer.allSatisfy { $0 == 0 })
  }
}
