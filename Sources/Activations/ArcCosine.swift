/// max(x, 0)^n (Cho & Saul, arXiv:1112.3712). Its angular function J_n = A_n(rho) sin t + B_n(rho) (pi - t) follows from
/// dJ_n/drho = n^2 J_(n-1): B_n' = n^2 B_(n-1) and (1 - rho^2) A_n' - rho A_n = n^2 (1 - rho^2) A_(n-1) - B_n, with
/// J_0 = pi - t and, for n >= 1, J_n(-1) = 0, which holds by B_n(-1) finite and sin t = 0 = pi - t.
enum ArcCosine {
  /// Numbers for the vector kernel, see `RectifiedMonomialDual`.
  static func parameters(_ degree: Int) -> [Double] {
    let (a, b) = angular(degree)
    let (slopeA, slopeB) = degree == 0 ? ([0], [0]) : angular(degree - 1)
    let odd = stride(from: 2 * degree - 1, to: 0, by: -2).reduce(1.0) { $0 * Double($1) }
    let n = Double(degree)
    var p = [n, 1 / (Double.pi * odd), n * n / (2 * .pi), (odd / 2).squareRoot()]
    p += [Double](repeating: 0, count: 12)
    for polynomial in [a, b, slopeA, slopeB] {
      // The kernel reads degree + 1 numbers, highest power first.
      let padded = polynomial + [Double](repeating: 0, count: degree + 1 - polynomial.count)
      p += padded.reversed()
      p += [Double](repeating: 0, count: 24 - padded.count)
    }
    return p
  }

  /// A_n and B_n, ascending powers.
  private static func angular(_ n: Int) -> ([Double], [Double]) {
    var (a, b): ([Double], [Double]) = ([0], [1])
    for m in stride(from: 1, through: n, by: 1) {
      let m2 = Double(m * m)
      // B_m = m^2 integral of B_(m-1); its constant is fixed by solvability of the equation for A_m, see below.
      var nextB = [0.0] + b.enumerated().map { m2 * $1 / Double($0 + 1) }
      // A_m has degree m - 1: match powers of (1 - x^2) A' - x A = m^2 (1 - x^2) A_(m-1) - B_m from the top.
      var nextA = [Double](repeating: 0, count: m)
      func right(_ k: Int) -> Double {
        let low = k < a.count ? a[k] : 0
        let high = k >= 2 && k - 2 < a.count ? a[k - 2] : 0
        return m2 * (low - high) - (k < nextB.count ? nextB[k] : 0)
      }
      // Coefficient of x^(k+1): (k + 2) A_(k+2) - k A_k - A_k.
      for k in stride(from: m - 1, through: 0, by: -1) {
        let above = k + 2 < m ? Double(k + 2) * nextA[k + 2] : 0
        nextA[k] = (above - right(k + 1)) / Double(k + 1)
      }
      // Coefficient of x^0: A_1 = m^2 A_(m-1)[0] - B_m[0].
      nextB[0] = m2 * (a.isEmpty ? 0 : a[0]) - (m > 1 ? nextA[1] : 0)
      (a, b) = (nextA, nextB)
    }
    return (a, b)
  }
}
