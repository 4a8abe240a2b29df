import Activations
import Architectures
import NumericCore

@testable import FiniteWidth

/// Numbers in memory that a test owns.
final class Numbers {
  private let room: Workspace<Double>
  let cols: Int

  init(_ values: [Double], cols: Int? = nil) throws {
    room = try Workspace<Double>(values.count)
    for (i, v) in values.enumerated() { room[i] = v }
    self.cols = cols ?? values.count
  }

  /// Standard normal numbers.
  convenience init(rows: Int, cols: Int, seed: UInt64) throws {
    let stream = PhiloxStream(key: (seed, 1), counter: (0, 0, 0, 0))
    let uniform = (0..<rows * cols * 12).map { PhiloxStream.uniform(stream.block(UInt64($0)).0) }
    // Twelve uniforms: mean 6, variance 1.
    try self.init((0..<rows * cols).map { i in uniform[12 * i..<12 * i + 12].reduce(-6, +) }, cols: cols)
  }

  var pointer: UnsafeMutablePointer<Double> { room.pointer }
  var values: [Double] { (0..<room.count).map { room[$0] } }
  var matrix: StridedMatrix<Double> { StridedMatrix(room.pointer, rows: room.count / max(1, cols), cols: cols) }
}

extension Network {
  /// Outputs, row after row.
  func outputs(_ x: Numbers, _ parameters: Numbers, threads: Int = 1) throws -> [Double] {
    let shape = plan.outputShape
    let out = try Numbers([Double](repeating: .nan, count: x.matrix.rows * shape.blocks * shape.size), cols: shape.size)
    defer { withExtendedLifetime((x, parameters)) {} }
    try forward(x.matrix, parameters: parameters.pointer, into: out.matrix, context: CallContext(threads: threads))
    return out.values
  }
}

/// A network of `layers` for flat inputs, and standard normal parameters for it.
func sample(_ layers: [LayerNode], inputs: Int, seed: UInt64 = 3) throws -> (network: Network, parameters: Numbers) {
  let network = try Network(.serial(layers), input: GridShape(channels: inputs), seed: (1, 2))
  return (network, try Numbers(rows: 1, cols: max(1, network.plan.parameterCount), seed: seed))
}

func dense(_ outputs: Int, bias: Double? = nil) -> LayerNode {
  .dense(DenseLayer(outDim: outputs, weightStd: 1.3, biasStd: bias ?? 0, hasBias: bias != nil))
}

let tanhLayer = LayerNode.activation(.made("Tanh", 1e-8))

/// The largest absolute value.
func largest(_ values: [Double]) -> Double { values.reduce(0) { max($0, abs($1)) } }
