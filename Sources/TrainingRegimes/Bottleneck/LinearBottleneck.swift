#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import NumericCore

/// A deep linear network with a bottleneck of k units and both halves infinitely wide: F(x) = s w . A x, loss mean (F - y)^2 / 2.
///
/// With q = s sum_i c_i x_i, c = (F - y) / n: A' = -L_g w q^T, w' = -L_f A q, where L_g and L_f are the numbers of layers of the inner and
/// the outer half (the NTK of a linear network of L layers is L times its NNGP). L_f A A^T - L_g w w^T is conserved by the flow
/// (Littwin et al., 2021, arXiv:2107.00364: setting; derived from the chain rule, cf. Saxe et al., 2013, arXiv:1312.6120).
public struct LinearBottleneck {
  /// n x d
  public var inputs: StridedMatrix<Double>
  /// n x 1
  public var targets: StridedMatrix<Double>
  /// s
  public var scale: Double
  /// L_g
  public var innerDepth: Double
  /// L_f
  public var outerDepth: Double
  /// k
  public let units: Int

  /// A problem; nothing is computed yet.
  public init(
    inputs: StridedMatrix<Double>, targets: StridedMatrix<Double>, units: Int, scale: Double, innerDepth: Double,
    outerDepth: Double
  ) throws(NumericError) {
    guard inputs.rows >= 1, inputs.cols >= 1, targets.rows == inputs.rows, targets.cols == 1, units >= 1,
      // The stages of a step are as many numbers as a state, several times.
      checkedProduct(inputs.cols, units).flatMap({ checkedProduct($0, 64) }) != nil
    else {
      throw .invalid(
        "[LinearBottleneck] needs inputs (n, d), targets (n, 1), units >= 1. Received (\(inputs.rows), \(inputs.cols)), "
          + "(\(targets.rows), \(targets.cols)), \(units).")
    }
    guard scale > 0, scale.isFinite, innerDepth > 0, innerDepth.isFinite, outerDepth > 0, outerDepth.isFinite else {
      throw .invalid("[LinearBottleneck] scale and depths must be positive. Received \(scale), \(innerDepth), \(outerDepth).")
    }
    (self.inputs, self.targets, self.units, self.scale) = (inputs, targets, units, scale)
    (self.innerDepth, self.outerDepth) = (innerDepth, outerDepth)
  }

  /// Numbers in a state: A (k x d) row after row, then w.
  public var stateCount: Int { units * inputs.cols + units }

  /// d(A, w)/dt at `state`; the value is the loss there.
  public func derivative(_ state: UnsafePointer<Double>, _ slope: UnsafeMutablePointer<Double>) -> Double {
    let (n, d, k) = (inputs.rows, inputs.cols, units)
    let (w, wSlope) = (state + k * d, slope + k * d)
    var beta = [Double](repeating: 0, count: d)
    var q = beta
    for a in 0..<k { for j in 0..<d { beta[j] += scale * w[a] * state[a * d + j] } }
    var loss = 0.0
    for i in 0..<n {
      var r = -targets[i, 0]
      for j in 0..<d { r += beta[j] * inputs[i, j] }
      loss += r * r
      for j in 0..<d { q[j] += r * inputs[i, j] }
    }
    for j in 0..<d { q[j] *= scale / Double(n) }
    for a in 0..<k {
      var sum = 0.0
      for j in 0..<d {
        sum += state[a * d + j] * q[j]
        slope[a * d + j] = -innerDepth * w[a] * q[j]
      }
      wSlope[a] = -outerDepth * sum
    }
    return loss / Double(2 * n)
  }

  /// `steps` of gradient descent on `state` in place; `losses` receives steps + 1 numbers. Returns the steps taken before the loss left the
  /// finite numbers or grew over `divergence` times that at the start (then the rest of `losses` is NaN).
  public func descend(
    _ state: UnsafeMutablePointer<Double>, steps: Int, learningRate: Double, divergence: Double,
    losses: UnsafeMutablePointer<Double>,
    context: CallContext
  ) throws(NumericError) -> Int {
    guard learningRate > 0, learningRate.isFinite else {
      throw .invalid("[LinearBottleneck] learning_rate must be positive. Received \(learningRate).")
    }
    let slope = try Workspace<Double>(stateCount)
    let pacer = BottleneckPacer(context)
    for s in 0...steps {
      try pacer.checkpoint(Double(s) / Double(max(steps, 1)))
      losses[s] = derivative(state, slope.pointer)
      guard losses[s] <= divergence * max(losses[0], 1e-300) else {
        for later in s + 1..<max(steps + 1, s + 1) { losses[later] = .nan }
        return s
      }
      if s < steps { for e in 0..<stateCount { state[e] += learningRate * slope[e] } }
    }
    return steps
  }

  /// Gradient flow to each of `times` (ascending): states into `states` (times x stateCount), losses into `losses`.
  public func flow(
    _ state: UnsafePointer<Double>, times: [Double], tolerance: Double, states: UnsafeMutablePointer<Double>,
    losses: UnsafeMutablePointer<Double>, context: CallContext
  ) throws(NumericError) {
    let pacer = BottleneckPacer(context)
    let stepper = try LinearFlow(self, state, tolerance: tolerance)
    for (i, target) in times.enumerated() {
      while stepper.time < target {
        try pacer.checkpoint(stepper.time / (times.last ?? 1))
        try stepper.advance(to: target)
      }
      (states + i * stateCount).update(from: stepper.state.pointer, count: stateCount)
      losses[i] = derivative(stepper.state.pointer, stepper.scratch.pointer)
    }
  }
}

