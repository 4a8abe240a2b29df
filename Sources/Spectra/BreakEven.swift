import NumericCore

/// The one-dimensional model of SGD along the top eigenvector of the Hessian, in which training reaches a break-even point.
///
/// L_i = H_i psi^2 / 2 for each of N examples, batches of S without replacement, step eta. Jastrzebski et al., "The Break-Even Point"
/// (arXiv:2002.09572), section 3 of the first submission: Eq. (1) and the assumptions lambda_K = alpha lambda_H, s^2 = lambda_K / psi^2.
public struct BreakEvenModel: Sendable {
  private let rate: Double
  /// (N - S) / (S (N - 1)), by which sampling without replacement divides the variance of a mean; 0 for the full batch.
  private let sampling: Double

  /// - Throws: `invalidArgument` unless rate > 0 and 1 <= batch <= examples.
  public init(rate: Double, batch: Int, examples: Int) throws(NumericError) {
    guard rate > 0, rate.isFinite else { throw .invalid("[break_even] learning_rate must be positive. Received \(rate).") }
    guard batch >= 1, batch <= examples else {
      throw .invalid("[break_even] batch_size must be between 1 and the \(examples) examples. Received \(batch).")
    }
    self.rate = rate
    sampling = examples == 1 ? 0 : Double(examples - batch) / (Double(batch) * Double(examples - 1))
  }

  /// E psi'^2 / psi^2 of one step: (1 - eta mean)^2 + eta^2 variance (N - S) / (S (N - 1)). SGD is stable while it is at most 1 (Eq. 1).
  /// `mean` and `variance` (with 1 / N) are those of H_i; the mean is lambda_H.
  public func stabilityFactor(mean: Double, variance: Double) -> Double {
    (1 - rate * mean) * (1 - rate * mean) + variance * rate * rate * sampling
  }

  /// lambda_H at the break-even point, where the factor reaches 1 with s^2 = alpha lambda_H / psi^2:
  /// 2 / eta - (alpha / psi^2) (N - S) / (S (N - 1)); not above 0 where SGD is never stable. lambda_K there is alpha times it.
  public func breakEvenCurvature(alpha: Double, psi: Double) throws(NumericError) -> Double {
    guard alpha >= 0, alpha.isFinite else { throw .invalid("[break_even] alpha must be 0 or more. Received \(alpha).") }
    guard psi != 0, psi.isFinite else { throw .invalid("[break_even] psi must not be 0. Received \(psi).") }
    return 2 / rate - alpha / (psi * psi) * sampling
  }
}
