#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import LinearAlgebra
import NumericCore

extension Bottleneck {
  /// Follows gradient flow to each of `times` (ascending), recording there, and with `recordingSteps` after each step too.
  ///
  /// Dormand and Prince's pair of orders 5 and 4 on the pair (z, f) itself: a stage of f is f_t plus a sum over the positions of the stages
  /// before it, so nothing is discretised but time. The local error of z, and of F at the training points, stays under the tolerance times
  /// the largest magnitude of either.
  public func flow(to times: [Double], recordingSteps: Bool, context: CallContext) throws(NumericError) {
    let pacer = BottleneckPacer(context)
    if steps == 0 { try evaluateAndRecord(true, pacer.quiet) }
    let stepper = try FlowStepper(self)
    let (start, end) = (time, times.last ?? 0)
    for target in times {
      while time < target {
        try pacer.checkpoint((time - start) / (end - start))
        try stepper.advance(to: target, pacer.quiet)
        steps += 1
        try record(recordingSteps || time >= target, pacer.quiet)
      }
    }
  }
}

/// The stages of one step of the flow.
private final class FlowStepper {
  private let network: Bottleneck
  private let stages: [OuterValues]
  /// z of the training points at a stage, of all points after the step, and the error of z.
  private let stagePositions: StridedMatrix<Double>
  private let newPositions: StridedMatrix<Double>
  private let errorPositions: StridedMatrix<Double>
  /// A combination of slopes of the stages; the error of F.
  private let combined: StridedMatrix<Double>
  private let errorValues: StridedMatrix<Double>
  private let room: Workspace<Double>

  init(_ network: Bottleneck) throws(NumericError) {
    self.network = network
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

  func advance(to limit: Double, _ context: CallContext) throws(NumericError) {
    try stages[0].take(network.current)
    if network.flowStep == 0 { network.flowStep = firstStep() }
    var isRetry = false
    while true {
      let h = min(network.flowStep, limit - network.time)
      let error = try ratio(h, context)
      let growth = error.isFinite ? (error == 0 ? 5 : min(isRetry ? 1 : 5, max(0.2, 0.9 * pow(1 / error, 0.2)))) : 0.2
      if error <= 1 {
        try accept(h, context)
        network.time = h >= limit - network.time ? limit : network.time + h
        // A step cut short by the limit says nothing about the next one, unless it may grow.
        network.flowStep = h < network.flowStep ? max(network.flowStep, h * growth) : h * growth
        return
      }
      isRetry = true
      network.flowStep = h * min(growth, 0.9)
      guard network.flowStep > 1e-13 * max(network.time, 1e-290) else {
        throw NumericError(
          .notConverged,
          "[Bottleneck] the flow must stay finite and smooth. The step shrank to \(network.flowStep) at time \(network.time).",
          value: network.time)
      }
    }
  }

  /// A first step that changes the largest output by about a hundredth.
  private func firstStep() -> Double {
    let (speed, scale) = (magnitude(stages[0].slopes), magnitude(network.positions))
    let kernel = magnitude(network.inner) * Double(network.trainCount)
    let change = magnitude(stages[0].residuals) * Double(network.trainCount * network.outputs)
    let limit = min(scale > 0 && speed > 0 ? scale / (speed * kernel) : .infinity, change > 0 ? 1 : .infinity)
    return limit.isFinite ? 0.01 * limit : 1e-3
  }

  /// Error over tolerance; infinite where a stage went where the kernels cannot follow.
  private func ratio(_ h: Double, _ context: CallContext) throws(NumericError) -> Double {
    do { return try trial(h, context) } catch {
      guard error.kind == .overflow || error.kind == .notConverged else { throw error }
      return .infinity
    }
  }

  private func trial(_ h: Double, _ context: CallContext) throws(NumericError) -> Double {
    let (n, k) = (network.trainCount, network.units)
    for s in 1..<7 {
      combine(RungeKutta.rows[s - 1])
      if s == 6 {
        newPositions.base.update(from: network.positions.base, count: network.pointCount * k)
        try multiply(network.inner, combined, into: newPositions, alpha: -h, beta: 1, context: context)
        stagePositions.base.update(from: newPositions.base, count: n * k)
      } else {
        stagePositions.base.update(from: network.positions.base, count: n * k)
        try multiply(trainInner, combined, into: stagePositions, alpha: -h, beta: 1, context: context)
      }
      guard magnitude(stagePositions).isFinite else { return .infinity }
      try evaluate(s, h, context)
    }
    return try errorRatio(h, context)
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

  /// f and its gradient at stage s.
  private func evaluate(_ s: Int, _ h: Double, _ context: CallContext) throws(NumericError) {
    let stage = stages[s]
    try stage.place(stagePositions)
    try network.initial.evaluate(stage.points, values: stage.values, gradients: stage.gradients, context: context)
    try network.learned.addValues(at: stage.points, values: stage.values, gradients: stage.gradients, context: context)
    for (l, a) in RungeKutta.rows[s - 1].enumerated() where a != 0 {
      try addStage(l, -h * a, at: stage.points, stage.values, stage.gradients, context)
    }
    stage.finish(network.targets)
  }

  /// Adds factor sum_i c_i Kf(., z_i) of stage l.
  private func addStage(
    _ l: Int, _ factor: Double, at points: PointSet, _ values: StridedMatrix<Double>, _ gradients: StridedMatrix<Double>?,
    _ context: CallContext
  ) throws(NumericError) {
    let c = stages[l].residuals
    let weights = try Workspace<Double>(c.rows * c.cols)
    for o in 0..<c.cols { for i in 0..<c.rows { weights[o * c.rows + i] = factor * c[i, o] } }
    try addKernelSum(
      .ntk, points, stages[l].points, weights: weights.pointer, stride: c.rows, values: values, gradients: gradients,
      context: context)
  }

  private func errorRatio(_ h: Double, _ context: CallContext) throws(NumericError) -> Double {
    combine(RungeKutta.errors)
    try multiply(trainInner, combined, into: errorPositions, alpha: h, beta: 0, context: context)
    for e in 0..<errorValues.rows * errorValues.cols { errorValues.base[e] = 0 }
    for (l, e) in RungeKutta.errors.enumerated() where e != 0 {
      try addStage(l, h * e, at: stages[6].points, errorValues, nil, context)
    }
    let tolerance = network.options.flowTolerance
    let z = magnitude(errorPositions) / (tolerance * max(magnitude(network.positions), magnitude(newPositions), 1e-300))
    let scale = max(magnitude(network.targets), magnitude(network.current.values), magnitude(stages[6].values), 1e-300)
    let f = magnitude(errorValues) / (tolerance * scale)
    return z.isFinite && f.isFinite && magnitude(stages[6].values).isFinite ? max(z, f) : .infinity
  }

  private func accept(_ h: Double, _ context: CallContext) throws(NumericError) {
    combine(RungeKutta.rows[5])
    for (l, b) in RungeKutta.rows[5].enumerated() where b != 0 {
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

/// The coefficients of Dormand and Prince's pair (J. Comput. Appl. Math. 6, 1980, 19-26); row 5 is the solution of order 5.
enum RungeKutta {
  static let rows: [[Double]] = [
    [1.0 / 5],
    [3.0 / 40, 9.0 / 40],
    [44.0 / 45, -56.0 / 15, 32.0 / 9],
    [19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729],
    [9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656],
    [35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84],
  ]
  static let errors: [Double] = [
    71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40,
  ]
}
