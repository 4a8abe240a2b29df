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
  /// Steps over which a recorded loss is averaged.
  public var recordEvery: Int
  /// First steps and learning rates of the pieces of the schedule, in order; the first piece starts at step 0.
  public var schedule: [(step: Int, rate: Double)]
  /// Seed of the batches.
  public var key: UInt64

  /// A run; throws for numbers that make none.
  public init(
    rates: Rates, sharesOutputs: Bool, batch: Int, firstStep: Int, steps: Int, recordEvery: Int,
    schedule: [(step: Int, rate: Double)],
    key: UInt64
  ) throws(NumericError) {
    guard batch > 0, batch <= Int(Int32.max), steps >= 0, firstStep >= 0, recordEvery > 0, firstStep < Int.max - steps else {
      throw .invalid(
        "[train] batch_size and record_every must be 1 or more, steps 0 or more. Received \(batch), \(recordEvery), \(steps).")
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
    self.recordEvery = recordEvery
    self.schedule = schedule
    self.key = key
  }

  /// How far a run came.
  public struct Progress: Sendable {
    /// Steps that were taken.
    public var steps = 0
    /// The loss left the range of numbers, or grew a million times over the first one.
    public var hasDiverged = false

    /// Nothing yet.
    public init() {}
  }

  /// Trains the network in place.
  ///
  /// `losses[k]` receives the mean batch loss of steps k recordEvery ... (k + 1) recordEvery - 1 (fewer in the last one), each before its
  /// update: for fresh samples an unbiased estimate of the risk. `progress` is kept up to date, so that it holds where a cancelled run
  /// came to. `offset` is c. Same bits for any number of threads. O(b N d) per step; nothing is allocated while it runs.
  @_specialize(where Element == Float)
  @_specialize(where Element == Double)
  public func run<Element: BLASReal>(
    _ network: TwoLayerNetwork<Element>, offset: UnsafeMutablePointer<Double>, on source: SampleSource,
    losses: UnsafeMutableBufferPointer<Double>, progress: inout Progress, context: CallContext
  ) throws(NumericError) {
    guard losses.count >= steps / recordEvery + (steps % recordEvery > 0 ? 1 : 0) else {
      throw .invalid("[train] the history must have room for \(steps) steps. Received \(losses.count) records.")
    }
    progress = Progress()
    guard steps > 0 else { return }
    let maker = try BatchMaker<Element>(source, batch: batch, dimension: network.weights.cols, key: key, context)
    let state = try SGDState(self, network, maker, offset: offset.pointee, context)
    defer { offset.pointee = state.offset }
    var (sum, first, lastReport) = (0.0, 0.0, Machine.seconds)
    var reached = Progress()
    defer { progress = reached }
    try BLASThreads.useOne()
    maker.prepare(firstStep)
    for chunk in 0..<maker.chunks { state.fill(firstStep, chunk) }
    try StepCrew.lead(threads: context.forBLAS.threads, counts: state.taskCounts, body: state.work) { crew throws(NumericError) in
      for i in 0..<steps {
        state.step = firstStep + i
        maker.prepare(state.step + 1)
        crew.run()
        try state.checkUnits()
        let loss = state.residuals(rate(at: state.step))
        guard loss.isFinite, i == 0 || loss <= 1e6 * max(first, 1e-30) else {
          reached.hasDiverged = true
          sum += loss
          losses[i / recordEvery] = sum / Double(i % recordEvery + 1)
          return
        }
        if i == 0 { first = loss }
        crew.run()
        sum = i % recordEvery == 0 ? loss : sum + loss
        losses[i / recordEvery] = sum / Double(i % recordEvery + 1)
        reached.steps = i + 1
        let now = Machine.seconds
        guard now - lastReport >= 0.05 else { continue }
        lastReport = now
        try context.checkpoint(Double(i) / Double(steps))
      }
    }
  }

  private func rate(at step: Int) -> Double {
    var rate = 0.0
    for piece in schedule where piece.step <= step { rate = piece.rate }
    return rate
  }
}
