import Dynamics
import LinearAlgebra
import NumericCore

/// Training of an infinitely wide network by gradient descent in continuous time, on any loss, as a differential equation.
///
/// Without momentum: df/dt = -K g(f), du/dt = g(f), where g is the gradient of the loss. With it: df/dt = q, dq/dt = -K g(f) + m q,
/// du/dt = p, dp/dt = g(f) + m p. The test outputs follow from u and p alone: f(*) = f_0(*) - k(*, X) u, so they cost nothing per step.
/// Lee et al., 2019, arXiv:1902.06720, equations 4 and S48.
public struct GradientDescent {
  /// What is minimised.
  public var loss: Loss
  /// K, n x n.
  public var kernel: StridedMatrix<Double>
  /// Outputs per training point.
  public var outputs: Int
  /// m above (at most 0), or nil without momentum.
  public var damping: Double?
  /// Relative local error per step.
  public var tolerance: Double
  /// Most steps towards an infinite time; finite times have no limit.
  public var mostSteps: Int

  /// A training problem; nothing is computed yet.
  public init(
    loss: Loss, kernel: StridedMatrix<Double>, outputs: Int, damping: Double?, tolerance: Double = 1e-9, mostSteps: Int = 100_000
  ) {
    self.loss = loss
    self.kernel = kernel
    self.outputs = outputs
    self.damping = damping
    self.tolerance = tolerance
    self.mostSteps = mostSteps
  }

  /// Parts of the state: f, u, and with momentum q, p.
  public var blocks: Int { damping == nil ? 2 : 4 }

  /// The states at `times` (ascending, not negative, infinity allowed), one row of `out` each: f, u (, q, p), n x outputs numbers each.
  ///
  /// `start` is the state at time 0.
  /// - Throws: `notConverged` where an infinite time is not reached in `mostSteps` steps or the outputs blow up; `callbackFailed`.
  public func run(
    from start: UnsafePointer<Double>, times: [Double], out: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    let n = kernel.rows
    let (length, count) = (n * outputs, n * outputs * blocks)
    try requireShape(kernel, n, n, "gradient_descent", "k_train_train")
    try requireShape(out, times.count, count, "gradient_descent", "the result")
    try reserveMatrix(count, 10, "gradient descent", context)
    let state = try Workspace<Double>(count)
    state.pointer.update(from: start, count: count)
    let pacer = Pacer(context)
    let quiet = pacer.quiet
    let solver = try VectorFlow(
      state: state.pointer, blocks: blocks, length: length, tolerance: tolerance, operation: "gradient_descent"
    ) { [self] (state, slope) throws(NumericError) in
      try pacer.checkpoint()
      try derivative(state, slope, length, quiet)
    }
    for (row, time) in times.enumerated() {
      try advance(solver, to: time, last: times.last ?? 0, pacer)
      for k in 0..<count { out[row, k] = state[k] }
    }
  }

  private func advance(_ solver: VectorFlow, to time: Double, last: Double, _ pacer: Pacer) throws(NumericError) {
    let length = kernel.rows * outputs
    var before = Snapshot(try Workspace(length * movingParts.count))
    while solver.time < time, !isAtRest(solver, until: time) {
      try solver.advance(to: time)
      try pacer.checkpoint(last.isFinite ? solver.time / last : Double(solver.steps) / Double(mostSteps))
      guard !time.isFinite else { continue }
      guard solver.time >= 2 * before.time || solver.steps >= mostSteps else { continue }
      if hasSettled(solver, since: before) { return }
      before.take(solver, movingParts, length)
      guard solver.steps < mostSteps else {
        throw NumericError(
          .notConverged,
          "[gradient_descent] t=None needs a loss whose training ends. Received one that still moves after \(solver.steps) steps, "
            + "at time \(solver.time). Pass a finite t.", value: solver.time)
      }
    }
  }

  /// The parts of the state that must come to rest: outputs and velocities. (The others are integrals.)
  private var movingParts: [Int] { damping == nil ? [0] : [0, 2] }

  /// Whether the outputs will not move by more than a tenth of the tolerance, even if they go on at their present speed.
  private func isAtRest(_ solver: VectorFlow, until time: Double) -> Bool {
    guard solver.time > 0, time.isFinite else { return isStill(solver) }
    let length = kernel.rows * outputs
    return movingParts.allSatisfy { part in
      largestMagnitude(solver.slope(part), length) * (time - solver.time) <= 0.1 * tolerance * solver.scale(part)
    }
  }

  /// Whether nothing has moved by more than ten times the tolerance while time doubled.
  private func hasSettled(_ solver: VectorFlow, since before: Snapshot) -> Bool {
    guard before.time > 0 else { return false }
    let length = kernel.rows * outputs
    return movingParts.enumerated().allSatisfy { place, part in
      let (now, then) = (solver.part(part), before.room.pointer + place * length)
      return (0..<length).allSatisfy { abs(now[$0] - then[$0]) <= 10 * tolerance * solver.scale(part) }
    }
  }

  /// A start without any slope in the outputs stays where it is.
  private func isStill(_ solver: VectorFlow) -> Bool {
    let length = kernel.rows * outputs
    return movingParts.allSatisfy { largestMagnitude(solver.slope($0), length) == 0 }
  }

  private func derivative(
    _ state: UnsafeMutablePointer<Double>, _ slope: UnsafeMutablePointer<Double>, _ length: Int, _ context: CallContext
  ) throws(NumericError) {
    let n = kernel.rows
    // Where the gradient and its kernel image go: the slopes of u and f, or with momentum of p and q.
    let (image, gradient) = damping == nil ? (slope, slope + length) : (slope + 2 * length, slope + 3 * length)
    try loss.gradient(state, gradient, length)
    try multiply(
      kernel, StridedMatrix(gradient, rows: n, cols: outputs), into: StridedMatrix(image, rows: n, cols: outputs), alpha: -1,
      context: context)
    guard let damping else { return }
    let (q, p) = (state + 2 * length, state + 3 * length)
    for k in 0..<length {
      slope[k] = q[k]
      slope[length + k] = p[k]
      image[k] += damping * q[k]
      gradient[k] += damping * p[k]
    }
  }
}

/// The moving parts of a state at some time.
private struct Snapshot {
  let room: Workspace<Double>
  private(set) var time = 0.0

  init(_ room: Workspace<Double>) { self.room = room }

  mutating func take(_ solver: VectorFlow, _ parts: [Int], _ length: Int) {
    time = solver.time
    for (place, part) in parts.enumerated() { (room.pointer + place * length).update(from: solver.part(part), count: length) }
  }
}
