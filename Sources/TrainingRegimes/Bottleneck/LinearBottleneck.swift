import Dynamics
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

  /// `steps` of gradient descent on `state` in place, with the losses before the first and after each step in `record`.
  ///
  /// Training has diverged where the loss is not finite or over `divergence` times that at the start.
  public func descend(
    _ state: UnsafeMutablePointer<Double>, steps: Int, learningRate: Double, divergence: Double, record: inout TrainingRecord,
    context: CallContext
  ) throws(NumericError) {
    guard learningRate > 0, learningRate.isFinite else {
      throw .invalid("[LinearBottleneck] learning_rate must be positive. Received \(learningRate).")
    }
    let slope = try Workspace<Double>(stateCount)
    var loop = TrainingLoop(steps: steps, record: record, growth: divergence, context: context)
    defer { record = loop.record }
    while true {
      let loss = derivative(state, slope.pointer)
      guard loop.takes(loss, rate: learningRate, time: Double(loop.done)), try loop.goesOn() else { return }
      for e in 0..<stateCount { state[e] += learningRate * slope[e] }
      loop.countStep()
    }
  }

  /// Gradient flow to each of `times` (ascending): states into `states` (times x stateCount), losses into `losses`.
  ///
  /// The local error of a step is at most `tolerance` times the largest weight so far.
  public func flow(
    _ start: UnsafePointer<Double>, times: [Double], tolerance: Double, states: UnsafeMutablePointer<Double>,
    losses: UnsafeMutablePointer<Double>, context: CallContext
  ) throws(NumericError) {
    guard tolerance >= 1e-13, tolerance <= 0.1 else {
      throw .invalid("[LinearBottleneck] tolerance must be in [1e-13, 0.1]. Received \(tolerance).")
    }
    let pacer = Pacer(context)
    let (state, slope) = (try Workspace<Double>(stateCount), try Workspace<Double>(stateCount))
    state.pointer.update(from: start, count: stateCount)
    let solver = try VectorFlow(state: state.pointer, length: stateCount, tolerance: tolerance, operation: "LinearBottleneck") {
      _ = derivative($0, $1)
    }
    for (i, target) in times.enumerated() {
      while solver.time < target {
        try pacer.checkpoint(solver.time / (times.last ?? 1))
        try solver.advance(to: target)
      }
      (states + i * stateCount).update(from: state.pointer, count: stateCount)
      losses[i] = derivative(state.pointer, slope.pointer)
    }
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
  var loop = TrainingLoop(steps: steps, context: context)
  while true {
    var sum = 0.0
    for i in 0..<n { for o in 0..<c { sum += residuals[i, o] * residuals[i, o] } }
    losses[loop.done] = sum / Double(2 * n * c)
    guard try loop.goesOn() else { return }
    for i in 0..<n {
      for o in 0..<c {
        var product = 0.0
        for j in 0..<n { product += kernel[i, j] * residuals[j, o] }
        change[i * c + o] = learningRate / Double(n * c) * product
      }
    }
    for i in 0..<n { for o in 0..<c { residuals[i, o] -= change[i * c + o] } }
    loop.countStep()
  }
}
