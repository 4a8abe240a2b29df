import LinearAlgebra
import NumericCore

/// Inner products of gradients of two blocks of inputs, a tile at a time.
///
/// For a layer at one position the gradient of output a at input i is x_i delta_ia^T, so products are (x_i . x_j)(delta_ia . delta_jb).
/// With many positions (convolutions) it is a sum of such terms; then either all pairs of positions are taken, or the layer's gradients of
/// the tile are formed, a panel of weights at a time, whichever costs less.
struct GradientProducts {
  let plan: NetworkPlan
  let left: LayerSignals
  let right: LayerSignals
  /// Rows of the tile in each block.
  let rows: Range<Int>
  let cols: Range<Int>
  private let pool = TensorPool()

  init(_ plan: NetworkPlan, _ left: LayerSignals, _ right: LayerSignals, rows: Range<Int>, cols: Range<Int>) {
    self.plan = plan
    self.left = left
    self.right = right
    self.rows = rows
    self.cols = cols
  }

  /// Adds to `out` (a tensor of rows x cols of the tile) the products of the gradients of selected outputs `pairs` (a of the left block
  /// with b of the right one), summed over the pairs.
  func add(_ pairs: [(a: Int, b: Int)], to out: Tensor) throws(NumericError) {
    for position in left.layers.indices {
      guard case .linear(let operation) = plan.steps[left.layers[position]].operation else { continue }
      let step = plan.steps[left.layers[position]]
      if step.shape.positions == 1 && operation.geometry == nil {
        try addFlat(operation, step, position, pairs, to: out)
      } else {
        try addSpatial(operation, step, position, pairs, to: out)
      }
    }
  }

  private func addFlat(
    _ operation: LinearOperation, _ step: Step, _ position: Int, _ pairs: [(a: Int, b: Int)], to out: Tensor
  ) throws(NumericError) {
    let width = step.shape.channels
    let inputs = plan.steps[step.inputs[0]].shape.size
    let products = try pool.take(rows: rows.count, cols: cols.count)
    for (n, pair) in pairs.enumerated() {
      let a = left.cotangents[position].pointer + (pair.a &* left.rows &+ rows.lowerBound) &* width
      let b = right.cotangents[position].pointer + (pair.b &* right.rows &+ cols.lowerBound) &* width
      try gram(a, b, width, 1, n == 0 ? 0 : 1, products)
    }
    let similar = try pool.take(rows: rows.count, cols: cols.count)
    let x = left.inputs[position].pointer + rows.lowerBound &* inputs
    let y = right.inputs[position].pointer + cols.lowerBound &* inputs
    try gram(x, y, inputs, operation.scale * operation.scale, 0, similar)
    let bias = operation.bias == nil ? 0 : operation.biasScale * operation.biasScale
    for i in 0..<out.count { out.pointer[i] += products.pointer[i] * (similar.pointer[i] + bias) }
  }

  /// out = scale a b^T + beta out over the rows of the tile, of `width` numbers each.
  private func gram(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ width: Int, _ scale: Double, _ beta: Double, _ out: Tensor
  ) throws(NumericError) {
    try Double.slicedGemm(
      false, true, rows.count, cols.count, width, scale, a, width, b, width, beta, out.pointer, cols.count)
  }

  // MARK: Layers at many positions

  private func addSpatial(
    _ operation: LinearOperation, _ step: Step, _ position: Int, _ pairs: [(a: Int, b: Int)], to out: Tensor
  ) throws(NumericError) {
    let shape = step.shape
    let patch = plan.parameters[operation.weight].rows
    let panel = max(1, min(patch, 262_144 / max(1, shape.channels &* max(rows.count, cols.count))))
    for pair in pairs {
      for first in stride(from: 0, to: patch, by: panel) {
        let size = min(panel, patch - first)
        let g = try gradients(left, rows, operation, step, position, pair.a, first..<first + size)
        let h = try gradients(right, cols, operation, step, position, pair.b, first..<first + size)
        try gram(g.pointer, h.pointer, g.cols, operation.scale * operation.scale, 1, out)
      }
      guard operation.bias != nil else { continue }
      let g = try biasGradients(left, rows, step, position, pair.a)
      let h = try biasGradients(right, cols, step, position, pair.b)
      try gram(g.pointer, h.pointer, g.cols, operation.biasScale * operation.biasScale, 1, out)
    }
  }

  /// Gradients by rows `panel` of the layer's weights (without its scale), one row per input.
  private func gradients(
    _ signals: LayerSignals, _ block: Range<Int>, _ operation: LinearOperation, _ step: Step, _ position: Int, _ selected: Int,
    _ panel: Range<Int>
  ) throws(NumericError) -> Tensor {
    let (positions, channels) = (step.shape.positions, step.shape.channels)
    let inputs = plan.steps[step.inputs[0]].shape.size
    let patch = plan.parameters[operation.weight].rows
    let out = try pool.take(rows: block.count, cols: panel.count &* channels)
    let rowsOfWindows = try pool.take(rows: positions, cols: patch)
    for (r, i) in block.enumerated() {
      let x = signals.inputs[position].pointer + i &* inputs
      let windows: UnsafeMutablePointer<Double>
      if let geometry = operation.geometry {
        geometry.lay(x, into: rowsOfWindows.pointer)
        windows = rowsOfWindows.pointer
      } else {
        windows = x
      }
      let delta = signals.cotangents[position].pointer + (selected &* signals.rows &+ i) &* step.shape.size
      try Double.slicedGemm(
        true, false, panel.count, channels, positions, 1, windows + panel.lowerBound, patch, delta, channels, 0, out.row(r),
        channels)
    }
    return out
  }

  private func biasGradients(
    _ signals: LayerSignals, _ block: Range<Int>, _ step: Step, _ position: Int, _ selected: Int
  ) throws(NumericError) -> Tensor {
    let channels = step.shape.channels
    let out = try pool.take(rows: block.count, cols: channels, zeroed: true)
    for (r, i) in block.enumerated() {
      let delta = signals.cotangents[position].pointer + (selected &* signals.rows &+ i) &* step.shape.size
      for p in 0..<step.shape.positions {
        for c in 0..<channels { out.row(r)[c] += delta[p &* channels &+ c] }
      }
    }
    return out
  }
}
