import LinearAlgebra
import NumericCore

/// From where the derivatives of a block of inputs are taken back: one output at a time, or a given combination for each input.
public enum OutputSelection {
  /// The outputs with these numbers, each by itself.
  case outputs([Int])
  /// One scalar per input: its outputs times its row of this matrix.
  case combination(StridedMatrix<Double>)
  /// One scalar per input: its own loss, so that the mean over inputs is the whole loss.
  case sampleLoss(OutputLoss, targets: StridedMatrix<Double>)

  var count: Int {
    switch self {
    case .outputs(let numbers): numbers.count
    case .combination, .sampleLoss: 1
    }
  }
}

/// What the layers with weights receive, and the derivatives of selected outputs by what they give, for a block of inputs.
///
/// The gradient of an output by a layer's weights is the product of the two; all contractions of gradients are made from them, layer by
/// layer, and no Jacobian is ever held.
final class LayerSignals {
  let rows: Int
  /// Layers whose weights count.
  let layers: [Int]
  /// By layer: one row of inputs per input.
  private(set) var inputs: [Workspace<Double>]
  /// By layer: for each selected output a block of one row per input.
  private(set) var cotangents: [Workspace<Double>]

  /// Bytes kept for one input; nil where they cannot be counted.
  static func bytes(_ plan: NetworkPlan, outputs: Int) -> Int? {
    var sum: Int? = 0
    for index in LayerSignals.layers(plan) {
      let cotangents = checkedProduct(outputs, plan.steps[index].shape.size)
      let both = cotangents.flatMap { checkedSum($0, plan.steps[plan.steps[index].inputs[0]].shape.size) }
      sum = sum.flatMap { total in both.flatMap { checkedSum(total, $0) } }
    }
    return sum.flatMap { checkedProduct($0, 8) }
  }

  static func layers(_ plan: NetworkPlan) -> [Int] {
    plan.steps.indices.filter { if case .linear(let l) = plan.steps[$0].operation { l.isTrainable } else { false } }
  }

  init(
    _ network: Network, _ x: StridedMatrix<Double>, rows block: Range<Int>, parameters: UnsafePointer<Double>,
    selection: OutputSelection, context: CallContext
  ) throws(NumericError) {
    let plan = network.plan
    rows = block.count
    layers = LayerSignals.layers(plan)
    (inputs, cotangents) = ([], [])
    for index in layers {
      inputs.append(try Workspace(rows, plan.steps[plan.steps[index].inputs[0]].shape.size))
      cotangents.append(try Workspace(rows, selection.count, plan.steps[index].shape.size))
    }
    try network.forEachChunk(block.count, order: 0, backward: true, context: context) { (chunk, pool, _) throws(NumericError) in
      let absolute = block.lowerBound + chunk.lowerBound..<block.lowerBound + chunk.upperBound
      let tape = Tape(
        network, parameters: ParameterJet(parts: [parameters]), pool: pool, rows: absolute, allRows: x.rows, order: 0,
        backward: true)
      try tape.setInput(x)
      try tape.forward(0)
      for (position, layer) in layers.enumerated() {
        copy(tape.values[plan.steps[layer].inputs[0]][0], to: inputs[position], chunk)
      }
      for selected in 0..<selection.count {
        tape.clearCotangents(part: 0)
        tape.setOutputCotangent(try LayerSignals.start(tape, selection, selected))
        try tape.backward(0)
        for (position, layer) in layers.enumerated() {
          copy(tape.cotangents[layer][0], to: cotangents[position], chunk, offset: selected &* rows)
        }
      }
    }
  }

  private func copy(_ tensor: Tensor?, to target: Workspace<Double>, _ chunk: Range<Int>, offset: Int = 0) {
    guard let tensor else { return }
    (target.pointer + (offset &+ chunk.lowerBound) &* tensor.cols).update(from: tensor.pointer, count: tensor.count)
  }

  private static func start(_ tape: Tape, _ selection: OutputSelection, _ selected: Int) throws(NumericError) -> Tensor {
    switch selection {
    case .combination(let matrix): return try tape.rowsOfOutput(matrix)
    case .sampleLoss(let loss, let targets): return try loss.sampleCotangent(tape, targets)
    case .outputs(let numbers):
      let tensor = try tape.new(tape.plan.outputShape, zeroed: true)
      for r in 0..<tensor.rows { tensor.row(r)[numbers[selected]] = 1 }
      return tensor
    }
  }
}
