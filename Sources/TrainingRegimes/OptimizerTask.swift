import FiniteWidth
import NumericCore

/// What is trained, and on what.
public struct TrainingTask {
  /// The network.
  public var network: Network
  /// The network itself, or its linearisation at the start (lazy training).
  public var model: BatchPass.Model
  /// What is minimised.
  public var loss: OutputLoss
  /// Inputs, n rows.
  public var x: StridedMatrix<Double>
  /// Targets, n rows.
  public var targets: StridedMatrix<Double>
  /// Inputs per step.
  public var batchSize: Int
  /// Key of the order of the inputs and of Dropout.
  public var key: (UInt64, UInt64)

  /// A training problem; see the properties.
  public init(
    _ network: Network, _ model: BatchPass.Model, loss: OutputLoss, x: StridedMatrix<Double>, targets: StridedMatrix<Double>,
    batchSize: Int, key: (UInt64, UInt64)
  ) throws(NumericError) {
    guard network.plan.outputShape.blocks == 1 else {
      throw .invalid("[train] needs one output per input. Received a network that concatenates along the batch.")
    }
    guard x.rows >= 1, targets.rows == x.rows, targets.cols == network.plan.outputShape.size else {
      throw .invalid(
        "[train] needs at least one input, and targets of shape (\(x.rows), \(network.plan.outputShape.size)). "
          + "Received (\(targets.rows), \(targets.cols)).")
    }
    (self.network, self.model, self.loss, self.x, self.targets) = (network, model, loss, x, targets)
    (self.batchSize, self.key) = (batchSize, key)
  }

  /// Where the parameters are that training may move.
  var trainableRanges: [Range<Int>] {
    var ranges: [Range<Int>] = []
    for slot in network.plan.parameters where slot.isTrainable {
      let range = slot.offset..<slot.offset + slot.count
      if let last = ranges.last, last.upperBound == range.lowerBound {
        ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
      } else {
        ranges.append(range)
      }
    }
    return ranges
  }

  /// Key of Dropout's stream in a step.
  func dropoutKey(_ step: Int) -> (UInt64, UInt64) { (key.0 ^ UInt64(step + 1), key.1) }
}

/// The caller's memory in which training goes on: all that a later call needs to continue with the same bits.
public struct TrainingState {
  /// Why a run ended.
  public enum Outcome: Int, Sendable {
    /// All steps were done, or the whole time.
    case finished = 0
    /// The loss reached the threshold.
    case reachedThreshold = 1
    /// The loss or its gradient is not finite.
    case diverged = 2
  }

  /// The parameters, changed in place.
  public var parameters: UnsafeMutablePointer<Double>
  /// The parameters at the start; where a linearised network is linearised, and where gradient flow counts from.
  public var start: UnsafePointer<Double>
  /// What the rule remembers: rows as long as the parameters, zero at the start. Gradient flow: the displacement.
  public var moments: UnsafeMutablePointer<Double>
  /// Room for a gradient.
  public var gradient: UnsafeMutablePointer<Double>
  /// Steps done.
  public var step = 0
  /// Of gradient flow: time, next step size (0 at the start) and largest displacement so far.
  public var time = 0.0, nextStep = 0.0, scale = 0.0

  /// The state at the start.
  public init(
    parameters: UnsafeMutablePointer<Double>, start: UnsafePointer<Double>, moments: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>
  ) {
    (self.parameters, self.start, self.moments, self.gradient) = (parameters, start, moments, gradient)
  }
}

/// Where a run writes down what happened; entry k is that of the k-th step of the run.
public struct TrainingRecord {
  /// The loss of the batch before the step.
  public var loss: UnsafeMutablePointer<Double>
  /// The learning rate of the step; of gradient flow its length in time.
  public var rate: UnsafeMutablePointer<Double>
  /// The Euclidean norm of the gradient, where wanted.
  public var gradientNorm: UnsafeMutablePointer<Double>?
  /// Of gradient flow the time before the step.
  public var time: UnsafeMutablePointer<Double>?
  /// Entries written: the steps done, one more where a loss ended the run or gradient flow arrived.
  public var count = 0
  /// Why the run ended.
  public var outcome = TrainingState.Outcome.finished

  /// Room for the entries of a run, one more than its steps.
  public init(
    loss: UnsafeMutablePointer<Double>, rate: UnsafeMutablePointer<Double>, gradientNorm: UnsafeMutablePointer<Double>? = nil,
    time: UnsafeMutablePointer<Double>? = nil
  ) {
    (self.loss, self.rate, self.gradientNorm, self.time) = (loss, rate, gradientNorm, time)
  }

  mutating func note(_ value: Double, rate: Double, norm: Double, time: Double) {
    loss[count] = value
    self.rate[count] = rate
    gradientNorm?[count] = norm
    self.time?[count] = time
    count += 1
  }
}

/// The progress of a run: parts of steps as parts of the whole, at most one report in 50 ms.
final class RunProgress: @unchecked Sendable {
  /// What is done, of 1.
  var done = 0.0
  /// What the present step adds.
  var share = 0.0
  private let outer: CallContext
  private var last = Machine.seconds

  init(_ outer: CallContext) { self.outer = outer }

  /// The context for work inside a step.
  var inner: CallContext {
    guard outer.report != nil else { return outer }
    return outer.reporting { [self] fraction in
      guard isDue else { return true }
      return outer.report?(min(1, done + share * fraction)) ?? true
    }
  }

  func checkpoint() throws(NumericError) {
    guard outer.report != nil, isDue else { return }
    try outer.checkpoint(min(1, done))
  }

  private var isDue: Bool {
    let now = Machine.seconds
    guard now - last >= 0.05 else { return false }
    last = now
    return true
  }
}
