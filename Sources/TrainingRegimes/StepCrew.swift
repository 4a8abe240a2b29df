import NumericCore
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs the two phases of a training step over and over, on threads that live for one call.
///
/// Starting threads for each step would cost more than a step. So the leader (the calling thread) publishes one phase after the other,
/// everybody takes its tasks from one counter, and the leader goes on when all are done. Tasks of a phase must not touch the same memory.
final class StepCrew: @unchecked Sendable {
  /// Number of phases published so far, times 2^32, plus the next task of the current one.
  private let ticket = Atomic<UInt64>(UInt64(UInt32.max))
  private let done = Atomic<Int>(0)
  private let ended = Atomic<Bool>(false)
  private let counts: (Int, Int)
  private let body: (_ phase: Int, _ task: Int) -> Void
  private var published: UInt64 = 0
  private var total = 0

  private init(counts: (Int, Int), body: @escaping (Int, Int) -> Void) {
    self.counts = counts
    self.body = body
  }

  /// Calls `lead` on the calling thread while up to `threads` - 1 helpers wait for what it publishes with `run`.
  ///
  /// Phases 0 and 1 take turns, starting with 0, and have `counts` tasks.
  static func lead(
    threads: Int, counts: (Int, Int), body: (_ phase: Int, _ task: Int) -> Void, _ lead: (StepCrew) throws(NumericError) -> Void
  ) throws(NumericError) {
    try withoutActuallyEscaping(body) { (escaping) throws(NumericError) in
      let crew = StepCrew(counts: counts, body: escaping)
      let workers = max(1, min(threads, max(counts.0, counts.1)))
      try runTasks(workers, context: CallContext(threads: workers)) { (_, worker) throws(NumericError) in
        guard worker == 0 else { return crew.help() }
        guard !crew.ended.load(ordering: .relaxed) else { return }  // the leader took a helper's place that was never filled
        defer { crew.ended.store(true, ordering: .releasing) }
        try lead(crew)
      }
    }
  }

  /// Runs all tasks of the next phase and returns when they are done.
  func run() {
    published &+= 1
    let phase = Int((published &- 1) & 1)
    let count = phase == 0 ? counts.0 : counts.1
    total += count
    ticket.store(published &<< 32, ordering: .releasing)
    while take() {}
    var spins = 0
    while done.load(ordering: .acquiring) < total { pause(&spins) }
  }

  private func help() {
    var spins = 0
    while !ended.load(ordering: .acquiring) {
      if take() { spins = 0 } else { pause(&spins) }
    }
  }

  /// Takes one task of the current phase; false where none is left.
  private func take() -> Bool {
    let seen = ticket.load(ordering: .acquiring)
    let (number, task) = (seen &>> 32, Int(seen & 0xFFFF_FFFF))
    let phase = Int((number &- 1) & 1)
    guard number > 0, task < (phase == 0 ? counts.0 : counts.1) else { return false }
    guard ticket.compareExchange(expected: seen, desired: seen &+ 1, ordering: .acquiringAndReleasing).exchanged else {
      return true
    }
    body(phase, task)
    done.add(1, ordering: .releasing)
    return true
  }

  /// Waits a moment: at first without giving up the processor, because most waits are short.
  private func pause(_ spins: inout Int) {
    spins &+= 1
    if spins > 2000 { sched_yield() }
  }
}
