import LinearAlgebra
import NumericCore

/// What the gradients of a network with one output are made of, at a block of inputs, with their derivatives along directions.
///
/// The gradient by a layer's weights at input i is x_i delta_i^T. Its part S (the derivative along the directions in S) is by the product rule
/// the sum of x_A delta_B^T over all splits of S into A and B, so that inner products of parts need nothing but Gram matrices of the
/// parts of x and delta: neither gradients nor Hessians are formed.
struct GradientParts {
  /// By layer and part; nil where it vanishes.
  let inputs: [[Tensor?]]
  let cotangents: [[Tensor?]]
  private let operations: [LinearOperation]

  /// The parts that a tape holds after its forward and backward passes.
  init(_ tape: Tape) {
    let layers = LayerSignals.layers(tape.plan)
    inputs = layers.map { tape.values[tape.plan.steps[$0].inputs[0]] }
    cotangents = layers.map { tape.cotangents[$0] }
    operations = layers.compactMap { if case .linear(let l) = tape.plan.steps[$0].operation { l } else { nil } }
  }

  /// Adds to `out` (rows x cols) the products of part `set` of the gradient at input i with part `otherSet` of that of `other` at input j.
  func addProducts(
    _ set: Int, _ other: GradientParts, _ otherSet: Int, rows: Int, cols: Int, room: ProductRoom,
    to out: UnsafeMutablePointer<Double>
  ) throws(NumericError) {
    for layer in operations.indices {
      try Jets.forEachSplit(set) { (a, b) throws(NumericError) in
        guard let delta = cotangents[layer][b] else { return }
        try Jets.forEachSplit(otherSet) { (c, d) throws(NumericError) in
          guard let otherDelta = other.cotangents[layer][d] else { return }
          guard try setSimilarity(layer, a, other, c, rows, cols, room) else { return }
          try gram(delta, otherDelta, rows, cols, 1, room.second.pointer)
          try forEachSlice(of: rows &* cols) { (slice) throws(NumericError) in
            for i in slice { out[i] += room.first[i] * room.second[i] }
          }
        }
      }
    }
  }

  /// room.first = products of parts `a` and `c` of what the layer receives, a bias being a weight on the constant 1; false where they vanish.
  private func setSimilarity(
    _ layer: Int, _ a: Int, _ other: GradientParts, _ c: Int, _ rows: Int, _ cols: Int, _ room: ProductRoom
  ) throws(NumericError) -> Bool {
    guard let x = inputs[layer][a], let y = other.inputs[layer][c] else { return false }
    let operation = operations[layer]
    try gram(x, y, rows, cols, operation.scale * operation.scale, room.first.pointer)
    if operation.bias != nil, a == 0, c == 0 {
      let square = operation.biasScale * operation.biasScale
      for i in 0..<rows &* cols { room.first[i] += square }
    }
    return true
  }

  private func gram(
    _ a: Tensor, _ b: Tensor, _ rows: Int, _ cols: Int, _ scale: Double, _ out: UnsafeMutablePointer<Double>
  ) throws(NumericError) {
    try Double.slicedGemm(false, true, rows, cols, a.cols, scale, a.pointer, a.cols, b.pointer, b.cols, 0, out, cols)
  }
}

/// Two Gram matrices of one worker.
struct ProductRoom {
  let first: Workspace<Double>
  let second: Workspace<Double>

  init(_ rows: Int, _ cols: Int) throws(NumericError) {
    first = try Workspace(rows, cols)
    second = try Workspace(rows, cols)
  }
}
