import Activations
import Architectures
import LinearAlgebra
import NumericCore

/// A finite network with a bottleneck, x -> phi(x U s) V s' = z -> phi(z U' s'') V' s''' = F, trained by full-batch gradient descent on
/// mean (F - y)^2 / 2: what `Bottleneck` is compared with.
///
/// Weights are standard normal at the start, the factors s the NTK parameterization's. O(N width (d + 2 k + outputs)) per step.
public final class FiniteBottleneck {
  /// One half: a hidden layer of some width and a linear readout.
  public struct Half {
    /// inputs x width, trained in place
    public var hidden: StridedMatrix<Double>
    /// width x outputs, trained in place
    public var readout: StridedMatrix<Double>
    /// The nonlinearity between them.
    public var activation: Activation
    /// W_std of the hidden layer over the square root of its inputs.
    public var hiddenScale: Double
    /// W_std of the readout over the square root of the width.
    public var readoutScale: Double

    /// The half that a chain Dense, activation, Dense without biases describes, with these weights.
    public init(
      _ node: LayerNode, hidden: StridedMatrix<Double>, readout: StridedMatrix<Double>
    ) throws(NumericError) {
      guard hidden.rows >= 1, hidden.cols >= 1, readout.rows == hidden.cols, readout.cols >= 1 else {
        throw .invalid(
          "[FiniteBottleneck] weights must have shapes (inputs, width), (width, outputs). Received (\(hidden.rows), \(hidden.cols)), "
            + "(\(readout.rows), \(readout.cols)).")
      }
      let network = try OuterNetwork(node, units: hidden.rows)
      guard network.layers.count == 1, let activation = network.activations.first, network.bias == 0, network.layers[0].bias == 0
      else {
        throw .invalid(
          "[FiniteBottleneck] both halves must be Dense, activation, Dense without biases. Received another network.")
      }
      (self.hidden, self.readout, self.activation) = (hidden, readout, activation)
      hiddenScale = network.scale.squareRoot()
      readoutScale = (network.layers[0].weight / Double(hidden.cols)).squareRoot()
    }
  }

  private let inner: HalfPass
  private let outer: HalfPass
  private let inputs: StridedMatrix<Double>
  private let targets: StridedMatrix<Double>

  /// A network on `inputs` (N x d, training points first) with `targets` (n x outputs).
  public init(
    inner: Half, outer: Half, inputs: StridedMatrix<Double>, targets: StridedMatrix<Double>
  ) throws(NumericError) {
    guard inputs.cols == inner.hidden.rows, inner.readout.cols == outer.hidden.rows, outer.readout.cols == targets.cols,
      targets.rows >= 1, inputs.rows >= targets.rows
    else { throw .invalid("[FiniteBottleneck] inputs, halves and targets must fit together. Received other shapes.") }
    self.inner = try HalfPass(inner, points: inputs.rows)
    self.outer = try HalfPass(outer, points: inputs.rows)
    (self.inputs, self.targets) = (inputs, targets)
  }

