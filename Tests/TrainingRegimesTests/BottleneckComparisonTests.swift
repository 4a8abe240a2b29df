import Dynamics
import NumericCore
import TestSupport
import Testing

@testable import TrainingRegimes

/// What bottlenecks are compared with: linear networks and constant kernels, against differences and closed forms.
@Suite struct BottleneckComparisonTests {
  private let context = CallContext()

  private func matrix(_ rows: Int, _ cols: Int, _ value: (Int, Int) -> Double) throws -> OwnedMatrix {
    let m = try OwnedMatrix(rows, cols, for: "a test", context)
    for i in 0..<rows { for j in 0..<cols { m.view[i, j] = value(i, j) } }
    return m
  }

  private func linear(_ x: OwnedMatrix, _ y: OwnedMatrix) throws -> LinearBottleneck {
    try LinearBottleneck(inputs: x.view, targets: y.view, units: 2, scale: 0.6, innerDepth: 2, outerDepth: 3)
  }

  /// The derivative is minus the gradient of the loss, L_g times for A and L_f times for w.
  @Test func linearDerivativesAreDifferencesOfTheLoss() throws {
    let (x, y) = (try matrix(5, 3) { i, j in Double((i * 3 + j) % 7) / 3 - 1 }, try matrix(5, 1) { i, _ in Double(i) - 2 })
    let problem = try linear(x, y)
    let state = (0..<problem.stateCount).map { Double(($0 * 5) % 9) / 5 - 0.8 }
    var slope = [Double](repeating: 0, count: state.count)
    _ = problem.derivative(state, &slope)
    for e in state.indices {
      let losses = [1e-5, -1e-5].map { h -> Double in
        var (moved, ignored) = (state, slope)
        moved[e] += h
        return problem.derivative(moved, &ignored)
      }
      let depth = e < 6 ? 2.0 : 3.0
      #expect(abs(slope[e] + depth * (losses[0] - losses[1]) / 2e-5) < 1e-8)
    }
    withExtendedLifetime((x, y)) {}
  }

  @Test func linearDescentApproachesItsFlow() throws {
    let (x, y) = (try matrix(5, 3) { i, j in Double((i * 3 + j) % 7) / 3 - 1 }, try matrix(5, 1) { i, _ in Double(i) - 2 })
    let problem = try linear(x, y)
    let start = (0..<problem.stateCount).map { Double(($0 * 5) % 9) / 5 - 0.8 }
    var (end, last) = (start, [0.0])
    try problem.flow(start, times: [1], tolerance: 1e-11, states: &end, losses: &last, context: context)
    let errors = try [200, 400].map { steps -> Double in
      let (record, losses) = try descend(problem, start, steps, 1 / Double(steps))
      #expect(record.steps == steps && record.count == steps + 1 && record.outcome == .finished)
      return abs(losses[steps] - last[0])
    }
    #expect(errors[0] / errors[1] > 1.9 && errors[0] / errors[1] < 2.1)
    let (record, losses) = try descend(problem, start, 50, 100)
    #expect(record.outcome == .diverged && record.steps < 50 && record.count == record.steps + 1)
    #expect(!(losses[record.steps] <= 1e6 * losses[0]))
    withExtendedLifetime((x, y)) {}
  }

  private func descend(
    _ problem: LinearBottleneck, _ start: [Double], _ steps: Int, _ rate: Double
  ) throws -> (TrainingRecord, [Double]) {
    let losses = try OwnedMatrix(steps + 1, 1, for: "a test", context)
    var (state, record) = (start, TrainingRecord(loss: losses.view.base))
    try problem.descend(&state, steps: steps, learningRate: rate, divergence: 1e6, record: &record, context: context)
    return (record, (0...steps).map { losses.view[$0, 0] })
  }

  /// Sizes whose product leaves the integers are refused before any memory is read.
  @Test func linearProblemsThatFitNoMemoryAreRefused() throws {
    let room = try Workspace<Double>(4, zeroed: true)
    let wide = StridedMatrix(room.pointer, rows: 1, cols: Int.max / 16, rowStride: 0, colStride: 0)
    let one = StridedMatrix(room.pointer, rows: 1, cols: 1)
    for units in [1 << 24, Int.max] {
      #expect(throws: NumericError.self) {
        try LinearBottleneck(inputs: wide, targets: one, units: units, scale: 1, innerDepth: 1, outerDepth: 1)
      }
    }
    for (scale, depth) in [(0, 1), (1, 0), (.nan, 1), (1, .infinity)] as [(Double, Double)] {
      #expect(throws: NumericError.self) {
        try LinearBottleneck(inputs: one, targets: one, units: 1, scale: scale, innerDepth: depth, outerDepth: 1)
      }
    }
  }

  /// For the kernel k I every residual shrinks by 1 - eta k / (n c) in each step.
  @Test func constantKernelsShrinkResidualsGeometrically() throws {
    let (n, c, k, rate, steps) = (3, 2, 1.5, 0.4, 6)
    let kernel = try matrix(n, n) { i, j in i == j ? k : 0 }
    let residuals = try matrix(n, c) { i, j in Double(i) - 0.7 * Double(j) }
    let start = (0..<n * c).map { residuals.view[$0 / c, $0 % c] }
    var losses = [Double](repeating: .nan, count: steps + 1)
    try constantKernelDescent(
      kernel.view, residuals: residuals.view, learningRate: rate, steps: steps, losses: &losses, context: context)
    let square = start.reduce(0) { $0 + $1 * $1 } / Double(2 * n * c)
    var factor = 1.0
    for s in 0...steps {
      #expect(relativeError(losses[s], square * factor * factor) < 1e-13)
      if s < steps { factor *= 1 - rate * k / Double(n * c) }
    }
    #expect(maxError((0..<n * c).map { residuals.view[$0 / c, $0 % c] }, start.map { factor * $0 }) < 1e-13)
    for rate in [0, -1, Double.nan, .infinity] {
      #expect(throws: NumericError.self) {
        try constantKernelDescent(
          kernel.view, residuals: residuals.view, learningRate: rate, steps: 1, losses: &losses, context: context)
      }
    }
  }
}
