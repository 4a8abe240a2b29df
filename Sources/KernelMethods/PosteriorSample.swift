import LinearAlgebra
import NumericCore

/// Draws from Gaussians that share one covariance: column (s, j) of `out` (m x samples c) is mean column j plus a draw of its own.
///
/// Number i of draw (s, j) has a fixed place in the stream, so the first samples are the same for any number of samples and threads.
/// The covariance may be singular: the jitter ladder of `cholesky` applies, and its jitter is returned. O(m^3 / 3 + m^2 samples c).
public func samplePosterior(
  mean: StridedMatrix<Double>, covariance: StridedMatrix<Double>, stream: PhiloxStream, samples: Int, out: StridedMatrix<Double>,
  context: CallContext
) throws(NumericError) -> Double {
  let (m, c) = (mean.rows, mean.cols)
  guard samples >= 0, let width = checkedProduct(samples, c), let numbers = checkedProduct(width, m) else {
    throw .invalid("[sample_posterior] the number of samples must not be negative or overflow. Received \(samples).")
  }
  try requireShape(covariance, m, m, "sample_posterior", "the covariance")
  try requireShape(out, m, width, "sample_posterior", "the result")
  try context.reserve(
    checkedProduct(m, m).flatMap { checkedSum($0, numbers) }.flatMap { checkedProduct($0, 8) }, for: "sampling",
    instead: "Draw fewer samples at a time.")
  let room = try Workspace<Double>(m, m)
  let factor = StridedMatrix(room.pointer, rows: m, cols: m)
  var jitter = 0.0
  if isZero(covariance) {
    try copyMatrix(covariance, to: factor)
  } else {
    jitter = try cholesky(covariance, into: factor, context: context.part(0, 0.5)).jitter
  }
  let normal = try Workspace<Double>(numbers)
  try stream.fillNormal(normal.pointer, count: numbers)
  for i in 0..<m {
    try checkCancelled()
    for k in 0..<width { out[i, k] = mean[i, k % c] }
  }
  try multiply(
    factor, StridedMatrix(normal.pointer, rows: width, cols: m).transposed, into: out, beta: 1, context: context.part(0.5, 1))
  return jitter
}

private func isZero(_ m: StridedMatrix<Double>) -> Bool {
  for i in 0..<m.rows where m[i, i] != 0 { return false }
  return true
}
