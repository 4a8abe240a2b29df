import LinearAlgebra
import NumericCore

/// Log marginal likelihood of the targets under a zero-mean Gaussian process, summed over the columns of `targets` (n x c).
///
/// `factor` is the Cholesky factor of K, `solution` = K^-1 targets. Rasmussen & Williams, 2006, equation 2.30. O(n c).
public func logMarginalLikelihood(
  factor: StridedMatrix<Double>, targets: StridedMatrix<Double>, solution: StridedMatrix<Double>
) throws(NumericError) -> Double {
  let n = factor.rows
  try requireShape(targets, n, targets.cols, "log_marginal_likelihood", "the targets")
  try requireShape(solution, n, targets.cols, "log_marginal_likelihood", "the solution")
  var fit = 0.0
  for i in 0..<n {
    try checkCancelled()
    for c in 0..<targets.cols { fit += targets[i, c] * solution[i, c] }
  }
  let logTwoPi = 1.837_877_066_409_345_5
  return -0.5 * fit - 0.5 * Double(targets.cols) * (logDeterminant(ofFactor: factor) + Double(n) * logTwoPi)
}

/// The matrix whose inner product with dK is the derivative of the log marginal likelihood: (alpha alpha^T - c K^-1) / 2, into `out` (n x n).
///
/// alpha = `solution` (n x c). Rasmussen & Williams, 2006, equation 5.9. O(n^3); n^2 numbers of workspace.
public func likelihoodSensitivity(
  factor: StridedMatrix<Double>, solution: StridedMatrix<Double>, out: StridedMatrix<Double>, context: CallContext
) throws(NumericError) {
  let n = factor.rows
  try requireShape(solution, n, solution.cols, "log_marginal_likelihood", "the solution")
  try requireShape(out, n, n, "log_marginal_likelihood", "the sensitivity")
  try reserveMatrix(n, n, "the gradient of the marginal likelihood", context)
  let room = try Workspace<Double>(n, n, zeroed: true)
  let inverse = StridedMatrix(room.pointer, rows: n, cols: n)
  for i in 0..<n { inverse[i, i] = 1 }
  try solve(.forward, factor, inverse, context: context.part(0, 0.6))
  try multiplySelf(inverse.transposed, into: out, alpha: -0.5 * Double(solution.cols), context: context.part(0.6, 0.9))
  try multiplySelf(solution, into: out, alpha: 0.5, beta: 1, context: context.part(0.9, 1))
}

/// Sum of the products of corresponding elements, row sums added in order.
public func innerProduct(_ a: StridedMatrix<Double>, _ b: StridedMatrix<Double>) throws(NumericError) -> Double {
  try requireShape(b, a.rows, a.cols, "inner_product", "the second matrix")
  var sum = 0.0
  for i in 0..<a.rows {
    var row = 0.0
    try checkCancelled()
    for j in 0..<a.cols { row += a[i, j] * b[i, j] }
    sum += row
  }
  return sum
}
