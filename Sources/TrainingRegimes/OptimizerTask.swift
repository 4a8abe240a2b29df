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
