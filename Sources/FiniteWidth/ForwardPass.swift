import Architectures
import LinearAlgebra
import NumericCore

/// The weights of one Dense layer: W (inputs x outputs) and b (1 x outputs) where it has a bias.
public struct DenseWeights {
  /// Weights, one row per input.
  public var weights: StridedMatrix<Double>
  /// Biases, one row.
  public var bias: StridedMatrix<Double>?

  /// Weights and, where the layer has one, a bias.
  public init(weights: StridedMatrix<Double>, bias: StridedMatrix<Double>?) {
    self.weights = weights
    self.bias = bias
  }
}

/// Evaluates caller function `index` on `count` points, from any thread.
public typealias UserScalarFunction = (
  _ index: Int, _ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ count: Int
) throws(NumericError) -> Void

/// The output of a network with given weights.
///
/// Chunks of rows go through all layers one by one, so memory does not grow with the number of inputs and results do not depend on
/// the number of threads. O(rows x weights).
public struct ForwardPass {
  /// Rows of inputs in one chunk.
  static let chunkRows = 256

  let network: LayerNode
  let weights: [DenseWeights]
  let userFunction: UserScalarFunction
  /// Key of the random stream that Dropout in train mode draws from.
  let seed: (UInt64, UInt64)

  /// The forward pass of `network` with one entry of `weights` per Dense layer, in the order of the op table.
  public init(
    network: LayerNode, weights: [DenseWeights], seed: (UInt64, UInt64) = (0, 0), userFunction: @escaping UserScalarFunction
  ) {
    self.network = network
    self.weights = weights
    self.seed = seed
    self.userFunction = userFunction
  }

  /// Writes the outputs for the rows of `x` into `out`: as many rows per input as the network has blocks (more than one after a
  /// concatenation along the batch), block after block.
  /// - Throws: `invalidArgument` where shapes do not fit, `overflow` where an output is not finite.
  public func run(
    _ x: StridedMatrix<Double>, into out: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    guard x.rows > 0 else { return }
    let chunks = (x.rows &- 1) / ForwardPass.chunkRows &+ 1
    let shared = CallContext(
      threads: min(context.threads, BLASThreads.maximumCallers), memoryLimit: context.memoryLimit, report: context.report)
    try runTasks(chunks, context: shared) { (chunk, _) throws(NumericError) in
      let first = chunk &* ForwardPass.chunkRows
      let rows = min(ForwardPass.chunkRows, x.rows &- first)
      let chunkPass = ChunkPass(pass: self, firstRow: first, allRows: x.rows, context: shared)
      let result = try chunkPass.run(x, rows: rows)
      try ForwardPass.store(result, at: first, of: x.rows, into: out)
    }
  }

  /// Copies a chunk's outputs to their places, checking shape and finiteness.
  private static func store(
    _ batch: Batch, at first: Int, of allRows: Int, into out: StridedMatrix<Double>
  ) throws(NumericError) {
    guard let expected = checkedProduct(batch.blocks, allRows), out.rows == expected, out.cols == batch.cols else {
      throw .invalid(
        "[forward] out must have \(batch.blocks) x \(allRows) rows and \(batch.cols) columns. Received \(out.rows) x \(out.cols)."
      )
    }
    for block in 0..<batch.blocks {
      for r in 0..<batch.rows {
        let source = batch.row(block &* batch.rows &+ r)
        let target = block &* allRows &+ first &+ r
        for c in 0..<batch.cols {
          guard source[c].isFinite else {
            throw NumericError(
              .overflow, "[forward] outputs must be finite. Received \(source[c]) at row \(target), column \(c).",
              index: (target, c))
          }
          out[target, c] = source[c]
        }
      }
    }
  }
}

/// One chunk of inputs on its way through the layers.
struct ChunkPass {
  let pass: ForwardPass
  let firstRow: Int
  let allRows: Int
  /// Memory limit and thread count of the whole call; work inside a chunk is done by its own thread.
  let context: CallContext

  func run(_ x: StridedMatrix<Double>, rows: Int) throws(NumericError) -> Batch {
    let input = try Batch(blocks: 1, rows: rows, cols: x.cols, context: context)
    for r in 0..<rows {
      let target = input.row(r)
      for c in 0..<x.cols { target[c] = x[firstRow &+ r, c] }
    }
    var dropouts = 0
    let result = try apply(pass.network, to: .one(input), dropouts: &dropouts)
    return try one(result, "forward")
  }

  /// One layer. `dropouts` counts the Dropout layers so far, so that each has a random stream of its own.
  func apply(_ node: LayerNode, to flow: Flow, dropouts: inout Int) throws(NumericError) -> Flow {
    switch node {
    case .serial(let layers):
      var flow = flow
      for layer in layers { flow = try apply(layer, to: flow, dropouts: &dropouts) }
      return flow
    case .parallel(let layers):
      return try parallel(layers, flow, dropouts: &dropouts)
    case .identity:
      return flow
    case .dense(let layer):
      return .one(try dense(layer, try one(flow, "Dense")))
    case .fanOut(let num):
      return .many([Batch](repeating: try one(flow, "FanOut"), count: num))
    case .fanInSum:
      return .one(try combine(try many(flow, "FanInSum"), "FanInSum", +))
    case .fanInProd:
      return .one(try combine(try many(flow, "FanInProd"), "FanInProd", *))
    case .fanInConcat(let axis):
      return .one(try concatenate(try many(flow, "FanInConcat"), axis))
    case .layerNorm(let epsilon):
      return .one(try layerNorm(try one(flow, "LayerNorm"), epsilon))
    case .dropout(let rate, let training):
      guard training else { return flow }
      dropouts &+= 1
      return .one(try dropout(try one(flow, "Dropout"), rate, layer: dropouts))
    case .activation(let activation):
      return .one(try activate(activation, try one(flow, "nonlinearity")))
    }
  }

  private func parallel(_ layers: [LayerNode], _ flow: Flow, dropouts: inout Int) throws(NumericError) -> Flow {
    let inputs = try many(flow, "parallel")
    guard inputs.count == layers.count else {
      throw .invalid("[parallel] needs as many branches as layers. Received \(inputs.count) for \(layers.count).")
    }
    var outputs: [Batch] = []
    for (layer, input) in zip(layers, inputs) {
      outputs.append(try one(try apply(layer, to: .one(input), dropouts: &dropouts), "parallel"))
    }
    return .many(outputs)
  }

  private func one(_ flow: Flow, _ name: String) throws(NumericError) -> Batch {
    guard case .one(let batch) = flow else { throw .invalid("[\(name)] needs one input. Received branches.") }
    return batch
  }

  private func many(_ flow: Flow, _ name: String) throws(NumericError) -> [Batch] {
    guard case .many(let batches) = flow, !batches.isEmpty else {
      throw .invalid("[\(name)] needs the branches that FanOut makes. Received one input.")
    }
    return batches
  }
}
