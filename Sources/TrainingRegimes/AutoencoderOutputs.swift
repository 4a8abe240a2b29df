import LinearAlgebra
import NumericCore

/// Outputs u_i of the network (`outputs`, n x d) and its hidden activations relu(<w_r, x_i>) (`hidden`, n x m); either may be nil.
///
/// Blocks of neurons, so that the activations of all of them are never in memory unless they are asked for. O(m n d).
public func autoencoderOutputs(
  _ network: Autoencoder, outputs: StridedMatrix<Double>?, hidden: StridedMatrix<Double>?, context: CallContext
) throws(NumericError) {
  let (m, n, d) = (network.width, network.count, network.dimension)
  if let outputs { try requireShape(outputs, n, d, "the outputs") }
  if let hidden { try requireShape(hidden, n, m, "the activations") }
  let blockRows = neuronsPerBlock(n, m)
  try context.reserve(
    checkedProduct(blockRows, n).flatMap { checkedProduct($0, 8) }, for: "the activations of \(blockRows) neurons",
    instead: "Use fewer inputs at a time.")
  let room = try Workspace<Double>(blockRows, n)
  var first = 0
  while first < m {
    let rows = min(blockRows, m - first)
    let share = context.part(Double(first) / Double(m), Double(first + rows) / Double(m))
    let active = StridedMatrix(room.pointer, rows: rows, cols: n)
    try rectified(network, first, into: active, context: share)
    if let hidden { for r in 0..<rows { for i in 0..<n { hidden[i, first + r] = active[r, i] } } }
    if let outputs {
      try multiply(
        active.transposed, network.decoder.rowsFrom(first, rows), into: outputs, alpha: network.scale, beta: first == 0 ? 0 : 1,
        context: share)
    }
    first += rows
  }
}

/// relu(<w_r, x_i>) of some consecutive neurons, rows x n.
func rectified(
  _ network: Autoencoder, _ first: Int, into active: StridedMatrix<Double>, context: CallContext
) throws(NumericError) {
  try multiply(network.encoder.rowsFrom(first, active.rows), network.inputs.transposed, into: active, context: context)
  for k in 0..<active.rows * active.cols { active.base[k] = active.base[k] > 0 ? active.base[k] : 0 }
}

/// Neurons whose activations, n numbers each, take at most 8 MiB.
func neuronsPerBlock(_ n: Int, _ m: Int) -> Int { min(m, max(64, (1 << 20) / max(1, n))) }

extension StridedMatrix {
  /// Some consecutive rows, sharing the memory.
  func rowsFrom(_ first: Int, _ count: Int) -> StridedMatrix {
    StridedMatrix(base + first * rowStride, rows: count, cols: cols, rowStride: rowStride, colStride: colStride)
  }
}

/// Throws unless `m` is rows x cols.
func requireShape(_ m: StridedMatrix<Double>, _ rows: Int, _ cols: Int, _ name: String) throws(NumericError) {
  guard m.rows == rows, m.cols == cols else {
    throw .invalid("[autoencoder] \(name) must have shape (\(rows), \(cols)). Received (\(m.rows), \(m.cols)).")
  }
}
