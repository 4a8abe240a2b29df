import NumericCore
import VectorKernelTypes

/// A dual whose strip kernel reads arrays that are made here, not by a row kernel.
protocol TabulatedDual: Sendable {
  /// Arrays per side after the first.
  var arrayCount: Int { get }
  /// For an input of deviation s: that after the layer, the first array (equal for equal s), and the others; each with its derivative by s.
  func row(_ s: Double) -> (deviation: Tangent, first: Tangent, arrays: [Tangent])
  /// Numbers of the strip kernel, from 16 on.
  func parameters() -> [Double]
  /// The strip kernel.
  func strip(in layers: LayerStrips) -> StripFunction
}

/// The dual of a function that is smooth on either side of 0, for all deviations of a range: what `tableStrip` evaluates.
///
/// For kinks at 0 and for deviations far beyond the function's own scale, where a Hermite expansion takes thousands of terms. In the
/// logarithms of both deviations and in y = 2 asinh(S t) / asinh(S pi / 2) - 1, t the acute angle, duals are analytic, so that Chebyshev
/// polynomials of some 30 by 30 by 40 terms do, and some 10 by 10 of their combinations. Values at the nodes come from `WedgeIntegrals`.
struct DualTable: TabulatedDual {
  /// Centre and half the width of the range of log deviations.
  let centre: Double
  let half: Double
  /// S: the largest deviation, at least 1.
  let steepness: Double
  /// How many Chebyshev polynomials of a deviation, and of y.
  let polynomials: Int
  let terms: Int
  /// Chebyshev coefficients of the logarithms of the deviation after the layer and of d = sqrt(E f'(s z)^2).
  let deviation: [Double]
  let slope: [Double]
  /// Those of the vectors whose inner products are the correlations at t = 0, of the even and of the odd part of f.
  let evenVectors: [[Double]]
  let oddVectors: [[Double]]
  /// The functions of a deviation that the tables are made of, by their coefficients: far fewer than polynomials.
  let basis: [[Double]]
  /// R_e, D_e, R_o, D_o: coefficients (a, b, n) in that basis on either side, row-major; nil where the part is zero.
  let tables: [[Double]?]
  /// f(0).
  let valueAtZero: Double
  /// Coefficients below this are left out.
  let cut: Double
  /// An estimate of the error relative to the variances, and of Td relative to E f'^2.
  let error: Double
}

// MARK: numbers for the strip kernel

extension DualTable {
  private var columns: Int { basis.count }

  func strip(in layers: LayerStrips) -> StripFunction { layers.table }

  /// In the layout of `tableStrip`, from 16 on.
  func parameters() -> [Double] {
    let lengths = (0..<columns).map { length($0, cut) }
    var all = [steepness, 2 / logarithm(widest + (1 + widest * widest).squareRoot())]
    all += [evenVectors.count, oddVectors.count, columns].map(Double.init)
    all += [tables[0] == nil ? 0 : 1, tables[2] == nil ? 0 : 1]
    all += lengths.map(Double.init)
    for case let table? in tables {
      for p in 0..<columns {
        for q in 0..<columns {
          let start = (p * columns + q) * terms
          all += table[start..<(start + lengths[q])]
        }
      }
    }
    return all
  }

  /// S times a right angle.
  private var widest: Double { steepness * .pi / 2 }

  /// Polynomials in y that column q needs.
  private func length(_ q: Int, _ cut: Double) -> Int {
    for n in stride(from: terms - 1, through: 0, by: -1) {
      for case let table? in tables {
        for p in 0..<columns where abs(table[(p * columns + q) * terms + n]) > cut { return n + 1 }
      }
    }
    return 0
  }
}

// MARK: numbers for each input

extension DualTable {
  /// Arrays per side after d: vectors and polynomials.
  var arrayCount: Int { evenVectors.count + oddVectors.count + columns }

  func row(_ s: Double) -> (deviation: Tangent, first: Tangent, arrays: [Tangent]) {
    let isZero = s <= 0
    let place = half > 0 && !isZero ? (logarithm(s) - centre) / half : -1
    let t = Tangent(min(1, max(-1, half > 0 ? place : 0)), half > 0 && !isZero ? 1 / (s * half) : 0)
    let (values, slopes) = DualTable.chebyshev(t, polynomials)
    func sum(_ c: [Double]) -> Tangent {
      var (value, slope) = (0.0, 0.0)
      for k in 0..<min(c.count, values.count) {
        value += c[k] * values[k]
        slope += c[k] * slopes[k]
      }
      return Tangent(value, slope)
    }
    let vectors = (evenVectors + oddVectors).map(sum)
    let length = vectors.reduce(Tangent(0, 0)) { $0 + $1 * $1 }.squareRoot()
    let unit = vectors.map { length.value > 0 ? $0 / length : $0 }
    let after = isZero ? Tangent(abs(valueAtZero), 0) : sum(deviation).exponential()
    return (after, sum(slope).exponential(), unit + basis.map(sum))
  }

  /// T_0, T_1, ... at t, and their derivatives.
  private static func chebyshev(_ t: Tangent, _ count: Int) -> (values: [Double], slopes: [Double]) {
    var (values, slopes) = ([1.0, t.value], [0.0, t.slope])
    for k in stride(from: 2, to: count, by: 1) {
      values.append(2 * t.value * values[k - 1] - values[k - 2])
      slopes.append(2 * (t.value * slopes[k - 1] + t.slope * values[k - 1]) - slopes[k - 2])
    }
    return (values, slopes)
  }
}

/// A number with its derivative.
struct Tangent {
  var value: Double
  var slope: Double

  init(_ value: Double, _ slope: Double) { (self.value, self.slope) = (value, slope) }

  static func + (a: Tangent, b: Tangent) -> Tangent { Tangent(a.value + b.value, a.slope + b.slope) }
  static func * (a: Tangent, b: Tangent) -> Tangent { Tangent(a.value * b.value, a.value * b.slope + a.slope * b.value) }
  static func * (a: Tangent, c: Double) -> Tangent { Tangent(a.value * c, a.slope * c) }
  static func / (a: Tangent, b: Tangent) -> Tangent {
    let q = a.value / b.value
    return Tangent(q, (a.slope - q * b.slope) / b.value)
  }

  func squareRoot() -> Tangent {
    let root = value.squareRoot()
    return Tangent(root, root > 0 ? slope / (2 * root) : 0)
  }

  func exponential() -> Tangent {
    let e = InfiniteWidth.exponential(value)
    return Tangent(e, e * slope)
  }
}
