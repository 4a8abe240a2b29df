import NumericCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Polynomials for `AngularProfile`: F(t) = E(sin t) + cos t O(sin t).
///
/// F is expanded in Chebyshev polynomials of x = (sqrt(1 + rho) - sqrt(1 - rho)) / sqrt 2, in which it is smooth up to both ends.
/// x^2 = 1 - sin t, so that the even ones are polynomials in sin t already; x = cos t / sqrt(1 + sin t) turns the odd ones into
/// the other polynomial.
enum ProfileFit {
  private static let count = 256
  private static let checkCount = 63

  private static let nodes: [Double] = (0..<count).map { cos(.pi * (Double($0) + 0.5) / Double(count)) }

  /// Signed gaps at the nodes: with |x| = sin(v), 1 - |rho| = 1 - |x| sqrt(2 - x^2) = (1 - x^2)^2 / (1 + |x| sqrt(2 - x^2)).
  static let nodeGaps: [Double] = (0..<count).map { (k: Int) -> Double in
    let angle = .pi * (Double(k) + 0.5) / Double(count)
    let (x, s2) = (abs(cos(angle)), sin(angle) * sin(angle))
    let size = s2 * s2 / (1 + x * (2 - x * x).squareRoot())
    return 2 * k < count ? size : -size
  }

  /// Signed gaps of angles between 1e-7 and pi - 1e-7, dense at both ends.
  static let checkGaps: [Double] = (0..<checkCount).map { (k: Int) -> Double in
    let t: Double = (Double(k) + 0.5) / Double(checkCount)
    let near: Double = 2 * min(t, 1 - t)
    let half: Double = 0.25 * Double.pi * pow(near, 4)
    let size: Double = 2 * sin(half) * sin(half)
    return t < 0.5 ? size : -size
  }

  /// Coefficients as the strip kernel reads them, or nil where the function is not smooth enough.
  static func coefficients(_ samples: ProfileSamples, cut: Double) -> [Double]? {
    let series = chebyshev(samples.nodes)
    let scale = series.reduce(abs(samples.whenEqual)) { max($0, abs($1)) }
    guard scale.isFinite else { return nil }
    let last = series.lastIndex { abs($0) > cut * scale } ?? 0
    // 64 terms of either polynomial: beyond, rounding in powers of y would show, and there would be little to gain.
    guard last < 126 else { return nil }
    // T_2m(x) = T_m(2 x^2 - 1) = T_m(-y).
    var even: [Double] = []
    for n in stride(from: 0, through: last, by: 2) { even.append(n & 2 == 0 ? series[n] : -series[n]) }
    var odd = oddPart(series, last: last)
    while let end = odd.last, abs(end) <= cut * scale { odd.removeLast() }
    let terms = max((even.count + 1) / 2, (odd.count + 1) / 2, 1)
    even += [Double](repeating: 0, count: 2 * terms - even.count)
    odd += [Double](repeating: 0, count: 2 * terms - odd.count)
    let (e, o) = (powers(even), powers(odd))
    var all: [Double] = []
    for k in stride(from: 0, to: 2 * terms, by: 2) { all += [e[k], e[k + 1], o[k], o[k + 1]] }
    return all
  }

  /// Chebyshev coefficients in y of sum_m c_(2m+1) T_(2m+1)(x) / (x sqrt(1 + s)), s = (1 + y) / 2 = 1 - x^2.
  private static func oddPart(_ series: [Double], last: Int) -> [Double] {
    let values = nodes.map { (y: Double) -> Double in
      let s = 0.5 * (1 + y)
      let x2 = 0.5 * (1 - y)
      // T_(n+2) = (4 x^2 - 2) T_n - T_(n-2); divided by x: 1, 4 x^2 - 3, ...
      var (older, newer, sum) = (1.0, 1.0, 0.0)
      for n in stride(from: 1, through: last, by: 2) {
        sum += series[n] * newer
        (older, newer) = (newer, (4 * x2 - 2) * newer - older)
      }
      return sum / (1 + s).squareRoot()
    }
    return Array(chebyshev(values).prefix(count / 2))
  }

  /// Coefficients of the interpolating Chebyshev series, lower half.
  private static func chebyshev(_ values: [Double]) -> [Double] {
    (0..<(count / 2)).map { (n: Int) -> Double in
      var (sum, at) = (0.0, n)
      for value in values {
        sum += value * cosines[at]
        at = (at + 2 * n) & (4 * count - 1)
      }
      return sum * (n == 0 ? 1 : 2) / Double(count)
    }
  }

  /// One turn: T_n of node k stands at n (2 k + 1).
  private static let cosines: [Double] = (0..<(4 * count)).map { cos(.pi * Double($0) / Double(2 * count)) }

  /// sum c_n T_n(y) in powers of y.
  private static func powers(_ c: [Double]) -> [Double] {
    var (older, newer) = ([Double](repeating: 0, count: c.count), [Double](repeating: 0, count: c.count))
    var sum = [Double](repeating: 0, count: c.count)
    newer[0] = 1
    for n in 0..<c.count {
      for k in 0...n { sum[k] += c[n] * newer[k] }
      var next = older.map { -$0 }
      // T_1 = y T_0, afterwards twice.
      for k in 0..<(c.count - 1) { next[k + 1] += (n == 0 ? 1 : 2) * newer[k] }
      (older, newer) = (newer, next)
    }
    return sum
  }

  /// The largest error at the checks, relative to the function's largest value.
  static func largestError(_ c: [Double], _ samples: ProfileSamples) -> Double {
    var (worst, scale) = (0.0, abs(samples.whenEqual))
    for (gap, expected) in zip(checkGaps, samples.checks) {
      let size = abs(gap)
      let y = 2 * (size * (2 - size)).squareRoot() - 1
      var (even, odd) = (0.0, 0.0)
      for j in stride(from: c.count - 4, through: 0, by: -4) {
        even = (even * y + c[j + 1]) * y + c[j]
        odd = (odd * y + c[j + 3]) * y + c[j + 2]
      }
      let value = even + (gap.sign == .minus ? size - 1 : 1 - size) * odd
      worst = max(worst, abs(value - expected))
      scale = max(scale, abs(expected))
    }
    return scale > 0 ? worst / scale : 0
  }
}
