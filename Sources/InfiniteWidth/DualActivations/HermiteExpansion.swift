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

  /// Nodes and weights of the n-point Gauss-Legendre rule on [-1, 1], by Newton's method.
  public static func legendre(_ n: Int) -> ([Double], [Double]) {
    var (x, w) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
    for i in 0..<n {
      var t = cos(Double.pi * (Double(i) + 0.75) / (Double(n) + 0.5))
      var derivative = 1.0
      for _ in 0..<50 {
        var (p0, p1) = (1.0, t)
        for k in stride(from: 2, through: n, by: 1) {
          (p0, p1) = (p1, (Double(2 * k - 1) * t * p1 - Double(k - 1) * p0) / Double(k))
        }
        derivative = Double(n) * (t * p1 - p0) / (t * t - 1)
        let step = p1 / derivative
        t -= step
        if abs(step) < 1e-16 { break }
      }
      x[i] = t
      w[i] = 2 / ((1 - t * t) * derivative * derivative)
    }
    return (x, w)
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

  /// How many terms keep the cut-off share of the energy of f and f' under the tolerance, and the share that is cut.
  func termsNeeded(_ deviations: [Double]) throws(NumericError) -> (terms: Int, missed: Double) {
    if case .polynomial(let c) = source.coefficients { return (c.count, 0) }
    // More units of variance need more terms, so the extremes and the middle stand for all.
    // A quarter of the tolerance, because the cut-off shares of several layers add up.
    let tolerance = source.tolerance / 4
    let sorted = deviations.sorted()
    guard let least = sorted.first, let most = sorted.last else { return (1, 0) }
    let sample = [least, sorted[sorted.count / 2], most]
    let all = GaussianQuadrature.maxTerms
    let table = try coefficients(sample, terms: all, steepness: most)
    var needed = 1
    var missed = 0.0
    for row in 0..<sample.count where sample[row] > 0 {
      let a = table.pointer + row * all
      let energy = (0..<all).reduce(0.0) { $0 + Double($1 + 1) * a[$1] * a[$1] }
      var tail = 0.0
      var terms = all
      // The last terms themselves estimate what lies beyond the table.
      let beyond = (all - 32..<all).reduce(0.0) { $0 + Double($1 + 1) * a[$1] * a[$1] }
      while terms > 1, tail + Double(terms) * a[terms - 1] * a[terms - 1] <= tolerance * energy {
        terms -= 1
        tail += Double(terms + 1) * a[terms] * a[terms]
      }
      needed = max(needed, terms)
      if beyond > source.tolerance * energy { missed = max(missed, beyond / energy) }
    }
    return (needed, missed)
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
