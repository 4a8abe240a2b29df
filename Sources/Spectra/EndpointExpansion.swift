import NumericCore

/// Taylor coefficients of a function at 0, with estimates of their errors.
public struct EndpointExpansion: Sendable {
  /// b_0 ... b_3 of f(s) = b_0 + b_1 s + b_2 s^2 + b_3 s^3 + ...
  public let coefficients: [Double]
  /// Estimated absolute error of each.
  public let errors: [Double]
}

/// Coefficients b_0 ... b_3 at s = 0 of a function given at Chebyshev-Lobatto nodes of intervals [0, scale].
///
/// Row r of `values` holds f at s = scales[r] (1 - cos(pi j / (m - 1))) / 2, j = 0 ... m - 1. On each interval the interpolating
/// polynomial is differentiated at 0; small intervals lose digits to rounding, large ones to truncation, so the estimate with the
/// smallest sum of both is taken for each coefficient.
/// - Throws: `invalidArgument` for fewer than 8 nodes, or scales that are not positive or not one per row.
public func endpointExpansion(_ values: StridedMatrix<Double>, scales: [Double]) throws(NumericError) -> EndpointExpansion {
  guard values.cols >= 8, values.rows == scales.count, values.rows > 0, scales.allSatisfy({ $0 > 0 && $0.isFinite }) else {
    throw .invalid(
      "[endpoint_expansion] needs one positive scale per row and 8 nodes or more. Received (\(values.rows), \(values.cols)).")
  }
  var best = [Double](repeating: 0, count: 4)
  var errors = [Double](repeating: .infinity, count: 4)
  // Rounding errors are those of the largest values, also where the function is small.
  var size = 0.0
  for row in 0..<values.rows { for column in 0..<values.cols { size = max(size, abs(values[row, column])) } }
  for (row, scale) in scales.enumerated() {
    let samples = (0..<values.cols).map { values[row, $0] }
    let coefficients = chebyshevCoefficients(samples)
    var factor = 1.0
    for order in 0..<4 {
      if order > 0 { factor *= 2 / (scale * Double(order)) }
      let (value, tail, noise) = derivativeAtStart(coefficients, order, size)
      let error = factor * (tail + noise)
      if error < errors[order] { (best[order], errors[order]) = (factor * value, error) }
    }
  }
  return EndpointExpansion(coefficients: best, errors: errors)
}

/// Coefficients of the interpolating Chebyshev series in x = -1 ... 1, from values at x_j = -cos(pi j / (m - 1)).
private func chebyshevCoefficients(_ values: [Double]) -> [Double] {
  let last = values.count - 1
  return (0...last).map { n in
    var sum = 0.0
    for j in 0...last {
      let weight = j == 0 || j == last ? 0.5 : 1
      // T_n(-cos a) = (-1)^n cos(n a); the angle is reduced exactly.
      sum += weight * values[j] * cosine(.pi * Double((n * j) % (2 * last)) / Double(last))
    }
    return (n % 2 == 0 ? 1 : -1) * sum * (n == 0 || n == last ? 1 : 2) / Double(last)
  }
}

/// The derivative of some order at x = -1, the size of its last terms, and what rounding of the values may add.
private func derivativeAtStart(_ coefficients: [Double], _ order: Int, _ size: Double) -> (Double, tail: Double, noise: Double) {
  var (sum, tail, noise) = (0.0, 0.0, 0.0)
  for (n, c) in coefficients.enumerated() {
    // T_n^(m)(1) = prod_(j<m) (n^2 - j^2) / (2 j + 1), and T_n^(m)(-1) = (-1)^(n+m) T_n^(m)(1).
    var slope = 1.0
    for j in 0..<order { slope *= Double(n * n - j * j) / Double(2 * j + 1) }
    sum += ((n + order) % 2 == 0 ? c : -c) * slope
    if n >= coefficients.count - 3 { tail += abs(c) * slope }
    noise += 1e-16 * size * slope / Double(coefficients.count).squareRoot()
  }
  return (sum, tail, noise)
}
