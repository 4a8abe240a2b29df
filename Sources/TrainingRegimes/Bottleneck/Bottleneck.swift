import Dynamics
import LinearAlgebra
import NumericCore

/// How an infinitely wide network with a bottleneck is trained.
public struct BottleneckOptions {
  /// Step size of gradient descent; ignored by the flow, whose time it would scale.
  public var learningRate = 1.0
  /// Relative distance under which visited positions are merged into the basis; 0 keeps the whole history.
  public var compression = 0.0
  /// Relative local error of a step of the flow.
  public var flowTolerance = 1e-6
  /// Training has diverged where the loss is this many times that at the start, or not finite.
  public var divergence = 1e6

  /// Exact gradient descent with step 1.
  public init() {}
}

/// A network F = f(z(x)) with z in R^k and both halves infinitely wide, trained on L = mean (F - y)^2 / 2, in function space.
///
/// z changes by -eta sum_i Kg(., x_i) (sum_o c_io grad f_o(z_i)), f by -eta sum_i Kf(., z_i) c_i, with c = dL/dF: exact gradient descent, not
/// only its flow, because the kernels of infinitely wide halves stay as they are (Littwin et al., 2021, arXiv:2107.00364: setting;
/// the equations are derived from the chain rule). The state is z at all points and f_t - f_0 as a sum over visited positions.
/// Costs per step O(n M) kernel evaluations, where M is the number of positions kept: n t, or with compression the size of the basis.
public final class Bottleneck {
  let outer: OuterNetwork
  let options: BottleneckOptions
  let initial: InitialFunction
  let learned: LearnedFunction
  /// Kg of all points (training points first) and the training points.
  let inner: StridedMatrix<Double>
  let targets: StridedMatrix<Double>
  /// z of all points, contiguous.
  let positions: StridedMatrix<Double>
  /// Sum of eta sum_o c_io grad f_o(z_i) over all steps: z_t = z_0 - Kg drive.
  let drive: StridedMatrix<Double>
  /// What was recorded so far.
  public internal(set) var records = BottleneckRecords()
  /// Steps taken, and the time that they add up to.
  public internal(set) var steps = 0
  /// Time reached: steps times the learning rate, or the time of the flow.
  public internal(set) var time = 0.0
  /// The present state has left the numbers.
  private(set) var hasDiverged = false
  /// The steps of the flow, once there was one.
  var control: StepControl?
  private let memory: [Workspace<Double>]
  let current: OuterValues

  /// Number of training points.
  public var trainCount: Int { targets.rows }
  /// Number of training and test points.
  public var pointCount: Int { positions.rows }
  /// Number of outputs.
  public var outputs: Int { targets.cols }
  /// Width of the bottleneck.
  public var units: Int { outer.units }

  /// A network at the start. `inner` is N x n, `positions` (z_0) N x k, `targets` n x c; they are copied.
  /// - Throws: `invalidArgument` for shapes that do not fit, an outer network that is not smooth, options out of range.
  init(
    _ outer: OuterNetwork, inner: StridedMatrix<Double>, positions: StridedMatrix<Double>, targets: StridedMatrix<Double>,
    initial: InitialFunction, options: BottleneckOptions, context: CallContext
  ) throws(NumericError) {
    let (n, all) = (targets.rows, positions.rows)
    guard n >= 1, targets.cols >= 1, all >= n, positions.cols == outer.units, inner.rows == all, inner.cols == n else {
      throw .invalid(
        "[Bottleneck] needs inner kernel (N, n), positions (N, units), targets (n, outputs). Received (\(inner.rows), \(inner.cols)), "
          + "(\(all), \(positions.cols)), (\(n), \(targets.cols)) for \(outer.units) units.")
    }
    try Bottleneck.check(options)
    let copies = [inner, positions, targets].reduce(0) { $0 + $1.rows * $1.cols }
    try context.reserve(checkedProduct(copies + 64 * n, 8), for: "the state of training", instead: "Use fewer points.")
    func copy(_ m: StridedMatrix<Double>) throws(NumericError) -> (StridedMatrix<Double>, Workspace<Double>) {
      let room = try Workspace<Double>(m.rows * m.cols)
      let result = StridedMatrix(room.pointer, rows: m.rows, cols: m.cols)
      for i in 0..<m.rows { for j in 0..<m.cols { result[i, j] = m[i, j] } }
      return (result, room)
    }
    let (k, z, y) = (try copy(inner), try copy(positions), try copy(targets))
    let d = try Workspace<Double>(n * outer.units, zeroed: true)
    (self.outer, self.options, self.initial) = (outer, options, initial)
    (self.inner, self.positions, self.targets) = (k.0, z.0, y.0)
    drive = StridedMatrix(d.pointer, rows: n, cols: outer.units)
    memory = [k.1, z.1, y.1, d]
    learned = try LearnedFunction(outer, outputs: targets.cols, tolerance: options.compression)
    current = try OuterValues(outer, points: n, outputs: targets.cols)
  }

