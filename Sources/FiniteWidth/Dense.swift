import Architectures
import LinearAlgebra
import NumericCore

extension ChunkPass {
  /// x W times W_std / sqrt(inputs), plus b_std b; in the standard parameterization x W / sqrt(s[0]) + b.
  func dense(_ layer: DenseLayer, _ x: Batch) throws(NumericError) -> Batch {
    guard layer.index >= 0, layer.index < pass.weights.count else {
      throw .invalid("[Dense] needs weights for every layer. Received \(pass.weights.count), none for layer \(layer.index).")
    }
    let own = pass.weights[layer.index]
    try check(own, of: layer, inputs: x.cols)
    let scale =
      layer.isStandard ? 1 / Double(layer.inputScale).squareRoot() : layer.weightStd / Double(max(1, x.cols)).squareRoot()
    let out = try Batch(blocks: x.blocks, rows: x.rows, cols: own.weights.cols, context: context)
    let alone = CallContext(threads: 1, memoryLimit: context.memoryLimit)
    try multiply(x.matrix, own.weights, into: out.matrix, alpha: scale, context: alone)
    if let bias = own.bias {
      let biasScale = layer.isStandard ? 1 : layer.biasStd
      for r in 0..<out.totalRows {
        let row = out.row(r)
        for c in 0..<out.cols { row[c] += biasScale * bias[0, c] }
      }
    }
    return out
  }

  private func check(_ own: DenseWeights, of layer: DenseLayer, inputs: Int) throws(NumericError) {
    let outputs = checkedProduct(layer.outDim, layer.isStandard ? layer.outputScale : 1)
    guard own.weights.rows == inputs, own.weights.cols == outputs else {
      throw .invalid(
        "[Dense] W of layer \(layer.index) must have shape (\(inputs), \(outputs ?? -1)). "
          + "Received (\(own.weights.rows), \(own.weights.cols)).")
    }
    guard layer.hasBias == (own.bias != nil) else {
      throw .invalid("[Dense] layer \(layer.index) \(layer.hasBias ? "needs a bias" : "has no bias"). Received the opposite.")
    }
    if let bias = own.bias, bias.rows != 1 || bias.cols != own.weights.cols {
      throw .invalid(
        "[Dense] b of layer \(layer.index) must have shape (1, \(own.weights.cols)). Received (\(bias.rows), \(bias.cols)).")
    }
  }
}
