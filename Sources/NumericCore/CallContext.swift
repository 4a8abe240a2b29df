/// How one call may use the machine, and how it talks to its caller while it runs.
public struct CallContext: @unchecked Sendable {
  /// Worker threads, at least 1.
  public let threads: Int
  /// Asked on the calling thread with the fraction done; `false` asks to stop.
  public let report: ((Double) -> Bool)?

  private let statedLimit: Int?
  // Below this nobody asks what is available: the question takes longer than a small kernel.
  private static var alwaysAllowed: Int { 16 << 20 }

  /// One call's threads, memory limit in bytes (nil: half of what is available when it matters), and progress callback.
  public init(threads: Int = 1, memoryLimit: Int? = .max, report: ((Double) -> Bool)? = nil) {
    self.threads = max(1, threads)
    statedLimit = memoryLimit
    self.report = report
  }

  /// Bytes that the call may allocate beside its arguments.
  public var memoryLimit: Int { statedLimit ?? Machine.availableMemory / 2 }

  /// The same call on this many threads.
  public func with(threads: Int) -> CallContext {
    CallContext(threads: threads, memoryLimit: statedLimit, report: report)
  }

  /// The same call with its progress reported elsewhere, or not at all.
  public func reporting(_ report: ((Double) -> Bool)?) -> CallContext {
    CallContext(threads: threads, memoryLimit: statedLimit, report: report)
  }

  /// Reports progress; throws `cancelled` when the caller asks to stop. Call it from the calling thread only.
  public func checkpoint(_ fraction: Double) throws(NumericError) {
    if let report, !report(fraction) { throw .cancelled }
  }

  /// Throws `outOfMemory`, before anything is allocated, when `bytes` is over the limit (or nil: not representable).
  public func reserve(_ bytes: Int?, for purpose: String, instead advice: String) throws(NumericError) {
    guard let bytes else {
      throw NumericError(.outOfMemory, "[memory] \(purpose) needs more bytes than any address space has. \(advice)", bytes: .max)
    }
    if statedLimit == nil, bytes <= CallContext.alwaysAllowed { return }
    let limit = memoryLimit
    guard bytes <= limit else {
      throw NumericError(
        .outOfMemory,
        "[memory] \(purpose) needs \(bytes) bytes. The memory limit is \(limit) bytes. \(advice)", bytes: bytes)
    }
  }
}
