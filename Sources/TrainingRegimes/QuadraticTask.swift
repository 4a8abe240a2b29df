import LinearAlgebra
import NumericCore

/// What a quadratic network c + x^T M x is to learn, where its risk E (y - c - x^T M x)^2 has a closed form.
///
/// The two settings of Ghorbani et al., arXiv:1906.08899. All matrices are symmetric d x d.
public enum QuadraticTask {
  /// y = offset + x^T form x with x ~ N(0, I).
  case function(form: StridedMatrix<Double>, offset: Double)
  /// y = 1 or -1 with probability 1/2 each, and x ~ N(0, covariance - y difference); both covariances positive definite.
  case mixture(covariance: StridedMatrix<Double>, difference: StridedMatrix<Double>)

  /// The dimension d of x.
  public var dimension: Int {
    switch self {
    case .function(let form, _): form.rows
    case .mixture(let covariance, _): covariance.rows
    }
  }

  /// E y^2 - (E y)^2, the risk of the best constant: 2 |B|^2, or 1.
  public var variance: Double {
    switch self {
    case .function(let form, _): 2 * form.inner(form)
    case .mixture: 1
    }
  }

  /// The constant c that minimises the risk of c + x^T M x: E y - E x^T M x.
  public func bestOffset(for form: StridedMatrix<Double>) -> Double {
    switch self {
    case .function(let target, let offset): offset + target.trace - form.trace
    case .mixture(let covariance, _): -form.inner(covariance)
    }
  }

  /// E (y - c - x^T M x)^2, exact at every dimension.
  ///
  /// For a function 2 |B - M|^2 + (b0 + tr B - c - tr M)^2; for a mixture the mean over both classes of the variance
  /// 2 tr (M S_y M S_y) and the squared bias, with S_y = covariance - y difference. Wick's theorem. O(d^3) for a mixture.
  public func risk(of form: StridedMatrix<Double>, offset c: Double, context: CallContext) throws(NumericError) -> Double {
    try check()
    try form.requireSize(dimension, dimension, "risk", "the quadratic form")
    switch self {
    case .function(let target, let offset):
      var squares = 0.0
      for i in 0..<form.rows {
        for j in 0..<form.cols {
          let gap = target[i, j] - form[i, j]
          squares += gap * gap
        }
      }
      let bias = offset + target.trace - c - form.trace
      return 2 * squares + bias * bias
    case .mixture(let covariance, let difference):
      let product = try OwnedMatrix(dimension, dimension, for: "the risk of a quadratic form", context)
      var sum = 0.0
      for label in [1.0, -1.0] {
        let spread = try OwnedMatrix(copying: covariance, for: "a covariance", context)
        spread.view.add(-label, difference)
        try multiply(form, spread.view, into: product.view, context: context)
        let bias = label - c - product.view.trace
        sum += 2 * product.view.inner(product.view.transposed) + bias * bias
      }
      return sum / 2
    }
  }

  /// Throws unless the matrices are square, of one size, and not empty.
  func check() throws(NumericError) {
    let d = dimension
    guard d > 0 else { throw .invalid("[quadratic_task] the dimension must be 1 or more. Received \(d).") }
    switch self {
    case .function(let form, let offset):
      try form.requireSize(d, d, "quadratic_task", "the quadratic form")
      guard offset.isFinite else { throw .invalid("[quadratic_task] the offset must be finite. Received \(offset).") }
    case .mixture(let covariance, let difference):
      try covariance.requireSize(d, d, "quadratic_task", "the covariance")
      try difference.requireSize(d, d, "quadratic_task", "the difference")
    }
  }
}
