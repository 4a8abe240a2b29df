import LinearAlgebra
import NumericCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The loss 1/2 ||R_k||^2 of an infinitely wide network after k = 0, 1, ... steps, by the eigenvectors of its kernel.
///
/// Gradient descent multiplies the part of the residual along eigenvector j by 1 - rate lambda_j in each step, gradient flow by
/// exp(-rate lambda_j) in each interval. `residual` is R_0 (n x c). With `spread` (n x n) the loss is the mean over random R_0 whose columns
/// have, all together, that covariance about `residual`. `loss` has room for steps + 1 numbers. O(n^2 (n + c) + n steps).
public func predictedLoss(
  values: [Double], vectors: StridedMatrix<Double>, residual: StridedMatrix<Double>, spread: StridedMatrix<Double>?, rate: Double,
  isFlow: Bool, steps: Int, loss: UnsafeMutablePointer<Double>, context: CallContext
) throws(NumericError) {
  let n = values.count
  try requireShape(vectors, n, n, "the eigenvectors")
  try requireShape(residual, n, residual.cols, "the residual")
  if let spread { try requireShape(spread, n, n, "the covariance") }
  guard rate > 0, rate.isFinite, steps >= 0 else {
    throw .invalid("[predicted_loss] needs a positive finite rate and steps that are not negative. Received \(rate), \(steps).")
  }
  let energies = try energies(vectors, residual, spread, context: context.part(0, 0.9))
  for k in 0...steps { loss[k] = 0 }
  for j in 0..<n {
    let factor = isFlow ? exp(-rate * values[j]) : 1 - rate * values[j]
    var energy = 0.5 * energies[j]
    try forEachSlice(of: steps + 1) { (slice) throws(NumericError) in
      for k in slice {
        loss[k] += energy
        energy *= factor * factor
      }
    }
  }
  try context.checkpoint(1)
}

/// Squared length of the residual along each eigenvector.
private func energies(
  _ vectors: StridedMatrix<Double>, _ residual: StridedMatrix<Double>, _ spread: StridedMatrix<Double>?, context: CallContext
) throws(NumericError) -> [Double] {
  let (n, columns) = (vectors.rows, max(residual.cols, spread == nil ? 0 : vectors.rows))
  try context.reserve(
    checkedProduct(n, columns).flatMap { checkedProduct($0, 8) }, for: "the residuals of \(n) inputs",
    instead: "Use fewer inputs.")
  let room = try Workspace<Double>(n, columns)
  let turned = StridedMatrix(room.pointer, rows: n, cols: residual.cols)
  try multiply(vectors, residual, into: turned, context: context)
  var energies = [Double](repeating: 0, count: n)
  for j in 0..<n {
    try checkCancelled()
    for c in 0..<residual.cols { energies[j] += turned[j, c] * turned[j, c] }
  }
  if let spread {
    let image = StridedMatrix(room.pointer, rows: n, cols: n)
    try multiply(vectors, spread, into: image, context: context)
    for j in 0..<n {
      try checkCancelled()
      for c in 0..<n { energies[j] += image[j, c] * vectors[j, c] }
    }
  }
  return energies
}
