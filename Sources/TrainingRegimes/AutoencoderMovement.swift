import LinearAlgebra
import NumericCore

/// How far the weights of an autoencoder are from where they started.
public struct AutoencoderMovement: Sendable, Equatable {
  /// ||W - W_0||_F / ||W_0||_F.
  public var encoder = 0.0
  /// The same for the decoder.
  public var decoder = 0.0
  /// Largest ||w_r - w_r(0)||.
  public var largestNeuron = 0.0
  /// Share of the pairs of a neuron and an input whose sign of <w_r, x_i> has changed.
  public var flipped = 0.0
}

/// The movement of `network` from `start`, two networks of the same shapes on the same inputs. O(m n d).
public func autoencoderMovement(
  _ network: Autoencoder, from start: Autoencoder, context: CallContext
) throws(NumericError) -> AutoencoderMovement {
  try requireShape(start.encoder, network.width, network.dimension, "the initial encoder")
  try requireShape(start.decoder, network.width, network.dimension, "the initial decoder")
  var movement = AutoencoderMovement()
  (movement.encoder, movement.largestNeuron) = try distance(network.encoder, start.encoder)
  movement.decoder = network.isTied ? movement.encoder : try distance(network.decoder, start.decoder).relative
  movement.flipped = try flippedShare(network, start, context: context)
  return movement
}

/// Relative distance of two matrices, and the largest distance of two rows.
private func distance(_ a: StridedMatrix<Double>, _ b: StridedMatrix<Double>) throws(NumericError) -> (
  relative: Double, largestRow: Double
) {
  var (total, reference, largest) = (0.0, 0.0, 0.0)
  for r in 0..<a.rows {
    try checkCancelled()
    var row = 0.0
    for k in 0..<a.cols {
      let difference = a[r, k] - b[r, k]
      row += difference * difference
      reference += b[r, k] * b[r, k]
    }
    total += row
    largest = max(largest, row)
  }
  return (reference > 0 ? (total / reference).squareRoot() : 0, largest.squareRoot())
}

private func flippedShare(
  _ network: Autoencoder, _ start: Autoencoder, context: CallContext
) throws(NumericError) -> Double {
  let (m, n) = (network.width, network.count)
  let rows = neuronsPerBlock(n, m)
  try context.reserve(
    checkedProduct(rows, n).flatMap { checkedProduct($0, 16) }, for: "the activations of \(rows) neurons",
    instead: "Use fewer inputs at a time.")
  let (now, then) = (try Workspace<Double>(rows, n), try Workspace<Double>(rows, n))
  var (first, flips) = (0, 0)
  while first < m {
    let count = min(rows, m - first)
    let share = context.part(Double(first) / Double(m), Double(first + count) / Double(m))
    try rectified(network, first, into: StridedMatrix(now.pointer, rows: count, cols: n), context: share)
    try rectified(start, first, into: StridedMatrix(then.pointer, rows: count, cols: n), context: share)
    for k in 0..<count * n where (now[k] > 0) != (then[k] > 0) { flips += 1 }
    first += count
  }
  return Double(flips) / (Double(m) * Double(n))
}
