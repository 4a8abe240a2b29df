import LinearAlgebra
import NumericCore

/// The best linearised network c + sum_i 2 <w_i, x> <c_i, x> for fixed weights W (N x d): least squares under the distribution itself.
///
/// Its forms are the symmetric matrices W^T C + C^T W, the tangent space T of all M with P M P = 0, where P projects on the complement of
/// the weights. For x ~ N(0, I) the best one is the projection B - P B P; for a mixture it solves P_T (M + D M D) ~ P_T D (D whitened)
/// by conjugate gradients. `tangents` (N x d) receives C. Returns the best c and the iterations used. O(d^3) and O(N d^2) each.
/// Ghorbani et al., arXiv:1906.08899; exact at finite d and N.
public func fitNeuralTangent(
  to task: QuadraticTask, weights: StridedMatrix<Double>, tangents: StridedMatrix<Double>, context: CallContext
) throws(NumericError) -> (offset: Double, iterations: Int) {
  let (n, d) = (weights.rows, task.dimension)
  try task.check()
  try weights.requireSize(n, d, "fit_population", "the weights")
  try tangents.requireSize(n, d, "fit_population", "the tangent coefficients")
  var iterations = 0
  switch task {
  case .function(let form, _):
    try TangentSpace(weights, context).coefficients(of: form, into: tangents, context)
  case .mixture(let covariance, let difference):
    let whitening = try Whitening(covariance: covariance, difference: difference, context: context)
    let seen = try whitening.whiten(weights, context)
    let space = try TangentSpace(seen.view, context)
    let (direction, count) = try bestDirection(space, whitening.difference.view, context)
    iterations = count
    // The scale of M = -s K that minimises the risk, with E = <K, D> the explained signal: s = 1 / (2 + E).
    direction.view.scale(-1 / (2 + direction.view.inner(whitening.difference.view)))
    let inner = try OwnedMatrix(n, d, for: "the tangent coefficients", context)
    try space.coefficients(of: direction.view, into: inner.view, context)
    try whitening.unwhiten(inner.view, into: tangents, context)
  }
  let form = try OwnedMatrix(d, d, for: "the quadratic form", context)
  try addTangentForm(weights: weights, tangents: tangents, to: form.view, context: context)
  return (task.bestOffset(for: form.view), iterations)
}

/// Conjugate gradients for P_T (K + D K D) = P_T D within T. The operator's eigenvalues are 1 + d_i d_j, positive because |D| < 1.
private func bestDirection(
  _ space: TangentSpace, _ difference: StridedMatrix<Double>, _ context: CallContext
) throws(NumericError) -> (OwnedMatrix, Int) {
  let d = difference.rows
  let (result, image, half) = (
    try OwnedMatrix(d, d, for: "the direction", context), try OwnedMatrix(d, d, for: "its image", context),
    try OwnedMatrix(d, d, for: "its image", context)
  )
  let residual = try OwnedMatrix(copying: difference, for: "the residual", context)
  try space.project(residual.view, half.view, context)
  let direction = try OwnedMatrix(copying: residual.view, for: "the search direction", context)
  var squares = residual.view.inner(residual.view)
  let goal = squares * 1e-28
  var steps = 0
  while squares > goal, steps < 1000 {
    try context.checkpoint(Double(steps) / 1000)
    try multiply(difference, direction.view, into: half.view, context: context)
    try multiply(half.view, difference, into: image.view, context: context)
    symmetrise(image.view)
    image.view.add(1, direction.view)
    try space.project(image.view, half.view, context)
    let step = squares / direction.view.inner(image.view)
    result.view.add(step, direction.view)
    residual.view.add(-step, image.view)
    let before = squares
    squares = residual.view.inner(residual.view)
    direction.view.scale(squares / before)
    direction.view.add(1, residual.view)
    steps += 1
  }
  return (result, steps)
}

/// The symmetric matrices W^T C + C^T W for weights W (N x d) of full rank.
private struct TangentSpace {
  private let weights: StridedMatrix<Double>
  /// (W W^T)^-1 W for N < d, W (W^T W)^-1 otherwise: in both cases Q = W^T dual projects on the span of the weights.
  private let dual: OwnedMatrix
  /// The projection on the complement of the weights; nil where they span everything.
  private let complement: OwnedMatrix?
  private let owner: OwnedMatrix

  init(_ given: StridedMatrix<Double>, _ context: CallContext) throws(NumericError) {
    let (n, d) = (given.rows, given.cols)
    owner = try OwnedMatrix(copying: given, for: "the weights", context)
    weights = owner.view
    dual = try OwnedMatrix(n, d, for: "the dual weights", context)
    let (small, spansAll) = (min(n, d), n >= d)
    let gram = try OwnedMatrix(small, small, for: "the products of the weights", context)
    try multiplySelf(spansAll ? weights.transposed : weights, into: gram.view, context: context)
    _ = try cholesky(gram.view, into: gram.view, context: context)
    let columns = try OwnedMatrix(
      copying: spansAll ? weights.transposed : weights, for: "the dual weights", context)
    try solve(.whole, gram.view, columns.view, context: context)
    for i in 0..<n { for j in 0..<d { dual.view[i, j] = spansAll ? columns.view[j, i] : columns.view[i, j] } }
    guard !spansAll else {
      complement = nil
      return
    }
    let rest = try OwnedMatrix(d, d, for: "a projection", context)
    for i in 0..<d { rest.view[i, i] = 1 }
    try multiply(weights.transposed, dual.view, into: rest.view, alpha: -1, beta: 1, context: context)
    symmetrise(rest.view)
    complement = rest
  }

  /// m <- m - P m P for a symmetric m; `half` is scratch of the same shape.
  func project(_ m: StridedMatrix<Double>, _ half: StridedMatrix<Double>, _ context: CallContext) throws(NumericError) {
    guard let complement else { return }
    try multiply(complement.view, m, into: half, context: context)
    try multiply(half, complement.view, into: m, alpha: -1, beta: 1, context: context)
    symmetrise(m)
  }

  /// C with W^T C + C^T W = m - P m P, into `out` (N x d): C = dual m (I - Q / 2).
  func coefficients(
    of m: StridedMatrix<Double>, into out: StridedMatrix<Double>, _ context: CallContext
  ) throws(NumericError) {
    let d = m.rows
    let factor = try OwnedMatrix(d, d, for: "a projection", context)
    for i in 0..<d { factor.view[i, i] = complement == nil ? 0.5 : 1 }
    if complement != nil {
      try multiply(weights.transposed, dual.view, into: factor.view, alpha: -0.5, beta: 1, context: context)
    }
    let half = try OwnedMatrix(d, d, for: "a projection", context)
    try multiply(m, factor.view, into: half.view, context: context)
    try multiply(dual.view, half.view, into: out, context: context)
  }
}
