import LinearAlgebra
import NumericCore

/// How gradient flow on 0.5 mean (f - y)^2 changes the outputs, in closed form, at each of `times`.
///
/// With r = f_0 - y (`residual`, n x c) the training outputs change by (exp(-K t / size) - 1) r and the test outputs by
/// k(*, X) K^-1 (exp(-K t / size) - 1) r (Jacot et al., 2018, arXiv:1806.07572; Lee et al., 2019, arXiv:1902.06720, equations 10, 11).
/// `train` (n x times c) and `test` (m x times c) receive the changes, time by time side by side. O(n^2 c times).
public func gradientFlow(
  _ spectrum: Spectrum, times: [Double], residual: StridedMatrix<Double>, train: StridedMatrix<Double>?,
  cross: StridedMatrix<Double>?, test: StridedMatrix<Double>?, context: CallContext
) throws(NumericError) {
  let (n, c, width) = (spectrum.count, residual.cols, residual.cols * times.count)
  try requireShape(residual, n, c, "gradient_flow", "the residual")
  try reserveMatrix(n, width, "gradient flow", context, count: 2)
  let projected = try Workspace<Double>(n, c)
  let coefficients = StridedMatrix(projected.pointer, rows: n, cols: c)
  try multiply(spectrum.vectors, residual, into: coefficients, context: context.part(0, 0.2))
  let room = try Workspace<Double>(n, width)
  let scaled = StridedMatrix(room.pointer, rows: n, cols: width)
  if let train {
    try requireShape(train, n, width, "gradient_flow", "the training result")
    fill(scaled, coefficients, times) { spectrum.change($0, $1) }
    try multiply(spectrum.vectors.transposed, scaled, into: train, context: context.part(0.2, 0.5))
  }
  guard let cross, let test else { return }
  try requireShape(cross, cross.rows, n, "gradient_flow", "k_test_train")
  try requireShape(test, cross.rows, width, "gradient_flow", "the test result")
  fill(scaled, coefficients, times) { -spectrum.response($0, $1) }
  let weights = try Workspace<Double>(n, width)
  let w = StridedMatrix(weights.pointer, rows: n, cols: width)
  try multiply(spectrum.vectors.transposed, scaled, into: w, context: context.part(0.5, 0.8))
  try multiply(cross, w, into: test, context: context.part(0.8, 1))
}

/// scaled[k, (t, c)] = factor(k, t) coefficients[k, c]
private func fill(
  _ scaled: StridedMatrix<Double>, _ coefficients: StridedMatrix<Double>, _ times: [Double], _ factor: (Int, Double) -> Double
) {
  let c = coefficients.cols
  for k in 0..<coefficients.rows {
    for (i, t) in times.enumerated() {
      let f = factor(k, t)
      for j in 0..<c { scaled[k, i * c + j] = f * coefficients[k, j] }
    }
  }
}
