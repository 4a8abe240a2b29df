import LinearAlgebra
import NumericCore

/// What the covariance of gradients says: K = mean over gradients of (g_i - g)(g_i - g)^T, g their mean.
///
/// K is as large as the parameters squared, but has the non-zero eigenvalues of the Gram matrix <g_i - g, g_j - g> / L of the L gradients,
/// which is all that is read here. Jastrzebski et al., "The Break-Even Point" (arXiv:2002.09572), section 3.
public struct GradientCovariance: Sendable {
  /// Eigenvalues of K by size: all L - 1 of them (centring takes one), or the largest only; those below rounding are 0.
  public let eigenvalues: [Double]
  /// The largest eigenvalue of the uncentred mean over gradients of g_i g_i^T.
  public let largestUncentred: Double
  /// The traces of K and of its uncentred form.
  public let trace, traceUncentred: Double
  /// ||g||, the norm of the mean gradient.
  public let meanNorm: Double
  /// ||P g||^2 / ||g||^2, with P on the top eigenvectors of K.
  public let meanShare: Double
  /// Mean over gradients of ||g_i|| / ||P g_i||, the paper's ||g|| / ||g_5|| (1 where gradients live in the top eigenvectors).
  public let normRatio: Double

  /// From the Gram matrix <g_i, g_j> of L gradients (symmetric); `top` eigenvectors span what shares are taken of.
  ///
  /// O(L^3) where `isWhole` wants all eigenvalues, else O(L^2) for the `top` largest ones.
  /// - Throws: `invalidArgument` unless the Gram matrix is square, finite, with at least 2 rows.
  public init(gram: StridedMatrix<Double>, top: Int = 5, isWhole: Bool = true, context: CallContext) throws(NumericError) {
    let count = gram.rows
    guard count >= 2, gram.cols == count, top >= 1 else {
      throw .invalid("[gradient_covariance] needs at least 2 gradients. Received a Gram matrix of \(gram.rows) x \(gram.cols).")
    }
    let centring = try Centring(gram)
    // The Gram matrix is exact to rounding of its trace; the vector of ones is in its kernel.
    let floor = Double(count) * 2.3e-16 * max(centring.traceUncentred, 0)
    let pairs = try TopPairs(centring.matrix, count: min(top, count - 1), context: context)
    var values = pairs.values
    if isWhole, values.count < count - 1 {
      let all = try Workspace<Double>(count)
      try symmetricEigen(centring.matrix, values: all.pointer, context: context)
      values = (0..<count - 1).map { all[count - 1 - $0] }
    }
    eigenvalues = values.map { $0 > floor ? $0 : 0 }
    trace = max(0, centring.trace)
    traceUncentred = centring.traceUncentred
    meanNorm = max(0, centring.meanSquare).squareRoot()
    largestUncentred = try TopPairs(gram, count: 1, context: context).values[0] / Double(count)
    let used = pairs.values.indices.prefix(top).filter { pairs.values[$0] > floor }
    let shares = centring.shares(used.map { (pairs.values[$0], pairs.vector($0)) })
    (meanShare, normRatio) = (shares.mean, shares.ratio)
  }
}

/// The largest eigenvalues of a symmetric matrix, descending, with their vectors: all of a small one, by Lanczos of a large one.
private struct TopPairs {
  private(set) var values: [Double] = []
  private let vectors: Workspace<Double>
  private let size: Int
  private let isAscending: Bool

  init(_ a: StridedMatrix<Double>, count: Int, context: CallContext) throws(NumericError) {
    size = a.rows
    isAscending = size <= 200
    guard !isAscending else {
      vectors = try Workspace(size * size)
      let all = try Workspace<Double>(size)
      try symmetricEigen(
        a, values: all.pointer, vectors: StridedMatrix(vectors.pointer, rows: size, cols: size), context: context)
      values = (0..<max(1, size - 1)).map { all[size - 1 - $0] }
      return
    }
    vectors = try Workspace(size * count)
    values = try lanczosEigen(
      try DenseOperator(a, context: context), LanczosRequest(count: count),
      vectors: StridedMatrix(vectors.pointer, rows: count, cols: size), context: context
    ).values
  }

  func vector(_ i: Int) -> UnsafeMutablePointer<Double> {
    vectors.pointer + (isAscending ? size - 1 - i : i) * size
  }
}

