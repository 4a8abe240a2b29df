import NumericCore
import VectorKernelProduct

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A quadrature rule for E f(s z), z standard normal, times normalised Hermite polynomials: Gauss-Legendre on panels of |z| <= 13.
///
/// Panels shrink towards 0, where f(s z) is steep for large s and where kinks lie; the rule is exact to about 1e-15 for functions
/// smooth on either side of 0.
public struct GaussianQuadrature {
  /// More terms than this are never used.
  static let maxTerms = 512

  let nodes: [Double]
  let weights: [Double]

  /// `steepness`: largest s that f(s z) will be asked for.
  init(steepness: Double) {
    var breaks = [0.0]
    var first = 0.5
    while first > 0.25 / max(steepness, 1e-3), first > 1e-6 { first /= 2 }
    while first < 0.75 {
      breaks.append(first)
      first *= 2
    }
    // Twenty nodes on a panel of 1.5 resolve functions with poles as near as tanh's at this steepness.
    breaks += stride(from: 1.0, through: 13.0, by: steepness <= 3 ? 1.5 : 0.75)
    let (x, w) = GaussianQuadrature.legendre(20)
    var nodes: [Double] = []
    var weights: [Double] = []
    for (a, b) in zip(breaks, breaks.dropFirst()) {
      for (t, c) in zip(x, w) {
        let z = (a + b) / 2 + (b - a) / 2 * t
        let density = exp(-z * z / 2) / (2 * Double.pi).squareRoot() * c * (b - a) / 2
        nodes += [z, -z]
        weights += [density, density]
      }
    }
    self.nodes = nodes
    self.weights = weights
  }

  /// Nodes, largest first, and weights of the n-point Gauss-Legendre rule on [-1, 1], by Newton's method. Right to 1e-14 up to 128 points.
  public static func legendre(_ n: Int) -> ([Double], [Double]) {
    var (x, w) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
    for i in 0..<(n + 1) / 2 {
      var t = n % 2 == 1 && i == n / 2 ? 0 : cos(Double.pi * (Double(i) + 0.75) / (Double(n) + 0.5))
      var (step, slope) = legendreStep(n, t)
      for _ in 0..<20 where abs(step) > 1e-16 {
        t -= step
        (step, slope) = legendreStep(n, t)
      }
      // At the root, t - step, (1 - x^2) P'^2 is larger by this factor than at t.
      let side = (1 - t) * (1 + t)
      let weight = 2 / (side * slope * slope) * (1 + 2 * t * step / side)
      (x[i], x[n - 1 - i]) = (t, -t)
      (w[i], w[n - 1 - i]) = (weight, weight)
    }
    return (x, w)
  }

  /// P_n / P_n' and P_n' at t. The recurrence is one of differences P_k - P_(k-1): near t = 1 it loses nothing.
  private static func legendreStep(_ n: Int, _ t: Double) -> (step: Double, slope: Double) {
    // The polynomials are odd or even: at -t the same but for signs.
    let s = 1 - abs(t)
    var (value, difference, previous) = (1.0, 0.0, 1.0)
    for k in stride(from: 1, through: n, by: 1) {
      let size = Double(k)
      difference = ((size - 1) * difference - (2 * size - 1) * s * value) / size
      previous = value
      value += difference
    }
    let slope = Double(n) * (s * value - (value - previous)) / (s * (2 - s))
    return (t < 0 ? -value / slope : value / slope, slope)
  }

  /// The positive half of the rule, for products of two functions of one parity.
  var half: GaussianQuadrature {
    // Nodes come in pairs z, -z.
    let positive = Array(stride(from: 0, to: nodes.count, by: 2))
    return GaussianQuadrature(nodes: positive.map { nodes[$0] }, weights: positive.map { 2 * weights[$0] })
  }

  private init(nodes: [Double], weights: [Double]) { (self.nodes, self.weights) = (nodes, weights) }

