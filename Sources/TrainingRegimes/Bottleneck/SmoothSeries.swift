#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import Activations
import LinearAlgebra
import NumericCore

/// Duals of a smooth function without closed form, by Mehler's formula for the function and its three derivatives.
///
/// With phi^(r)(s z) = sum_n h_rn(s) He_n(z) / sqrt(n!), E phi^(r)(u) phi^(q)(v) = sum_n h_rn(s_u) h_qn(s_v) rho^n. Expanding each
/// derivative by itself avoids powers of 1/s, so that inputs of variance 0 are ordinary. Cut off where the rest holds 1e-20 of the energy, or
/// after `terms`: an error where the last ones hold more than 1e-6 of it.
/// Belongs to one run: not for several threads while coefficients are computed.
final class SmoothSeries: @unchecked Sendable {
  /// Most terms of a series.
  static let terms = 256
  /// Numbers kept for one input: `terms` for the function and each of three derivatives, then how many terms matter.
  static let stride = 4 * terms + 1

  private let function: ScalarFunction
  private var rule: HermiteTable?

  init(_ function: ScalarFunction) { self.function = function }

  /// Coefficients for inputs of the given variances, `stride` numbers each.
  /// - Throws: `notConverged` where `terms` are too few for a variance, `overflow` where the function is not finite.
  func coefficients(
    _ variances: UnsafePointer<Double>, count: Int, into out: UnsafeMutablePointer<Double>
  ) throws(NumericError) {
    var largest = 0.0
    for i in 0..<count { largest = max(largest, variances[i]) }
    guard largest.isFinite else { throw SmoothSeries.overflow(largest) }
    let rule = try table(steepness: largest.squareRoot())
    let nodes = rule.nodes.count
    let values = try Workspace<Double>(4 * nodes)
    let points = try Workspace<Double>(nodes)
    for i in 0..<count {
      let s = max(variances[i], 0).squareRoot()
      for (m, z) in rule.nodes.enumerated() { points[m] = s * z }
      function.evaluate(points.pointer, nodes, into: (0..<4).map { values.pointer + $0 * nodes })
      let target = out + i * SmoothSeries.stride
      Double.gemm(
        false, false, 4, Int32(SmoothSeries.terms), Int32(nodes), 1, values.pointer, Int32(nodes), rule.table.pointer,
        Int32(SmoothSeries.terms), 0, target, Int32(SmoothSeries.terms))
      target[4 * SmoothSeries.terms] = Double(try termsNeeded(target, variances[i]))
    }
  }

  private func table(steepness: Double) throws(NumericError) -> HermiteTable {
    // Halves of one step, so that the table is made anew only when inputs have grown a lot.
    var step = 0.05
    while step * max(steepness, 1e-3) > 0.25, step > 1e-3 { step /= 2 }
    if let rule, rule.step == step { return rule }
    let made = try HermiteTable(step: step)
    rule = made
    return made
  }

  /// How many terms hold all but 1e-20 of the energy of the function and two derivatives.
  private func termsNeeded(_ h: UnsafePointer<Double>, _ variance: Double) throws(NumericError) -> Int {
    var needed = 1
    for r in 0..<3 {
      let row = h + r * SmoothSeries.terms
      let energy = (0..<SmoothSeries.terms).reduce(0.0) { $0 + row[$1] * row[$1] }
      guard energy.isFinite else { throw SmoothSeries.overflow(variance) }
      var (tail, terms) = (0.0, SmoothSeries.terms)
      while terms > 1, tail + row[terms - 1] * row[terms - 1] <= 1e-20 * energy {
        terms -= 1
        tail += row[terms] * row[terms]
      }
      needed = max(needed, terms)
      let last = (SmoothSeries.terms - 16..<SmoothSeries.terms).reduce(0.0) { $0 + row[$1] * row[$1] }
      guard last <= 1e-6 * energy else {
        throw NumericError(
          .notConverged,
          "[kernel gradient] an activation without closed form needs inputs of moderate variance, so that \(SmoothSeries.terms) terms of its "
            + "series suffice. Received a variance of \(variance); the last terms hold \(last / energy) of the energy.",
          value: variance)
      }
    }
    return needed
  }

  private static func overflow(_ variance: Double) -> NumericError {
    NumericError(
      .overflow, "[kernel gradient] the variances in the network must stay finite. Received \(variance).", value: variance)
  }

  /// The dual of inputs with coefficients `f` (the moving one) and `g` at correlation `rho`.
  @inline(__always)
  static func jet(_ f: UnsafePointer<Double>, _ g: UnsafePointer<Double>, _ rho: Double) -> DualJet {
    let n = terms
    let used = Int(min(f[4 * n], g[4 * n]))
    var (t, c, a, cc, ca) = (0.0, 0.0, 0.0, 0.0, 0.0)
    var power = 1.0
    for i in 0..<used {
      let (g0, g1, g2) = (g[i] * power, g[n + i] * power, g[2 * n + i] * power)
      t += f[i] * g0
      c += f[n + i] * g1
      a += f[2 * n + i] * g0
      cc += f[2 * n + i] * g2
      ca += f[3 * n + i] * g1
      power *= rho
    }
    return DualJet(value: t, dc: c, da: a / 2, dcc: cc, dca: ca / 2)
  }
}

/// The trapezoidal rule on the line, which converges geometrically for analytic functions under a Gaussian, times Hermite polynomials.
private struct HermiteTable {
  let step: Double
  let nodes: [Double]
  /// Row-major (node, term): weight times He_n(z) / sqrt(n!).
  let table: Workspace<Double>

  /// tanh(s z) has its poles at distance pi / 2s from the axis: the error is about exp(-pi^2 / (s step)). He_256 needs step < 0.1.
  init(step: Double) throws(NumericError) {
    self.step = step
    let half = Int(13 / step)
    let terms = SmoothSeries.terms
    nodes = (-half...half).map { Double($0) * step }
    table = try Workspace<Double>(nodes.count * terms)
    for (m, z) in nodes.enumerated() {
      var (previous, current) = (0.0, step * exp(-z * z / 2) / (2 * Double.pi).squareRoot())
      for n in 0..<terms {
        table.pointer[m * terms + n] = current
        (previous, current) = (current, (z * current - Double(n).squareRoot() * previous) / Double(n + 1).squareRoot())
      }
    }
  }
}
