import NumericCore

/// What a Cholesky factorisation had to do to succeed.
public struct FactorReport: Sendable {
  /// Added to every diagonal element on request (the ridge in absolute units).
  public var ridge = 0.0
  /// Added on top because the matrix was not positive definite to working precision; 0 for most matrices.
  public var jitter = 0.0
  /// log det(a + (ridge + jitter) I).
  public var logDeterminant = 0.0
  /// The 1-norm of a + (ridge + jitter) I: its largest column sum of absolute values.
  public var norm = 0.0
}

/// How a matrix is made positive definite before it is factored.
public struct Regularization: Sendable {
  /// Added to the diagonal, in units of the mean diagonal where `isRelative`.
  public var ridge: Double
  /// Whether the ridge is in units of the mean diagonal.
  public var isRelative: Bool
  /// Largest jitter of the ladder 0, 1e-14, 1e-13, ... in units of the mean diagonal; 0 allows none.
  public var largestJitter: Double

  /// No ridge and a ladder up to 1e-6 of the mean diagonal, unless said otherwise.
  public init(ridge: Double = 0, isRelative: Bool = true, largestJitter: Double = 1e-6) {
    self.ridge = ridge
    self.isRelative = isRelative
    self.largestJitter = largestJitter
  }
}

/// Cholesky factor of a + ridge I into the lower triangle of `factor` (the upper one becomes zero); climbs the jitter ladder if needed.
///
/// `factor` may be `a` itself, which is then overwritten; a must be symmetric then. Otherwise only the lower triangle of a is read.
/// - Throws: `notPositiveDefinite` with the pivot and the largest jitter tried, `invalidArgument`, `cancelled`.
@_specialize(where Element == Double)
@_specialize(where Element == Float)
public func cholesky<Element: BLASReal>(
  _ a: StridedMatrix<Element>, into factor: StridedMatrix<Double>, _ regularization: Regularization = Regularization(),
  context: CallContext
) throws(NumericError) -> FactorReport {
  let n = a.rows
  try checkCholesky(a, factor, regularization)
  let (diagonal, sums) = (try Workspace<Double>(n), try columnSums(a))
  for i in 0..<n { diagonal[i] = Double(a[i, i]) }
  let isInPlace = Int(bitPattern: a.base) == Int(bitPattern: factor.base)
  let mean = n == 0 ? 0 : diagonal.buffer.reduce(0.0, +) / Double(n)
  var report = FactorReport(ridge: regularization.isRelative ? regularization.ridge * mean : regularization.ridge)
  var (relative, tried) = (0.0, 0.0)
  var isFirst = true
  while true {
    if isInPlace { if !isFirst { restoreLower(factor) } } else { copyLower(a, to: factor) }
    isFirst = false
    report.jitter = relative * mean
    for i in 0..<n { factor[i, i] = diagonal[i] + (report.ridge + report.jitter) }
    guard let pivot = try factorLower(factor.base, n, leading: factor.rowStride, context: context) else { break }
    tried = report.jitter
    relative = relative == 0 ? 1e-14 : relative * 10
    guard relative <= regularization.largestJitter * (1 + 1e-9), mean > 0 else {
      throw NumericError(
        .notPositiveDefinite,
        "[cholesky] needs a positive definite matrix. Received a \(n) x \(n) one whose pivot in row \(pivot) is not positive, "
          + "with jitter up to \(tried) tried on a mean diagonal of \(mean). Increase the ridge, or remove duplicate rows.",
        index: (pivot, -1), value: tried)
    }
  }
  for i in 0..<n { (factor.base + i * factor.rowStride + i + 1).update(repeating: 0, count: n - i - 1) }
  report.logDeterminant = logDeterminant(ofFactor: factor)
  for i in 0..<n { report.norm = max(report.norm, sums[i] + abs(diagonal[i] + (report.ridge + report.jitter))) }
  return report
}

/// log det(L L^T) = 2 sum log L_ii.
public func logDeterminant(ofFactor l: StridedMatrix<Double>) -> Double {
  var sum = 0.0
  for i in 0..<l.rows { sum += logarithm(l[i, i]) }
  return 2 * sum
}

private func checkCholesky<Element>(
  _ a: StridedMatrix<Element>, _ factor: StridedMatrix<Double>, _ r: Regularization
) throws(NumericError) {
  guard a.rows == a.cols, factor.rows == a.rows, factor.cols == a.cols else {
    throw .invalid(
      "[cholesky] needs a square matrix and a factor of its shape. Received (\(a.rows), \(a.cols)) and "
        + "(\(factor.rows), \(factor.cols)).")
  }
  guard factor.rows <= 1 || (factor.colStride == 1 && factor.rowStride >= factor.cols) else {
    throw .invalid("[cholesky] the factor needs contiguous rows. Received strides \(factor.rowStride), \(factor.colStride).")
  }
  guard r.ridge.isFinite, r.ridge >= 0 else {
    throw .invalid("[cholesky] the ridge must be finite and not negative. Received \(r.ridge).")
  }
  guard r.largestJitter >= 0, r.largestJitter.isFinite else {
    throw .invalid("[cholesky] the largest jitter must be finite and not negative. Received \(r.largestJitter).")
  }
}

/// Sums of the absolute values of each column without the diagonal, from the lower triangle.
@_specialize(where Element == Double)
@_specialize(where Element == Float)
private func columnSums<Element: BLASReal>(_ a: StridedMatrix<Element>) throws(NumericError) -> Workspace<Double> {
  let sums = try Workspace<Double>(a.rows, zeroed: true)
  for i in 0..<a.rows {
    let row = a.base + i &* a.rowStride
    var own = 0.0
    for j in 0..<i {
      let size = abs(Double(row[j &* a.colStride]))
      own += size
      sums[j] += size
    }
    sums[i] += own
  }
  return sums
}

@_specialize(where Element == Double)
@_specialize(where Element == Float)
private func copyLower<Element: BLASReal>(_ a: StridedMatrix<Element>, to factor: StridedMatrix<Double>) {
  for i in 0..<a.rows {
    let (source, target) = (a.base + i &* a.rowStride, factor.base + i &* factor.rowStride)
    for j in 0...i { target[j] = Double(source[j &* a.colStride]) }
  }
}

/// Brings back the lower triangle that a failed attempt destroyed, from the upper one.
private func restoreLower(_ factor: StridedMatrix<Double>) {
  for i in 0..<factor.rows { for j in 0..<i { factor[i, j] = factor[j, i] } }
}
