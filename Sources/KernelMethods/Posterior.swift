import LinearAlgebra
import NumericCore

/// Posterior covariance of a Gaussian process: k(*,*) - k(*,X) K^-1 k(X,*), symmetric to the bit, no negative variance.
///
/// `factor` is the Cholesky factor of K (n x n), `cross` = k(*, X) (m x n), `prior` = k(*, *) (m x m); the result goes to `out` (m x m).
/// Rasmussen & Williams, Gaussian Processes for Machine Learning, 2006, equation 2.26. O(n^2 m + n m^2); n m numbers of workspace.
public func posteriorCovariance(
  factor: StridedMatrix<Double>, cross: StridedMatrix<Double>, prior: StridedMatrix<Double>, out: StridedMatrix<Double>,
  context: CallContext
) throws(NumericError) {
  let (n, m) = (factor.rows, cross.rows)
  try requireShape(cross, m, n, "posterior_covariance", "k_test_train")
  try requireShape(prior, m, m, "posterior_covariance", "k_test_test")
  try requireShape(out, m, m, "posterior_covariance", "the result")
  try reserveMatrix(n, m, "the posterior covariance", context)
  let whitened = try Workspace<Double>(n, m)
  let v = StridedMatrix(whitened.pointer, rows: n, cols: m)
  try copyMatrix(cross.transposed, to: v)
  try solve(.forward, factor, v, context: context.part(0, 0.6))
  try copyMatrix(prior, to: out)
  try multiplySelf(v.transposed, into: out, alpha: -1, beta: 1, context: context.part(0.6, 1))
  for i in 0..<m { out[i, i] = max(0, out[i, i]) }
}

/// Posterior variances: the diagonal of `posteriorCovariance`, for m test points at O(n^2 m) and a bounded workspace.
///
/// `prior` holds k(x, x) of the test points (m x 1), `out` (m x 1) receives the variances; none is negative.
public func posteriorVariance(
  factor: StridedMatrix<Double>, cross: StridedMatrix<Double>, prior: StridedMatrix<Double>, out: StridedMatrix<Double>,
  context: CallContext
) throws(NumericError) {
  let (n, m) = (factor.rows, cross.rows)
  try requireShape(cross, m, n, "posterior_variance", "k_test_train")
  try requireShape(prior, m, 1, "posterior_variance", "the prior variances")
  try requireShape(out, m, 1, "posterior_variance", "the result")
  guard m > 0 else { return }
  let chunk = min(m, 1024)
  try reserveMatrix(n, chunk, "the posterior variance", context)
  let whitened = try Workspace<Double>(n, chunk)
  for first in stride(from: 0, to: m, by: chunk) {
    let count = min(chunk, m - first)
    let rows = StridedMatrix(
      cross.base + first * cross.rowStride, rows: count, cols: n, rowStride: cross.rowStride, colStride: cross.colStride)
    let v = StridedMatrix(whitened.pointer, rows: n, cols: count)
    try copyMatrix(rows.transposed, to: v)
    try solve(.forward, factor, v, context: context.part(Double(first) / Double(m), Double(first + count) / Double(m)))
    let explained = try Workspace<Double>(count, zeroed: true)
    for i in 0..<n {
      try checkCancelled()
      for j in 0..<count { explained[j] += v[i, j] * v[i, j] }
    }
    for j in 0..<count { out[first + j, 0] = max(0, prior[first + j, 0] - explained[j]) }
  }
}
