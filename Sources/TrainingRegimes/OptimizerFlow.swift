import Dynamics
import FiniteWidth
import NumericCore

/// Gradient flow, d theta / dt = -grad L(theta) - weightDecay theta on all inputs, until a time.
public struct GradientFlow: Sendable {
  /// Where it ends.
  public var time: Double
  /// Largest local error of a step, relative to the largest displacement of a parameter so far.
  public var tolerance: Double
  /// Pull towards zero.
  public var weightDecay: Double

  /// A flow; see the properties.
  public init(time: Double, tolerance: Double, weightDecay: Double = 0) {
    (self.time, self.tolerance, self.weightDecay) = (time, tolerance, weightDecay)
  }
}

/// Takes up to `steps` steps of gradient flow by Dormand and Prince's method, from where `state` is.
///
/// The state that is integrated is the displacement from the start, so that its error is relative to how far training has moved. Otherwise
/// as `train` with an optimiser.
/// - Throws: `invalidArgument`, `outOfMemory`, `cancelled`, `notConverged` where steps shrink below rounding.
public func train(
  _ task: TrainingTask, _ flow: GradientFlow, steps: Int, threshold: Double = -.infinity, state: inout TrainingState,
  record: inout TrainingRecord, context: CallContext
) throws(NumericError) {
  guard flow.time >= 0, flow.time.isFinite, flow.tolerance > 0, flow.tolerance < 1, flow.weightDecay >= 0,
    flow.weightDecay.isFinite
  else {
    throw .invalid(
      "[train] gradient flow needs a finite time, a tolerance between 0 and 1 and a weight_decay of at least 0. "
        + "Received \(flow.time), \(flow.tolerance) and \(flow.weightDecay).")
  }
  guard task.batchSize == task.x.rows else {
    throw .invalid("[train] gradient flow needs batch_size None or \(task.x.rows), all inputs. Received \(task.batchSize).")
  }
  let count = task.network.plan.parameterCount
  try context.reserve(checkedProduct(count, 88), for: "gradient flow", instead: "Use a narrower network, or GD.")
  var loop = TrainingLoop(steps: steps, record: record, threshold: threshold, context: context)
  defer { record = loop.record }
  let field = try FlowField(task, flow, state, loop.pacer.inside)
  let solver = try VectorFlow(
    state: state.moments, length: count, tolerance: flow.tolerance, operation: "train",
    from: state.nextStep > 0 ? .init(time: state.time, step: state.nextStep, scales: [state.scale]) : nil, derivative: field.slope
  )
  while true {
    let value = field.value
    let norm = record.gradientNorm == nil ? 0 : euclideanNorm(solver.slope(0), count)
    let (before, isOver) = (solver.time, solver.time >= flow.time)
    guard loop.accepts(value), !isOver else { return loop.note(value, rate: 0, norm: norm, time: before) }
    // The loss where a stretch ends belongs to the next one.
    guard loop.done < loop.steps else { return }
    try loop.pacer.checkpoint(before / flow.time)
    try solver.advance(to: flow.time)
    loop.note(value, rate: solver.time - before, norm: norm, time: before)
    state.step += 1
    loop.countStep()
    (state.time, state.nextStep, state.scale) = (solver.time, solver.checkpoint.step, solver.scale(0))
    for i in 0..<count { state.parameters[i] = state.start[i] + state.moments[i] }
  }
}

/// The right-hand side of gradient flow, as a function of the displacement.
private final class FlowField {
  private let task: TrainingTask, flow: GradientFlow, context: CallContext
  private let start: UnsafePointer<Double>, gradient: UnsafeMutablePointer<Double>
  private let pass: BatchPass
  private let trial: Workspace<Double>
  private let ranges: [Range<Int>]
  private let count: Int
  /// The loss where the slope was last wanted.
  private(set) var value = 0.0

  init(_ task: TrainingTask, _ flow: GradientFlow, _ state: TrainingState, _ context: CallContext) throws(NumericError) {
    (self.task, self.flow, self.context) = (task, flow, context)
    (start, gradient) = (state.start, state.gradient)
    count = task.network.plan.parameterCount
    pass = BatchPass(task.network, task.model, loss: task.loss)
    trial = try Workspace(count)
    ranges = task.trainableRanges
  }

  func slope(
    _ displacement: UnsafeMutablePointer<Double>, _ slope: UnsafeMutablePointer<Double>
  ) throws(NumericError) {
    for i in 0..<count { trial[i] = start[i] + displacement[i] }
    let isLinearised = task.model == .linearised
    value = try pass.run(
      task.x, targets: task.targets, parameters: isLinearised ? start : UnsafePointer(trial.pointer),
      displacement: isLinearised ? UnsafePointer(displacement) : nil, gradient: gradient, seed: task.dropoutKey(0),
      context: context)
    slope.update(repeating: 0, count: count)
    for range in ranges {
      for i in range { slope[i] = -gradient[i] - flow.weightDecay * trial[i] }
    }
  }
}
