import NumericCore

/// How a gradient changes parameters.
public enum OptimizerRule: Equatable, Sendable {
  /// v <- momentum v + g, theta <- theta - rate v; with Nesterov's look-ahead theta <- theta - rate (g + momentum v).
  ///
  /// Sutskever, Martens, Dahl & Hinton, "On the importance of initialization and momentum in deep learning" (ICML 2013), in the form that
  /// keeps the rate out of the velocity.
  case descent(momentum: Double, isNesterov: Bool)
  /// Adam with bias correction (Kingma & Ba, arXiv:1412.6980, algorithm 1).
  case adam(b1: Double, b2: Double, epsilon: Double)

  /// Vectors as long as the parameters that the rule remembers.
  public var momentCount: Int {
    switch self {
    case .descent(let momentum, _): momentum == 0 ? 0 : 1
    case .adam: 2
    }
  }
}

/// A rule, its learning rates and its weight decay.
public struct Optimizer: Sendable {
  /// How a gradient changes parameters.
  public var rule: OptimizerRule
  /// The learning rate of each step.
  public var schedule: LearningRateSchedule
  /// Pull towards zero: added to the gradient as weightDecay * theta for descent; for Adam apart from its moments, theta <- theta -
  /// rate * weightDecay * theta (Loshchilov & Hutter, arXiv:1711.05101).
  public var weightDecay: Double

  /// An optimiser; see the properties.
  public init(_ rule: OptimizerRule, schedule: LearningRateSchedule, weightDecay: Double = 0) {
    self.rule = rule
    self.schedule = schedule
    self.weightDecay = weightDecay
  }

  /// Throws where a number would make no sense.
  public func check() throws(NumericError) {
    try schedule.check()
    guard weightDecay >= 0, weightDecay.isFinite else {
      throw .invalid("[train] weight_decay must be at least 0 and finite. Received \(weightDecay).")
    }
    switch rule {
    case .descent(let momentum, _):
      guard momentum >= 0, momentum < 1 else {
        throw .invalid("[train] momentum must be at least 0 and less than 1. Received \(momentum).")
      }
    case .adam(let b1, let b2, let epsilon):
      guard b1 >= 0, b1 < 1, b2 >= 0, b2 < 1, epsilon > 0, epsilon.isFinite else {
        throw .invalid(
          "[train] Adam needs 0 <= b1, b2 < 1 and a positive eps. Received \(b1), \(b2) and \(epsilon).")
      }
    }
  }

  /// Takes step number `step` (from 0) for the parameters in `range`; `moments` are rows of `count` numbers, zero before the first step.
  func apply(
    _ range: Range<Int>, step: Int, gradient g: UnsafePointer<Double>, parameters p: UnsafeMutablePointer<Double>,
    moments: UnsafeMutablePointer<Double>, count: Int
  ) {
    let rate = schedule.rate(step)
    switch rule {
    case .descent(let momentum, let isNesterov):
      if momentum == 0 {
        for i in range { p[i] -= rate * (g[i] + weightDecay * p[i]) }
      } else {
        descend(range, g, p, moments, rate, momentum, isNesterov)
      }
    case .adam(let b1, let b2, let epsilon):
      // rate m / first / (sqrt(v) / second + epsilon), with one division per parameter.
      let (first, second) = (1 - power(b1, step + 1), (1 - power(b2, step + 1)).squareRoot())
      let (scaledRate, scaledEpsilon, decay) = (rate * second / first, epsilon * second, rate * weightDecay)
      let (m, v) = (moments, moments + count)
      for i in range {
        m[i] = b1 * m[i] + (1 - b1) * g[i]
        v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i]
        p[i] -= scaledRate * m[i] / (v[i].squareRoot() + scaledEpsilon) + decay * p[i]
      }
    }
  }

  private func descend(
    _ range: Range<Int>, _ g: UnsafePointer<Double>, _ p: UnsafeMutablePointer<Double>, _ v: UnsafeMutablePointer<Double>,
    _ rate: Double, _ momentum: Double, _ isNesterov: Bool
  ) {
    for i in range {
      let slope = g[i] + weightDecay * p[i]
      let velocity = momentum * v[i] + slope
      v[i] = velocity
      p[i] -= rate * (isNesterov ? slope + momentum * velocity : velocity)
    }
  }
}

/// x^n by repeated squaring.
private func power(_ x: Double, _ n: Int) -> Double {
  var (result, base, left) = (1.0, x, n)
  while left > 0 {
    if left & 1 == 1 { result *= base }
    base *= base
    left >>= 1
  }
  return result
}
