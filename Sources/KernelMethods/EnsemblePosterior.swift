import LinearAlgebra
import NumericCore

/// The kernels between test and training points that the spread of an ensemble of trained networks needs.
public struct EnsembleKernels: @unchecked Sendable {
  /// NTK between test and training points, m x n.
  public var ntkCross: StridedMatrix<Double>
  /// NNGP between training points, n x n.
  public var nngpTrain: StridedMatrix<Double>
  /// NNGP between test and training points, m x n.
  public var nngpCross: StridedMatrix<Double>
  /// NNGP between test points, m x m.
  public var nngpTest: StridedMatrix<Double>

  /// The four kernels; their memory must outlive this value.
  public init(
    ntkCross: StridedMatrix<Double>, nngpTrain: StridedMatrix<Double>, nngpCross: StridedMatrix<Double>,
    nngpTest: StridedMatrix<Double>
  ) {
    self.ntkCross = ntkCross
    self.nngpTrain = nngpTrain
    self.nngpCross = nngpCross
    self.nngpTest = nngpTest
  }

  func check(_ n: Int, _ operation: String) throws(NumericError) {
    let m = ntkCross.rows
    try requireShape(ntkCross, m, n, operation, "the test-train NTK")
    try requireShape(nngpTrain, n, n, operation, "the train-train NNGP")
    try requireShape(nngpCross, m, n, operation, "the test-train NNGP")
    try requireShape(nngpTest, m, m, operation, "the test-test NNGP")
  }

  /// out = k(*,*) + t K t^T - (t k(X,*) + its transpose) for weights t (m x n) on the training points, K and k the NNGP.
  ///
  /// This is the covariance of f(*) - t f(X) at initialisation. O(m n^2 + n m^2).
  func covariance(weights t: StridedMatrix<Double>, out: StridedMatrix<Double>, context: CallContext) throws(NumericError) {
    let (m, n) = (t.rows, t.cols)
    let room = try Workspace<Double>(m, n)
    let rest = StridedMatrix(room.pointer, rows: m, cols: n)
    try copyMatrix(nngpCross, to: rest)
    try multiply(t, nngpTrain, into: rest, beta: -1, context: context.part(0, 0.6))
    try copyMatrix(nngpTest, to: out)
    try multiply(rest, t.transposed, into: out, beta: 1, context: context.part(0.6, 0.8))
    try multiply(t, nngpCross.transposed, into: out, alpha: -1, beta: 1, context: context.part(0.8, 1))
    try makeCovariance(out, context)
  }
}

/// Covariance of the outputs of infinitely many networks trained to convergence by gradient flow (Lee et al., 2019, arXiv:1902.06720,
/// equation 16): `factor` is the Cholesky factor of the train-train NTK; the result goes to `out` (m x m).
public func ensembleCovariance(
  factor: StridedMatrix<Double>, kernels: EnsembleKernels, out: StridedMatrix<Double>, context: CallContext
) throws(NumericError) {
  let (n, m) = (factor.rows, kernels.ntkCross.rows)
  try kernels.check(n, "ensemble_covariance")
  try requireShape(out, m, m, "ensemble_covariance", "the result")
  try reserveMatrix(n, m, "the ensemble covariance", context, count: 2)
  let room = try Workspace<Double>(n, m)
  let t = StridedMatrix(room.pointer, rows: n, cols: m)
  try copyMatrix(kernels.ntkCross.transposed, to: t)
  try solve(.whole, factor, t, context: context.part(0, 0.5))
  try kernels.covariance(weights: t.transposed, out: out, context: context.part(0.5, 1))
}

/// Makes a computed covariance symmetric to the bit and clips the rounding errors of variances at zero.
func makeCovariance(_ c: StridedMatrix<Double>, _ context: CallContext) throws(NumericError) {
  try mirrorLower(c, context: context)
  for i in 0..<c.rows { c[i, i] = max(0, c[i, i]) }
}
