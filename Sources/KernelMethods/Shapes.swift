import NumericCore

/// Throws unless `m` is rows x cols.
func requireShape<Element>(
  _ m: StridedMatrix<Element>, _ rows: Int, _ cols: Int, _ operation: String, _ name: String
) throws(NumericError) {
  guard m.rows == rows, m.cols == cols else {
    throw .invalid("[\(operation)] \(name) must have shape (\(rows), \(cols)). Received (\(m.rows), \(m.cols)).")
  }
}

/// Throws unless `count` matrices of rows x cols doubles are within the memory limit.
func reserveMatrix(
  _ rows: Int, _ cols: Int, _ purpose: String, _ context: CallContext, count: Int = 1
) throws(NumericError) {
  try context.reserve(
    checkedProduct(rows, cols).flatMap { checkedProduct($0, 8 * count) }, for: purpose,
    instead: "Use fewer points at a time, or a larger memory_limit.")
}

/// Copies a matrix of any strides, in blocks that suit both layouts. Can be cancelled.
func copyMatrix(_ source: StridedMatrix<Double>, to target: StridedMatrix<Double>) throws(NumericError) {
  let block = 32
  for i0 in stride(from: 0, to: source.rows, by: block) {
    try checkCancelled()
    for j0 in stride(from: 0, to: source.cols, by: block) {
      for i in i0..<min(i0 + block, source.rows) {
        for j in j0..<min(j0 + block, source.cols) { target[i, j] = source[i, j] }
      }
    }
  }
}
