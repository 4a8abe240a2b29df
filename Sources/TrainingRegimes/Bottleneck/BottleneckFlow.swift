import Dynamics
import LinearAlgebra
import NumericCore

extension Bottleneck {
  /// Follows gradient flow to each of `times` (ascending), recording there, and with `recordingSteps` after each step too.
  ///
  /// Dormand and Prince's pair of orders 5 and 4 on the pair (z, f) itself: a stage of f is f_t plus a sum over the positions of the stages
  /// before it, so nothing is discretised but time. The local error of z, and of F at the training points, stays under the tolerance times
  /// the largest magnitude of either.
  public func flow(to times: [Double], recordingSteps: Bool, context: CallContext) throws(NumericError) {
    let quiet = context.reporting(nil)
    var loop = try begin(.max, context)
    let stages = try FlowStages(self, quiet)
    let (start, end) = (time, times.last ?? 0)
    for target in times {
      while time < target {
        try loop.pacer.checkpoint((time - start) / (end - start))
        try stages.advance(to: target)
        steps += 1
        try record(recordingSteps || time >= target, &loop, quiet)
      }
    }
  }
}

/// The stages of one step of the flow: slopes are residuals at positions, and what they do to z.
private final class FlowStages: StagedFlow {
  private let network: Bottleneck
  private let context: CallContext
  private let stages: [OuterValues]
  /// z of the training points at a stage, of all points after the step, and the error of z.
  private let stagePositions: StridedMatrix<Double>
  private let newPositions: StridedMatrix<Double>
  private let errorPositions: StridedMatrix<Double>
  /// A combination of slopes of the stages; the error of F.
  private let combined: StridedMatrix<Double>
  private let errorValues: StridedMatrix<Double>
  private let room: Workspace<Double>

  init(_ network: Bottleneck, _ context: CallContext) throws(NumericError) {
    (self.network, self.context) = (network, context)
    let (n, all, k, c) = (network.trainCount, network.pointCount, network.units, network.outputs)
    var stages: [OuterValues] = []
    for _ in 0..<7 { stages.append(try OuterValues(network.outer, points: n, outputs: c)) }
    self.stages = stages
    room = try Workspace(n * k * 3 + all * k + n * c)
    stagePositions = StridedMatrix(room.pointer, rows: n, cols: k)
    errorPositions = StridedMatrix(room.pointer + n * k, rows: n, cols: k)
    combined = StridedMatrix(room.pointer + 2 * n * k, rows: n, cols: k)
    newPositions = StridedMatrix(room.pointer + 3 * n * k, rows: all, cols: k)
    errorValues = StridedMatrix(room.pointer + 3 * n * k + all * k, rows: n, cols: c)
  }

  /// Takes one accepted step of the network, but not beyond `limit`.
  func advance(to limit: Double) throws(NumericError) {
    try stages[0].take(network.current)
    var control = network.control ?? StepControl(time: network.time, step: firstStep(), operation: "Bottleneck")
    defer { (network.control, network.time) = (control, control.time) }
    try DormandPrince.advance(self, &control, to: limit)
  }

  /// A first step that changes the largest output by about a hundredth.
  private func firstStep() -> Double {
    let (speed, scale) = (magnitude(stages[0].slopes), magnitude(network.positions))
    let kernel = magnitude(network.inner) * Double(network.trainCount)
    let change = magnitude(stages[0].residuals) * Double(network.trainCount * network.outputs)
    let limit = min(scale > 0 && speed > 0 ? scale / (speed * kernel) : .infinity, change > 0 ? 1 : .infinity)
    return limit.isFinite ? 0.01 * limit : 1e-3
  }

  func evaluate(_ number: Int, weights: [Double], step h: Double) throws(NumericError) -> Bool {
    let (n, k) = (network.trainCount, network.units)
    combine(weights)
    if number == 6 {
      newPositions.base.update(from: network.positions.base, count: network.pointCount * k)
      try multiply(network.inner, combined, into: newPositions, alpha: -h, beta: 1, context: context)
      stagePositions.base.update(from: newPositions.base, count: n * k)
    } else {
      stagePositions.base.update(from: network.positions.base, count: n * k)
      try multiply(trainInner, combined, into: stagePositions, alpha: -h, beta: 1, context: context)
    }
    guard magnitude(stagePositions).isFinite else { return false }
    return try isWithinReach { () throws(NumericError) in try evaluate(stages[number], weights, h) }
  }

