import Architectures
import LinearAlgebra
import NumericCore

/// Ridge regression on the features of a two-layer network with fixed hidden weights: random features s(<w_i, x>), whose coefficients are
/// the output weights, and tangent features s'(<w_i, x>) x, whose coefficients are the tangent coefficients.
///
/// Minimises |y - c - F theta|^2 + ridge |theta|^2 in closed form, c free where `fitsOffset`. With p features and n samples it factors the
/// normal equations for p <= n and the Gram matrix of the samples otherwise, whose tangent part (X X^T) o (S S^T) needs no features.
/// The jitter ladder helps where the system is singular. O(min(n, p)^2 max(n, p)).
public struct TwoLayerRidge {
  /// Inputs, n x d.
  public let inputs: StridedMatrix<Double>
  /// Targets, n x 1.
  public let targets: StridedMatrix<Double>
  /// Penalty of the coefficients, at least 0.
  public let ridge: Double
  /// Whether the random features count; else the output weights become 0.
  public let usesOutputs: Bool
  /// Whether there is a free constant c.
  public let fitsOffset: Bool

  /// A problem; throws where the shapes do not fit.
  public init(
    inputs: StridedMatrix<Double>, targets: StridedMatrix<Double>, ridge: Double, usesOutputs: Bool, fitsOffset: Bool
  ) throws(NumericError) {
    guard inputs.rows > 0 else { throw .invalid("[fit] needs at least one sample. Received 0.") }
    try targets.requireSize(inputs.rows, 1, "fit", "y")
    guard ridge.isFinite, ridge >= 0 else { throw .invalid("[fit] ridge must be finite and at least 0. Received \(ridge).") }
    self.inputs = inputs
    self.targets = targets
    self.ridge = ridge
    self.usesOutputs = usesOutputs
    self.fitsOffset = fitsOffset
  }

  /// Writes the coefficients into the network's output weights and tangent coefficients; returns c and the jitter.
  public func solve(
    into network: TwoLayerNetwork<Double>, context: CallContext
  ) throws(NumericError) -> (offset: Double, jitter: Double) {
    let (n, width, d) = (inputs.rows, network.weights.rows, network.weights.cols)
    try inputs.requireSize(n, d, "fit", "X")
    let layer = try HiddenLayer(network, inputs, context)
    let features = checkedProduct(width, network.tangents == nil ? 1 : d + (usesOutputs ? 1 : 0))
    if let features, features <= n { return try solveNormal(network, layer, features, context) }
    return try solveGram(network, layer, context)
  }

  // MARK: - Gram matrix of the samples

  private func solveGram(
    _ network: TwoLayerNetwork<Double>, _ layer: HiddenLayer, _ context: CallContext
  ) throws(NumericError) -> (offset: Double, jitter: Double) {
    let n = inputs.rows
    let gram = try OwnedMatrix(n, n, for: "the Gram matrix of \(n) samples", context)
    if network.tangents != nil {
      let products = try OwnedMatrix(n, n, for: "the products of \(n) samples", context)
      try multiplySelf(layer.slopes.view.transposed, into: gram.view, context: context.part(0, 0.3))
      try multiplySelf(inputs, into: products.view, context: context.part(0.3, 0.4))
      try forEachSlice(of: n * n) { (slice) throws(NumericError) in for i in slice { gram.view.base[i] *= products.view.base[i] }
      }
    }
    if usesOutputs {
      try multiplySelf(layer.values.view.transposed, into: gram.view, beta: 1, context: context.part(0.4, 0.6))
    }
    let report = try cholesky(
      gram.view, into: gram.view, Regularization(ridge: ridge, isRelative: false), context: context.part(0.6, 0.9))
    // With K = ridge I + Gram: alpha = K^-1 (y - c 1), and c such that alpha sums to zero.
    let right = try OwnedMatrix(n, 2, for: "the right-hand sides", context)
    for i in 0..<n { (right.view[i, 0], right.view[i, 1]) = (targets[i, 0], 1) }
    try LinearAlgebra.solve(.whole, gram.view, right.view, context: context.part(0.9, 1))
    var (sum, ones) = (0.0, 0.0)
    for i in 0..<n {
      sum += right.view[i, 0]
      ones += right.view[i, 1]
    }
    let offset = fitsOffset ? sum / ones : 0
    let dual = try OwnedMatrix(n, 1, for: "the dual coefficients", context)
    for i in 0..<n { dual.view[i, 0] = right.view[i, 0] - offset * right.view[i, 1] }
    try writeCoefficients(network, layer, dual.view, context)
    return (offset, report.jitter)
  }

