// Functions that are linear between knots.

let piecewiseLinears: [ActivationEntry] = [
  ActivationEntry(
    code: 125, name: "PiecewiseLinear",
    // f(0), the slopes from left to right, the knots.
    parameters: [ActivationParameter("numbers", .list(4...(2 * PiecewiseLinear.mostKnots + 2)))],
    source: "Owen, Ann. Math. Stat. 27, 1956", function: ScalarFunction.of(PiecewiseLinearFunction.self),
    isSmooth: { PiecewiseLinear($0).kinks.isEmpty }, parity: { PiecewiseLinear($0).parity },
    homogeneity: { PiecewiseLinear($0).homogeneity }, dual: { .piecewiseLinear(PiecewiseLinear($0)) },
    text: { PiecewiseLinear($0).text }, problem: PiecewiseLinear.problem)
]

/// A continuous function that is linear between knots.
public struct PiecewiseLinear: Sendable, Equatable {
  static let mostKnots = 16

  /// f(0).
  public let valueAtZero: Double
  /// Slopes from left to right, one more than knots.
  public let slopes: [Double]
  /// Where the slope changes, ascending.
  public let knots: [Double]

  /// From the numbers of the catalogue's entry: f(0), slopes, knots.
  init(_ values: [Double]) {
    let count = max(0, values.count - 2) / 2
    valueAtZero = values.first ?? 0
    slopes = Array(values.dropFirst().prefix(count + 1))
    knots = Array(values.dropFirst(count + 2))
  }

  /// What is wrong with the numbers; nil where nothing is.
  @Sendable static func problem(_ values: [Double]) -> String? {
    let knots = PiecewiseLinear(values).knots
    guard values.count % 2 == 0 else {
      return "needs f(0), one slope more than knots, and the knots. Received \(values.count) numbers."
    }
    guard zip(knots, knots.dropFirst()).allSatisfy({ $0 < $1 }) else { return "knots must ascend. Received \(knots)." }
    return nil
  }

  /// Knots where the slope does change.
  public var kinks: [Double] { knots.indices.filter { slopes[$0] != slopes[$0 + 1] }.map { knots[$0] } }

  /// Whether it is odd or even.
  public var parity: Parity {
    let mirrored = knots.map { -$0 }.reversed() == knots
    if mirrored, valueAtZero == 0, slopes.reversed() == slopes { return .odd }
    if mirrored, slopes.map({ -$0 }).reversed() == slopes { return .even }
    return .none
  }

  var homogeneity: Double? { valueAtZero == 0 && kinks.allSatisfy { $0 == 0 } ? 1 : nil }

  /// The constructor as users write it.
  var text: String {
    switch (knots, slopes, valueAtZero) {
    case ([-1, 1], [0, 1, 0], 0): "HardTanh()"
    case ([0, 6], [0, 1, 0], 0): "Relu6()"
    case ([-3, 3], [0, 1.0 / 6, 0], 0.5): "HardSigmoid()"
    default: "PiecewiseLinear(\(knots), \(slopes), value=\(valueAtZero))"
    }
  }
}

/// Value and slope; at a knot the slope is the mean of both sides.
private struct PiecewiseLinearFunction: PointFunction {
  private let form: PiecewiseLinear
  /// The value at each knot.
  private let values: [Double]

  init(_ numbers: [Double]) {
    let form = PiecewiseLinear(numbers)
    // From 0 outwards, so that bounded functions lose nothing.
    let first = form.knots.count { $0 < 0 }
    var values = [Double](repeating: 0, count: form.knots.count)
    var (at, value) = (0.0, form.valueAtZero)
    for k in first..<form.knots.count {
      value += form.slopes[k] * (form.knots[k] - at)
      (at, values[k]) = (form.knots[k], value)
    }
    (at, value) = (0.0, form.valueAtZero)
    for k in stride(from: first - 1, through: 0, by: -1) {
      value += form.slopes[k + 1] * (form.knots[k] - at)
      (at, values[k]) = (form.knots[k], value)
    }
    self.form = form
    self.values = values
  }

  func jet(_ x: Double) -> Jet {
    let (knots, slopes) = (form.knots, form.slopes)
    let below = knots.count { $0 < x }
    if below < knots.count, knots[below] == x { return [values[below], (slopes[below] + slopes[below + 1]) / 2, 0, 0] }
    // The segment's end that is nearer to 0, or 0 itself.
    let value =
      below < knots.count && knots[below] < 0
      ? values[below] + slopes[below] * (x - knots[below])
      : below > 0 && knots[below - 1] >= 0
        ? values[below - 1] + slopes[below] * (x - knots[below - 1]) : form.valueAtZero + slopes[below] * x
    return [value, slopes[below], 0, 0]
  }
}