/// Dormand and Prince's method for the linear network.
private final class LinearFlow {
  let problem: LinearBottleneck
  let state: Workspace<Double>
  let scratch: Workspace<Double>
  private(set) var time = 0.0
  private let stages: Workspace<Double>
  private let trialState: Workspace<Double>
  private let tolerance: Double
  private var step = 0.0
  private var count: Int { problem.stateCount }

  init(_ problem: LinearBottleneck, _ start: UnsafePointer<Double>, tolerance: Double) throws(NumericError) {
    guard tolerance >= 1e-13, tolerance <= 0.1 else {
      throw .invalid("[LinearBottleneck] tolerance must be in [1e-13, 0.1]. Received \(tolerance).")
    }
    let count = problem.stateCount
    (self.problem, self.tolerance) = (problem, tolerance)
    (state, scratch, stages, trialState) = (
      try Workspace(count), try Workspace(count), try Workspace(7 * count), try Workspace(count)
    )
    state.pointer.update(from: start, count: count)
    _ = problem.derivative(state.pointer, stages.pointer)
    let (size, speed) = (LinearFlow.magnitude(state.pointer, count), LinearFlow.magnitude(stages.pointer, count))
    step = size > 0 && speed > 0 ? 0.01 * size / speed : 1e-3
  }

  func advance(to limit: Double) throws(NumericError) {
    var isRetry = false
    while true {
      let h = min(step, limit - time)
      let error = trial(h)
      let growth = error.isFinite ? (error == 0 ? 5 : min(isRetry ? 1 : 5, max(0.2, 0.9 * pow(1 / error, 0.2)))) : 0.2
      if error <= 1 {
        state.pointer.update(from: trialState.pointer, count: count)
        stages.pointer.update(from: stages.pointer + 6 * count, count: count)
        time = h >= limit - time ? limit : time + h
        step = h < step ? max(step, h * growth) : h * growth
        return
      }
      isRetry = true
      step = h * min(growth, 0.9)
      guard step > 1e-14 * max(time, 1e-290) else {
        throw NumericError(
          .notConverged, "[LinearBottleneck] the flow must stay finite. The step shrank to \(step) at time \(time).")
      }
    }
  }

  private func trial(_ h: Double) -> Double {
    for (s, row) in RungeKutta.rows.enumerated() {
      for e in 0..<count {
        var sum = 0.0
        for (l, a) in row.enumerated() { sum += a * stages[l * count + e] }
        trialState[e] = state[e] + h * sum
      }
      _ = problem.derivative(trialState.pointer, stages.pointer + (s + 1) * count)
    }
    var worst = 0.0
    for e in 0..<count {
      var sum = 0.0
      for (l, b) in RungeKutta.errors.enumerated() { sum += b * stages[l * count + e] }
      guard sum.isFinite, trialState[e].isFinite else { return .infinity }
      worst = max(worst, abs(h * sum))
    }
    return worst / (tolerance * max(LinearFlow.magnitude(state.pointer, count), 1e-300))
  }

  private static func magnitude(_ x: UnsafePointer<Double>, _ count: Int) -> Double {
    (0..<count).reduce(0.0) { max($0, abs(x[$1])) }
  }
}

/// Losses mean r^2 / 2 of gradient descent with a constant kernel: r <- r - (eta / n) K r, `steps` + 1 of them. O(n^2 outputs steps).
///
/// `residuals` (n x outputs, contiguous) is F - y at the start, and is advanced in place.
public func constantKernelDescent(
  _ kernel: StridedMatrix<Double>, residuals: StridedMatrix<Double>, learningRate: Double, steps: Int,
  losses: UnsafeMutablePointer<Double>, context: CallContext
) throws(NumericError) {
  let (n, c) = (residuals.rows, residuals.cols)
  guard n >= 1, c >= 1, kernel.rows == n, kernel.cols == n else {
    throw .invalid(
      "[constant_kernel_descent] needs a kernel (n, n) and residuals (n, outputs). Received (\(kernel.rows), \(kernel.cols)) and (\(n), \(c))."
    )
  }
  guard learningRate > 0, learningRate.isFinite else {
    throw .invalid("[constant_kernel_descent] learning_rate must be positive. Received \(learningRate).")
  }
  let change = try Workspace<Double>(n * c)
  let pacer = BottleneckPacer(context)
  for s in 0...steps {
    try pacer.checkpoint(Double(s) / Double(max(steps, 1)))
    var sum = 0.0
    for i in 0..<n { for o in 0..<c { sum += residuals[i, o] * residuals[i, o] } }
    losses[s] = sum / Double(2 * n * c)
    guard s < steps else { break }
    for i in 0..<n {
      for o in 0..<c {
        var product = 0.0
        for j in 0..<n { product += kernel[i, j] * residuals[j, o] }
        change[i * c + o] = learningRate / Double(n * c) * product
      }
    }
    for i in 0..<n { for o in 0..<c { residuals[i, o] -= change[i * c + o] } }
  }
}
