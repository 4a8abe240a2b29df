import NumericCore

/// The outputs of one layer for one chunk of inputs: `blocks * rows` rows, block after block, of `cols` units each.
final class Batch {
  let storage: Workspace<Double>
  let blocks: Int
  let rows: Int
  let cols: Int

  init(blocks: Int, rows: Int, cols: Int, context: CallContext) throws(NumericError) {
    let count = checkedProduct(blocks, rows).flatMap { checkedProduct($0, cols) }
    // Every worker holds about three such arrays at a time.
    let bytes = count.flatMap { checkedProduct($0, 24) }.flatMap { checkedProduct($0, context.threads) }
    try context.reserve(bytes, for: "a layer of \(cols) units", instead: "Use fewer threads or a narrower layer.")
    storage = try Workspace<Double>(count ?? 0)
    self.blocks = blocks
    self.rows = rows
    self.cols = cols
  }

  /// A batch of the same shape, its contents not set.
  func likeThis(_ context: CallContext) throws(NumericError) -> Batch {
    try Batch(blocks: blocks, rows: rows, cols: cols, context: context)
  }

  var totalRows: Int { blocks &* rows }
  var count: Int { totalRows &* cols }
  var pointer: UnsafeMutablePointer<Double> { storage.pointer }
  var matrix: StridedMatrix<Double> { StridedMatrix(pointer, rows: totalRows, cols: cols) }

  func row(_ r: Int) -> UnsafeMutablePointer<Double> { pointer + r &* cols }
}

/// What flows between layers: one batch, or one per branch.
enum Flow {
  case one(Batch)
  case many([Batch])
}