  /// Row-major (term, node): weight times He_n(z) / sqrt(n!); with `oddOnly` zero for even n.
  func weightedHermite(terms: Int, oddOnly: Bool) throws(NumericError) -> Workspace<Double> {
    let count = nodes.count
    let table = try Workspace<Double>(terms, count)
    var previous = [Double](repeating: 0, count: count)
    var current = [Double](repeating: 1, count: count)
    for n in 0..<terms {
      try checkCancelled()
      let row = table.pointer + n * count
      let (back, ahead) = (Double(n).squareRoot(), Double(n + 1).squareRoot())
      for m in 0..<count {
        row[m] = oddOnly && n % 2 == 0 ? 0 : weights[m] * current[m]
        let next = (nodes[m] * current[m] - back * previous[m]) / ahead
        (previous[m], current[m]) = (current[m], next)
      }
    }
    return table
  }
}

/// Coefficients a_n(s) for many deviations s.
struct HermiteExpansion {
  let source: SeriesSource
  /// Evaluates the caller's function number k on n points.
  let evaluateUser: (_ function: Int, _ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ n: Int) -> Bool

  /// a_0 ... a_(terms-1) for each deviation, row-major (deviation, term). `steepness`: no deviation is larger.
  func coefficients(_ deviations: [Double], terms: Int, steepness: Double) throws(NumericError) -> Workspace<Double> {
    switch source.coefficients {
    case .polynomial(let c): return try exact(c, deviations, terms)
    case .function(let function):
      return try onceEach(deviations, terms, steepness) { (x, y, n) in
        function.evaluate(x, n, into: [y])
        return true
      }
    case .user(let index):
      return try onceEach(deviations, terms, steepness) { (x, y, n) in evaluateUser(index, x, y, n) }
    }
  }

  /// How many terms keep the shares that are cut off E f^2 and off E f'^2 under the tolerance; nil where the most that are allowed do not.
  func termsNeeded(_ deviations: [Double]) throws(NumericError) -> Int? {
    if case .polynomial(let c) = source.coefficients { return c.count }
    // More units of variance need more terms, so the extremes and the middle stand for all.
    // A part of the tolerance, because the cut-off shares of several layers add up.
    let tolerance = source.tolerance / 16
    let sorted = deviations.sorted()
    guard let least = sorted.first, let most = sorted.last else { return 1 }
    let sample = [least, sorted[sorted.count / 2], most]
    let all = GaussianQuadrature.maxTerms
    let table = try coefficients(sample, terms: all, steepness: most)
    var needed = 1
    for row in 0..<sample.count where sample[row] > 0 {
      let a = table.pointer + row * all
      for weight in [{ (_: Int) in 1.0 }, { Double($0) }] {
        let energies = (0..<all).map { weight($0) * a[$0] * a[$0] }
        // Beyond the table lies at most this where coefficients fall at least as those of a kink do.
        var tail = 8 * energies[(3 * all / 4)...].reduce(0, +)
        let most = tolerance * energies.reduce(0, +)
        guard tail <= most else { return nil }
        var terms = all
        while terms > 1, tail + energies[terms - 1] <= most {
          terms -= 1
          tail += energies[terms]
        }
        needed = max(needed, terms)
      }
    }
    return needed
  }

  /// Values of the function.
  func values(_ x: [Double]) throws(NumericError) -> [Double] {
    var y = [Double](repeating: 0, count: x.count)
    switch source.coefficients {
    case .polynomial(let c): for (i, x) in x.enumerated() { y[i] = c.reversed().reduce(0) { $0 * x + $1 } }
    case .function(let function):
      y.withUnsafeMutableBufferPointer { y in
        if let base = y.baseAddress { function.evaluate(x, x.count, into: [base]) }
      }
    case .user(let index):
      guard evaluateUser(index, x, &y, x.count) else {
        throw NumericError(.callbackFailed, "[Elementwise] the given function raised an error.")
      }
    }
    if let i = y.firstIndex(where: { !$0.isFinite }) {
      throw .invalid("[Elementwise] the function must be finite where it is needed. Received f(\(x[i])) = \(y[i]).")
    }
    return y
  }

