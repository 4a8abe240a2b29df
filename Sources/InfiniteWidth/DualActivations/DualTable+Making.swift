import Activations
import NumericCore

extension DualTable {
  /// Beyond this, quadrature takes too many panels.
  static let largestDeviation = 1e6
  /// No range of deviations takes more Chebyshev polynomials.
  private static let mostColumns = 64

  /// The table of a function for deviations from `range.least` (0: inputs of zeros are there) to `range.largest`, to `tolerance`.
  ///
  /// `needsDerivatives`: whether derivatives by the deviations are wanted.
  /// `values` evaluates the function.
  static func make(
    _ range: (least: Double, largest: Double, hasZero: Bool), tolerance: Double, parity: Parity, needsDerivatives: Bool,
    _ values: ([Double]) throws(NumericError) -> [Double]
  ) throws(NumericError) -> DualTable {
    // An input of zeros stands at the lower end: its duals differ from those at a small deviation by the square of it.
    let least = range.hasZero ? min(range.least, 1e-4) : range.least
    let (low, high) = (logarithm(least), logarithm(range.largest))
    var half = (high - low) / 2
    if half < 1e-12 { half = 0 }
    if needsDerivatives { half = max(half, 0.05) }
    let centre = (low + high) / 2
    let cut = max(tolerance / 100, 1e-14)
    let nodes = ChebyshevNodes(min(mostColumns, ChebyshevNodes.count(half: half, cut: cut)))
    let deviations = nodes.nodes.map { InfiniteWidth.exponential(centre + half * $0) }
    let steepness = max(1, InfiniteWidth.exponential(centre + half))
    let sampled = try SampledFunction(reach: 8.6 * steepness, values)
    let slopes = SlopeParts(sampled, parity: parity, reach: 8.6 * steepness)
    let equal = try EqualDirections(deviations, steepness, parity, slopes, values)
    let grid = AngleGrid(steepness: steepness, terms: (cut < 1e-11 ? 72 : 52) + (steepness > 100 ? 20 : 0))
    let duals = try grid.duals(WedgeIntegrals(deviations: deviations, steepness: steepness), slopes)
    let maker = TableMaker(nodes: nodes, grid: grid, equal: equal, deviations: deviations)
    let tables = [parity == .odd ? nil : duals.ofOdd, parity == .even ? nil : duals.ofEven].flatMap { dual -> [[Double]?] in
      dual.map { [maker.mean($0), maker.slope($0)] } ?? [nil, nil]
    }
    let basis = maker.basis(of: tables, cut: cut / 10)
    return DualTable(
      centre: centre, half: half, steepness: steepness, polynomials: nodes.nodes.count, terms: grid.nodes.nodes.count,
      deviation: nodes.coefficients(equal.deviations.map { logarithm(max($0, 1e-300)) }),
      slope: nodes.coefficients(equal.slopes.map { logarithm(max($0, 1e-300)) }), evenVectors: maker.vectors(equal.even),
      oddVectors: maker.vectors(equal.odd), basis: basis, tables: tables.map { $0.map { maker.inBasis($0, basis) } },
      valueAtZero: try values([0])[0], cut: cut, error: maker.tail(tables))
  }
}

/// Chebyshev nodes in y, and what follows from a dual of the derivative there.
struct AngleGrid {
  let nodes: ChebyshevNodes
  let angles: [Double]
  private let steepness: Double
  private let stretch: Double

  init(steepness: Double, terms: Int) {
    self.steepness = steepness
    nodes = ChebyshevNodes(terms)
    let widest = steepness * .pi / 2
    stretch = logarithm(widest + (1 + widest * widest).squareRoot())
    let (steepness, stretch) = (steepness, stretch)
    angles = nodes.nodes.map { AngleGrid.hyperbolicSine(stretch * (1 + $0) / 2) / steepness }
  }

  private static func hyperbolicSine(_ x: Double) -> Double { (exponential(x) - exponential(-x)) / 2 }

  /// For each angle the matrix (p, q) of E g(s_p x) g(s_q y), for g the even and the odd part of the derivative.
  func duals(
    _ integrals: WedgeIntegrals, _ slopes: SlopeParts
  ) throws(NumericError) -> (ofEven: [[Double]], ofOdd: [[Double]]) {
    var (ofEven, ofOdd): ([[Double]], [[Double]]) = ([], [])
    for angle in angles {
      let wide = try integrals.wedge(.pi - angle, slopes)
      let narrow = try integrals.wedge(angle, slopes)
      ofEven.append(zip(wide.even, narrow.even).map { ($0 + $1) / .pi })
      ofOdd.append(zip(wide.odd, narrow.odd).map { ($0 - $1) / .pi })
    }
    return (ofEven, ofOdd)
  }