  /// a = F alpha, g_i = sum_k alpha_k s'(z_ik) x_k.
  private func writeCoefficients(
    _ network: TwoLayerNetwork<Double>, _ layer: HiddenLayer, _ dual: StridedMatrix<Double>, _ context: CallContext
  ) throws(NumericError) {
    if usesOutputs {
      try multiply(layer.values.view, dual, into: network.outputs, context: context)
    } else {
      for i in 0..<network.outputs.rows { network.outputs[i, 0] = 0 }
    }
    guard let tangents = network.tangents else { return }
    for i in 0..<layer.slopes.view.rows {
      try checkCancelled()
      for k in 0..<dual.rows { layer.slopes.view[i, k] *= dual[k, 0] }
    }
    try multiply(layer.slopes.view, inputs, into: tangents, context: context)
  }

  // MARK: - Normal equations of the features

  private func solveNormal(
    _ network: TwoLayerNetwork<Double>, _ layer: HiddenLayer, _ p: Int, _ context: CallContext
  ) throws(NumericError) -> (offset: Double, jitter: Double) {
    let (n, rows) = (inputs.rows, max(1, min(inputs.rows, max(64, (1 << 21) / p))))
    let normal = try OwnedMatrix(p, p, for: "the normal equations of \(p) features", context)
    let block = try OwnedMatrix(rows, p, for: "a block of \(p) features", context)
    let right = try OwnedMatrix(p, 1, for: "the right-hand side", context)
    let means = try OwnedMatrix(p, 1, for: "the means of the features", context)
    var mean = 0.0
    if fitsOffset {
      for k in 0..<n { mean += targets[k, 0] / Double(n) }
      for from in stride(from: 0, to: n, by: rows) {
        for k in 0..<min(rows, n - from) {
          try checkCancelled()
          writeFeatures(network, layer, from + k, block.view.base + k * p)
          for j in 0..<p { means.view[j, 0] += block.view[k, j] / Double(n) }
        }
      }
    }
    for from in stride(from: 0, to: n, by: rows) {
      let count = min(rows, n - from)
      for k in 0..<count {
        try checkCancelled()
        writeFeatures(network, layer, from + k, block.view.base + k * p)
        let y = targets[from + k, 0] - mean
        for j in 0..<p {
          block.view[k, j] -= means.view[j, 0]
          right.view[j, 0] += y * block.view[k, j]
        }
      }
      let part = StridedMatrix(block.view.base, rows: count, cols: p)
      try multiplySelf(
        part.transposed, into: normal.view, beta: 1,
        context: context.part(0.7 * Double(from) / Double(n), 0.7 * Double(from + count) / Double(n)))
    }
    let report = try cholesky(
      normal.view, into: normal.view, Regularization(ridge: ridge, isRelative: false), context: context.part(0.7, 0.95))
    try LinearAlgebra.solve(.whole, normal.view, right.view, context: context.part(0.95, 1))
    readCoefficients(network, right.view)
    return (fitsOffset ? mean - means.view.inner(right.view) : 0, report.jitter)
  }

  /// Features of sample k as one row: the random features first, then s'(z_i) x for each unit.
  private func writeFeatures(
    _ network: TwoLayerNetwork<Double>, _ layer: HiddenLayer, _ k: Int, _ row: UnsafeMutablePointer<Double>
  ) {
    let (width, d) = (network.weights.rows, network.weights.cols)
    var next = row
    if usesOutputs {
      for i in 0..<width { next[i] = layer.values.view[i, k] }
      next += width
    }
    guard network.tangents != nil else { return }
    for i in 0..<width {
      let s = layer.slopes.view[i, k]
      for j in 0..<d { next[j] = s * inputs[k, j] }
      next += d
    }
  }

  private func readCoefficients(_ network: TwoLayerNetwork<Double>, _ solution: StridedMatrix<Double>) {
    let (width, d) = (network.weights.rows, network.weights.cols)
    var next = 0
    for i in 0..<width {
      network.outputs[i, 0] = usesOutputs ? solution[i, 0] : 0
    }
    if usesOutputs { next += width }
    guard let tangents = network.tangents else { return }
    for i in 0..<width { for j in 0..<d { tangents[i, j] = solution[next + i * d + j, 0] } }
  }
}

/// s(z) and s'(z) of all units on all samples, N x n each.
struct HiddenLayer {
  let values: OwnedMatrix
  let slopes: OwnedMatrix

  init(_ network: TwoLayerNetwork<Double>, _ inputs: StridedMatrix<Double>, _ context: CallContext) throws(NumericError) {
    let (width, n) = (network.weights.rows, inputs.rows)
    let unit = try network.unitFunction()
    values = try OwnedMatrix(width, n, for: "\(width) units on \(n) samples", context)
    slopes = try OwnedMatrix(width, n, for: "\(width) units on \(n) samples", context)
    let room = try OwnedMatrix(3, n, for: "one unit on \(n) samples", context)
    try multiply(network.weights, inputs.transposed, into: slopes.view, context: context)
    for i in 0..<width {
      try checkCancelled()
      let row = slopes.view.base + i * n
      try unit.evaluate(row, n, value: values.view.base + i * n, slope: row, room: room.view.base)
    }
  }
}
