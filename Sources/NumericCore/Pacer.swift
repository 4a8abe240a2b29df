/// Progress of a routine made of many short steps: forwards at most one report per 50 ms, from the calling thread.
public final class Pacer: @unchecked Sendable {
  /// What was done when it was last asked.
  public private(set) var fraction = 0.0
  private let context: CallContext
  private var last = Machine.seconds

  /// Reports to the caller of `context`.
  public init(_ context: CallContext) { self.context = context }

  /// Reports `fraction` if the last report is 50 ms old; throws `cancelled` when the caller asks to stop.
  public func checkpoint(_ fraction: Double) throws(NumericError) {
    self.fraction = fraction
    try checkpoint()
  }

  /// Asks again with the same fraction, from inside a long step.
  public func checkpoint() throws(NumericError) {
    guard context.report != nil, isDue else { return }
    try context.checkpoint(min(1, max(0, fraction)))
  }

  /// Threads and memory of the call without its progress, for steps that must be done as a whole or are short.
  public var quiet: CallContext { context.reporting(nil) }

  /// A context for work inside a step that covers `low` to `high` of the whole.
  public func part(_ low: Double, _ high: Double) -> CallContext {
    guard let report = context.report else { return context }
    return context.reporting { [self] in isDue ? report(min(1, low + (high - low) * $0)) : true }
  }

  /// A context for work inside steps whose share of the whole is not known: it can be cancelled, and reports what was done before it.
  public var inside: CallContext {
    guard let report = context.report else { return context }
    return context.reporting { [self] _ in isDue ? report(min(1, max(0, fraction))) : true }
  }

  private var isDue: Bool {
    let now = Machine.seconds
    guard now - last >= 0.05 else { return false }
    last = now
    return true
  }
}
