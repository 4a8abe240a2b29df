import LinearAlgebra
import NumericCore

/// The matrix M of the network sum_i a_i <w_i, x>^2 = x^T M x: M = W^T diag(a) W, into `out` (d x d). `weights` is N x d.
public func quadraticForm(
  weights: StridedMatrix<Double>, outputs: StridedMatrix<Double>, into out: StridedMatrix<Double>, context: CallContext
) throws(NumericError) {
  let (n, d) = (weights.rows, weights.cols)
  try outputs.requireSize(n, 1, "quadratic_form", "the output weights")
  try out.requireSize(d, d, "quadratic_form", "the result")
  let scaled = try OwnedMatrix(copying: weights, for: "the scaled weights", context)
  for i in 0..<n { for j in 0..<d { scaled.view[i, j] *= outputs[i, 0] } }
  try multiply(weights.transposed, scaled.view, into: out, context: context)
  symmetrise(out)
}

/// The matrix of the linearised network sum_i 2 <w_i, x> <c_i, x> = x^T M x: M = W^T C + C^T W, added to `out` (d x d).
public func addTangentForm(
  weights: StridedMatrix<Double>, tangents: StridedMatrix<Double>, to out: StridedMatrix<Double>, context: CallContext
) throws(NumericError) {
  let (n, d) = (weights.rows, weights.cols)
  try tangents.requireSize(n, d, "quadratic_form", "the tangent coefficients")
  try out.requireSize(d, d, "quadratic_form", "the result")
  try multiply(weights.transposed, tangents, into: out, alpha: 2, beta: 1, context: context)
  symmetrise(out)
}

/// m <- (m + m^T) / 2, symmetric to the bit.
func symmetrise(_ m: StridedMatrix<Double>) {
  for i in 0..<m.rows {
    for j in 0..<i {
      let mean = (m[i, j] + m[j, i]) / 2
      m[i, j] = mean
      m[j, i] = mean
    }
  }
}
