import NumericCore
import VectorKernelProduct

/// E g(s_p x) g(s_q y) for standard normal x, y at the angle t, where g is an odd or an even function and smooth on either side of 0.
///
/// In polar coordinates the plane falls into wedges in which no argument changes sign, of widths pi - t and t. With
///   H(w) = int_0^w dpsi int_0^inf r exp(-r^2/2) g(s_p r sin psi) g(s_q r sin(w - psi)) dr
/// the integral is (H(pi - t) + H(t)) / pi for even g and (H(pi - t) - H(t)) / pi for odd g. Panels shrink towards psi = 0 and r = 0, where
/// g(s r sin psi) is steep for large s.
struct WedgeIntegrals {
  private static let nodesPerPanel = 8
  private static let legendre = GaussianQuadrature.legendre(nodesPerPanel)

  /// Deviations s_p.
  let deviations: [Double]
  /// No deviation is larger; at least 1.
  let steepness: Double
  private let radii: (nodes: [Double], weights: [Double])

  init(deviations: [Double], steepness: Double) {
    self.deviations = deviations
    self.steepness = steepness
    let (r, w) = WedgeIntegrals.panels(from: 0.05 / steepness, to: 8.6)
    radii = (r, zip(r, w).map { $1 * $0 * exponential(-$0 * $0 / 2) })
  }

  /// Gauss-Legendre nodes on [0, first], [first, 2 first], ..., panels of at most 1.25, up to `end`.
  static func panels(from first: Double, to end: Double) -> (nodes: [Double], weights: [Double]) {
    var edges = [0.0, min(first, end)]
    while edges[edges.count - 1] < end {
      let last = edges[edges.count - 1]
      edges.append(min(end, last + min(last, 1.25)))
    }
    var (x, w): ([Double], [Double]) = ([], [])
    for (a, b) in zip(edges, edges.dropFirst()) {
      for (t, c) in zip(legendre.0, legendre.1) {
        x.append(a + (b - a) / 2 * (1 + t))
        w.append((b - a) / 2 * c)
      }
    }
    return (x, w)
  }

  /// H(w) of the even and of the odd part of `f`' (nil: not there), matrices (p, q) row by row.
  func wedge(_ width: Double, _ slopes: SlopeParts) throws(NumericError) -> (even: [Double], odd: [Double]) {
    let (psi, weights) = WedgeIntegrals.panels(from: min(width / 2, 0.05 / steepness), to: width / 2)
    let near = psi.map { sine($0) }
    let far = psi.map { sine(width - $0) }
    let points = psi.count * radii.nodes.count
    let n = deviations.count
    // One block of rows for each of near and far; even part, then odd part.
    let values = try (0..<4).map { (_: Int) throws(NumericError) in try Workspace<Double>(n * points) }
    for p in 0..<n {
      var at = p * points
      for k in 0..<psi.count {
        for (r, w) in zip(radii.nodes, radii.weights) {
          let here = slopes.at(deviations[p] * near[k] * r) * (w * weights[k])
          let there = slopes.at(deviations[p] * far[k] * r)
          (values[0].pointer[at], values[1].pointer[at]) = (here[0], here[1])
          (values[2].pointer[at], values[3].pointer[at]) = (there[0], there[1])
          at += 1
        }
      }
    }
    return (
      try symmetricProduct(values[0], values[2], points), try symmetricProduct(values[1], values[3], points)
    )
  }

  /// A B^T + B A^T.
  private func symmetricProduct(_ a: Workspace<Double>, _ b: Workspace<Double>, _ points: Int) throws(NumericError) -> [Double] {
    let n = deviations.count
    let width = (n + RowProducts.padding - 1) / RowProducts.padding * RowProducts.padding
    let product = try Workspace<Double>(n * width)
    let packed = try Workspace<Double>(RowProducts.room(dimension: points))
    Double.rowProducts(a.pointer, points, n, b.pointer, points, n, points, product.pointer, width, packed.pointer)
    return (0..<(n * n)).map { product.pointer[$0 / n * width + $0 % n] + product.pointer[$0 % n * width + $0 / n] }
  }
}
