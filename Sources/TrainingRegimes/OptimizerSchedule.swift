#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import NumericCore

/// The learning rate of each step, counted from 0.
public struct LearningRateSchedule: Equatable, Sendable {
  /// How the rate changes.
  public enum Shape: Equatable, Sendable {
    /// It does not.
    case constant
    /// From each of these steps on it is multiplied by that factor too.
    case piecewise(boundaries: [Int], factors: [Double])
    /// Half a cosine from 1 to `final` over `steps` steps after the warm-up, then `final` (Loshchilov & Hutter, arXiv:1608.03983).
    case cosine(steps: Int, final: Double)
  }

  /// The rate that the shape scales.
  public var peak: Double
  /// How the rate changes after the warm-up.
  public var shape: Shape
  /// Steps over which the rate grows linearly to its peak: step k of them uses (k + 1) / (warmup + 1) of it.
  public var warmup: Int

  /// A schedule; see the properties.
  public init(_ peak: Double, _ shape: Shape = .constant, warmup: Int = 0) {
    self.peak = peak
    self.shape = shape
    self.warmup = warmup
  }

  /// Throws where a number would make no sense.
  public func check() throws(NumericError) {
    guard peak > 0, peak.isFinite else { throw .invalid("[train] learning_rate must be positive and finite. Received \(peak).") }
    guard warmup >= 0 else { throw .invalid("[train] warmup must be at least 0 steps. Received \(warmup).") }
    switch shape {
    case .constant: break
    case .piecewise(let boundaries, let factors):
      guard boundaries.count == factors.count else {
        throw .invalid(
          "[train] a piecewise schedule needs a factor per boundary. Received \(factors.count) for \(boundaries.count).")
      }
      for factor in factors where !(factor > 0 && factor.isFinite) {
        throw .invalid("[train] factors of a schedule must be positive and finite. Received \(factor).")
      }
    case .cosine(let steps, let final):
      guard steps >= 1, final >= 0, final.isFinite else {
        throw .invalid(
          "[train] a cosine schedule needs at least one step and a final factor of at least 0. Received \(steps), \(final).")
      }
    }
  }

  /// The learning rate of step number `step`.
  public func rate(_ step: Int) -> Double {
    guard step >= warmup else { return peak * Double(step + 1) / (Double(warmup) + 1) }
    switch shape {
    case .constant: return peak
    case .piecewise(let boundaries, let factors):
      return zip(boundaries, factors).reduce(peak) { step >= $1.0 ? $0 * $1.1 : $0 }
    case .cosine(let steps, let final):
      let phase = Double(min(step - warmup, steps)) / Double(steps)
      return peak * (final + (1 - final) * 0.5 * (1 + cos(Double.pi * phase)))
    }
  }
}
