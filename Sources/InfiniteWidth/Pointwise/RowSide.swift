import Architectures
import NumericCore
import VectorKernelTypes

/// Everything about the inputs of one side that does not depend on the other side: for each layer the standard deviations and the
/// arrays that pairs read. Computed once per input, in float64, with the same vector kernels as the pairs.
final class RowSide {
  let count: Int
  /// Inputs rounded up to whole vectors of either type; the padding behaves like rows of zeros.
  let padded: Int
  /// Numbers per input and array: 2 where a derivative travels along.
  let planes: Int
  private(set) var arrays: [Workspace<Double>] = []
  /// Coefficient arrays of the series layers, by table number.
  private(set) var tables: [[Workspace<Double>]]

  private let kernels: ElementKernels
  private let users: UserDuals
  private let tangent: DenseTangent?

  /// - Parameter deviations: standard deviation of each input.
  init(
    deviations: UnsafePointer<Double>, count: Int, arrayCount: Int, tableCount: Int, kernels: ElementKernels, users: UserDuals,
    tangent: DenseTangent? = nil
  ) throws(NumericError) {
    self.count = count
    self.kernels = kernels
    self.users = users
    self.tangent = tangent
    planes = kernels.planes
    padded = (count + 63) / 32 * 32
    tables = [[Workspace<Double>]](repeating: [], count: tableCount)
    for _ in 0..<arrayCount { arrays.append(try Workspace<Double>(padded, planes, zeroed: true)) }
    for i in 0..<count { arrays[0].pointer[at(i)] = deviations[i] }
  }

  /// Position of input i's value; its derivative stands 8 further.
  func at(_ i: Int) -> Int { planes == 1 ? i : (i >> 3) * 16 + (i & 7) }

  /// Values of one array, without padding.
  func values(_ id: ArrayID) -> [Double] { (0..<count).map { arrays[id].pointer[at($0)] } }

  /// Throws where a deviation after the step is over `limit`.
  func check(_ step: RowStep, _ limit: Double, _ name: String) throws(NumericError) {
    let output = arrays[step.output].pointer
    for i in 0..<count where !(output[at(i)] <= limit) {
      throw NumericError(
        .overflow,
        "[kernel] the variance after \(step.layer) must stay finite in the result's type. "
          + "Received \(output[at(i)]) squared for \(name)[\(i)].", index: (i, -1))
    }
  }

  /// Runs one step; a series needs a plan, see `RowPass`.
  func run(_ step: RowStep) throws(NumericError) {
    let (input, output) = (arrays[step.input].pointer, arrays[step.output].pointer)
    switch step.action {
    case .dual(let kind, let parameters, let ids, _):
      let prepare = try kernels.dual(kind).prepare
      let targets = ids.map { UnsafeMutableRawPointer(arrays[$0].pointer) } + [UnsafeMutableRawPointer(output)]
      parameters.withUnsafeBufferPointer { parameters in
        targets.withUnsafeBufferPointer { targets in
          guard let p = parameters.baseAddress, let t = targets.baseAddress else { return }
          prepare(RowArguments(deviations: input, arrays: t, result: output, count: count, parameters: p))
        }
      }
    case .dense(let layer, let ownRoot, let own, let cosine, let sine):
      mapDense(layer, input, output, cosine.map { arrays[$0].pointer }, sine.map { arrays[$0].pointer })
      mapOwn(layer, ownRoot, input, arrays[own].pointer)
    case .layerNorm(let epsilon, let scale):
      let u = arrays[scale].pointer
      eachInput { (i, d) in
        let value = 1 / hypotenuse(input[i], epsilon.squareRoot())
        u[i] = value.isFinite ? value : 0
        output[i] = input[i] * u[i]
        if let d {
          u[d] = -u[i] * u[i] * u[i] * input[i] * input[d]
          output[d] = input[d] * u[i] + input[i] * u[d]
        }
      }
    case .dropout(let rate):
      let factor = 1 / rate.squareRoot()
      eachInput { (i, d) in
        output[i] = input[i] * factor
        if let d { output[d] = input[d] * factor }
      }
    case .sum(let branches, let weights, let shares): sum(branches, weights, shares, output)
    case .product(let branches): product(branches, output)
    case .series: break
    case .userDual(let function):
      try requireValuesOnly("Elementwise")
      let q = values(step.input).map { $0 * $0 }
      let t = try users.dual(function, covariances: q, variances1: q, variances2: q, wantsSlope: false).values
      for i in 0..<count { output[i] = max(t[i], 0).squareRoot() }
    case .userQuadrature(let function, let degree):
      try requireValuesOnly("ElementwiseNumerical")
      let t = try users.selfQuadrature(function, degree: degree, variances: values(step.input).map { $0 * $0 })
      for i in 0..<count { output[i] = max(t[i], 0).squareRoot() }
    }
  }

  private func requireValuesOnly(_ layer: String) throws(NumericError) {
    guard planes == 1 else {
      throw .invalid(
        "[\(layer)] derivatives by W_std and b_std need a closed form or a Hermite expansion (deg=None). Received the caller's own dual."
      )
    }
  }

  /// Calls `body` with the position of each value and of its derivative.
  private func eachInput(_ body: (_ value: Int, _ derivative: Int?) -> Void) {
    for i in 0..<count { body(at(i), planes == 1 ? nil : at(i) + 8) }
  }

