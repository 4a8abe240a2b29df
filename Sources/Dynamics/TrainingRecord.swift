/// Where a run writes down what happened, in columns of the caller's memory; entry k is that of the k-th step, or window of steps.
public struct TrainingRecord {
  /// Why a run ended.
  public enum Outcome: Int, Sendable {
    /// All steps were done, or the whole time.
    case finished = 0
    /// The loss reached the threshold.
    case reachedThreshold = 1
    /// The loss or its gradient is not finite, or the loss grew beyond its bound.
    case diverged = 2
  }

  /// The loss of the batch before the step; one entry more than steps where the loss at the end is known.
  public var loss: UnsafeMutablePointer<Double>?
  /// The learning rate of the step; of gradient flow its length in time.
  public var rate: UnsafeMutablePointer<Double>?
  /// The Euclidean norm of the gradient, where wanted.
  public var gradientNorm: UnsafeMutablePointer<Double>?
  /// The time before the step: of gradient flow its time, otherwise the number of the step.
  public var time: UnsafeMutablePointer<Double>?
  /// Steps to an entry, whose loss is their mean; rate, time and norm are those of the last of them.
  public let window: Int
  /// The first loss of the whole run, where this call goes on with an earlier one.
  public internal(set) var first: Double?
  /// Whole steps done.
  public internal(set) var steps = 0
  /// Why the run ended.
  public internal(set) var outcome = Outcome.finished
  /// Losses noted so far, and the sum of those of the present window.
  private var noted = 0
  private var sum = 0.0

  /// Columns with room for all entries, one more than the windows of the steps; absent ones are not written.
  public init(
    loss: UnsafeMutablePointer<Double>? = nil, rate: UnsafeMutablePointer<Double>? = nil,
    gradientNorm: UnsafeMutablePointer<Double>? = nil, time: UnsafeMutablePointer<Double>? = nil, window: Int = 1,
    first: Double? = nil
  ) {
    (self.loss, self.rate, self.gradientNorm, self.time, self.window) = (loss, rate, gradientNorm, time, max(1, window))
    self.first = first
  }

  /// Entries written.
  public var count: Int { noted == 0 ? 0 : (noted - 1) / window + 1 }

  mutating func note(_ value: Double, rate: Double, norm: Double, time: Double) {
    let (entry, place) = window == 1 ? (noted, 0) : noted.quotientAndRemainder(dividingBy: window)
    sum = place == 0 ? value : sum + value
    loss?[entry] = place == 0 ? value : sum / Double(place + 1)
    self.rate?[entry] = rate
    gradientNorm?[entry] = norm
    self.time?[entry] = time
    noted += 1
  }
}
