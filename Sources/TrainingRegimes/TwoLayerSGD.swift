import Dynamics
import LinearAlgebra
import NumericCore

/// Stochastic gradient descent of a two-layer network on the mean squared error of a batch, (1/b) sum (y - f)^2.
///
/// The three regimes differ in what moves: the rates that are zero keep their part of the network at its initial value.
public struct TwoLayerSGD: Sendable {
  /// Multiplies the learning rate for the hidden weights w (NN), the tangent coefficients g (NT), the output weights a and the constant c.
  public struct Rates: Sendable {
    /// For w.
    public var weights: Double
    /// For g.
    public var tangents: Double
    /// For a.
    public var outputs: Double
    /// For c.
    public var offset: Double

    /// Rates of the four parts.
    public init(weights: Double, tangents: Double, outputs: Double, offset: Double) {
      self.weights = weights
      self.tangents = tangents
      self.outputs = outputs
      self.offset = offset
    }
  }

  /// Rates of the parts of the network.
  public var rates: Rates
  /// All output weights are one number: each takes the sum of the gradients.
  public var sharesOutputs: Bool
  /// Samples of a batch.
  public var batch: Int
  /// Number of the first step; batches are numbered by it, so a run can be continued.
  public var firstStep: Int
  /// Steps to take.
  public var steps: Int
  /// First steps and learning rates of the pieces of the schedule, in order; the first piece starts at step 0.
  public var schedule: [(step: Int, rate: Double)]
  /// Seed of the batches.
  public var key: UInt64

  /// A run; throws for numbers that make none.
  public init(
    rates: Rates, sharesOutputs: Bool, batch: Int, firstStep: Int, steps: Int,
    schedule: [(step: Int, rate: Double)],
    key: UInt64
  ) throws(NumericError) {
    guard batch > 0, batch <= Int(Int32.max), steps >= 0, firstStep >= 0, firstStep < Int.max - steps else {
      throw .invalid(
        "[train] batch_size must be 1 or more, steps 0 or more. Received \(batch) and \(steps).")
    }
    let all = [rates.weights, rates.tangents, rates.outputs, rates.offset] + schedule.map(\.rate)
    guard all.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
      throw .invalid("[train] learning rates must be finite and not negative. Received \(all).")
    }
    guard schedule.first?.step == 0, zip(schedule, schedule.dropFirst()).allSatisfy({ $0.step < $1.step }) else {
      throw .invalid("[train] a schedule must start at step 0 and ascend. Received steps \(schedule.map(\.step)).")
    }
    self.rates = rates
    self.sharesOutputs = sharesOutputs
    self.batch = batch
    self.firstStep = firstStep
    self.steps = steps
    self.schedule = schedule
    self.key = key
  }

  /// Trains the network in place.
  ///
  /// `record` gets the loss of each batch before its step, for fresh samples an unbiased estimate of the risk, averaged over the record's
  /// windows. `offset` is c. Training has diverged where the loss is not finite or a million times its start. After a cancellation network,
  /// offset and record are those of whole steps. Same bits for any number of threads. O(b N d) per step; nothing is allocated while it runs.
  @_specialize(where Element == Float)
  @_specialize(where Element == Double)
  public func run<Element: BLASReal>(
    _ network: TwoLayerNetwork<Element>, offset: UnsafeMutablePointer<Double>, on source: SampleSource,
    record: inout TrainingRecord, context: CallContext
  ) throws(NumericError) {
    guard steps > 0 else { return }
    let maker = try BatchMaker<Element>(source, batch: batch, dimension: network.weights.cols, key: key, context)
    let state = try SGDState(self, network, maker, offset: offset.pointee, context)
    defer { offset.pointee = state.offset }
    var loop = TrainingLoop(steps: steps, record: record, growth: 1e6, floor: 1e-30, context: context)
    defer { record = loop.record }
    BLASThreads.useOne()
    maker.prepare(firstStep)
    for chunk in 0..<maker.chunks { state.fill(firstStep, chunk) }
    try StepCrew.lead(threads: context.forBLAS.threads, counts: state.taskCounts, body: state.work) { crew throws(NumericError) in
      while try loop.goesOn() {
        state.step = firstStep + loop.done
        maker.prepare(state.step + 1)
        crew.run()
        try state.checkUnits()
        let rate = rate(at: state.step)
        let loss = state.residuals(rate)
        guard loop.takes(loss, rate: rate, time: Double(state.step)) else { return }
        crew.run()
        loop.countStep()
      }
    }
  }

  private func rate(at step: Int) -> Double {
    var rate = 0.0
    for piece in schedule where piece.step <= step { rate = piece.rate }
    return rate
  }
}
