import NumericCore

/// Dormand and Prince's embedded Runge-Kutta pair of orders 5 and 4 with adaptive steps (J. Comput. Appl. Math. 6, 1980, 19-26).
///
/// The state is `blocks` parts of equal length; the local error of each part stays below `tolerance` times the largest magnitude that the
/// part has had. Autonomous systems only: the derivative depends on the state, not on time.
public struct DormandPrince {
  /// (state, slope): writes the derivative at a state.
  public typealias Derivative = (UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>) throws(NumericError) -> Void

  /// What a later integration needs, beside the state, to go on with the same bits.
  public struct Checkpoint: Sendable {
    /// Where it is.
    public var time: Double
    /// The step that it would try next.
    public var step: Double
    /// Largest magnitude that each part has had.
    public var scales: [Double]

    /// A place on the way; see the properties.
    public init(time: Double, step: Double, scales: [Double]) { (self.time, self.step, self.scales) = (time, step, scales) }
  }

  let blocks: Int
  let length: Int
  let tolerance: Double
  let derivative: Derivative
  /// Named in messages.
  private let operation: String
  /// Seven stages, the trial state and the state of a stage, each `blocks * length` long.
  private let room: Workspace<Double>
  /// Where the integration is.
  public private(set) var time = 0.0
  private(set) var steps = 0
  private var step = 0.0
  private var scales: [Double]
  private let state: UnsafeMutablePointer<Double>

  private var count: Int { blocks * length }
  private func stage(_ i: Int) -> UnsafeMutablePointer<Double> { room.pointer + i * count }

  /// Starts with the given state, which is advanced in place, at time 0 or where a checkpoint was.
  public init(
    state: UnsafeMutablePointer<Double>, blocks: Int, length: Int, tolerance: Double, operation: String = "gradient_descent",
    from checkpoint: Checkpoint? = nil, derivative: @escaping Derivative
  ) throws(NumericError) {
    self.operation = operation
    (self.state, self.blocks, self.length, self.tolerance, self.derivative) = (state, blocks, length, tolerance, derivative)
    room = try Workspace(9, blocks, length)
    scales = (0..<blocks).map { b in DormandPrince.magnitude(state + b * length, length) }
    try derivative(state, room.pointer)
    if let bad = (0..<blocks * length).first(where: { !room[$0].isFinite }) {
      throw .invalid(
        "[\(operation)] the loss needs a finite gradient at the start. Received \(room[bad]) at number \(bad % length).",
        index: (bad % length, -1))
    }
    step = firstStep()
    if let checkpoint, checkpoint.scales.count == blocks {
      (time, step, scales) = (checkpoint.time, checkpoint.step, checkpoint.scales)
    }
  }

  /// Where the integration is.
  public var checkpoint: Checkpoint { Checkpoint(time: time, step: step, scales: scales) }

  /// The derivative at the present state, part b.
  public func slope(_ b: Int) -> UnsafeMutablePointer<Double> { stage(0) + b * length }
  /// Part b of the present state.
  func part(_ b: Int) -> UnsafeMutablePointer<Double> { state + b * length }
  /// Largest magnitude that part b has had.
  func scale(_ b: Int) -> Double { scales[b] }

  /// Takes one accepted step, but not beyond `limit`.
  public mutating func advance(to limit: Double) throws(NumericError) {
    var isRetry = false
    while true {
      let h = min(step, limit - time)
      let error = try trial(h)
      if error <= 1 {
        accept(h, reached: h >= limit - time ? limit : time + h)
        // A step cut short by the limit says nothing about the next one, unless it may grow.
        let grown = h * growth(error, most: isRetry ? 1 : 5)
        step = h < step ? max(step, grown) : grown
        return
      }
      isRetry = true
      step = h * growth(error, most: 1)
      guard step > 1e-14 * max(time, 1e-290), step.isFinite, step > 0 else {
        throw NumericError(
          .notConverged,
          "[\(operation)] the outputs must stay finite and smooth. The step shrank to \(step) at time \(time).", value: time)
      }
    }
  }

  private func growth(_ error: Double, most: Double) -> Double {
    guard error.isFinite else { return 0.2 }
    return error == 0 ? most : min(most, max(0.2, 0.9 * fifthRoot(1 / error)))
  }

  /// Tries a step; the new state is in stage 7's neighbour, its derivative in stage 6. Returns the error over the tolerance.
  private func trial(_ h: Double) throws(NumericError) -> Double {
    for (i, row) in DormandPrince.rows.enumerated() {
      let target = stage(i == 5 ? 7 : 8)
      try forEachSlice(of: count) { (slice) throws(NumericError) in
        for k in slice {
          var sum = 0.0
          for (j, a) in row.enumerated() { sum += a * room.pointer[j * count + k] }
          target[k] = state[k] + h * sum
        }
      }
      try derivative(target, stage(i + 1))
    }
    return errorRatio(h)
  }

  private func errorRatio(_ h: Double) -> Double {
    var worst = 0.0
    for b in 0..<blocks {
      var (error, largest) = (0.0, 0.0)
      for k in b * length..<(b + 1) * length {
        var sum = 0.0
        for (j, e) in DormandPrince.errors.enumerated() { sum += e * room.pointer[j * count + k] }
        let magnitude = abs(h * sum)
        guard magnitude.isFinite, stage(7)[k].isFinite else { return .infinity }
        error = max(error, magnitude)
        largest = max(largest, abs(stage(7)[k]))
      }
      let allowed = tolerance * max(scales[b], largest)
      if error > 0 { worst = max(worst, error / allowed) }
    }
    return worst
  }

  private mutating func accept(_ h: Double, reached: Double) {
    state.update(from: stage(7), count: count)
    stage(0).update(from: stage(6), count: count)
    for b in 0..<blocks { scales[b] = max(scales[b], DormandPrince.magnitude(state + b * length, length)) }
    time = reached
    steps += 1
  }

  /// A first step that changes the state by about a hundredth (Hairer, Norsett & Wanner, Solving ODEs I, section II.4, simplified).
  private func firstStep() -> Double {
    var h = Double.infinity
    for b in 0..<blocks {
      let speed = DormandPrince.magnitude(slope(b), length)
      if speed > 0, scales[b] > 0 { h = min(h, 0.01 * scales[b] / speed) }
    }
    return h.isFinite ? h : 1e-3
  }

  static func magnitude(_ x: UnsafePointer<Double>, _ count: Int) -> Double {
    var largest = 0.0
    for i in 0..<count { largest = max(largest, abs(x[i])) }
    return largest
  }

  private static let rows: [[Double]] = [
    [1.0 / 5],
    [3.0 / 40, 9.0 / 40],
    [44.0 / 45, -56.0 / 15, 32.0 / 9],
    [19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729],
    [9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656],
    [35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84],
  ]
  private static let errors: [Double] = [
    71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40,
  ]
}
