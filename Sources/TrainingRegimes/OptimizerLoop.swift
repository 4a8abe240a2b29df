import Dynamics
import FiniteWidth
import NumericCore

/// Takes up to `steps` steps of an optimiser, from where `state` is.
///
/// Results have the same bits for any number of threads, and however the steps are split over calls. Training ends early where a loss is at
/// most `threshold`, or not finite (`record.outcome`); then the last entry of the record is the loss of the present parameters. After a
/// cancellation `state` and `record` are those of whole steps.
/// - Throws: `invalidArgument`, `outOfMemory`, `cancelled`, `callbackFailed`.
public func train(
  _ task: TrainingTask, _ optimizer: Optimizer, steps: Int, threshold: Double = -.infinity, state: inout TrainingState,
  record: inout TrainingRecord, context: CallContext
) throws(NumericError) {
  try optimizer.check()
  let (count, ranges) = (task.network.plan.parameterCount, task.trainableRanges)
  let batches = try EpochBatches(count: task.x.rows, size: task.batchSize, key: task.key)
  try context.reserve(
    checkedProduct(task.batchSize, task.x.cols + task.targets.cols).flatMap { checkedProduct($0, 16) },
    for: "a batch of training data",
    instead: "Use smaller batches.")
  let room = try BatchRoom(task.x, task.targets, batches)
  let pass = BatchPass(task.network, task.model, loss: task.loss)
  let displacement = try Workspace<Double>(task.model == .linearised ? count : 0)
  var loop = TrainingLoop(steps: steps, record: record, threshold: threshold, context: context)
  defer { record = loop.record }
  while try loop.goesOn() {
    let batch = room.batch(state.step)
    let isLinearised = task.model == .linearised
    if isLinearised { for i in 0..<count { displacement[i] = state.parameters[i] - state.start[i] } }
    let value = try pass.run(
      batch.x, targets: batch.y, parameters: isLinearised ? state.start : UnsafePointer(state.parameters),
      displacement: isLinearised ? UnsafePointer(displacement.pointer) : nil, gradient: state.gradient,
      seed: task.dropoutKey(state.step), context: loop.inside)
    let norm = record.gradientNorm == nil ? 0 : euclideanNorm(state.gradient, count)
    guard loop.takes(value, rate: optimizer.schedule.rate(state.step), norm: norm, time: Double(state.step)) else { return }
    for range in ranges {
      optimizer.apply(
        range, step: state.step, gradient: state.gradient, parameters: state.parameters, moments: state.moments, count: count)
    }
    state.step += 1
    loop.countStep()
  }
}

/// The root of the sum of squares.
func euclideanNorm(_ x: UnsafePointer<Double>, _ count: Int) -> Double {
  var sums = SIMD8<Double>(repeating: 0)
  let whole = count & ~7
  for i in stride(from: 0, to: whole, by: 8) {
    let part = UnsafeRawPointer(x + i).loadUnaligned(as: SIMD8<Double>.self)
    sums += part * part
  }
  var sum = sums.sum()
  for i in whole..<count { sum += x[i] * x[i] }
  return sum.squareRoot()
}

/// Loss and share of right answers of a network (or its linearisation) on data that it is not trained on.
public struct Evaluation: Sendable {
  /// The loss.
  public var loss: Double
  /// Share of inputs whose largest output belongs to the largest target. With one output: of log odds, whose sign says whether the
  /// probability is above a half; else whose output and target (labels -1, 1 or 0, 1) lie on the same side of the labels' midpoint.
  public var accuracy: Double
}

/// Evaluates `task`'s model with the given parameters on its inputs, all in one pass.
public func evaluate(
  _ task: TrainingTask, parameters: UnsafePointer<Double>, start: UnsafePointer<Double>, context: CallContext
) throws(NumericError) -> Evaluation {
  let (n, outputs, count) = (task.x.rows, task.targets.cols, task.network.plan.parameterCount)
  let isLinearised = task.model == .linearised
  try context.reserve(
    checkedProduct(n, outputs).flatMap { checkedProduct($0, isLinearised ? 16 : 8) }, for: "outputs", instead: "Use fewer inputs."
  )
  let values = try Workspace<Double>(n * outputs)
  let out = StridedMatrix(values.pointer, rows: n, cols: outputs)
  if isLinearised {
    let (step, change) = (try Workspace<Double>(count), try Workspace<Double>(n * outputs))
    for i in 0..<count { step[i] = parameters[i] - start[i] }
    try task.network.derivatives(
      task.x, parameters: start, along: [UnsafePointer(step.pointer)],
      into: [(0, out), (1, StridedMatrix(change.pointer, rows: n, cols: outputs))], context: context)
    for i in 0..<n * outputs { values[i] += change[i] }
  } else {
    try task.network.forward(task.x, parameters: parameters, into: out, context: context)
  }
  return Evaluation(loss: task.loss.value(out, targets: task.targets), accuracy: accuracy(out, task.targets, task.loss))
}

private func accuracy(_ f: StridedMatrix<Double>, _ y: StridedMatrix<Double>, _ loss: OutputLoss) -> Double {
  var right = 0
  if loss == .logistic {
    for r in 0..<f.rows where (f[r, 0] > 0) == (y[r, 0] > 0.5) { right += 1 }
  } else if f.cols == 1 {
    var (low, high) = (Double.infinity, -Double.infinity)
    for r in 0..<y.rows { (low, high) = (min(low, y[r, 0]), max(high, y[r, 0])) }
    let middle = 0.5 * (low + high)
    for r in 0..<f.rows where (f[r, 0] > middle) == (y[r, 0] > middle) { right += 1 }
  } else {
    for r in 0..<f.rows where largest(f, r) == largest(y, r) { right += 1 }
  }
  return Double(right) / Double(max(1, f.rows))
}

private func largest(_ m: StridedMatrix<Double>, _ row: Int) -> Int {
  (0..<m.cols).reduce(0) { m[row, $1] > m[row, $0] ? $1 : $0 }
}
