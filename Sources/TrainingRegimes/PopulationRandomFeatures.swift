import LinearAlgebra
import NumericCore

/// The best random-features network c + sum_i a_i <w_i, x>^2 for fixed weights (N x d): least squares under the distribution itself.
///
/// Normal equations of the N features, whose covariances are 2 (w_i.w_j)^2 for x ~ N(0, I) (Wick's theorem). `outputs` (N x 1) receives a.
/// More than d (d + 1) / 2 features are linearly dependent; the jitter ladder then picks one of the equivalent solutions.
/// Returns the best c and the jitter that was needed. O(N^2 d + N^3).
/// Ghorbani et al., arXiv:1906.08899; exact at finite d and N.
public func fitRandomFeatures(
  to task: QuadraticTask, weights: StridedMatrix<Double>, outputs: StridedMatrix<Double>, context: CallContext
) throws(NumericError) -> (offset: Double, jitter: Double) {
  let (n, d) = (weights.rows, task.dimension)
  try task.check()
  try weights.requireSize(n, d, "fit_population", "the weights")
  try outputs.requireSize(n, 1, "fit_population", "the output weights")
  let normal = try OwnedMatrix(n, n, for: "the covariances of \(n) features", context)
  let right = try OwnedMatrix(n, 1, for: "the right-hand side", context)
  switch task {
  case .function(let form, _):
    try addSquaredProducts(weights, nil, to: normal.view, context.part(0, 0.4))
    try diagonalOfForm(weights, form, into: right.view, context)
  case .mixture(let covariance, let difference):
    try requireClasses(covariance, difference, context)
    for label in [1.0, -1.0] {
      let spread = try OwnedMatrix(copying: covariance, for: "a covariance", context)
      spread.view.add(-label, difference)
      try addSquaredProducts(weights, spread.view, to: normal.view, context.part(0, 0.4))
    }
    try diagonalOfForm(weights, difference, into: right.view, context)
  }
  let slopes = try OwnedMatrix(copying: right.view, for: "the right-hand side", context)
  let report = try cholesky(normal.view, into: normal.view, context: context.part(0.4, 0.9))
  try solve(.whole, normal.view, right.view, context: context.part(0.9, 1))
  if case .mixture = task {
    // The means of the features differ between the classes too: a rank-one term, by Sherman-Morrison.
    right.view.scale(-1 / (1 + slopes.view.inner(right.view)))
  }
  for i in 0..<n { outputs[i, 0] = right.view[i, 0] }
  let form = try OwnedMatrix(d, d, for: "the quadratic form", context)
  try quadraticForm(weights: weights, outputs: outputs, into: form.view, context: context)
  return (task.bestOffset(for: form.view), report.jitter)
}

/// out += (W S W^T)^2, element by element; S is the identity where it is nil.
private func addSquaredProducts(
  _ weights: StridedMatrix<Double>, _ spread: StridedMatrix<Double>?, to out: StridedMatrix<Double>, _ context: CallContext
) throws(NumericError) {
  let n = weights.rows
  let products = try OwnedMatrix(n, n, for: "the products of \(n) weights", context)
  if let spread {
    let half = try OwnedMatrix(n, weights.cols, for: "the products of \(n) weights", context)
    try multiply(weights, spread, into: half.view, context: context)
    try multiply(half.view, weights.transposed, into: products.view, context: context)
  } else {
    try multiplySelf(weights, into: products.view, context: context)
  }
  // Row i and column i are averaged so that the matrix is symmetric to the bit, as an in-place factorisation needs.
  for i in 0..<n {
    try checkCancelled()
    for j in 0...i {
      let product = (products.view[i, j] + products.view[j, i]) / 2
      out[i, j] += product * product
      if j < i { out[j, i] = out[i, j] }
    }
  }
}

/// out_i = w_i^T form w_i.
private func diagonalOfForm(
  _ weights: StridedMatrix<Double>, _ form: StridedMatrix<Double>, into out: StridedMatrix<Double>, _ context: CallContext
) throws(NumericError) {
  let half = try OwnedMatrix(weights.rows, weights.cols, for: "the products of the weights", context)
  try multiply(weights, form, into: half.view, context: context)
  for i in 0..<weights.rows {
    var sum = 0.0
    for j in 0..<weights.cols { sum += half.view[i, j] * weights[i, j] }
    out[i, 0] = sum
  }
}
