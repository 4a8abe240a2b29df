import LinearAlgebra
import NumericCore

/// Which infinitely wide networks are trained: all layers (NTK), or the last one only (NNGP).
public enum FlowKind: Int32, Sendable {
  case nngp = 0
  case ntk = 1
}

/// Spread of an infinite ensemble over its initialisation during gradient flow, on the training points, at each of `times`.
///
/// `nngp` is the train-train NNGP (used for `.ntk`). Block t of `out` (times n x n) is the covariance at that time. O(n^3) each.
public func flowTrainCovariance(
  _ spectrum: Spectrum, _ kind: FlowKind, times: [Double], nngp: StridedMatrix<Double>?, out: StridedMatrix<Double>,
  context: CallContext
) throws(NumericError) {
  let n = spectrum.count
  try requireShape(out, n * times.count, n, "flow_covariance", "the result")
  try reserveMatrix(n, n, "the covariance during gradient flow", context, count: 3)
  let basis = try Workspace<Double>(n, n)
  let u = StridedMatrix(basis.pointer, rows: n, cols: n)
  for (index, t) in times.enumerated() {
    let block = rows(of: out, index * n, n)
    let share = context.part(Double(index) / Double(times.count), Double(index + 1) / Double(times.count))
    switch kind {
    case .nngp:
      try scaleColumns(spectrum.vectors.transposed, into: u) { (spectrum.value($0) * spectrum.decay($0, 2 * t)).squareRoot() }
      try multiplySelf(u, into: block, context: share)
    case .ntk:
      guard let nngp else { throw .invalid("[flow_covariance] the NTK ensemble needs the train-train NNGP. Received none.") }
      try requireShape(nngp, n, n, "flow_covariance", "the train-train NNGP")
      let (first, second) = (try Workspace<Double>(n, n), try Workspace<Double>(n, n))
      let (decay, product) = (StridedMatrix(first.pointer, rows: n, cols: n), StridedMatrix(second.pointer, rows: n, cols: n))
      try scaleColumns(spectrum.vectors.transposed, into: u) { spectrum.decay($0, 0.5 * t) }
      try multiplySelf(u, into: decay, context: share.part(0, 0.3))
      try multiply(nngp, decay, into: product, context: share.part(0.3, 0.7))
      try multiply(decay, product, into: block, context: share.part(0.7, 1))
      try makeCovariance(block, context)
    }
  }
}

/// The same on test points (Lee et al., 2019, arXiv:1902.06720, equations 15 and S23).
///
/// `kernels.ntkCross` is the test-train kernel of the trained network itself: the NTK for `.ntk`, the NNGP for `.nngp`.
/// Block t of `out` (times m x m) is the covariance at that time. O(m n^2) each.
public func flowTestCovariance(
  _ spectrum: Spectrum, _ kind: FlowKind, times: [Double], kernels: EnsembleKernels, out: StridedMatrix<Double>,
  context: CallContext
) throws(NumericError) {
  let (n, m) = (spectrum.count, kernels.ntkCross.rows)
  if kind == .ntk { try kernels.check(n, "flow_covariance") }
  try requireShape(kernels.ntkCross, m, n, "flow_covariance", "the test-train kernel")
  try requireShape(kernels.nngpTest, m, m, "flow_covariance", "the test-test NNGP")
  try requireShape(out, m * times.count, m, "flow_covariance", "the result")
  try reserveMatrix(n, m, "the covariance during gradient flow", context, count: 4)
  let (first, second, third) = (try Workspace<Double>(n, m), try Workspace<Double>(n, m), try Workspace<Double>(n, m))
  let projected = StridedMatrix(first.pointer, rows: m, cols: n)
  let scaled = StridedMatrix(second.pointer, rows: m, cols: n)
  let weights = StridedMatrix(third.pointer, rows: m, cols: n)
  try multiply(kernels.ntkCross, spectrum.vectors.transposed, into: projected, context: context.part(0, 0.1))
  for (index, t) in times.enumerated() {
    let block = rows(of: out, index * m, m)
    let (low, high) = (Double(index) / Double(times.count), Double(index + 1) / Double(times.count))
    let share = context.part(0.1 + 0.9 * low, 0.1 + 0.9 * high)
    switch kind {
    case .nngp:
      try scaleColumns(projected, into: scaled) { spectrum.response($0, 2 * t).squareRoot() }
      try copyMatrix(kernels.nngpTest, to: block)
      try multiplySelf(scaled, into: block, alpha: -1, beta: 1, context: share)
      for i in 0..<m { block[i, i] = max(0, block[i, i]) }
    case .ntk:
      try scaleColumns(projected, into: scaled) { spectrum.response($0, t) }
      try multiply(scaled, spectrum.vectors, into: weights, context: share.part(0, 0.3))
      try kernels.covariance(weights: weights, out: block, context: share.part(0.3, 1))
    }
  }
}

/// `count` rows of a matrix, sharing its memory.
private func rows(of m: StridedMatrix<Double>, _ first: Int, _ count: Int) -> StridedMatrix<Double> {
  StridedMatrix(m.base + first * m.rowStride, rows: count, cols: m.cols, rowStride: m.rowStride, colStride: m.colStride)
}

/// target[i, j] = factor(j) source[i, j]
private func scaleColumns(
  _ source: StridedMatrix<Double>, into target: StridedMatrix<Double>, _ factor: (Int) -> Double
) throws(NumericError) {
  let factors = (0..<source.cols).map(factor)
  try copyMatrix(source, to: target)
  for i in 0..<target.rows {
    try checkCancelled()
    for j in 0..<target.cols { target[i, j] *= factors[j] }
  }
}
