#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import Synchronization

/// Runs `count` independent tasks on threads that live for this call only.
///
/// Helper threads are plain pthreads, so nothing is left for fork() to lose. Tasks are handed out in order from one counter.
/// The calling thread works too, and between its tasks reports progress at most every 50 ms; while it waits for the helpers
/// it goes on reporting. The first failure (or a cancellation) stops the handing out and is thrown. A task that takes more than some
/// milliseconds calls `checkCancelled` on the way.
/// `body(task, worker)`: `worker` is in 0..<threads and names scratch memory that no other thread uses meanwhile.
public func runTasks(
  _ count: Int, context: CallContext, _ body: (_ task: Int, _ worker: Int) throws(NumericError) -> Void
) throws(NumericError) {
  guard count > 0 else { return }
  let threads = min(context.threads, count)
  try withoutActuallyEscaping(body) { (escaping) throws(NumericError) in
    let crew = Crew(count: count, context: context, body: escaping)
    var helpers: [pthread_t] = []
    for worker in 1..<max(threads, 1) {
      guard let helper = crew.spawn(worker) else { break }  // fewer threads: slower, still right
      helpers.append(helper)
    }
    crew.work(0)
    crew.waitReporting()
    for helper in helpers { pthread_join(helper, nil) }
    if let failure = crew.failure { throw failure }
  }
}

/// The shared state of one `runTasks` call.
private final class Crew: @unchecked Sendable {
  private let count: Int
  private let context: CallContext
  private let body: (Int, Int) throws(NumericError) -> Void
  private let next = Atomic<Int>(0)
  private let done = Atomic<Int>(0)
  private let active = Atomic<Int>(0)
  private let stopped = Atomic<Bool>(false)
  private let lock = Mutex<NumericError?>(nil)
  /// Who is asked where this loop has no report of its own.
  private let outer = Listener.current
  private var lastReport = Machine.seconds

  init(count: Int, context: CallContext, body: @escaping (Int, Int) throws(NumericError) -> Void) {
    self.count = count
    self.context = context
    self.body = body
  }

  var failure: NumericError? { lock.withLock { $0 } }

  func spawn(_ worker: Int) -> pthread_t? {
    let start = Unmanaged.passRetained(Start(crew: self, worker: worker))
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    active.add(1, ordering: .relaxed)
    let status = pthread_create(&thread, nil, runHelper, start.toOpaque())
    if status != 0 {
      active.subtract(1, ordering: .relaxed)
      start.release()
      return nil
    }
    return thread
  }

  func finish() { active.subtract(1, ordering: .releasing) }

  func work(_ worker: Int) {
    let before = Listener.current
    Listener.current = WorkerListener(self, isCaller: worker == 0)
    defer { Listener.current = before }
    while !stopped.load(ordering: .relaxed) {
      let task = next.add(1, ordering: .relaxed).oldValue
      guard task < count else { return }
      do { try body(task, worker) } catch { stop(error) }
      done.add(1, ordering: .relaxed)
      if worker == 0 { ask() }
    }
  }

  /// Whether this loop, or one around it, is to stop.
  var isStopped: Bool { stopped.load(ordering: .relaxed) || outer?.isStopped ?? false }

  /// The calling thread has no task left: sleep in small steps until the helpers end.
  func waitReporting() {
    while active.load(ordering: .acquiring) > 0 {
      usleep(200)
      ask()
    }
  }

  private func stop(_ error: NumericError) {
    lock.withLock { if $0 == nil { $0 = error } }
    stopped.store(true, ordering: .relaxed)
  }

  /// On the calling thread: reports where a report is due, and hears whether to stop.
  func ask() {
    guard !stopped.load(ordering: .relaxed) else { return }
    do {
      guard context.report != nil else {
        try outer?.check()
        return
      }
      let now = Machine.seconds
      guard now - lastReport >= 0.05 else { return }
      lastReport = now
      try context.checkpoint(Double(done.load(ordering: .relaxed)) / Double(count))
    } catch { stop(error) }
  }
}

/// What the tasks of one worker listen to.
private final class WorkerListener: Listener, @unchecked Sendable {
  private let crew: Crew
  private let isCaller: Bool

  init(_ crew: Crew, isCaller: Bool) { (self.crew, self.isCaller) = (crew, isCaller) }

  override var isStopped: Bool { crew.isStopped }

  override func check() throws(NumericError) {
    if isCaller { crew.ask() }
    if crew.isStopped { throw .cancelled }
  }
}

/// What a helper thread is started with.
private final class Start {
  let crew: Crew
  let worker: Int
  init(crew: Crew, worker: Int) {
    self.crew = crew
    self.worker = worker
  }
}

#if canImport(Darwin)
  private func runHelper(_ raw: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? { runStart(raw) }
#else
  private func runHelper(_ raw: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? { raw.flatMap(runStart) }
#endif

private func runStart(_ raw: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
  let start = Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
  start.crew.work(start.worker)
  start.crew.finish()
  return nil
}