  /// Each deviation once: inputs of one length have one.
  private func onceEach(
    _ deviations: [Double], _ terms: Int, _ steepness: Double,
    _ evaluate: (UnsafePointer<Double>, UnsafeMutablePointer<Double>, Int) -> Bool
  ) throws(NumericError) -> Workspace<Double> {
    var places: [UInt64: Int] = [:]
    var distinct: [Double] = []
    let place = deviations.map { deviation in
      if let known = places[deviation.bitPattern] { return known }
      places[deviation.bitPattern] = distinct.count
      distinct.append(deviation)
      return distinct.count - 1
    }
    let table = try byQuadrature(distinct, terms, steepness, evaluate)
    guard distinct.count < deviations.count else { return table }
    let result = try Workspace<Double>(deviations.count, terms)
    for (i, row) in place.enumerated() {
      if i % 256 == 0 { try checkCancelled() }
      (result.pointer + i * terms).update(from: table.pointer + row * terms, count: terms)
    }
    return result
  }

  private func byQuadrature(
    _ deviations: [Double], _ terms: Int, _ steepness: Double,
    _ evaluate: (UnsafePointer<Double>, UnsafeMutablePointer<Double>, Int) -> Bool
  ) throws(NumericError) -> Workspace<Double> {
    let isOdd = source.parity == .odd
    let whole = GaussianQuadrature(steepness: steepness)
    let rule = isOdd ? whole.half : whole
    let hermite = try rule.weightedHermite(terms: terms, oddOnly: isOdd)
    let count = rule.nodes.count
    // In groups: the values of f take little memory.
    let group = min(48, deviations.count)
    let padded = (terms + RowProducts.padding - 1) / RowProducts.padding * RowProducts.padding
    let result = try Workspace<Double>(deviations.count, terms)
    let (x, y) = (try Workspace<Double>(group, count), try Workspace<Double>(group, count))
    let (products, packed) = (try Workspace<Double>(group, padded), try Workspace<Double>(RowProducts.room(dimension: count)))
    for first in stride(from: 0, to: deviations.count, by: max(1, group)) {
      try checkCancelled()
      let rows = min(group, deviations.count - first)
      for i in 0..<rows {
        for m in 0..<count { x.pointer[i * count + m] = deviations[first + i] * rule.nodes[m] }
      }
      guard evaluate(x.pointer, y.pointer, rows * count) else {
        throw NumericError(.callbackFailed, "[Elementwise] the given function raised an error.")
      }
      for k in 0..<(rows * count) where !y.pointer[k].isFinite {
        throw .invalid(
          "[Elementwise] the function must be finite where it is needed. Received f(\(x.pointer[k])) = \(y.pointer[k]).")
      }
      Double.rowProducts(
        y.pointer, count, rows, hermite.pointer, count, terms, count, products.pointer, padded, packed.pointer)
      for i in 0..<rows {
        (result.pointer + (first + i) * terms).update(from: products.pointer + i * padded, count: terms)
      }
    }
    return result
  }

  /// E z^k He_n(z) / sqrt(n!) = k! / (((k - n)/2)! 2^((k - n)/2) sqrt(n!)) for k - n even and >= 0.
  private func exact(_ c: [Double], _ deviations: [Double], _ terms: Int) throws(NumericError) -> Workspace<Double> {
    let result = try Workspace<Double>(deviations.count, terms, zeroed: true)
    for n in 0..<min(terms, c.count) {
      for k in stride(from: n, to: c.count, by: 2) where c[k] != 0 {
        try checkCancelled()
        let pairs = (k - n) / 2
        let moment = exp(
          lgamma(Double(k + 1)) - lgamma(Double(pairs + 1)) - Double(pairs) * log(2.0) - 0.5 * lgamma(Double(n + 1)))
        for (i, s) in deviations.enumerated() { result.pointer[i * terms + n] += c[k] * moment * pow(s, Double(k)) }
      }
    }
    return result
  }
}