  /// Whether a stage went where the kernels can follow.
  private func isWithinReach(_ body: () throws(NumericError) -> Void) throws(NumericError) -> Bool {
    do { try body() } catch {
      guard error.kind == .overflow || error.kind == .notConverged else { throw error }
      return false
    }
    return true
  }

  private var trainInner: StridedMatrix<Double> {
    StridedMatrix(network.inner.base, rows: network.trainCount, cols: network.trainCount)
  }

  /// combined = sum_l row_l slopes_l
  private func combine(_ row: [Double]) {
    for e in 0..<combined.rows * combined.cols {
      var sum = 0.0
      for (l, a) in row.enumerated() { sum += a * stages[l].slopes.base[e] }
      combined.base[e] = sum
    }
  }

  /// f and its gradient at a stage that follows others with these weights.
  private func evaluate(_ stage: OuterValues, _ weights: [Double], _ h: Double) throws(NumericError) {
    try stage.place(stagePositions)
    try network.initial.evaluate(stage.points, values: stage.values, gradients: stage.gradients, context: context)
    try network.learned.addValues(at: stage.points, values: stage.values, gradients: stage.gradients, context: context)
    for (l, a) in weights.enumerated() where a != 0 { try addStage(l, -h * a, at: stage.points, stage.values, stage.gradients) }
    stage.finish(network.targets)
  }

  /// Adds factor sum_i c_i Kf(., z_i) of stage l.
  private func addStage(
    _ l: Int, _ factor: Double, at points: PointSet, _ values: StridedMatrix<Double>, _ gradients: StridedMatrix<Double>?
  ) throws(NumericError) {
    let c = stages[l].residuals
    let weights = try Workspace<Double>(c.rows * c.cols)
    for o in 0..<c.cols { for i in 0..<c.rows { weights[o * c.rows + i] = factor * c[i, o] } }
    try addKernelSum(
      .ntk, points, stages[l].points, weights: weights.pointer, stride: c.rows, values: values, gradients: gradients,
      context: context)
  }

  func errorRatio(weights: [Double], step h: Double) throws(NumericError) -> Double {
    combine(weights)
    try multiply(trainInner, combined, into: errorPositions, alpha: h, beta: 0, context: context)
    for e in 0..<errorValues.rows * errorValues.cols { errorValues.base[e] = 0 }
    let isFinite = try isWithinReach { () throws(NumericError) in
      for (l, e) in weights.enumerated() where e != 0 { try addStage(l, h * e, at: stages[6].points, errorValues, nil) }
    }
    guard isFinite else { return .infinity }
    let tolerance = network.options.flowTolerance
    let z = magnitude(errorPositions) / (tolerance * max(magnitude(network.positions), magnitude(newPositions), 1e-300))
    let scale = max(magnitude(network.targets), magnitude(network.current.values), magnitude(stages[6].values), 1e-300)
    let f = magnitude(errorValues) / (tolerance * scale)
    return z.isFinite && f.isFinite && magnitude(stages[6].values).isFinite ? max(z, f) : .infinity
  }

  func accept(weights: [Double], step h: Double) throws(NumericError) {
    combine(weights)
    for (l, b) in weights.enumerated() where b != 0 {
      try network.learned.add(stages[l].points, stages[l].residuals, scale: -h * b, context: context)
    }
    network.positions.base.update(from: newPositions.base, count: network.pointCount * network.units)
    for e in 0..<combined.rows * combined.cols { network.drive.base[e] += h * combined.base[e] }
    try network.current.take(stages[6])
  }

  private func magnitude(_ m: StridedMatrix<Double>) -> Double {
    var largest = 0.0
    for e in 0..<m.rows * m.cols {
      let size = abs(m.base[e])
      guard size.isFinite else { return .infinity }
      largest = max(largest, size)
    }
    return largest
  }
}

extension OuterValues {
  /// Becomes a copy of another.
  func take(_ other: OuterValues) throws(NumericError) {
    points.removeAll()
    for i in 0..<other.points.count { try points.append(other.points, i) }
    for (mine, theirs) in [
      (values, other.values), (residuals, other.residuals), (gradients, other.gradients), (slopes, other.slopes),
    ] {
      mine.base.update(from: theirs.base, count: mine.rows * mine.cols)
    }
  }
}