  /// Takes `losses` - 1 steps. `losses` gets the loss before the first and after each step; `positions` and `outputs` (N x units,
  /// N x outputs) those at the end.
  public func descend(
    learningRate: Double, losses: UnsafeMutableBufferPointer<Double>, positions: StridedMatrix<Double>,
    outputs: StridedMatrix<Double>,
    context: CallContext
  ) throws(NumericError) {
    guard learningRate > 0, learningRate.isFinite else {
      throw .invalid("[FiniteBottleneck] learning_rate must be positive. Received \(learningRate).")
    }
    let pacer = BottleneckPacer(context)
    let (n, c) = (targets.rows, targets.cols)
    let room = try Workspace<Double>(n * (c + positions.cols))
    let residuals = StridedMatrix(room.pointer, rows: n, cols: c)
    let back = StridedMatrix(room.pointer + n * c, rows: n, cols: positions.cols)
    for s in 0..<losses.count {
      try pacer.checkpoint(Double(s) / Double(losses.count))
      try inner.forward(inputs, into: positions, pacer.quiet)
      try outer.forward(positions, into: outputs, pacer.quiet)
      var sum = 0.0
      for i in 0..<n {
        for o in 0..<c {
          let r = outputs[i, o] - targets[i, o]
          sum += r * r
          residuals[i, o] = r / Double(n * c)
        }
      }
      losses[s] = sum / Double(2 * n * c)
      guard losses[s].isFinite else {
        throw NumericError(
          .notConverged, "[FiniteBottleneck] training must not diverge: choose a smaller learning_rate. It did at step \(s).")
      }
      guard s + 1 < losses.count else { return }
      try outer.backward(positions, residuals, into: back, learningRate, pacer.quiet)
      try inner.backward(inputs, back, into: nil, learningRate, pacer.quiet)
    }
  }
}

/// One half with the activations of its hidden layer.
private final class HalfPass {
  private let half: FiniteBottleneck.Half
  private let function: ScalarFunction
  /// phi and phi' at the hidden units, points x width; a gradient that flows back.
  private let value: StridedMatrix<Double>
  private let slope: StridedMatrix<Double>
  private let flow: StridedMatrix<Double>
  private let room: Workspace<Double>

  init(_ half: FiniteBottleneck.Half, points: Int) throws(NumericError) {
    guard let function = half.activation.function, half.activation.smoothDual != .none else {
      throw .invalid("[FiniteBottleneck] the activation must be smooth. Received \(half.activation).")
    }
    (self.half, self.function) = (half, function)
    let width = half.hidden.cols
    guard let count = checkedProduct(points, width).flatMap({ checkedProduct($0, 3) }) else {
      throw NumericError(.outOfMemory, "[FiniteBottleneck] the activations fit no address space.", bytes: .max)
    }
    room = try Workspace(count)
    value = StridedMatrix(room.pointer, rows: points, cols: width)
    slope = StridedMatrix(room.pointer + points * width, rows: points, cols: width)
    flow = StridedMatrix(room.pointer + 2 * points * width, rows: points, cols: width)
  }

  func forward(_ x: StridedMatrix<Double>, into out: StridedMatrix<Double>, _ context: CallContext) throws(NumericError) {
    try multiply(x, half.hidden, into: value, alpha: half.hiddenScale, context: context)
    let width = value.cols
    try runTasks(value.rows, context: context) { (i, _) throws(NumericError) in
      let (v, s) = (value.base + i * width, slope.base + i * width)
      function.evaluate(v, width, into: [v, s])
    }
    try multiply(value, half.readout, into: out, alpha: half.readoutScale, context: context)
  }

  /// One step on both weight matrices for the gradient `c` of the loss by the outputs of the first points; into `back` that by the inputs.
  func backward(
    _ x: StridedMatrix<Double>, _ c: StridedMatrix<Double>, into back: StridedMatrix<Double>?, _ rate: Double,
    _ context: CallContext
  ) throws(NumericError) {
    let n = c.rows
    func first(_ m: StridedMatrix<Double>) -> StridedMatrix<Double> {
      StridedMatrix(m.base, rows: n, cols: m.cols, rowStride: m.rowStride, colStride: m.colStride)
    }
    let d = first(flow)
    try multiply(c, half.readout.transposed, into: d, alpha: half.readoutScale, context: context)
    for e in 0..<n * d.cols { d.base[e] *= slope.base[e] }
    if let back { try multiply(d, half.hidden.transposed, into: back, alpha: half.hiddenScale, context: context) }
    try multiply(
      first(value).transposed, c, into: half.readout, alpha: -rate * half.readoutScale, beta: 1, context: context)
    try multiply(first(x).transposed, d, into: half.hidden, alpha: -rate * half.hiddenScale, beta: 1, context: context)
  }
}