  private static func check(_ o: BottleneckOptions) throws(NumericError) {
    guard o.learningRate > 0, o.learningRate.isFinite else {
      throw .invalid("[Bottleneck] learning_rate must be a positive number. Received \(o.learningRate).")
    }
    guard o.compression == 0 || (o.compression >= 1e-6 && o.compression < 1) else {
      throw .invalid("[Bottleneck] the tolerance of the compression must be in [1e-6, 1). Received \(o.compression).")
    }
    guard o.flowTolerance >= 1e-12, o.flowTolerance <= 0.1 else {
      throw .invalid("[Bottleneck] the tolerance of the flow must be in [1e-12, 0.1]. Received \(o.flowTolerance).")
    }
    guard o.divergence > 1 else { throw .invalid("[Bottleneck] the bound on the loss must be over 1. Received \(o.divergence).") }
  }

  /// Takes `count` steps of gradient descent, recording every `interval`-th state and the last one.
  ///
  /// May be called again to go on. After an error or a cancellation the state is that after the last whole step.
  public func descend(_ count: Int, recordingEvery interval: Int, context: CallContext) throws(NumericError) {
    // Steps change the state in several places, so only whole ones are left where a call is cancelled.
    let quiet = context.reporting(nil)
    var loop = try begin(count, context)
    while try loop.goesOn() {
      try learned.add(current.points, current.residuals, scale: -options.learningRate, context: quiet)
      try move(by: options.learningRate, quiet)
      steps += 1
      time = Double(steps) * options.learningRate
      loop.countStep()
      do {
        try evaluateAndRecord(steps % interval == 0 || loop.done == count, &loop, quiet)
      } catch {
        guard error.kind == .overflow else { throw error }
        steps -= 1
        throw divergence(.infinity)
      }
    }
  }

  /// The loop of a call of `count` steps; the state at the start is recorded before the first one.
  func begin(_ count: Int, _ context: CallContext) throws(NumericError) -> TrainingLoop {
    let record = TrainingRecord(first: records.losses.first)
    var loop = TrainingLoop(steps: count, record: record, growth: options.divergence, context: context)
    if records.losses.isEmpty { try evaluateAndRecord(true, &loop, context.reporting(nil)) }
    return loop
  }

  /// z -= h Kg (c grad f)
  private func move(by h: Double, _ context: CallContext) throws(NumericError) {
    let slope = current.slopes
    try multiply(inner, slope, into: positions, alpha: -h, beta: 1, context: context)
    for i in 0..<slope.rows { for d in 0..<slope.cols { drive[i, d] += h * slope[i, d] } }
  }

  /// Evaluates f and its gradient at the training points where they are now, and records.
  func evaluateAndRecord(_ isRecorded: Bool, _ loop: inout TrainingLoop, _ context: CallContext) throws(NumericError) {
    try current.place(positions)
    try current.evaluate(initial, learned, targets, context)
    try record(isRecorded, &loop, context)
  }

  func record(_ isRecorded: Bool, _ loop: inout TrainingLoop, _ context: CallContext) throws(NumericError) {
    let loss = current.loss(targets)
    records.losses.append(loss)
    records.lossTimes.append(time)
    let isDiverged = !loop.accepts(loss)
    // A state that has left the numbers is of no use.
    if isRecorded && !isDiverged { try recordState(context) }
    guard !isDiverged else { throw divergence(loss) }
  }

  private func divergence(_ loss: Double) -> NumericError {
    hasDiverged = true
    return NumericError(
      .notConverged,
      "[Bottleneck] training must not diverge: choose a smaller learning_rate. The loss went from \(records.losses[0]) to \(loss) in "
        + "\(records.losses.count - 1) steps.", value: Double(steps))
  }
}
