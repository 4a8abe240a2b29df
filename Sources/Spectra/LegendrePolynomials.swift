/// The step from one Legendre polynomial of dimension d to the next, by their difference.
///
/// P_k is the polynomial of degree k with P_k(1) = 1 that is orthogonal under the uniform measure on S^(d-1) (Legendre at d = 3, Chebyshev
/// at d = 2). With s = 1 - t: P_k - P_(k-1) = ((k - 1)(P_(k-1) - P_(k-2)) - (2k + d - 4) s P_(k-1)) / (k + d - 3), which keeps its accuracy
/// near t = 1, where the three-term recurrence loses k^2 roundings (Reinsch's form).
struct LegendreStep: Sendable {
  let keep: Double
  let bend: Double
  let inverse: DoubleDouble

  init(degree k: Int, dimension d: Int) {
    // At k = 1 the recurrence starts with P_1 - P_0 = -s.
    keep = k == 1 ? 0 : Double(k - 1)
    bend = k == 1 ? 1 : Double(2 * k + d - 4)
    inverse = k == 1 ? DoubleDouble(1) : DoubleDouble(1) / DoubleDouble(Double(k + d - 3))
  }

  /// P_(k-1), P_(k-1) - P_(k-2) become P_k, P_k - P_(k-1).
  @inline(__always) func advance(_ value: inout Double, _ difference: inout Double, _ s: Double) {
    difference = (keep * difference - bend * s * value) * inverse.high
    value += difference
  }

  /// The same to 32 digits.
  @inline(__always) func advance(_ value: inout DoubleDouble, _ difference: inout DoubleDouble, _ s: DoubleDouble) {
    difference = (difference * keep - s * value * bend) * inverse
    value = value + difference
  }
}

/// Number of independent spherical harmonics of degree k on S^(d-1): (2k + d - 2) / k * binomial(k + d - 3, k - 1).
///
/// Infinity where it leaves the range of Double.
public func harmonicCount(degree: Int, dimension d: Int) -> Double {
  guard degree > 0 else { return 1 }
  if d == 2 { return 2 }
  // binomial(k + d - 3, d - 2), one factor at a time, each partial product an integer; then (2k + d - 2) / k.
  var binomial = 1.0
  let k = Double(degree)
  for i in 1..<max(d - 1, 2) {
    let next = binomial * (k - 1 + Double(i)) / Double(i)
    binomial = next < 0x1p53 ? next.rounded() : next
  }
  let product = binomial * (2 * k + Double(d) - 2) / k
  return product < 0x1p53 ? product.rounded() : product
}
