#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import Synchronization

/// Throws `cancelled` where the call that this thread works for was asked to stop.
///
/// For loops that are far from the `CallContext`, as `Task.checkCancellation()` is in Swift concurrency: the calling thread asks the caller at
/// most every 50 ms, the helpers of `runTasks` hear of it from there. About 30 ns; every loop looks at least every 10 ms of its work.
public func checkCancelled() throws(NumericError) { try Listener.current?.check() }

/// Calls `body` for one range of 0..<count after the other, 2^17 numbers each or `size`, with a look at cancellation before each.
public func forEachSlice(
  of count: Int, size: Int = 1 << 17, _ body: (Range<Int>) throws(NumericError) -> Void
) throws(NumericError) {
  var first = 0
  while first < count {
    let next = size < count &- first ? first &+ size : count
    try checkCancelled()
    try body(first..<next)
    first = next
  }
}

/// What the loops of one thread listen to: the call itself, or a `runTasks` that divides its work.
public class Listener: @unchecked Sendable {
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    return key
  }()

  /// The listener of this thread; nil where nobody can stop it. Whoever sets it puts back what was there before.
  public static var current: Listener? {
    get { pthread_getspecific(key).map { Unmanaged<Listener>.fromOpaque($0).takeUnretainedValue() } }
    set {
      let old = pthread_getspecific(key).map { Unmanaged<Listener>.fromOpaque($0) }
      pthread_setspecific(key, newValue.map { UnsafeRawPointer(Unmanaged.passRetained($0).toOpaque()) })
      old?.release()
    }
  }

  init() {}

  /// Throws where the work is to stop; called on the listener's own thread.
  func check() throws(NumericError) {}

  /// Whether it was stopped already; from any thread.
  var isStopped: Bool { false }
}

/// The listener of a call's own thread: asks the caller, with the fraction that was reported last.
public final class CallListener: Listener, @unchecked Sendable {
  private let ask: (Double) -> Bool
  private let stopped = Atomic<Bool>(false)
  private var fraction = 0.0
  private var last = Machine.seconds

  /// Asks `report`, which answers false to stop.
  public init(_ report: @escaping (Double) -> Bool) { ask = report }

  /// Reports progress.
  public func report(_ fraction: Double) -> Bool {
    self.fraction = fraction
    last = Machine.seconds
    let goesOn = ask(fraction)
    if !goesOn { stopped.store(true, ordering: .relaxed) }
    return goesOn
  }

  override func check() throws(NumericError) {
    if isStopped || (Machine.seconds - last >= 0.05 && !report(fraction)) { throw .cancelled }
  }

  override var isStopped: Bool { stopped.load(ordering: .relaxed) }
}
