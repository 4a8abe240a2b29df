import CNTKSwift
import FiniteWidth
import NumericCore
import TrainingRegimes

@_cdecl("ntk_network_train") @implementation
public func ntk_network_train(
  _ network: UnsafePointer<ntk_network>!, _ training: UnsafePointer<ntk_training>!, _ x: UnsafePointer<ntk_matrix>!,
  _ targets: UnsafePointer<ntk_matrix>!, _ steps: Int64, _ state: UnsafeMutablePointer<ntk_training_state>!,
  _ record: UnsafeMutablePointer<ntk_training_record>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let given = try required(training, "training")
    let task = try trainingTask(network, given, try required(x, "x"), try required(targets, "targets"))
    guard let state else { throw .invalid("[train] a state is required. Received a null pointer.") }
    var now = try trainingState(state.pointee, task, rows: try momentRows(given.optimizer))
    let how = try context(call)
    defer {
      state.pointee.step = Int64(now.step)
      (state.pointee.time, state.pointee.next_step, state.pointee.scale) = (now.time, now.nextStep, now.scale)
    }
    try recording(record, steps: steps, "train") { (journal) throws(NumericError) in
      if given.optimizer.kind == Int32(NTK_FLOW.rawValue) {
        let flow = GradientFlow(
          time: given.optimizer.time, tolerance: given.optimizer.tolerance, weightDecay: given.optimizer.weight_decay)
        try train(task, flow, steps: Int(steps), threshold: given.threshold, state: &now, record: &journal, context: how)
      } else {
        try train(
          task, try optimizer(given.optimizer), steps: Int(steps), threshold: given.threshold, state: &now, record: &journal,
          context: how)
      }
    }
  }
}

@_cdecl("ntk_network_evaluate") @implementation
public func ntk_network_evaluate(
  _ network: UnsafePointer<ntk_network>!, _ training: UnsafePointer<ntk_training>!, _ start: UnsafePointer<ntk_matrix>!,
  _ x: UnsafePointer<ntk_matrix>!, _ targets: UnsafePointer<ntk_matrix>!, _ loss: UnsafeMutablePointer<Double>!,
  _ accuracy: UnsafeMutablePointer<Double>!, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let callers = try CallersNetwork(network)
    let given = try required(training, "training")
    let task = try trainingTask(network, given, try required(x, "x"), try required(targets, "targets"), allInOne: true)
    var from = callers.parameters
    if given.is_linearised != 0 { from = UnsafePointer(try callers.vector(try required(start, "start"), "start")) }
    let result = try evaluate(task, parameters: callers.parameters, start: from, context: try context(call))
    loss?.pointee = result.loss
    accuracy?.pointee = result.accuracy
  }
}

@_cdecl("ntk_training_batch") @implementation
public func ntk_training_batch(
  _ key: UnsafePointer<UInt64>!, _ count: Int64, _ batch_size: Int64, _ step: Int64, _ indices: UnsafeMutablePointer<Int64>!,
  _ written: UnsafeMutablePointer<Int64>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard let key, let indices, let written, count >= 1, step >= 0 else {
      throw .invalid(
        "[training_batch] a key, inputs, a step of at least 0 and room are required. Received step \(step) of \(count) inputs.")
    }
    let batches = try EpochBatches(count: Int(count), size: Int(batch_size), key: (key[0], key[1]))
    guard let chosen = batches.indices(Int(step)) else {
      for i in 0..<Int(count) { indices[i] = Int64(i) }
      written.pointee = count
      return
    }
    for (i, index) in chosen.enumerated() { indices[i] = Int64(index) }
    written.pointee = Int64(chosen.count)
  }
}

// MARK: - Arguments

