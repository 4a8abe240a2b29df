/// How one call may use the machine, and how it talks to its caller while it runs.
public struct CallContext: @unchecked Sendable {
  /// Worker threads, at least 1.
  public let threads: Int
  /// Bytes that the call may allocate beside its arguments.
  public let memoryLimit: Int
  /// Asked on the calling thread with the fraction done; `false` asks to stop.
  public let report: ((Double) -> Bool)?

  /// One call's threads, memory limit in bytes, and progress callback.
  public init(threads: Int = 1, memoryLimit: Int = .max, report: ((Double) -> Bool)? = nil) {
    self.threads = max(1, threads)
    self.memoryLimit = memoryLimit
    self.report = report
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
    guard bytes <= memoryLimit else {
      throw NumericError(
        .outOfMemory,
        "[memory] \(purpose) needs \(bytes) bytes. The memory limit is \(memoryLimit) bytes. \(advice)", bytes: bytes)
    }
  }
}
