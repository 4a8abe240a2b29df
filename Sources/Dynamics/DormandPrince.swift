import NumericCore

/// What Dormand and Prince's method asks of a system: its state, and seven slopes that the system keeps, numbered 0 to 6.
///
/// The state may be anything whose slopes can be added up: numbers in memory (`VectorFlow`), or a function. Slope 0 belongs to the state.
public protocol StagedFlow: AnyObject {
  /// Computes slope `number` (1...6) at the state plus `step` times the sum of the slopes before it with these weights; number 6 is at the
  /// end of the step. False where that is not finite.
  func evaluate(_ number: Int, weights: [Double], step: Double) throws(NumericError) -> Bool
  /// `step` times the sum of all slopes with these weights, the local error, in units of what is allowed.
  func errorRatio(weights: [Double], step: Double) throws(NumericError) -> Double
  /// Goes to the end of the step, the state plus `step` times the sum of slopes 0..<6 with these weights; slope 6 becomes slope 0.
  func accept(weights: [Double], step: Double) throws(NumericError)
}

/// Dormand and Prince's embedded Runge-Kutta pair of orders 5 and 4 for autonomous systems (J. Comput. Appl. Math. 6, 1980, 19-26).
public enum DormandPrince {
  /// Takes one accepted step, but not beyond `limit`.
  /// - Throws: `notConverged` where steps shrink below rounding; what the system throws.
  public static func advance(_ flow: any StagedFlow, _ control: inout StepControl, to limit: Double) throws(NumericError) {
    while true {
      let h = control.proposal(to: limit)
      guard try control.accepts(h, to: limit, error: try trial(flow, h)) else { continue }
      return try flow.accept(weights: rows[5], step: h)
    }
  }

  /// Error over tolerance of a step.
  private static func trial(_ flow: any StagedFlow, _ h: Double) throws(NumericError) -> Double {
    for (i, row) in rows.enumerated() {
      guard try flow.evaluate(i + 1, weights: row, step: h) else { return .infinity }
    }
    return try flow.errorRatio(weights: errors, step: h)
  }

  /// Weights of the slopes before each stage; the last row gives the solution of order 5.
  private static let rows: [[Double]] = [
    [1.0 / 5],
    [3.0 / 40, 9.0 / 40],
    [44.0 / 45, -56.0 / 15, 32.0 / 9],
    [19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729],
    [9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656],
    [35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84],
  ]
  /// The difference of the solutions of orders 5 and 4.
  private static let errors: [Double] = [
    71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40,
  ]
}
