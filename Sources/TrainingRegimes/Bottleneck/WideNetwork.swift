import Activations
import LinearAlgebra
import NumericCore

/// A finite network of the outer architecture with fixed weights, and its gradient by the inputs: f_0 as a random draw or as given.
///
/// A draw of width m has the NNGP as the mean of its kernel, with fluctuations of relative size m^-1/2. O(n m) for one hidden layer, else
/// O(n m^2).
final class WideNetwork {
  /// Functions between the layers; nil where two Dense layers follow each other.
  private let functions: [ScalarFunction?]
  /// Weights of each Dense layer, inputs x outputs, with their factors.
  private let weights: [StridedMatrix<Double>]
  private let biases: [[Double]]
  private let memory: [Workspace<Double>]

  /// Number of outputs.
  var outputs: Int { weights[weights.count - 1].cols }

  /// A draw whose normal numbers are those of the key; `width` 0 means 4,096 units for one hidden layer and 1,024 for several.
  init(
    drawing network: OuterNetwork, outputs: Int, width: Int, key: (UInt64, UInt64), context: CallContext
  ) throws(NumericError) {
    let depth = network.layers.count
    let width = width > 0 ? width : depth > 1 ? 1024 : 4096
    let sizes = [network.units] + [Int](repeating: width, count: depth) + [outputs]
    let scales = [(network.scale, network.bias)] + network.layers.map { ($0.weight / Double(width), $0.bias) }
    var total: Int? = 0
    for l in 0...depth { total = total.flatMap { t in checkedProduct(sizes[l] + 1, sizes[l + 1]).flatMap { checkedSum(t, $0) } } }
    try context.reserve(
      total.flatMap { checkedProduct($0, 8) }, for: "the initial outer network of width \(width)",
      instead: "Use a smaller start_width.")
    var (weights, memory, biases): ([StridedMatrix<Double>], [Workspace<Double>], [[Double]]) = ([], [], [])
    for l in 0...depth {
      let (rows, cols) = (sizes[l], sizes[l + 1])
      let (room, bias) = (try Workspace<Double>(rows * cols), try Workspace<Double>(cols))
      PhiloxStream(key: key, counter: (0, UInt64(2 * l), 0, 0)).fillNormal(room.pointer, count: rows * cols)
      PhiloxStream(key: key, counter: (0, UInt64(2 * l + 1), 0, 0)).fillNormal(bias.pointer, count: cols)
      let (w, b) = (scales[l].0.squareRoot(), scales[l].1.squareRoot())
      for e in 0..<rows * cols { room[e] *= w }
      weights.append(StridedMatrix(room.pointer, rows: rows, cols: cols))
      memory.append(room)
      biases.append((0..<cols).map { b * bias[$0] })
    }
    (self.weights, self.memory, self.biases) = (weights, memory, biases)
    functions = network.layerActivations.map { $0?.function }
  }

  /// One hidden layer with given weights (units x width, width x outputs) and biases (or none), as `stax` draws them.
  init(
    _ network: OuterNetwork, hidden: StridedMatrix<Double>, hiddenBias: [Double], readout: StridedMatrix<Double>,
    outputBias: [Double]
  ) throws(NumericError) {
    let width = hidden.cols
    guard network.layers.count == 1 else {
      throw .invalid(
        "[Bottleneck] initial weights need an outer network with one hidden layer. Received \(network.layers.count).")
    }
    guard width > 0, hidden.rows == network.units, readout.rows == width, readout.cols > 0,
      hiddenBias.isEmpty || hiddenBias.count == width, outputBias.isEmpty || outputBias.count == readout.cols
    else {
      throw .invalid(
        "[Bottleneck] initial weights need the shapes (units, width) and (width, outputs). Received (\(hidden.rows), \(hidden.cols)) "
          + "and (\(readout.rows), \(readout.cols)).")
    }
    let factors = [network.scale.squareRoot(), (network.layers[0].weight / Double(width)).squareRoot()]
    var (weights, memory): ([StridedMatrix<Double>], [Workspace<Double>]) = ([], [])
    for (given, factor) in zip([hidden, readout], factors) {
      // Copies: the caller's memory lives for one call.
      let room = try Workspace<Double>(given.rows * given.cols)
      let copy = StridedMatrix(room.pointer, rows: given.rows, cols: given.cols)
      for i in 0..<given.rows { for j in 0..<given.cols { copy[i, j] = factor * given[i, j] } }
      weights.append(copy)
      memory.append(room)
    }
    let zeros = ([Double](repeating: 0, count: width), [Double](repeating: 0, count: readout.cols))
    let (first, last) = (network.bias.squareRoot(), network.layers[0].bias.squareRoot())
    biases = [
      hiddenBias.isEmpty ? zeros.0 : hiddenBias.map { first * $0 }, outputBias.isEmpty ? zeros.1 : outputBias.map { last * $0 },
    ]
    (self.weights, self.memory) = (weights, memory)
    functions = network.layerActivations.map { $0?.function }
  }

