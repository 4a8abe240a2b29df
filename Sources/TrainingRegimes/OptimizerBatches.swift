import NumericCore

/// Which inputs each step sees: every epoch takes all of them once, in a random order of its own.
///
/// The order of epoch e is a Fisher-Yates shuffle with the words of a Philox stream that belongs to (key, e), so any step's batch follows
/// from its number alone. The last batch of an epoch may be smaller. With a batch of all inputs nothing is shuffled.
public final class EpochBatches {
  /// All inputs, and the most in one batch.
  public let count: Int, size: Int
  private let key: (UInt64, UInt64)
  private let order: Workspace<Int>
  private var epoch = -1

  /// Batches of `size` out of `count` inputs.
  public init(count: Int, size: Int, key: (UInt64, UInt64)) throws(NumericError) {
    guard size >= 1, size <= count else {
      throw .invalid("[train] batch_size must be in 1...\(count), the number of inputs. Received \(size).")
    }
    self.count = count
    self.size = size
    self.key = key
    order = try Workspace(size < count ? count : 0)
  }

  /// Steps until all inputs have been seen.
  public var stepsPerEpoch: Int { (count - 1) / size + 1 }

  /// The numbers of the inputs of step number `step` (from 0); nil where it sees all of them in their own order.
  public func indices(_ step: Int) -> UnsafeBufferPointer<Int>? {
    guard size < count else { return nil }
    let (wanted, place) = (step / stepsPerEpoch, step % stepsPerEpoch)
    if wanted != epoch { shuffle(wanted) }
    let first = place * size
    return UnsafeBufferPointer(start: order.pointer + first, count: min(size, count - first))
  }

  private func shuffle(_ wanted: Int) {
    epoch = wanted
    let words = PhiloxStream(key: key, counter: (0, 0, UInt64(wanted), 1))
    for i in 0..<count { order[i] = i }
    var block: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    for (draw, i) in stride(from: count - 1, to: 0, by: -1).enumerated() {
      if draw % 4 == 0 { block = words.block(UInt64(draw / 4)) }
      let word = [block.0, block.1, block.2, block.3][draw % 4]
      // The high half of word * (i + 1) is uniform on 0...i up to (i + 1) / 2^64.
      let j = Int(word.multipliedFullWidth(by: UInt64(i + 1)).high)
      (order[i], order[j]) = (order[j], order[i])
    }
  }
}

/// Copies of the rows of one batch, in memory that the next batch uses again.
final class BatchRoom {
  private let x: StridedMatrix<Double>, y: StridedMatrix<Double>
  private let batches: EpochBatches
  private let inputs: Workspace<Double>, targets: Workspace<Double>

  init(_ x: StridedMatrix<Double>, _ y: StridedMatrix<Double>, _ batches: EpochBatches) throws(NumericError) {
    (self.x, self.y, self.batches) = (x, y, batches)
    let rows = batches.size < batches.count ? batches.size : 0
    inputs = try Workspace(rows, x.cols)
    targets = try Workspace(rows, y.cols)
  }

  /// Inputs and targets of a step.
  func batch(_ step: Int) -> (x: StridedMatrix<Double>, y: StridedMatrix<Double>) {
    guard let indices = batches.indices(step) else { return (x, y) }
    return (gather(x, indices, inputs), gather(y, indices, targets))
  }

  private func gather(
    _ source: StridedMatrix<Double>, _ indices: UnsafeBufferPointer<Int>, _ room: Workspace<Double>
  ) -> StridedMatrix<Double> {
    for (r, index) in indices.enumerated() {
      let row = room.pointer + r &* source.cols
      for c in 0..<source.cols { row[c] = source[index, c] }
    }
    return StridedMatrix(room.pointer, rows: indices.count, cols: source.cols)
  }
}
