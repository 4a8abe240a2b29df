import Activations

/// The even and the odd part of a derivative, ((f'(x) + f'(-x)) / 2, (f'(x) - f'(-x)) / 2) for x >= 0, for many evaluations.
///
/// Every octave of x is cut into 2^h panels with a polynomial each; exponent and leading bits of x say which.
struct SlopeParts {
  private static let order = 10
  /// Below this there is one panel.
  private static let least = 0x1p-10
  private static let mostBits = 9

  private let bits: UInt64
  private let base: Int
  private let lastPanel: Int
  /// For each panel the coefficients in t = -1 ... 1, highest power first.
  private let coefficients: [SIMD2<Double>]

  /// The parts of `function` up to `reach`; an odd function's derivative is even and the reverse.
  init(_ function: SampledFunction, parity: Parity, reach: Double) {
    let rule = ChebyshevNodes(SlopeParts.order)
    let value = { (x: Double) -> SIMD2<Double> in
      let ahead = function.slope(x, isNegative: false)
      if parity == .odd { return [ahead, 0] }
      if parity == .even { return [0, ahead] }
      let back = function.slope(x, isNegative: true)
      return [0.5 * (ahead + back), 0.5 * (ahead - back)]
    }
    var bits = 2
    while true {
      let edges = SlopeParts.edges(reach, bits)
      var (all, size, tail): ([SIMD2<Double>], Double, Double) = ([], 0, 0)
      for (start, end) in zip(edges, edges.dropFirst()) {
        let values = rule.nodes.map { value(start + (end - start) / 2 * (1 + $0)) }
        let (even, odd) = (rule.coefficients(values.map { $0[0] }), rule.coefficients(values.map { $0[1] }))
        for c in [even, odd] {
          size = c.reduce(size) { max($0, abs($1)) }
          tail = max(tail, abs(c[c.count - 1]), abs(c[c.count - 2]))
        }
        all += zip(ChebyshevNodes.powers(even), ChebyshevNodes.powers(odd)).map { SIMD2($0, $1) }.reversed()
      }
      if tail <= 1e-14 * size || bits == SlopeParts.mostBits {
        self.bits = UInt64(bits)
        base = Int(SlopeParts.least.bitPattern >> UInt64(52 - bits)) - 1
        lastPanel = edges.count - 2
        coefficients = all
        return
      }
      bits += 1
    }
  }

  private static func edges(_ reach: Double, _ bits: Int) -> [Double] {
    var edges = [0, least]
    let parts = 1 << bits
    var octave = least
    while octave < reach {
      for k in 1...parts { edges.append(octave * (1 + Double(k) / Double(parts))) }
      octave *= 2
    }
    return edges
  }

  @inline(__always) func at(_ x: Double) -> SIMD2<Double> {
    let pattern = x.bitPattern
    let panel = max(0, min(lastPanel, Int(pattern >> (52 - bits)) - base))
    let fraction = Double(bitPattern: (pattern << bits) & 0x000F_FFFF_FFFF_FFFF | 0x3FF0_0000_0000_0000)
    let t = panel == 0 ? 2 * (x / SlopeParts.least) - 1 : 2 * fraction - 3
    let start = panel * SlopeParts.order
    var sum = coefficients[start]
    for k in 1..<SlopeParts.order { sum = sum * t + coefficients[start + k] }
    return sum
  }
}
