import Architectures
import LinearAlgebra
import NumericCore

/// What f_0, the outer network before training, is.
public enum BottleneckStart {
  /// f_0 = 0: the output at the start was subtracted.
  case zero
  /// A wide random network of the outer architecture (`WideNetwork`), which stands for a draw from the Gaussian process of its NNGP, with its
  /// gradient; `width` 0 chooses one.
  case draw(key: (UInt64, UInt64), width: Int)
  /// A finite outer network with one hidden layer: weights (units, width), (width, outputs), biases or empty.
  case network(hidden: StridedMatrix<Double>, hiddenBias: [Double], readout: StridedMatrix<Double>, outputBias: [Double])
  /// The caller's function: (positions, count, values, gradients) -> success. Row-major (count, units), (count, outputs),
  /// (count, outputs, units).
  case function((UnsafePointer<Double>, Int, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>) -> Bool)

  func function(_ outer: OuterNetwork, outputs: Int, context: CallContext) throws(NumericError) -> InitialFunction {
    switch self {
    case .zero: return .zero
    case .function(let call): return .function(call)
    case .network(let hidden, let hiddenBias, let readout, let outputBias):
      let network = try WideNetwork(outer, hidden: hidden, hiddenBias: hiddenBias, readout: readout, outputBias: outputBias)
      guard network.outputs == outputs else {
        throw .invalid("[Bottleneck] the initial weights must have \(outputs) outputs. Received \(network.outputs).")
      }
      return .network(network)
    case .draw(let key, let width):
      guard width >= 0, width <= 1 << 24 else {
        throw .invalid("[Bottleneck] start_width must be at least 1. Received \(width).")
      }
      return .network(try WideNetwork(drawing: outer, outputs: outputs, width: width, key: key, context: context))
    }
  }
}

extension Bottleneck {
  /// A network at the start: `outer` in the NTK parameterization with smooth activations, `inner` the NTK of the inner network between all
  /// points (training points first) and the training points, `positions` z_0 at all points. Everything is copied.
  /// - Throws: `invalidArgument` for shapes that do not fit, networks that are not smooth, options out of range; `outOfMemory`.
  public convenience init(
    outer: LayerNode, inner: StridedMatrix<Double>, positions: StridedMatrix<Double>, targets: StridedMatrix<Double>,
    start: BottleneckStart, options: BottleneckOptions, context: CallContext
  ) throws(NumericError) {
    let network = try OuterNetwork(outer, units: positions.cols)
    let initial = try start.function(network, outputs: targets.cols, context: context)
    try self.init(
      network, inner: inner, positions: positions, targets: targets, initial: initial, options: options, context: context)
  }
}

/// f_t and its gradient at positions `z` (N x units), from a state of training: f_0 plus sum_a weights_a Kf(., anchors_a).
///
/// `values` is N x outputs, `gradients` N x (outputs units), both contiguous.
public func evaluateOuterFunction(
  _ outer: LayerNode, at z: StridedMatrix<Double>, anchors: StridedMatrix<Double>, weights: StridedMatrix<Double>,
  start: BottleneckStart, values: StridedMatrix<Double>, gradients: StridedMatrix<Double>, context: CallContext
) throws(NumericError) {
  let network = try OuterNetwork(outer, units: z.cols)
  guard anchors.cols == z.cols || anchors.rows == 0, weights.rows == anchors.rows,
    weights.cols == values.cols || weights.rows == 0,
    values.rows == z.rows, gradients.rows == z.rows, gradients.cols == values.cols * z.cols, values.cols >= 1,
    values.rowStride == values.cols || values.rows <= 1, gradients.rowStride == gradients.cols || gradients.rows <= 1
  else { throw .invalid("[Bottleneck] needs positions, anchors, weights and results of shapes that fit. Received others.") }
  let points = try PointSet(network, capacity: z.rows)
  try points.append(z, rows: z.rows)
  try start.function(network, outputs: values.cols, context: context)
    .evaluate(points, values: values, gradients: gradients, context: context)
  guard anchors.rows > 0 else { return }
  let set = try PointSet(network, capacity: anchors.rows)
  try set.append(anchors, rows: anchors.rows)
  let room = try Workspace<Double>(weights.rows, weights.cols)
  for o in 0..<weights.cols { for a in 0..<weights.rows { room[o * weights.rows + a] = weights[a, o] } }
  try addKernelSum(
    .ntk, points, set, weights: room.pointer, stride: weights.rows, values: values, gradients: gradients, context: context)
}

/// The NTK (or NNGP) of a smooth fully connected network between the rows of `z1` and `z2`, into `out`, and its derivatives by the
/// coordinates of z1 into `gradient` (n1 x n2 d: d numbers for each pair).
/// - Throws: `invalidArgument` for networks that are not smooth, see `Bottleneck`.
public func inputGradient(
  _ network: LayerNode, isNTK: Bool, _ z1: StridedMatrix<Double>, _ z2: StridedMatrix<Double>, into out: StridedMatrix<Double>,
  gradient: StridedMatrix<Double>, context: CallContext
) throws(NumericError) {
  guard z1.cols == z2.cols, out.rows == z1.rows, out.cols == z2.rows, gradient.rows == z1.rows, gradient.cols == z2.rows * z1.cols
  else {
    throw .invalid("[input_gradient] needs inputs of one width and results of their shape. Received others.")
  }
  let outer = try OuterNetwork(network, units: z1.cols)
  let (left, right) = (try PointSet(outer, capacity: z1.rows), try PointSet(outer, capacity: z2.rows))
  try left.append(z1, rows: z1.rows)
  try right.append(z2, rows: z2.rows)
  try outerKernel(isNTK ? .ntk : .nngp, left, right, into: out, gradient: gradient, context: context)
}
