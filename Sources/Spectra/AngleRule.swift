import NumericCore

/// Gauss-Legendre nodes and weights for integrals over the angle, 0 to pi; nodes ascend and are symmetric about pi / 2.
///
/// Zonal kernels of ReLU networks, exp(-c |x - z|) and all smooth ones are analytic in the angle on the closed interval (in its cosine
/// they have square roots at the ends), so the rule converges geometrically. Angles and weights are known to 32 digits: rounding an
/// angle to a double would change P_k there by k roundings.
public struct AngleRule: Sendable {
  /// Angles of the first half; the others are pi minus these. The middle one, if any, comes last.
  let angles: [DoubleDouble]
  /// Weights of these.
  let weights: [DoubleDouble]
  /// How many nodes there are.
  public let count: Int

  /// The rule with `count` nodes, 1 or more. O(count^2); can be cancelled.
  public init(count: Int) throws(NumericError) {
    self.count = count
    let steps = (0...count).map { LegendreStep(degree: max($0, 1), dimension: 3) }
    var (angles, weights) = ([DoubleDouble](), [DoubleDouble]())
    let halfPi = DoubleDouble.pi * 0.5
    for i in 0..<(count + 1) / 2 {
      try checkCancelled()
      let isMiddle = count % 2 == 1 && i == count / 2
      let (s, weight) = AngleRule.root(isMiddle ? 1 : AngleRule.estimate(i, count), count, steps)
      // The root 1 - s counts from the upper end of -1 ... 1; s pi / 2 is the angle from the lower one.
      angles.append(isMiddle ? halfPi : s * halfPi)
      weights.append(weight * halfPi)
    }
    (self.angles, self.weights) = (angles, weights)
  }

  /// 1 - x for root i of the Legendre polynomial P_n, by Tricomi's estimate to order n^-3.
  private static func estimate(_ i: Int, _ n: Int) -> Double {
    let plain = Double.pi * (Double(i) + 0.75) / (Double(n) + 0.5)
    let half = sine((plain + cosine(plain) / sine(plain) / (8 * Double(n) * Double(n))) / 2)
    return 2 * half * half
  }

  /// s = 1 - x at the root of P_n near `start`, and the weight there: Newton's method, the last step in 32 digits.
  private static func root(_ start: Double, _ n: Int, _ steps: [LegendreStep]) -> (DoubleDouble, DoubleDouble) {
    var s = start
    for _ in 0..<6 {
      var (value, difference, previous) = (1.0, 0.0, 1.0)
      for k in 1...n {
        previous = value
        steps[k].advance(&value, &difference, s)
      }
      // dP/dx = n (P_(n-1) - x P_n) / (1 - x^2)
      let step = value * s * (2 - s) / (Double(n) * (previous - (1 - s) * value))
      s += step
      if abs(step) < 4e-15 * s { break }
    }
    let at = DoubleDouble(s)
    var (value, difference, previous) = (DoubleDouble(1), DoubleDouble(0), DoubleDouble(1))
    for k in 1...n {
      previous = value
      steps[k].advance(&value, &difference, at)
    }
    let side = at * (DoubleDouble(2) - at)
    let slope = (previous - (DoubleDouble(1) - at) * value) * Double(n)
    let step = (value * side / slope).high
    // (1 - x^2) P'^2 changes by the factor 1 + 2 x dx / (1 - x^2) along the step dx = -step.
    let change = DoubleDouble(1) + DoubleDouble(2 * (1 - s) * step / side.high)
    return (at + DoubleDouble(step), side * 2 / (slope * slope) * change)
  }

  /// Angle i of all, rounded.
  public func angle(_ i: Int) -> Double { part(i).high }
  /// Weight i of all, rounded.
  public func weight(_ i: Int) -> Double { weights[min(i, count - 1 - i)].high }

  /// Cosine and sine of angle i, both to full relative accuracy.
  public func point(_ i: Int) -> (cosine: Double, sine: Double) {
    if count % 2 == 1, i == count / 2 { return (0, 1) }
    let isLower = i < angles.count
    let angle = angles[isLower ? i : count - 1 - i]
    let rest = DoubleDouble.pi * 0.5 - angle
    // Near pi / 2 the cosine is the sine of what is missing.
    let cosine = angle.high > 1 ? Spectra.sine(rest.high) : Spectra.cosine(angle.high)
    return (isLower ? cosine : -cosine, Spectra.sine(angle.high))
  }

  private func part(_ i: Int) -> DoubleDouble { i < angles.count ? angles[i] : DoubleDouble.pi - angles[count - 1 - i] }
}

extension AngleRule {
  /// Numbers that `init(packed:)` reads: angle and weight as high and low parts, for each node of the first half.
  public var packed: [Double] {
    zip(angles, weights).flatMap { [$0.high, $0.low, $1.high, $1.low] }
  }

  /// The rule that was packed; nil where the numbers are not 4 for each of (count + 1) / 2 nodes.
  public init?(count: Int, packed: [Double]) {
    guard count >= 1, packed.count == 4 * ((count + 1) / 2) else { return nil }
    let parts = stride(from: 0, to: packed.count, by: 4)
    angles = parts.map { DoubleDouble(packed[$0], packed[$0 + 1]) }
    weights = parts.map { DoubleDouble(packed[$0 + 2], packed[$0 + 3]) }
    self.count = count
  }
}
