import NumericCore

/// Eigenvalues of a zonal kernel on the sphere, one for each frequency, and how large rounding makes their errors.
public struct ZonalSpectrum: Sendable {
  /// Eigenvalue k = 0, 1, ... with respect to the uniform probability measure.
  public let eigenvalues: [Double]
  /// The root of the sum of squares of the terms of each: with relative errors of e in the kernel's values and no correlation among
  /// them, e times this is the standard error of the eigenvalue.
  public let termNorms: [Double]
}

/// Eigenvalues lambda_0 ... lambda_K, K = `frequencies` - 1, of the kernel with the given values at the nodes of `rule`, on S^(d-1).
///
/// lambda_k = Gamma(d/2) / (sqrt(pi) Gamma((d-1)/2)) int_0^pi kappa(theta) P_k(cos theta) sin^(d-2)(theta) dtheta, with respect to the
/// uniform probability measure, so that sum_k N(d, k) lambda_k = kappa(0) (Funk-Hecke; the normalisation of Bietti & Bach,
/// arXiv:2009.14397). All but the kernel's values is computed in 32 digits. Values at theta and pi - theta are added first for even k and subtracted for odd k: odd eigenvalues of even
/// kernels vanish to rounding. O(rule.count * frequencies).
/// - Throws: `invalidArgument` for d < 2, no frequency, or a wrong number of values.
public func zonalSpectrum(
  _ values: StridedMatrix<Double>, rule: AngleRule, dimension d: Int, frequencies: Int, context: CallContext
) throws(NumericError) -> ZonalSpectrum {
  guard d >= 2, d <= 100_000 else {
    throw .invalid("[sphere_spectrum] dimension must be between 2 and 100000. Received \(d).")
  }
  guard frequencies >= 1, frequencies <= 1_000_000 else {
    throw .invalid("[sphere_spectrum] max_frequency must be between 0 and 999999. Received \(frequencies - 1).")
  }
  guard values.rows == rule.count, values.cols == 1 else {
    throw .invalid("[sphere_spectrum] needs \(rule.count) values of the kernel. Received (\(values.rows), \(values.cols)).")
  }
  return try FunkHeckeSum(values, rule, d).spectrum(frequencies, context)
}

private struct FunkHeckeSum {
  let d: Int
  /// 1 - cos theta at the nodes up to pi / 2.
  private var s: [DoubleDouble] = []
  /// Weight times the kernel's values at theta and pi - theta, added and subtracted.
  private var even: [DoubleDouble] = []
  private var odd: [DoubleDouble] = []
  /// The larger of both values, weighted: where they cancel, both still carry their rounding errors.
  private var sizes: [Double] = []

  init(_ values: StridedMatrix<Double>, _ rule: AngleRule, _ d: Int) {
    self.d = d
    let scale = sphereRatio(d)
    for i in rule.angles.indices {
      let half = (rule.angles[i] * 0.5).sine()
      let square = half * half
      s.append(square * 2)
      // sin^2 theta = 4 sin^2 (1 - sin^2) of the half angle
      let side = (square * (DoubleDouble(1) - square) * 4).squareRoot()
      let factor = scale * rule.weights[i] * side.power(d - 2)
      let (near, far) = (values[i, 0], values[rule.count - 1 - i, 0])
      let isMiddle = i == rule.count - 1 - i
      even.append(isMiddle ? factor * near : factor * DoubleDouble.exact(near, plus: far))
      odd.append(isMiddle ? DoubleDouble(0) : factor * DoubleDouble.exact(near, plus: -far))
      sizes.append(factor.high * (near * near + (isMiddle ? 0 : far * far)).squareRoot())
    }
  }

  func spectrum(_ count: Int, _ context: CallContext) throws(NumericError) -> ZonalSpectrum {
    let n = s.count
    var value = [DoubleDouble](repeating: DoubleDouble(1), count: n)
    var difference = [DoubleDouble](repeating: DoubleDouble(0), count: n)
    var (eigenvalues, norms) = ([Double](), [Double]())
    for k in 0..<count {
      if k > 0 {
        let step = LegendreStep(degree: k, dimension: d)
        for i in 0..<n { step.advance(&value[i], &difference[i], s[i]) }
      }
      var (sum, squares) = (DoubleDouble(0), 0.0)
      let terms = k % 2 == 0 ? even : odd
      for i in 0..<n {
        sum = sum + terms[i] * value[i]
        let size = sizes[i] * value[i].high
        squares += size * size
      }
      eigenvalues.append(sum.high)
      norms.append(squares.squareRoot())
      if k % 32 == 31 { try context.checkpoint(Double(k) / Double(count)) }
      try checkCancelled()
    }
    return ZonalSpectrum(eigenvalues: eigenvalues, termNorms: norms)
  }
}

/// Gamma(d/2) / (sqrt(pi) Gamma((d-1)/2)): the ratio of the volumes of S^(d-2) and S^(d-1). By r(d + 2) = r(d) d / (d - 1).
private func sphereRatio(_ d: Int) -> DoubleDouble {
  var ratio = d % 2 == 0 ? DoubleDouble(1) / DoubleDouble.pi : DoubleDouble(0.5)
  var at = d % 2 == 0 ? 2 : 3
  while at < d {
    ratio = ratio * Double(at) / DoubleDouble(Double(at - 1))
    at += 2
  }
  return ratio
}

/// P_k(cos theta) on S^(d-1) for k = 0 ... out.rows - 1 (rows) at the given angles (columns).
///
/// Angles in 0 ... pi; accurate at both ends. d >= 2 is the caller's to check.
public func legendrePolynomials(dimension d: Int, angles: UnsafePointer<Double>, into out: StridedMatrix<Double>)
  throws(NumericError)
{
  for j in 0..<out.cols {
    try checkCancelled()
    let isUpper = angles[j] > .pi / 2
    let h = sine((isUpper ? .pi - angles[j] : angles[j]) / 2)
    let s = 2 * h * h
    var (value, difference) = (1.0, 0.0)
    for k in 0..<out.rows {
      if k > 0 { LegendreStep(degree: k, dimension: d).advance(&value, &difference, s) }
      out[k, j] = isUpper && k % 2 == 1 ? -value : value
    }
  }
}