  /// Row-major (node, k): the mean of T_k(y) up to the node's angle, weighted with the sine: int sin t T_k dt / (1 - cos t).
  func means() -> [Double] {
    let (x, w) = GaussianQuadrature.legendre(64)
    let count = nodes.nodes.count
    var all = [Double](repeating: 0, count: count * count)
    for (i, y) in nodes.nodes.enumerated() {
      let end = (1 + y) / 2
      let half = sine(angles[i] / 2)
      for (t, c) in zip(x, w) {
        let at = end / 2 * (1 + t)
        let angle = AngleGrid.hyperbolicSine(stretch * at) / steepness
        let rate = stretch * (exponential(stretch * at) + exponential(-stretch * at)) / 2 / steepness
        let weight = c * end / 2 * rate * sine(angle) / (2 * half * half)
        var (older, newer) = (2 * at - 1, 1.0)
        for k in 0..<count {
          all[i * count + k] += weight * newer
          (older, newer) = (newer, 2 * (2 * at - 1) * newer - older)
        }
      }
    }
    return all
  }
}

/// What is known of the deviations at t = 0: E f(s z)^2, E f'(s z)^2, and the correlations of both parts of f.
struct EqualDirections {
  let deviations: [Double]
  let slopes: [Double]
  /// Matrices (p, q) of E e(s_p z) e(s_q z) over both deviations after, and the same for o; nil where the part is zero.
  let even: [Double]?
  let odd: [Double]?

  init(
    _ s: [Double], _ steepness: Double, _ parity: Parity, _ parts: SlopeParts,
    _ values: ([Double]) throws(NumericError) -> [Double]
  ) throws(NumericError) {
    let (z, w) = WedgeIntegrals.panels(from: 0.05 / steepness, to: 8.6)
    let weights = zip(z, w).map { $1 * exponential(-$0 * $0 / 2) * (2 / Double.pi).squareRoot() }
    let points = s.flatMap { s in z.map { s * $0 } }
    let ahead = try values(points)
    let back = try values(points.map { -$0 })
    let e = zip(ahead, back).map { parity == .odd ? 0 : 0.5 * ($0 + $1) }
    let o = zip(ahead, back).map { parity == .even ? 0 : 0.5 * ($0 - $1) }
    let moments = { (f: [Double]) in EqualDirections.products(f, weights) }
    let (ee, oo) = (moments(e), moments(o))
    let n = s.count
    let after = (0..<n).map { (ee[$0 * n + $0] + oo[$0 * n + $0]).squareRoot() }
    deviations = after
    let normalised = { (m: [Double]) in
      (0..<(n * n)).map { (k: Int) -> Double in
        let scale = after[k / n] * after[k % n]
        return scale > 0 ? m[k] / scale : 0
      }
    }
    even = parity == .odd ? nil : normalised(ee)
    odd = parity == .even ? nil : normalised(oo)
    slopes = (0..<n).map { p in
      zip(z, weights).reduce(0.0) { sum, node in
        let value = parts.at(s[p] * node.0)
        return sum + node.1 * (value * value).sum()
      }.squareRoot()
    }
  }

  private static func products(_ f: [Double], _ weights: [Double]) -> [Double] {
    let (m, n) = (weights.count, f.count / weights.count)
    return (0..<(n * n)).map { k in
      (0..<m).reduce(0.0) { $0 + weights[$1] * f[k / n * m + $1] * f[k % n * m + $1] }
    }
  }
}

/// From values at the nodes to coefficients.
struct TableMaker {
  let nodes: ChebyshevNodes
  let grid: AngleGrid
  let equal: EqualDirections
  let deviations: [Double]
  private let means: [Double]

  init(nodes: ChebyshevNodes, grid: AngleGrid, equal: EqualDirections, deviations: [Double]) {
    self.nodes = nodes
    self.grid = grid
    self.equal = equal
    self.deviations = deviations
    means = grid.means()
  }

  /// D: the dual of a part of the derivative over d_p d_q.
  func slope(_ duals: [[Double]]) -> [Double] { tensor(duals, equal.slopes.map { $0 > 0 ? 1 / $0 : 0 }) }

  /// R: the mean of that dual up to the angle, times s_p s_q over the deviations after.
  func mean(_ duals: [[Double]]) -> [Double] {
    let n = deviations.count
    let count = duals.count
    var means = [[Double]](repeating: [Double](repeating: 0, count: n * n), count: count)
    for k in 0..<(n * n) {
      let c = grid.nodes.coefficients(duals.map { $0[k] })
      for i in 0..<count { means[i][k] = (0..<count).reduce(0.0) { $0 + self.means[i * count + $1] * c[$1] } }
    }
    return tensor(means, zip(deviations, equal.deviations).map { $1 > 0 ? $0 / $1 : 0 })
  }

