import Dynamics
import NumericCore

/// How an autoencoder is trained on its inputs.
public struct AutoencoderTraining {
  /// Also train the decoder (joint training); without it only the encoder learns (weak training). Tied weights always learn.
  public var trainsDecoder: Bool
  /// Step size of gradient descent; for gradient flow the time between two recorded losses.
  public var rate: Double
  /// Number of steps; the loss is recorded after each, and before the first.
  public var steps: Int
  /// For gradient flow: largest local error of the outputs in a step, relative to the norm of all inputs. Nil: gradient descent.
  public var flowTolerance: Double?

  /// A training run; see the properties.
  public init(trainsDecoder: Bool, rate: Double, steps: Int, flowTolerance: Double? = nil) {
    self.trainsDecoder = trainsDecoder
    self.rate = rate
    self.steps = steps
    self.flowTolerance = flowTolerance
  }
}

/// Trains in place by full-batch gradient descent or gradient flow on 1/2 sum_i ||u_i - x_i||^2.
///
/// `record` gets the loss before the first and after each step, `steps` + 1 entries. One step is five products of 2 m n d operations (four
/// for weak training), needs m n numbers of memory, and gives the same bits for any number of threads. Training has diverged where the loss
/// is not finite or a million times its start. After a cancellation weights and losses are those of whole steps.
/// - Throws: `invalidArgument`, `outOfMemory`, `cancelled`, `notConverged` where gradient flow needs steps below rounding.
public func train(
  _ network: Autoencoder, _ training: AutoencoderTraining, record: inout TrainingRecord, context: CallContext
) throws(NumericError) {
  guard training.rate > 0, training.rate.isFinite, training.steps >= 0 else {
    throw .invalid(
      "[autoencoder] the learning rate must be positive and finite, the steps not negative. "
        + "Received \(training.rate) and \(training.steps).")
  }
  if let tolerance = training.flowTolerance, !(tolerance > 0 && tolerance < 1) {
    throw .invalid("[autoencoder] the tolerance must be between 0 and 1. Received \(tolerance).")
  }
  let state = try AutoencoderState(
    network, trainsDecoder: training.trainsDecoder, saves: training.flowTolerance != nil, context: context)
  var journal = AutoencoderJournal(training, network, record, context)
  defer { record = journal.loop.record }
  if let tolerance = training.flowTolerance {
    var flow = try AutoencoderFlow(state, interval: training.rate, tolerance: tolerance)
    try state.drive { (value) throws(NumericError) in try flow.next(value, &journal) }
  } else {
    try state.drive { (value) throws(NumericError) in
      try journal.record(value) ? AutoencoderChange(rate: training.rate) : nil
    }
  }
}

/// The training loop, turned inside out: the passes over the neurons ask it after each step whether there is another.
struct AutoencoderJournal {
  private(set) var loop: TrainingLoop
  private let rate: Double
  private var isUnderWay = false

  init(_ training: AutoencoderTraining, _ network: Autoencoder, _ record: TrainingRecord, _ context: CallContext) {
    var squares = 0.0
    for k in 0..<network.count * network.dimension { squares += network.inputs.base[k] * network.inputs.base[k] }
    loop = TrainingLoop(steps: training.steps, record: record, growth: 1e6, floor: 0.5 * squares, context: context)
    rate = training.rate
  }

  /// Takes the loss after the next step, or before the first; false where training is over.
  mutating func record(_ value: Double) throws(NumericError) -> Bool {
    if isUnderWay { loop.countStep() }
    guard loop.takes(value, rate: rate, time: Double(loop.done)) else { return false }
    isUnderWay = try loop.goesOn()
    return isUnderWay
  }
}
