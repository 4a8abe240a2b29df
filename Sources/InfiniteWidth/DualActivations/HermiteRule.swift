/// Gauss-Hermite quadrature for the weight exp(-x^2).
enum HermiteRule {
  /// Nodes and weights of the n-point rule, by Newton's method on normalised Hermite functions.
  static func physicists(_ n: Int) -> ([Double], [Double]) {
    var (x, w) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
    let half = (n + 1) / 2
    for i in 0..<half {
      var t = start(i, n, x)
      var derivative = 1.0
      for _ in 0..<100 {
        let (value, previous) = function(n, t)
        // h_n' = sqrt(2 n) h_(n-1) for orthonormal polynomials with respect to exp(-x^2).
        derivative = Double(2 * n).squareRoot() * previous
        let step = value / derivative
        t -= step
        if abs(step) <= 1e-15 * max(1, abs(t)) { break }
      }
      derivative = Double(2 * n).squareRoot() * function(n, t).previous
      if n % 2 == 1, i == half - 1 { t = 0 }
      x[i] = t
      x[n - 1 - i] = -t
      w[i] = 2 / (derivative * derivative)
      w[n - 1 - i] = w[i]
    }
    return (x, w)
  }

  /// The orthonormal polynomials of degree n and n - 1 at t.
  private static func function(_ n: Int, _ t: Double) -> (value: Double, previous: Double) {
    var (previous, current) = (0.0, 0.7511255444649425)  // pi^(-1/4)
    for k in 0..<n {
      let next = t * (2 / Double(k + 1)).squareRoot() * current - (Double(k) / Double(k + 1)).squareRoot() * previous
      (previous, current) = (current, next)
    }
    return (current, previous)
  }

  /// First guesses, largest node first (Stroud & Secrest 1966).
  private static func start(_ i: Int, _ n: Int, _ x: [Double]) -> Double {
    let m = Double(2 * n + 1)
    switch i {
    case 0: return m.squareRoot() - 1.85575 * exponential(-0.16667 * logarithm(m))
    case 1: return x[0] - 1.14 * exponential(0.426 * logarithm(Double(n))) / x[0]
    case 2: return 1.86 * x[1] - 0.86 * x[0]
    case 3: return 1.91 * x[2] - 0.91 * x[1]
    default: return 2 * x[i - 1] - x[i - 2]
    }
  }
}