/// The centred Gram matrix divided by the number of gradients, and the products with the mean gradient.
private struct Centring {
  let matrix: StridedMatrix<Double>
  let trace: Double
  let traceUncentred: Double
  let meanSquare: Double
  private let gram: StridedMatrix<Double>
  private let count: Int
  /// <g_i, mean> for each gradient.
  private let withMean: [Double]
  private let room: Workspace<Double>

  init(_ gram: StridedMatrix<Double>) throws(NumericError) {
    let n = gram.rows
    let sums = (0..<n).map { i in (0..<n).reduce(0.0) { $0 + gram[i, $1] } / Double(n) }
    let mean = sums.reduce(0, +) / Double(n)
    guard mean.isFinite else {
      throw NumericError(
        .overflow, "[gradient_covariance] products of gradients must be finite. Received NaN or infinity; rescale the loss.")
    }
    room = try Workspace(n * n)
    matrix = StridedMatrix(room.pointer, rows: n, cols: n)
    for i in 0..<n { for j in 0..<n { matrix[i, j] = (gram[i, j] - sums[i] - sums[j] + mean) / Double(n) } }
    let (matrix, gram) = (matrix, gram)
    trace = (0..<n).reduce(0.0) { $0 + matrix[$1, $1] }
    traceUncentred = (0..<n).reduce(0.0) { $0 + gram[$1, $1] } / Double(n)
    (self.gram, count, withMean, meanSquare) = (gram, n, sums, mean)
  }

  /// Shares of the mean gradient and of each gradient in the eigenvectors e = sum_i u_i (g_i - g) / sqrt(n value) of K.
  func shares(_ pairs: [(value: Double, vector: UnsafeMutablePointer<Double>)]) -> (mean: Double, ratio: Double) {
    var ofMean = 0.0
    var squares = [Double](repeating: 0, count: count)
    for (value, u) in pairs {
      let length = (Double(count) * value).squareRoot()
      var (onMean, total) = (0.0, 0.0)
      for i in 0..<count { (onMean, total) = (onMean + u[i] * withMean[i], total + u[i]) }
      let mean = (onMean - total * meanSquare) / length
      ofMean += mean * mean
      for j in 0..<count {
        var product = 0.0
        for i in 0..<count { product += u[i] * gram[i, j] }
        let projection = (product - total * withMean[j]) / length
        squares[j] += projection * projection
      }
    }
    var (ratio, counted) = (0.0, 0)
    for j in 0..<count where squares[j] > 0 {
      ratio += (gram[j, j] / squares[j]).squareRoot()
      counted += 1
    }
    return (meanSquare > 0 ? min(1, ofMean / meanSquare) : 0, counted > 0 ? ratio / Double(counted) : .nan)
  }
}

/// gram[i, j] = <row i, row j> of a caller's matrix of gradients, summed in float64 a panel of columns at a time.
///
/// Float32 gradients are widened panel by panel, so that no float64 copy of the matrix is made.
public func gramOfRows<Element: BLASReal>(
  _ gradients: StridedMatrix<Element>, into gram: StridedMatrix<Double>, context: CallContext
) throws(NumericError) {
  let (rows, width) = (gradients.rows, min(max(1, gradients.cols), 4096))
  guard gram.rows == rows, gram.cols == rows, gram.hasContiguousRows else {
    throw .invalid("[gradient_covariance] needs a Gram matrix of \(rows) x \(rows). Received \(gram.rows) x \(gram.cols).")
  }
  try context.reserve(
    checkedProduct(8 * width, rows), for: "a panel of \(rows) gradients",
    instead: "Give fewer gradients, or means of mini-batches.")
  let panel = try Workspace<Double>(rows * width)
  for i in 0..<rows { for j in 0..<rows { gram[i, j] = 0 } }
  for first in stride(from: 0, to: gradients.cols, by: width) {
    let size = min(width, gradients.cols - first)
    for i in 0..<rows { for j in 0..<size { panel[i * size + j] = Double(gradients[i, first + j]) } }
    try context.checkpoint(Double(first) / Double(gradients.cols))
    let share = context.part(Double(first) / Double(gradients.cols), Double(first + size) / Double(gradients.cols))
    try multiplySelf(StridedMatrix(panel.pointer, rows: rows, cols: size), into: gram, beta: 1, context: share)
  }
}