  private func mapDense(
    _ layer: DenseLayer, _ s: UnsafeMutablePointer<Double>, _ out: UnsafeMutablePointer<Double>,
    _ cosine: UnsafeMutablePointer<Double>?, _ sine: UnsafeMutablePointer<Double>?
  ) {
    let (w, b) = (layer.weightStd, layer.biasStd)
    let (dw, db) = tangent?.directions(layer) ?? (0, 0)
    eachInput { (i, d) in
      let a = w * s[i]
      out[i] = hypotenuse(a, b)
      let inverse = out[i] > 0 ? 1 / out[i] : 0
      if let cosine, let sine {
        cosine[i] = a * inverse
        sine[i] = b * inverse
      }
      guard let d else { return }
      let da = dw * s[i] + w * s[d]
      out[d] = (a * inverse) * da + (b * inverse) * db
      if let cosine, let sine {
        cosine[d] = (da - cosine[i] * out[d]) * inverse
        sine[d] = (db - sine[i] * out[d]) * inverse
      }
    }
  }

  /// The deviations times the root of the layer's own factor (W_std, or the root of the width).
  private func mapOwn(
    _ layer: DenseLayer, _ root: Double, _ s: UnsafeMutablePointer<Double>, _ own: UnsafeMutablePointer<Double>
  ) {
    let change = layer.isStandard || layer.isFrozen ? 0 : tangent?.directions(layer).0 ?? 0
    eachInput { (i, d) in
      own[i] = root * s[i]
      if let d { own[d] = change * s[i] + root * s[d] }
    }
  }

  private func sum(_ branches: [ArrayID], _ weights: [Double], _ shares: [ArrayID], _ out: UnsafeMutablePointer<Double>) {
    let roots = weights.map { $0.squareRoot() }
    eachInput { (i, d) in
      var total = 0.0
      var derivative = 0.0
      for (branch, root) in zip(branches, roots) {
        let s = arrays[branch].pointer
        total = hypotenuse(total, root * s[i])
        if let d { derivative += root * root * s[i] * s[d] }
      }
      out[i] = total
      let inverse = total > 0 ? 1 / total : 0
      if let d { out[d] = derivative * inverse }
      for ((branch, root), share) in zip(zip(branches, roots), shares) {
        let (s, e) = (arrays[branch].pointer, arrays[share].pointer)
        e[i] = root * s[i] * inverse
        if let d { e[d] = (root * s[d] - e[i] * out[d]) * inverse }
      }
    }
  }

  private func product(_ branches: [ArrayID], _ out: UnsafeMutablePointer<Double>) {
    eachInput { (i, d) in
      var value = 1.0
      var derivative = 0.0
      for branch in branches {
        let s = arrays[branch].pointer
        if let d { derivative = derivative * s[i] + value * s[d] }
        value *= s[i]
      }
      out[i] = value
      if let d { out[d] = derivative }
    }
  }
}

/// Directions in which the parameters of the Dense layers change, for directional derivatives.
struct DenseTangent {
  let weights: [Double]
  let biases: [Double]

  func directions(_ layer: DenseLayer) -> (Double, Double) {
    layer.index < weights.count ? (weights[layer.index], layer.hasBias ? biases[layer.index] : 0) : (0, 0)
  }
}

/// sqrt(a^2 + b^2) without overflow or underflow on the way.
private func hypotenuse(_ a: Double, _ b: Double) -> Double {
  let (large, small) = (max(abs(a), abs(b)), min(abs(a), abs(b)))
  guard large > 0, large.isFinite, small > 0 else { return large }
  let ratio = small / large
  return large * (1 + ratio * ratio).squareRoot()
}

// MARK: Hermite series

extension RowSide {
  /// Fills the coefficient arrays, the ratio and the deviations after the layer.
  func fillSeries(
    _ source: SeriesSource, input: ArrayID, output: ArrayID, ratio: ArrayID, table: Int, plan: SeriesPlan
  ) throws(NumericError) {
    let terms = plan.terms
    // A derivative needs two more coefficients: da_n/ds = (n a_n + sqrt((n + 1)(n + 2)) a_(n+2)) / s.
    let known = planes == 1 ? terms : terms + 2
    let deviations = values(input)
    let a = try expansion(of: source).coefficients(deviations, terms: known, steepness: plan.deviations.largest)
    var columns: [Workspace<Double>] = []
    for _ in 0..<terms { columns.append(try Workspace<Double>(padded, planes, zeroed: true)) }
    let (s, out, r) = (arrays[input].pointer, arrays[output].pointer, arrays[ratio].pointer)
    for i in 0..<count {
      if i % 256 == 0 { try checkCancelled() }
      let row = a.pointer + i * known
      let (v, d) = (at(i), at(i) + 8)
      var energy = 0.0
      for n in 0..<terms { energy += row[n] * row[n] }
      out[v] = energy.squareRoot()
      let inverse = energy > 0 ? 1 / out[v] : 0
      let toInput = s[v] > 0 ? 1 / s[v] : 0
      r[v] = out[v] * toInput
      for n in 0..<terms { columns[n].pointer[v] = row[n] * inverse }
      guard planes == 2 else { continue }
      var slope = 0.0
      for n in 0..<terms {
        let da = (Double(n) * row[n] + (Double((n + 1) * (n + 2))).squareRoot() * row[n + 2]) * toInput * s[d]
        columns[n].pointer[d] = da
        slope += row[n] * da
      }
      out[d] = slope * inverse
      r[d] = (out[d] - r[v] * s[d]) * toInput
      for n in 0..<terms { columns[n].pointer[d] = (columns[n].pointer[d] - columns[n].pointer[v] * out[d]) * inverse }
    }
    tables[table] = columns
  }

  /// The series of a nonlinearity, with the caller's functions.
  func expansion(of source: SeriesSource) -> HermiteExpansion {
    let call = users.call
    return HermiteExpansion(source: source) { (function, x, y, n) in
      call?(function, .value, x, nil, nil, y, n) ?? false
    }
  }
}
