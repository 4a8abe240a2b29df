/// A number as the unevaluated sum of two doubles, about 32 digits (Dekker, Numerische Mathematik 18, 1971).
///
/// Eigenvalues of high frequency are sums with heavy cancellation: everything but the kernel's values is computed in it, so that only
/// the rounding of these values remains.
struct DoubleDouble: Sendable {
  var high: Double
  var low: Double

  @inline(__always) init(_ high: Double, _ low: Double = 0) { (self.high, self.low) = (high, low) }

  static let pi = DoubleDouble(0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53)

  /// The sum where |a| >= |b|.
  @inline(__always) static func ordered(_ a: Double, _ b: Double) -> DoubleDouble {
    let sum = a + b
    return DoubleDouble(sum, b - (sum - a))
  }

  /// a + b exactly.
  @inline(__always) static func exact(_ a: Double, plus b: Double) -> DoubleDouble {
    let sum = a + b
    let other = sum - a
    return DoubleDouble(sum, (a - (sum - other)) + (b - other))
  }

  /// a b exactly (Veltkamp's split: no fused multiply-add is needed).
  @inline(__always) static func exact(_ a: Double, times b: Double) -> DoubleDouble {
    let product = a * b
    let (p, q) = (134_217_729 * a, 134_217_729 * b)
    let (highA, highB) = (p - (p - a), q - (q - b))
    let (lowA, lowB) = (a - highA, b - highB)
    return DoubleDouble(product, ((highA * highB - product) + highA * lowB + lowA * highB) + lowA * lowB)
  }

  @inline(__always) static func + (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
    let sum = exact(a.high, plus: b.high)
    let rest = exact(a.low, plus: b.low)
    let partial = ordered(sum.high, sum.low + rest.high)
    return ordered(partial.high, partial.low + rest.low)
  }

  @inline(__always) static prefix func - (a: DoubleDouble) -> DoubleDouble { DoubleDouble(-a.high, -a.low) }
  @inline(__always) static func - (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble { a + -b }

  @inline(__always) static func * (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
    let product = exact(a.high, times: b.high)
    return ordered(product.high, product.low + (a.high * b.low + a.low * b.high))
  }

  @inline(__always) static func * (a: DoubleDouble, b: Double) -> DoubleDouble {
    let product = exact(a.high, times: b)
    return ordered(product.high, product.low + a.low * b)
  }

  static func / (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
    let first = a.high / b.high
    let second = (a - b * first).high / b.high
    let rest = (a - b * first - b * second).high / b.high
    return ordered(first, second) + DoubleDouble(rest)
  }

  /// Not for negative numbers.
  func squareRoot() -> DoubleDouble {
    guard high > 0 else { return DoubleDouble(0) }
    let root = high.squareRoot()
    let rest = (self - DoubleDouble.exact(root, times: root)).high
    return DoubleDouble.ordered(root, rest / (2 * root))
  }

  /// By squaring.
  func power(_ n: Int) -> DoubleDouble {
    var (result, base, left) = (DoubleDouble(1), self, n)
    while left > 0 {
      if left & 1 == 1 { result = result * base }
      base = base * base
      left >>= 1
    }
    return result
  }

  /// The sine of an angle in 0 ... pi / 4, by its series.
  func sine() -> DoubleDouble {
    let square = self * self
    var (sum, term) = (self, self)
    for n in 1..<16 {
      term = -(term * square) / DoubleDouble(Double(2 * n * (2 * n + 1)))
      sum = sum + term
      if abs(term.high) < 1e-34 * abs(sum.high) { break }
    }
    return sum
  }
}
