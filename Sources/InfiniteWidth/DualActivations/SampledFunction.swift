import NumericCore

/// A function of one number and its derivative from samples: Chebyshev polynomials on panels that shrink towards 0 from either side, and
/// wherever the function asks for it. A kink at 0 costs nothing, one elsewhere ends in panels too short to matter or in an
/// `unresolved` function.
struct SampledFunction {
  /// Numbers per panel.
  private static let order = 20
  /// A panel is halved so often at most.
  private static let halvings = 12
  private static let mostPanels = 4096

  /// Panels of x >= 0 and of x <= 0, by ascending |x|.
  private var sides: [Side] = []

  private struct Side {
    var starts: [Double] = []
    var ends: [Double] = []
    /// Chebyshev coefficients of f' on each panel, `order - 1` of them.
    var slopes: [Double] = []
  }

  /// The function on |x| <= `reach`; `evaluate` gives its values.
  init(reach: Double, _ evaluate: ([Double]) throws(NumericError) -> [Double]) throws(NumericError) {
    let rule = ChebyshevNodes(SampledFunction.order)
    for sign in [1.0, -1.0] {
      var panels: [(start: Double, end: Double, slope: [Double])] = []
      var pending = SampledFunction.octaves(reach)
      for round in 0...SampledFunction.halvings where !pending.isEmpty {
        let x = pending.flatMap { panel in rule.nodes.map { sign * (panel.0 + (panel.1 - panel.0) / 2 * (1 + $0)) } }
        let y = try evaluate(x)
        var next: [(Double, Double)] = []
        for (i, (start, end)) in pending.enumerated() {
          let c = rule.coefficients(Array(y[(i * SampledFunction.order)..<((i + 1) * SampledFunction.order)]))
          let size = c.reduce(0) { max($0, abs($1)) }
          let tail = max(abs(c[c.count - 1]), abs(c[c.count - 2]))
          let isLast = round == SampledFunction.halvings || panels.count + pending.count + next.count > SampledFunction.mostPanels
          if tail <= 1e-14 * size || isLast {
            panels.append((start, end, ChebyshevNodes.derivative(c).map { $0 * sign * 2 / (end - start) }))
          } else {
            let middle = (start + end) / 2
            next += [(start, middle), (middle, end)]
          }
        }
        pending = next
      }
      panels.sort { $0.start < $1.start }
      sides.append(Side(starts: panels.map(\.start), ends: panels.map(\.end), slopes: panels.flatMap(\.slope)))
    }
  }

  private static func octaves(_ reach: Double) -> [(Double, Double)] {
    var edges = [0.0, 1.0 / 16]
    while edges[edges.count - 1] < reach { edges.append(2 * edges[edges.count - 1]) }
    return Array(zip(edges, edges.dropFirst()))
  }

  /// f'(x) for x >= 0, or f'(-x).
  func slope(_ x: Double, isNegative: Bool) -> Double {
    let side = sides[isNegative ? 1 : 0]
    var (low, high) = (0, side.starts.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if side.starts[middle] <= x { low = middle } else { high = middle - 1 }
    }
    let (start, end) = (side.starts[low], side.ends[low])
    let t = min(1, 2 * (x - start) / (end - start) - 1)
    let count = SampledFunction.order - 1
    return side.slopes.withUnsafeBufferPointer { c in
      var (older, newer) = (0.0, 0.0)
      for k in stride(from: (low + 1) * count - 1, to: low * count, by: -1) {
        (older, newer) = (newer, c[k] + 2 * t * newer - older)
      }
      return c[low * count] + t * newer - older
    }
  }
}

/// Chebyshev nodes cos(pi (k + 1/2) / n), and polynomials through values there.
struct ChebyshevNodes {
  let nodes: [Double]
  /// Row-major (coefficient, node).
  private let matrix: [Double]

  init(_ n: Int) {
    // k (2 m + 1) quarter turns over n, reduced as whole numbers: angles in floating point would lose two digits.
    let turn = { (quarters: Int) in cosine(Double.pi * Double(quarters % (4 * n)) / Double(2 * n)) }
    nodes = (0..<n).map { turn(2 * $0 + 1) }
    var matrix: [Double] = []
    matrix.reserveCapacity(n * n)
    for k in 0..<n { for m in 0..<n { matrix.append((k == 0 ? 1 : 2) / Double(n) * turn(k * (2 * m + 1))) } }
    self.matrix = matrix
  }

  /// Enough, down to `cut`, for functions of log s that are analytic where |arg s| < pi / 2, on a range of twice `half`.
  static func count(half: Double, cut: Double) -> Int {
    guard half > 0 else { return 1 }
    let quarter = Double.pi / 2
    let rate = (quarter + (quarter * quarter + half * half).squareRoot()) / half
    return 2 + Int(min(1e6, -logarithm(cut) / logarithm(rate)))
  }

  /// Coefficients of T_0, T_1, ... of the polynomial with these values at the nodes.
  func coefficients(_ values: [Double]) -> [Double] {
    let n = nodes.count
    return (0..<n).map { k in (0..<n).reduce(0.0) { $0 + matrix[k * n + $1] * values[$1] } }
  }

  /// Coefficients of the derivative: one fewer.
  static func derivative(_ c: [Double]) -> [Double] {
    var d = [Double](repeating: 0, count: c.count + 1)
    for k in stride(from: c.count - 1, to: 0, by: -1) { d[k - 1] = d[k + 1] + 2 * Double(k) * c[k] }
    d[0] /= 2
    return Array(d.prefix(max(1, c.count - 1)))
  }

  /// sum c_n T_n(t) in powers of t; with `second` = -1 that of polynomials V_n with the same recurrence from 1, 2 t - 1.
  static func powers(_ c: [Double], second: Double = 0) -> [Double] {
    var (older, newer) = ([Double](repeating: 0, count: c.count), [Double](repeating: 0, count: c.count))
    var sum = older
    if !newer.isEmpty { newer[0] = 1 }
    for n in 0..<c.count {
      for k in 0...n { sum[k] += c[n] * newer[k] }
      var next = older.map { -$0 }
      for k in 0..<(c.count - 1) { next[k + 1] += (n == 0 && second == 0 ? 1 : 2) * newer[k] }
      if n == 0 { next[0] += second }
      (older, newer) = (newer, next)
    }
    return sum
  }
}
