import NumericCore

/// What every training run does beside its steps: it writes losses down and looks at them, knows when to stop, counts whole steps, tells
/// its progress.
///
///     while try loop.goesOn() {
///       guard loop.takes(loss before the step) else { break }
///       take the step
///       loop.countStep()
///     }
///
/// After a cancellation, which `goesOn` throws, everything is as after `done` whole steps.
public struct TrainingLoop {
  /// Steps wanted.
  public let steps: Int
  /// What was written down.
  public private(set) var record: TrainingRecord
  /// For steps that report from inside.
  public let pacer: Pacer
  private let threshold: Double
  private let growth: Double
  private let floor: Double
  /// The next step at which the clock is looked at, and the steps in between: many where steps take less time than a look.
  private var nextLook = 0
  private var gap = 1
  private var lastLook = Machine.seconds

  /// A run of `steps` steps that ends where the loss is at most `threshold`, and has diverged where it is not finite or more than `growth`
  /// times the larger of its first value and `floor`.
  public init(
    steps: Int, record: TrainingRecord = TrainingRecord(), threshold: Double = -.infinity, growth: Double = .infinity,
    floor: Double = 1e-300, context: CallContext
  ) {
    (self.steps, self.record, self.threshold, self.growth, self.floor) = (max(0, steps), record, threshold, growth, floor)
    pacer = Pacer(context)
  }

  /// Whole steps done.
  public var done: Int { record.steps }

  /// Whether another step is wanted.
  /// - Throws: `cancelled`.
  public mutating func goesOn() throws(NumericError) -> Bool {
    guard done < steps else { return false }
    if done >= nextLook { try look() }
    return true
  }

  /// Reports progress if it is time; about every millisecond where steps are short, else at each of them.
  private mutating func look() throws(NumericError) {
    let now = Machine.seconds
    if now - lastLook < 1e-3 { gap = min(2 * gap, 1024) } else if now - lastLook > 4e-3 { gap = 1 }
    (lastLook, nextLook) = (now, done + gap)
    try pacer.checkpoint(Double(done) / Double(steps))
  }

  /// Writes down the loss before the next step and what belongs to it; whether training goes on at this loss.
  public mutating func takes(_ loss: Double, rate: Double, norm: Double = 0, time: Double) -> Bool {
    note(loss, rate: rate, norm: norm, time: time)
    return accepts(loss, norm: norm)
  }

  /// Writes down the loss before a step, for runs that learn more about the step afterwards.
  public mutating func note(_ loss: Double, rate: Double, norm: Double = 0, time: Double) {
    record.note(loss, rate: rate, norm: norm, time: time)
  }

  /// Whether training goes on at this loss (and norm of the gradient); if not, the record knows why.
  public mutating func accepts(_ loss: Double, norm: Double = 0) -> Bool {
    let first = record.first ?? loss
    record.first = first
    guard loss.isFinite, growth == .infinity || loss <= growth * max(first, floor), norm.isFinite else {
      record.outcome = .diverged
      return false
    }
    guard loss > threshold else {
      record.outcome = .reachedThreshold
      return false
    }
    return true
  }

  /// A step was done.
  public mutating func countStep() { record.steps += 1 }

  /// A context for work inside the present step.
  public var inside: CallContext {
    let all = Double(max(1, steps))
    return pacer.part(Double(done) / all, Double(done + 1) / all)
  }
}
