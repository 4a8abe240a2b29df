import NumericCore

/// A spectrum with degenerate levels, and a target in it.
public struct SpectralTarget: Sendable {
  /// Eigenvalue of each level, not negative.
  public let eigenvalues: [Double]
  /// Independent eigenfunctions of each level.
  public let multiplicities: [Double]
  /// The target's energy in each level: the sum of its squared coefficients.
  public let energies: [Double]
  /// Trace of the kernel beyond these levels: it acts as additional ridge.
  public let tailTrace: Double
  /// Energy of the target beyond these levels: never learnt.
  public let tailEnergy: Double

  /// Levels with equal counts of entries; the caller checks them.
  public init(
    eigenvalues: [Double], multiplicities: [Double], energies: [Double], tailTrace: Double = 0, tailEnergy: Double = 0
  ) {
    (self.eigenvalues, self.multiplicities, self.energies) = (eigenvalues, multiplicities, energies)
    (self.tailTrace, self.tailEnergy) = (tailTrace, tailEnergy)
  }
}

/// What kernel ridge regression with n samples is predicted to do.
public struct LearningPrediction: Sendable {
  /// The effective ridge, kappa.
  public let effectiveRidge: Double
  /// Mean squared error on new points, without their noise.
  public let error: Double
  /// Share of each level that is learnt, 0 ... 1.
  public let learned: [Double]
}

/// The mean squared error and the learnt share of every level of kernel ridge regression with `samples` random points.
///
/// The predictor is k(x, X) (K + ridge I)^-1 y. The effective ridge solves kappa = ridge + tail + sum_k N_k lambda_k kappa / (n lambda_k +
/// kappa); level k is learnt to n lambda_k / (n lambda_k + kappa); the error is (sum_k E_k (kappa / (n lambda_k + kappa))^2 + gamma
/// noise) / (1 - gamma), gamma = sum_k N_k n lambda_k^2 / (n lambda_k + kappa)^2. [derived: Gaussian equivalence of the features; checked
/// against simulated regressions.] Infinite error at the interpolation threshold of a finite spectrum without ridge.
public func learningPrediction(_ target: SpectralTarget, samples n: Double, ridge: Double, noise: Double) throws(NumericError)
  -> LearningPrediction
{
  let kappa = try effectiveRidge(target, n, ridge)
  let (base, levels) = (ridge + target.tailTrace, 0..<target.eigenvalues.count)
  var (bias, gamma) = (target.tailEnergy, 0.0)
  // 1 - gamma without cancellation, from the equation for kappa.
  var complement = kappa > 0 ? base / kappa : 1
  for k in levels {
    let (value, count) = (target.eigenvalues[k], target.multiplicities[k])
    guard value > 0 else {
      bias += target.energies[k]
      continue
    }
    let below = n * value + kappa
    let missing = below > 0 ? kappa / below : 1
    bias += target.energies[k] * missing * missing
    let share = n > 0 ? count * n * (value / below) * (value / below) : 0
    gamma += share
    complement += kappa > 0 ? count * (value / below) * missing : -share
  }
  let learned = levels.map { k in
    let gain = n * target.eigenvalues[k]
    return gain > 0 ? gain / (gain + kappa) : 0
  }
  let error = complement > 0 ? (bias + gamma * noise) / complement : .infinity
  return LearningPrediction(effectiveRidge: kappa, error: error, learned: learned)
}

/// Newton's method from above on a convex function: it descends to the root without passing it.
private func effectiveRidge(_ target: SpectralTarget, _ n: Double, _ ridge: Double) throws(NumericError) -> Double {
  let base = ridge + target.tailTrace
  var kappa = base
  for (value, count) in zip(target.eigenvalues, target.multiplicities) { kappa += value * count }
  for _ in 0..<500 {
    try checkCancelled()
    var (rest, slope) = (kappa - base, 1.0)
    for (value, count) in zip(target.eigenvalues, target.multiplicities) where value > 0 {
      let below = n * value + kappa
      guard below > 0 else { continue }
      rest -= count * value * (kappa / below)
      slope -= count * value * (n * value / below) / below
    }
    guard slope > 0 else { break }
    let next = max(kappa - rest / slope, base)
    // Without ridge and with more samples than levels the root is 0, and the steps shrink towards it.
    if !(next < kappa * (1 - 1e-15)) || next < 1e-290 { return next < 1e-290 ? 0 : min(next, kappa) }
    kappa = next
  }
  return kappa
}
