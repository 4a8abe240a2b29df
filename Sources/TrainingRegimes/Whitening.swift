import LinearAlgebra
import NumericCore

/// A mixture in coordinates z = L^-1 x in which its mean covariance L L^T is the identity and the classes are N(0, I - y D).
struct Whitening {
  /// L, lower triangular.
  let factor: OwnedMatrix
  /// D = L^-1 difference L^-T.
  let difference: OwnedMatrix

  init(
    covariance: StridedMatrix<Double>, difference given: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    let d = covariance.rows
    try requireClasses(covariance, given, context)
    factor = try OwnedMatrix(d, d, for: "the factor of the covariance", context)
    _ = try cholesky(covariance, into: factor.view, Regularization(largestJitter: 0), context: context)
    difference = try OwnedMatrix(copying: given, for: "the whitened difference", context)
    try solve(.forward, factor.view, difference.view, context: context)
    let half = try OwnedMatrix(copying: difference.view.transposed, for: "the whitened difference", context)
    try solve(.forward, factor.view, half.view, context: context)
    for i in 0..<d { for j in 0..<d { difference.view[i, j] = half.view[i, j] } }
    symmetrise(difference.view)
  }

  /// The weights that see z as `weights` (N x d) see x: w.x = (L^T w).z.
  func whiten(_ weights: StridedMatrix<Double>, _ context: CallContext) throws(NumericError) -> OwnedMatrix {
    let result = try OwnedMatrix(weights.rows, weights.cols, for: "the whitened weights", context)
    try multiply(weights, factor.view, into: result.view, context: context)
    return result
  }

  /// Rows that act on z become rows that act on x, into `target`: w = L^-T w'.
  func unwhiten(_ rows: StridedMatrix<Double>, into target: StridedMatrix<Double>, _ context: CallContext) throws(NumericError) {
    let columns = try OwnedMatrix(copying: rows.transposed, for: "the coefficients", context)
    try solve(.backward, factor.view, columns.view, context: context)
    for i in 0..<target.rows { for j in 0..<target.cols { target[i, j] = columns.view[j, i] } }
  }
}

/// Throws unless the covariances of both classes are positive definite.
func requireClasses(
  _ covariance: StridedMatrix<Double>, _ difference: StridedMatrix<Double>, _ context: CallContext
) throws(NumericError) {
  let d = covariance.rows
  let factor = try OwnedMatrix(d, d, for: "the factor of a covariance", context)
  for label in [1.0, -1.0] {
    let spread = try OwnedMatrix(copying: covariance, for: "a covariance", context)
    spread.view.add(-label, difference)
    do { _ = try cholesky(spread.view, into: factor.view, Regularization(largestJitter: 0), context: context) } catch {
      guard error.kind == .notPositiveDefinite else { throw error }
      throw NumericError(
        .notPositiveDefinite,
        "[quadratic_task] the covariances Sigma - Delta and Sigma + Delta must be positive definite. Received one that is not, at "
          + "pivot \(error.index.0) for the label \(label).", index: error.index)
    }
  }
}

extension QuadraticTask {
  /// Where fresh samples of the task come from, with the memory of what it refers to.
  public func samples(_ context: CallContext) throws(NumericError) -> (SampleSource, [Workspace<Double>]) {
    try check()
    switch self {
    case .function(let form, let offset): return (.function(form: form, offset: offset), [])
    case .mixture(let covariance, let difference):
      let d = dimension
      try requireClasses(covariance, difference, context)
      var factors: [Workspace<Double>] = []
      for label in [1.0, -1.0] {
        let spread = try OwnedMatrix(copying: covariance, for: "a covariance", context)
        spread.view.add(-label, difference)
        let room = try Workspace<Double>(d, d)
        _ = try cholesky(
          spread.view, into: StridedMatrix(room.pointer, rows: d, cols: d), Regularization(largestJitter: 0), context: context)
        factors.append(room)
      }
      let (plus, minus) = (factors[0], factors[1])
      return (
        .mixture(
          positive: StridedMatrix(plus.pointer, rows: d, cols: d), negative: StridedMatrix(minus.pointer, rows: d, cols: d)),
        factors
      )
    }
  }
}