private func trainingTask(
  _ network: UnsafePointer<ntk_network>?, _ given: ntk_training, _ x: ntk_matrix, _ targets: ntk_matrix, allInOne: Bool = false
) throws(NumericError) -> TrainingTask {
  let (opened, _) = try CallersNetwork.open(network)
  let inputs: StridedMatrix<Double> = try matrixView(x, "x")
  guard inputs.cols == opened.plan.inputShape.size else {
    throw .invalid("[train] x must have \(opened.plan.inputShape.size) numbers per row. Received \(inputs.cols).")
  }
  guard given.batch_size >= 1 else { throw .invalid("[train] batch_size must be at least 1. Received \(given.batch_size).") }
  guard !given.threshold.isNaN else { throw .invalid("[train] the threshold of the loss must be a number. Received NaN.") }
  return try TrainingTask(
    opened, given.is_linearised != 0 ? .linearised : .network, loss: try outputLoss(given.loss, of: opened), x: inputs,
    targets: try matrixView(targets, "targets"), batchSize: allInOne ? max(1, inputs.rows) : Int(given.batch_size), key: given.key
  )
}

private func momentRows(_ given: ntk_optimizer) throws(NumericError) -> Int {
  given.kind == Int32(NTK_FLOW.rawValue) ? 1 : try optimizer(given).rule.momentCount
}

private func optimizer(_ given: ntk_optimizer) throws(NumericError) -> Optimizer {
  let rule: OptimizerRule
  switch UInt32(bitPattern: given.kind) {
  case NTK_DESCENT.rawValue: rule = .descent(momentum: given.momentum, isNesterov: given.is_nesterov != 0)
  case NTK_ADAM.rawValue: rule = .adam(b1: given.b1, b2: given.b2, epsilon: given.epsilon)
  default: throw .invalid("[train] the optimizer must be an ntk_optimizer_kind. Received \(given.kind).")
  }
  let result = Optimizer(rule, schedule: try schedule(given), weightDecay: given.weight_decay)
  try result.check()
  return result
}

private func schedule(_ given: ntk_optimizer) throws(NumericError) -> LearningRateSchedule {
  let shape: LearningRateSchedule.Shape
  switch UInt32(bitPattern: given.shape) {
  case NTK_RATE_CONSTANT.rawValue: shape = .constant
  case NTK_RATE_COSINE.rawValue: shape = .cosine(steps: Int(given.cosine_steps), final: given.cosine_final)
  case NTK_RATE_PIECEWISE.rawValue:
    guard given.boundary_count >= 0, given.boundary_count <= 1 << 20, let boundaries = given.boundaries,
      let factors = given.factors
    else { throw .invalid("[train] a piecewise schedule needs its boundaries and factors. Received \(given.boundary_count).") }
    let count = Int(given.boundary_count)
    shape = .piecewise(boundaries: (0..<count).map { Int(boundaries[$0]) }, factors: (0..<count).map { factors[$0] })
  default: throw .invalid("[train] the schedule must be an ntk_rate_shape. Received \(given.shape).")
  }
  return LearningRateSchedule(given.learning_rate, shape, warmup: Int(given.warmup))
}

private func trainingState(
  _ given: ntk_training_state, _ task: TrainingTask, rows: Int
) throws(NumericError) -> TrainingState {
  let count = task.network.plan.parameterCount
  guard let parameters = given.parameters, let start = given.start, let moments = given.moments, let gradient = given.gradient,
    given.parameter_count == Int64(count), given.moment_count >= Int64(rows * count)
  else {
    throw .invalid(
      "[train] needs \(count) parameters and \(rows) x \(count) moments. Received \(given.parameter_count) and \(given.moment_count)."
    )
  }
  guard given.step >= 0, given.step < 1 << 48, given.time >= 0, given.next_step >= 0, given.scale >= 0 else {
    throw .invalid("[train] a state must have a step of at least 0. Received \(given.step).")
  }
  var state = TrainingState(parameters: parameters, start: start, moments: moments, gradient: gradient)
  state.step = Int(given.step)
  (state.time, state.nextStep, state.scale) = (given.time, given.next_step, given.scale)
  return state
}
