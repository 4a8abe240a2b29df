import NumericCore

/// The largest eigenvalue of a symmetric matrix, to a relative error of at most `tolerance`.
///
/// By Lanczos, O(n^2) per step and some dozens of steps; small or stubborn matrices are decomposed instead.
public func largestEigenvalue(
  _ a: StridedMatrix<Double>, tolerance: Double = 1e-10, context: CallContext
) throws(NumericError) -> Double {
  let n = a.rows
  guard a.cols == n, n > 0 else {
    throw .invalid("[largest_eigenvalue] needs a square matrix with at least one row. Received (\(a.rows), \(a.cols)).")
  }
  if n > 200 {
    var request = LanczosRequest(count: 1)
    (request.tolerance, request.mostProducts) = (tolerance, 240)
    do {
      return try lanczosEigen(try DenseOperator(a, context: context), request, context: context).values[0]
    } catch  where error.kind == .notConverged {}
  }
  let values = try Workspace<Double>(n)
  try symmetricEigen(a, values: values.pointer, context: context)
  return values[n - 1]
}
