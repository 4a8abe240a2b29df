import NumericCore

/// 1 / (||A|| ||A^-1||) in the 1-norm, for a positive definite A with the Cholesky factor `l` and the given norm; 1 where A has no rows.
///
/// ||A^-1|| is estimated from below by solves. Three vectors at once tell matrices that are far from singular; for the others the estimate
/// climbs from there, as LAPACK's dpocon does (Hager, SIAM J. Sci. Stat. Comput. 5, 1984; Higham, ACM Trans. Math. Softw. 14, 1988), and is
/// then rarely off by more than a factor of 3. Where the result is above 1e-6, it may be too large by up to the number of rows. O(n^2).
public func reciprocalCondition(
  factor l: StridedMatrix<Double>, norm: Double, context: CallContext
) throws(NumericError) -> Double {
  let n = l.rows
  guard n > 0 else { return 1 }
  let context = context.reporting(nil)
  let inverse = try InverseNorm(l, columns: 3, context)
  let (rough, start) = try inverse.sample()
  var found = rough
  if norm * rough > 1e6 { found = max(rough, try inverse.climb(from: start)) }
  let product = norm * found
  return product > 0 ? min(1, 1 / product) : 0
}

/// Lower bounds for the 1-norm of A^-1: its products with vectors of 1-norm 1.
private struct InverseNorm {
  private let l: StridedMatrix<Double>
  private let x: StridedMatrix<Double>
  private let room: Workspace<Double>
  private let context: CallContext
  private var n: Int { l.rows }

  init(_ l: StridedMatrix<Double>, columns: Int, _ context: CallContext) throws(NumericError) {
    room = try Workspace<Double>(l.rows * columns)
    x = StridedMatrix(room.pointer, rows: l.rows, cols: columns)
    (self.l, self.context) = (l, context)
  }

  /// The best of the mean, of growing numbers of alternating sign and of random signs; and the signs of its product.
  func sample() throws(NumericError) -> (norm: Double, signs: [Double]) {
    let random = try Workspace<Double>(n)
    PhiloxStream(key: (0x636f_6e64, 0)).fillNormal(random.pointer, count: n)
    let size = 1 / Double(n)
    for i in 0..<n {
      x[i, 0] = size
      x[i, 1] = (i % 2 == 0 ? 2 : -2) * size / 3 * (1 + Double(i) / Double(max(1, n - 1)))
      x[i, 2] = random[i] < 0 ? -size : size
    }
    try solve(.whole, l, x, context: context)
    let norms = (0..<3).map { column in (0..<n).reduce(0.0) { $0 + abs(x[$1, column]) } }
    let best = norms.indices.reduce(0) { norms[$1] > norms[$0] ? $1 : $0 }
    return (norms[best], (0..<n).map { x[$0, best] < 0 ? -1 : 1 })
  }

  /// The largest column sum that steps from column to column find: the gradient of ||A^-1 x|| at x points to the next one.
  func climb(from signs: [Double]) throws(NumericError) -> Double {
    let y = StridedMatrix(room.pointer, rows: n, cols: 1)
    for i in 0..<n { y[i, 0] = signs[i] }
    var (norm, column) = (0.0, -1)
    for _ in 0..<5 {
      try solve(.whole, l, y, context: context)
      let next = (0..<n).reduce(0) { abs(y[$1, 0]) > abs(y[$0, 0]) ? $1 : $0 }
      guard next != column else { break }
      column = next
      for i in 0..<n { y[i, 0] = i == next ? 1 : 0 }
      try solve(.whole, l, y, context: context)
      let found = (0..<n).reduce(0.0) { $0 + abs(y[$1, 0]) }
      guard found > norm else { break }
      norm = found
      for i in 0..<n { y[i, 0] = y[i, 0] < 0 ? -1 : 1 }
    }
    return norm
  }
}
