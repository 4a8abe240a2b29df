import NumericCore

/// Progress of a routine made of many short steps: forwards at most one report per 50 ms, scaled to the routine's share.
final class Pacer: @unchecked Sendable {
  private let context: CallContext
  private var last = Machine.seconds

  init(_ context: CallContext) { self.context = context }

  /// Reports `fraction` if the last report is 50 ms old; throws `cancelled` when the caller asks to stop.
  func checkpoint(_ fraction: Double) throws(NumericError) {
    guard context.report != nil, isDue else { return }
    try context.checkpoint(fraction)
  }

  /// A context for a step that covers `low` to `high` of the whole, for `runTasks`.
  func step(_ low: Double, _ high: Double) -> CallContext {
    guard context.report != nil else { return context.forBLAS }
    return context.forBLAS.reporting { [self] fraction in
      guard isDue else { return true }
      return context.report?(low + (high - low) * fraction) ?? true
    }
  }

  private var isDue: Bool {
    let now = Machine.seconds
    guard now - last >= 0.05 else { return false }
    last = now
    return true
  }
}

extension CallContext {
  /// The same call with no more threads than BLAS can serve at once.
  public var forBLAS: CallContext { with(threads: BLASThreads.callers(threads)) }

  /// A context whose progress 0...1 is the part `low`...`high` of this one.
  public func part(_ low: Double, _ high: Double) -> CallContext {
    guard let report else { return self }
    return reporting { report(low + (high - low) * $0) }
  }
}
