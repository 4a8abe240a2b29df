import LinearAlgebra
import NumericCore

/// The best fully trained network c + sum_i a_i <w_i, x>^2 with N units and weights of either sign: a form of rank N at most.
///
/// For x ~ N(0, I) the N eigenvectors of B with the largest |eigenvalue| (Eckart-Young); for a mixture those of the whitened difference D,
/// each eigenvalue explaining delta^2 / (1 + delta^2) (the largest over all forms of rank N, by interlacing). Units over the rank are zero.
/// `weights` (N x d) and `outputs` (N x 1, of 1 and -1) receive the network. Returns the best c. O(d^3).
/// Ghorbani et al., arXiv:1906.08899; exact at finite d and N.
public func fitFullyTrained(
  to task: QuadraticTask, weights: StridedMatrix<Double>, outputs: StridedMatrix<Double>, context: CallContext
) throws(NumericError) -> Double {
  let (n, d) = (weights.rows, task.dimension)
  try task.check()
  try weights.requireSize(n, d, "fit_population", "the weights")
  try outputs.requireSize(n, 1, "fit_population", "the output weights")
  switch task {
  case .function(let form, _):
    try LargestParts(form, n, context) { $0 }.write(weights, outputs)
  case .mixture(let covariance, let difference):
    let whitening = try Whitening(covariance: covariance, difference: difference, context: context)
    let inner = try OwnedMatrix(n, d, for: "the weights", context)
    let parts = try LargestParts(whitening.difference.view, n, context) { $0 / (1 + $0 * $0) }
    let explained = parts.chosen.reduce(0) { $0 + $1.eigenvalue * $1.value }
    parts.write(inner.view, outputs)
    inner.view.scale((1 / (2 + explained)).squareRoot())
    outputs.scale(-1)
    try whitening.unwhiten(inner.view, into: weights, context)
  }
  let form = try OwnedMatrix(d, d, for: "the quadratic form", context)
  try quadraticForm(weights: weights, outputs: outputs, into: form.view, context: context)
  return task.bestOffset(for: form.view)
}

/// The eigenvectors of a symmetric matrix with the largest |eigenvalue|, each with a function of its eigenvalue.
private struct LargestParts {
  let chosen: [(index: Int, eigenvalue: Double, value: Double)]
  private let vectors: OwnedMatrix

  init(
    _ m: StridedMatrix<Double>, _ count: Int, _ context: CallContext, _ function: (Double) -> Double
  ) throws(NumericError) {
    let d = m.rows
    let eigenvalues = try OwnedMatrix(d, 1, for: "eigenvalues", context)
    vectors = try OwnedMatrix(d, d, for: "eigenvectors", context)
    try symmetricEigen(m, values: eigenvalues.view.base, vectors: vectors.view, context: context)
    let values = eigenvalues.view
    let order = (0..<d).sorted { abs(values[$0, 0]) > abs(values[$1, 0]) }
    chosen = order.prefix(count).map { ($0, values[$0, 0], function(values[$0, 0])) }
  }

  /// The network sum value (v.x)^2: rows sqrt|value| v and outputs sign(value); units over the rank are zero.
  func write(_ weights: StridedMatrix<Double>, _ outputs: StridedMatrix<Double>) {
    for i in 0..<weights.rows {
      guard i < chosen.count else {
        for j in 0..<weights.cols { weights[i, j] = 0 }
        outputs[i, 0] = 1
        continue
      }
      let (index, _, value) = chosen[i]
      let length = abs(value).squareRoot()
      for j in 0..<weights.cols { weights[i, j] = length * vectors.view[index, j] }
      outputs[i, 0] = value < 0 ? -1 : 1
    }
  }
}
