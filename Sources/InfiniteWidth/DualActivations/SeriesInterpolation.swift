import NumericCore
import VectorKernelProduct

/// Hermite coefficients of many deviations by interpolation in the logarithm of the deviation: a quadrature for each takes ten times as long.
///
/// a_n(s) is analytic for |arg s| < pi / 2, so that Chebyshev polynomials through some 40 nodes are exact to the last digits. The nodes
/// follow from the plan alone: bits do not depend on which inputs come together.
struct SeriesInterpolation {
  static let mostNodes = 96
  private static let cut = 1e-15

  private let centre: Double
  private let half: Double
  private let count: Int
  private let terms: Int
  /// f(0).
  private let valueAtZero: Double
  /// Row-major (term, Chebyshev polynomial).
  private let table: Workspace<Double>

  /// How many nodes a plan for these deviations takes; 0 where there are too few deviations for it to be worth while.
  static func nodes(_ source: SeriesSource, _ plan: SeriesPlan, _ deviations: [Double]) -> Int {
    if case .polynomial = source.coefficients { return 0 }
    guard plan.terms > 0, plan.deviations.largest > plan.leastPositive else { return 0 }
    let needed = ChebyshevNodes.count(half: logarithm(plan.deviations.largest / plan.leastPositive) / 2, cut: cut)
    guard needed <= mostNodes, deviations.count > 2 * needed else { return 0 }
    return Set(deviations.map(\.bitPattern)).count > 2 * needed ? needed : 0
  }

  /// `terms` coefficients for deviations in the range of `plan`.
  init(_ expansion: HermiteExpansion, _ plan: SeriesPlan, terms: Int) throws(NumericError) {
    let (low, high) = (logarithm(plan.leastPositive), logarithm(plan.deviations.largest))
    (centre, half) = ((low + high) / 2, (high - low) / 2)
    (count, self.terms) = (plan.nodes, terms)
    let nodes = ChebyshevNodes(count)
    let (centre, half) = (centre, half)
    let places = nodes.nodes.map { exponential(centre + half * $0) }
    let values = try expansion.coefficients(places, terms: terms, steepness: plan.deviations.largest)
    valueAtZero = try expansion.values([0])[0]
    table = try Workspace<Double>(max(1, terms * count))
    for n in 0..<terms {
      let c = nodes.coefficients((0..<count).map { values.pointer[$0 * terms + n] })
      for k in 0..<count { table.pointer[n * count + k] = c[k] }
    }
  }

  /// a_0 ... a_(terms-1) for each deviation, row-major (deviation, term).
  func coefficients(_ deviations: [Double]) throws(NumericError) -> Workspace<Double> {
    let padded = (terms + RowProducts.padding - 1) / RowProducts.padding * RowProducts.padding
    let group = min(64, deviations.count)
    let result = try Workspace<Double>(max(1, deviations.count * terms))
    let basis = try Workspace<Double>(max(1, group * count))
    let products = try Workspace<Double>(max(1, group * padded))
    let packed = try Workspace<Double>(RowProducts.room(dimension: count))
    for first in stride(from: 0, to: deviations.count, by: max(1, group)) {
      let rows = min(group, deviations.count - first)
      for i in 0..<rows { fill(basis.pointer + i * count, deviations[first + i]) }
      Double.rowProducts(basis.pointer, count, rows, table.pointer, count, terms, count, products.pointer, padded, packed.pointer)
      for i in 0..<rows {
        let row = result.pointer + (first + i) * terms
        if deviations[first + i] > 0 {
          row.update(from: products.pointer + i * padded, count: terms)
        } else {
          row.update(repeating: 0, count: terms)
          if terms > 0 { row[0] = valueAtZero }
        }
      }
    }
    return result
  }

  /// Chebyshev polynomials of the deviation's logarithm.
  private func fill(_ row: UnsafeMutablePointer<Double>, _ deviation: Double) {
    let t = deviation > 0 ? min(1, max(-1, (logarithm(deviation) - centre) / half)) : 0
    var (older, newer) = (t, 1.0)
    for k in 0..<count {
      row[k] = newer
      (older, newer) = (newer, 2 * t * newer - older)
    }
  }
}