  /// Values (points x outputs) and gradients (points x outputs units), contiguous.
  func evaluate(
    _ points: PointSet, values: StridedMatrix<Double>, gradients: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    let (n, units) = (points.count, points.network.units)
    var rooms = [try Workspace<Double>(n * units)]
    var slopes: [Workspace<Double>] = []
    for i in 0..<n { for d in 0..<units { rooms[0][i * units + d] = points.coordinate(d)[i] } }
    for (l, w) in weights.enumerated() {
      let y = try Workspace<Double>(n * w.cols)
      for i in 0..<n { for j in 0..<w.cols { y[i * w.cols + j] = biases[l][j] } }
      try multiply(
        StridedMatrix(rooms[l].pointer, rows: n, cols: w.rows), w, into: StridedMatrix(y.pointer, rows: n, cols: w.cols), beta: 1,
        context: context)
      if l < functions.count {
        slopes.append(try Workspace(n * w.cols))
        try activate(functions[l], y.pointer, slopes[l].pointer, rows: n, cols: w.cols, context)
      }
      rooms.append(y)
    }
    values.base.update(from: rooms[weights.count].pointer, count: n * outputs)
    for o in 0..<outputs { try differentiate(o, slopes, n, gradients, context) }
  }

  private func activate(
    _ function: ScalarFunction?, _ y: UnsafeMutablePointer<Double>, _ slope: UnsafeMutablePointer<Double>, rows: Int, cols: Int,
    _ context: CallContext
  ) throws(NumericError) {
    // Rows in groups that are worth a thread.
    let group = max(1, 32_768 / max(cols, 1))
    try runTasks((rows + group - 1) / group, context: context) { (task, _) throws(NumericError) in
      let first = task * group * cols
      let count = min(rows, (task + 1) * group) * cols - first
      if let function {
        function.evaluate(y + first, count, into: [y + first, slope + first])
      } else {
        (slope + first).update(repeating: 1, count: count)
      }
    }
  }

  /// The gradient of output o, backwards through the layers.
  private func differentiate(
    _ o: Int, _ slopes: [Workspace<Double>], _ n: Int, _ gradients: StridedMatrix<Double>, _ context: CallContext
  ) throws(NumericError) {
    let last = weights.count - 1
    var back = try Workspace<Double>(n * weights[last].rows)
    for i in 0..<n { for r in 0..<weights[last].rows { back[i * weights[last].rows + r] = weights[last][r, o] } }
    for l in stride(from: last - 1, through: 0, by: -1) {
      let w = weights[l]
      for e in 0..<n * w.cols { back[e] *= slopes[l][e] }
      let next = try Workspace<Double>(n * w.rows)
      try multiply(
        StridedMatrix(back.pointer, rows: n, cols: w.cols), w.transposed,
        into: StridedMatrix(next.pointer, rows: n, cols: w.rows),
        context: context)
      back = next
    }
    let units = weights[0].rows
    for i in 0..<n { for d in 0..<units { gradients[i, o * units + d] = back[i * units + d] } }
  }
}