  /// Coefficients (p, q, n) of values[angle](p, q) times both factors.
  private func tensor(_ values: [[Double]], _ factors: [Double]) -> [Double] {
    let (n, count) = (deviations.count, values.count)
    var all = [Double](repeating: 0, count: n * n * count)
    for k in 0..<(n * n) {
      let c = grid.nodes.coefficients(values.map { $0[k] * factors[k / n] * factors[k % n] })
      for m in 0..<count { all[k * count + m] = c[m] }
    }
    for m in 0..<count {
      for p in 0..<n {
        let c = nodes.coefficients((0..<n).map { all[(p * n + $0) * count + m] })
        for q in 0..<n { all[(p * n + q) * count + m] = c[q] }
      }
      for q in 0..<n {
        let c = nodes.coefficients((0..<n).map { all[($0 * n + q) * count + m] })
        for p in 0..<n { all[(p * n + q) * count + m] = c[p] }
      }
    }
    return all
  }

  /// Coefficients of vectors whose inner products are the matrix: Cholesky's columns with pivots, until nothing is left.
  func vectors(_ matrix: [Double]?) -> [[Double]] {
    guard var rest = matrix else { return [] }
    let n = deviations.count
    var columns: [[Double]] = []
    while columns.count < n, let pivot = (0..<n).max(by: { rest[$0 * n + $0] < rest[$1 * n + $1] }),
      rest[pivot * n + pivot] > 1e-15
    {
      let root = rest[pivot * n + pivot].squareRoot()
      let column = (0..<n).map { rest[$0 * n + pivot] / root }
      for k in 0..<(n * n) { rest[k] -= column[k / n] * column[k % n] }
      rest[pivot * n + pivot] = 0
      columns.append(nodes.coefficients(column))
    }
    return columns
  }

  /// Few combinations of Chebyshev polynomials of a deviation that make up all tables down to `cut`: orthonormal vectors of coefficients,
  /// by pivots among the tables' columns. The tables are symmetric, so that they serve both sides.
  func basis(of tables: [[Double]?], cut: Double) -> [[Double]] {
    let n = deviations.count
    var columns: [[Double]] = []
    for case let table? in tables {
      let count = table.count / (n * n)
      for k in 0..<(n * count) { columns.append((0..<n).map { table[(k / count * n + $0) * count + k % count] }) }
    }
    var basis: [[Double]] = []
    var sizes = columns.map { $0.reduce(0) { $0 + $1 * $1 } }
    while basis.count < n, let pivot = sizes.indices.max(by: { sizes[$0] < sizes[$1] }), sizes[pivot] > cut * cut || basis.isEmpty
    {
      // Twice, so that the vectors are orthogonal to the last digits.
      var vector = columns[pivot]
      for other in basis { TableMaker.removePart(along: other, from: &vector) }
      let size = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard size > 0 else { break }
      for k in 0..<n { vector[k] /= size }
      basis.append(vector)
      for k in columns.indices {
        TableMaker.removePart(along: vector, from: &columns[k])
        sizes[k] = columns[k].reduce(0) { $0 + $1 * $1 }
      }
    }
    return basis
  }

  private static func removePart(along direction: [Double], from vector: inout [Double]) {
    var part = 0.0
    for k in direction.indices { part += direction[k] * vector[k] }
    for k in direction.indices { vector[k] -= part * direction[k] }
  }

  /// Coefficients (a, b, n) of a table in a basis of both deviations.
  func inBasis(_ table: [Double], _ basis: [[Double]]) -> [Double] {
    let (n, r) = (deviations.count, basis.count)
    let count = table.count / (n * n)
    var half = [Double](repeating: 0, count: r * n * count)
    for a in 0..<r {
      for p in 0..<n { for m in 0..<(n * count) { half[a * n * count + m] += basis[a][p] * table[p * n * count + m] } }
    }
    var all = [Double](repeating: 0, count: r * r * count)
    for a in 0..<r {
      for b in 0..<r {
        for q in 0..<n { for m in 0..<count { all[(a * r + b) * count + m] += basis[b][q] * half[(a * n + q) * count + m] } }
      }
    }
    return all
  }

  /// The size of the last coefficients in each direction.
  func tail(_ tables: [[Double]?]) -> Double {
    let (n, count) = (deviations.count, grid.nodes.nodes.count)
    var largest = 0.0
    for case let table? in tables {
      for (k, c) in table.enumerated() {
        let (pair, m) = (k / count, k % count)
        let isLast = m >= count - 2 || (n > 1 && (pair / n == n - 1 || pair % n == n - 1))
        if isLast { largest = max(largest, abs(c)) }
      }
    }
    return 4 * largest
  }
}
