import NumericCore

/// The caller's functions: number, what is wanted, three arrays of arguments, the result, how many. `false` reports failure.
/// It may be called from any thread.
public typealias UserFunctionCall =
  @Sendable (
    _ function: Int, _ what: UserFunctionKind, _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>?,
    _ c: UnsafePointer<Double>?, _ y: UnsafeMutablePointer<Double>, _ count: Int
  ) -> Bool

/// What is wanted of a caller's function.
public enum UserFunctionKind: Int32, Sendable {
  case value = 0
  case derivative = 1
  case dual = 2
  case dualDerivative = 3
}

/// Duals that the caller's own code takes part in, for one strip of covariances.
struct UserDuals: Sendable {
  let call: UserFunctionCall?

  /// T and Td from the caller's E f(u) f(v) and its derivative by the covariance.
  func dual(
    _ function: Int, covariances: [Double], variances1: [Double], variances2: [Double], wantsSlope: Bool
  ) throws(NumericError) -> (values: [Double], slopes: [Double]) {
    let n = covariances.count
    var values = [Double](repeating: 0, count: n)
    try run(function, .dual, covariances, variances1, variances2, &values)
    var slopes = [Double](repeating: 0, count: wantsSlope ? n : 0)
    if wantsSlope { try run(function, .dualDerivative, covariances, variances1, variances2, &slopes) }
    return (values, slopes)
  }

  /// T and Td by the two-dimensional Gauss-Hermite rule with `degree` nodes a side, exactly as neural-tangents'
  /// ElementwiseNumerical defines it: u = sqrt(2 q1) x, v = (c / q1) u + sqrt(2 (q2 - c^2 / q1)) y.
  func quadrature(
    _ function: Int, degree: Int, covariances: [Double], variances1: [Double], variances2: [Double], wantsSlope: Bool
  ) throws(NumericError) -> (values: [Double], slopes: [Double]) {
    let (x, w) = HermiteRule.physicists(degree)
    let values = try integrate(function, .value, x, w, covariances, variances1, variances2)
    let slopes = wantsSlope ? try integrate(function, .derivative, x, w, covariances, variances1, variances2) : []
    return (values, slopes)
  }

  private func integrate(
    _ function: Int, _ what: UserFunctionKind, _ x: [Double], _ w: [Double], _ c: [Double], _ q1: [Double], _ q2: [Double]
  ) throws(NumericError) -> [Double] {
    let degree = x.count
    var result = [Double](repeating: 0, count: c.count)
    var u = [Double](repeating: 0, count: degree)
    var v = [Double](repeating: 0, count: degree * degree)
    var fu = u
    var fv = v
    for p in 0..<c.count {
      try checkCancelled()
      let isZero = q1[p] <= 0
      let spread = (2 * max(isZero ? q2[p] : q2[p] - c[p] * c[p] / q1[p], 0)).squareRoot()
      let tilt = isZero ? 0 : c[p] / (q1[p] / 2).squareRoot()
      for i in 0..<degree {
        u[i] = (2 * q1[p]).squareRoot() * x[i]
        for j in 0..<degree { v[i * degree + j] = tilt * x[i] + spread * x[j] }
      }
      try run(function, what, u, nil, nil, &fu)
      try run(function, what, v, nil, nil, &fv)
      var sum = 0.0
      for i in 0..<degree {
        var inner = 0.0
        for j in 0..<degree { inner += w[j] * fv[i * degree + j] }
        sum += w[i] * fu[i] * inner
      }
      result[p] = sum / .pi
    }
    return result
  }

  /// T(q, q, q) by the one-dimensional rule.
  func selfQuadrature(_ function: Int, degree: Int, variances: [Double]) throws(NumericError) -> [Double] {
    let (x, w) = HermiteRule.physicists(degree)
    var points: [Double] = []
    points.reserveCapacity(variances.count * degree)
    for q in variances { for t in x { points.append((2 * q).squareRoot() * t) } }
    try checkCancelled()
    var f = [Double](repeating: 0, count: points.count)
    try run(function, .value, points, nil, nil, &f)
    return variances.indices.map { i in
      (0..<degree).reduce(0.0) { $0 + w[$1] * f[i * degree + $1] * f[i * degree + $1] } / Double.pi.squareRoot()
    }
  }

  private func run(
    _ function: Int, _ what: UserFunctionKind, _ a: [Double], _ b: [Double]?, _ c: [Double]?, _ y: inout [Double]
  ) throws(NumericError) {
    guard let call else {
      throw .invalid("[architecture] needs the caller's functions. Received none.")
    }
    let count = y.count
    let succeeded = a.withUnsafeBufferPointer { a in
      y.withUnsafeMutableBufferPointer { y in
        guard let pa = a.baseAddress, let py = y.baseAddress else { return true }
        guard let b, let c else { return call(function, what, pa, nil, nil, py, count) }
        return b.withUnsafeBufferPointer { b in
          c.withUnsafeBufferPointer { c in call(function, what, pa, b.baseAddress, c.baseAddress, py, count) }
        }
      }
    }
    guard succeeded else { throw NumericError(.callbackFailed, "[Elementwise] the given function raised an error.") }
    for (i, value) in y.enumerated() where !value.isFinite {
      throw .invalid("[Elementwise] the function must be finite where it is needed. Received \(value) at argument \(a[i]).")
    }
  }
}
