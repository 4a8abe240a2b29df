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

/// What a training run has got done so far; valid also after a cancellation.
public struct AutoencoderProgress: Sendable {
  /// Steps whose loss is recorded.
  public var steps = 0
  /// The loss left the range of sensible numbers after the last of these steps, and training stopped there.
  public var hasDiverged = false

  /// Nothing done yet.
  public init() {}
}

/// Trains in place by full-batch gradient descent or gradient flow on 1/2 sum_i ||u_i - x_i||^2.
///
/// `loss` has room for `steps + 1` numbers. One step is five products of 2 m n d operations (four for weak training), needs m n numbers of
/// memory, and gives the same bits for any number of threads. Training stops, with `hasDiverged`, where the loss is not finite or a million
/// times its start. After a cancellation weights and losses are those of `progress.steps` whole steps.
/// - Throws: `invalidArgument`, `outOfMemory`, `cancelled`, `notConverged` where gradient flow needs steps below rounding.
public func train(
  _ network: Autoencoder, _ training: AutoencoderTraining, loss: UnsafeMutablePointer<Double>,
  progress: inout AutoencoderProgress, context: CallContext
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
  var journal = AutoencoderJournal(loss: loss, steps: training.steps, network: network, context: context)
  defer { progress = journal.progress }
  if let tolerance = training.flowTolerance {
    var flow = try AutoencoderFlow(state, interval: training.rate, tolerance: tolerance)
    try state.drive { (value) throws(NumericError) in try flow.next(value, &journal) }
  } else {
    try state.drive { (value) throws(NumericError) in
      try journal.record(value) ? AutoencoderChange(rate: training.rate) : nil
    }
  }
}

/// Writes the losses down, and knows when to stop.
struct AutoencoderJournal {
  private let loss: UnsafeMutablePointer<Double>
  private let steps: Int
  private let context: CallContext
  private let inputSquares: Double
  private var recorded = 0
  private var ceiling = Double.infinity
  private var lastReport = Machine.seconds
  private(set) var progress = AutoencoderProgress()

  init(loss: UnsafeMutablePointer<Double>, steps: Int, network: Autoencoder, context: CallContext) {
    self.loss = loss
    self.steps = steps
    self.context = context
    var squares = 0.0
    for k in 0..<network.count * network.dimension { squares += network.inputs.base[k] * network.inputs.base[k] }
    inputSquares = squares
  }

  /// Takes the loss after the next step; false where training is over.
  mutating func record(_ value: Double) throws(NumericError) -> Bool {
    loss[recorded] = value
    progress.steps = recorded
    recorded += 1
    if recorded == 1 { ceiling = 1e6 * max(value, 0.5 * inputSquares) }
    guard value.isFinite, value <= ceiling else {
      progress.hasDiverged = true
      return false
    }
    guard recorded <= steps else { return false }
    let now = Machine.seconds
    if now - lastReport >= 0.05 {
      lastReport = now
      try context.checkpoint(Double(recorded) / Double(steps + 1))
    }
    return true
  }
}
