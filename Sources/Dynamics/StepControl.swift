import NumericCore

/// The steps of an integrator that estimates its own error: how long the next one is, and whether the last one counts.
///
/// A step whose error is e times the tolerance is followed by one 0.9 e^(-1/order) times as long, at most 5 times longer or shorter, and
/// not longer where the step had to be tried again (Hairer, Norsett & Wanner, Solving Ordinary Differential Equations I, section II.4).
public struct StepControl: Sendable {
  /// Where the integration is.
  public private(set) var time: Double
  /// The step that it would try next.
  public private(set) var step: Double
  /// The local error goes like this power of the step.
  private let order: Double
  /// Steps below a hundred trillionth of the time, or of this, are below rounding.
  private let shortest: Double
  /// Named in messages.
  private let operation: String
  private var isRetry = false

  /// A control at `time` whose next step is `step`.
  public init(time: Double = 0, step: Double, order: Int = 5, shortest: Double = 1e-290, operation: String) {
    (self.time, self.step, self.order, self.shortest) = (time, step, Double(order), shortest)
    self.operation = operation
  }

  /// The step to try, which does not go beyond `limit`.
  public func proposal(to limit: Double) -> Double { min(step, limit - time) }

  /// Whether a step of length `h` towards `limit` counts, whose error is `error` times the tolerance; if so, time has moved on.
  /// - Throws: `notConverged` where steps shrink below rounding.
  public mutating func accepts(_ h: Double, to limit: Double, error: Double) throws(NumericError) -> Bool {
    guard error <= 1 else {
      isRetry = true
      step = h * growth(error, most: 1)
      guard step > 1e-14 * max(time, shortest), step.isFinite else {
        throw NumericError(
          .notConverged, "[\(operation)] the flow must stay finite and smooth. The step shrank to \(step) at time \(time).",
          value: time)
      }
      return false
    }
    let grown = h * growth(error, most: isRetry ? 1 : 5)
    // A step cut short by the limit says nothing about the next one, unless it may grow.
    step = h < step ? max(step, grown) : grown
    time = h >= limit - time ? limit : time + h
    isRetry = false
    return true
  }

  private func growth(_ error: Double, most: Double) -> Double {
    guard error.isFinite else { return 0.2 }
    return error == 0 ? most : min(most, max(0.2, 0.9 * power(1 / error, 1 / order)))
  }
}
