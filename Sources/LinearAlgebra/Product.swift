import COpenBLAS
import NumericCore

/// c = alpha a b + beta c, over tiles of c in parallel. Any strides; the same bits for any number of threads.
///
/// Transposes are free: pass `a.transposed`. O(m n k).
/// - Throws: `invalidArgument` where shapes do not fit, `outOfMemory` where odd strides need a copy over the limit.
@_specialize(where Element == Double)
@_specialize(where Element == Float)
public func multiply<Element: BLASReal>(
  _ a: StridedMatrix<Element>, _ b: StridedMatrix<Element>, into c: StridedMatrix<Element>, alpha: Element = 1,
  beta: Element = 0, context: CallContext
) throws(NumericError) {
  guard a.cols == b.rows, a.rows == c.rows, b.cols == c.cols else {
    throw .invalid(
      "[multiply] needs (m, k) times (k, n) into (m, n). Received (\(a.rows), \(a.cols)) times (\(b.rows), \(b.cols)) "
        + "into (\(c.rows), \(c.cols)).")
  }
  guard c.rows > 0, c.cols > 0 else { return }
  guard let (_, isTransposed) = c.blasLayout else {
    return try multiplyThroughCopy(a, b, into: c, alpha: alpha, beta: beta, context: context)
  }
  if isTransposed {
    return try multiply(b.transposed, a.transposed, into: c.transposed, alpha: alpha, beta: beta, context: context)
  }
  for size in [a.rows, a.cols, b.cols] { try requireInt32(size, "multiply") }
  try multiplyTiles(a, b, into: c, alpha: alpha, beta: beta, context: context)
}

/// The work of `multiply` once c is known to have contiguous rows.
@_specialize(where Element == Double)
@_specialize(where Element == Float)
private func multiplyTiles<Element: BLASReal>(
  _ a: StridedMatrix<Element>, _ b: StridedMatrix<Element>, into c: StridedMatrix<Element>, alpha: Element, beta: Element,
  context: CallContext
) throws(NumericError) {
  let (left, right) = (try Operand(a, context), try Operand(b, context))
  defer { withExtendedLifetime((left, right)) {} }
  let leading = c.blasLayout?.leading ?? max(1, c.cols)
  let (tileRows, tileCols) = (512, 1024)
  let (across, down) = ((c.cols + tileCols - 1) / tileCols, (c.rows + tileRows - 1) / tileRows)
  try BLASThreads.useOne()
  try runTasks(across * down, context: context.forBLAS) { (task, _) throws(NumericError) in
    let (i, j) = (task / across * tileRows, task % across * tileCols)
    let (m, n) = (min(tileRows, c.rows - i), min(tileCols, c.cols - j))
    try Element.slicedGemm(
      left.isTransposed, right.isTransposed, m, n, a.cols, alpha, left.at(i, 0), left.leading, right.at(0, j), right.leading,
      beta,
      c.base + i * leading + j, leading)
  }
}

/// For a result whose strides BLAS cannot write.
@_specialize(where Element == Double)
@_specialize(where Element == Float)
private func multiplyThroughCopy<Element: BLASReal>(
  _ a: StridedMatrix<Element>, _ b: StridedMatrix<Element>, into c: StridedMatrix<Element>, alpha: Element, beta: Element,
  context: CallContext
) throws(NumericError) {
  let bytes = checkedProduct(c.rows, c.cols).flatMap { checkedProduct($0, MemoryLayout<Element>.stride) }
  try context.reserve(bytes, for: "a contiguous copy of the result", instead: "Pass a contiguous result.")
  let room = try Workspace<Element>(c.rows, c.cols)
  let copy = StridedMatrix(room.pointer, rows: c.rows, cols: c.cols)
  try c.copy(to: copy)
  try multiply(a, b, into: copy, alpha: alpha, beta: beta, context: context)
  try copy.copy(to: c)
}
