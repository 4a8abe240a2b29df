import Activations
import Architectures
import NumericCore
import TestSupport
import Testing

@testable import TrainingRegimes

/// What bottlenecks are compared with: finite and linear networks and constant kernels, against differences and closed forms.
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
      var (state, losses) = (start, [Double](repeating: 0, count: steps + 1))
      let taken = try problem.descend(
        &state, steps: steps, learningRate: 1 / Double(steps), divergence: 1e6, losses: &losses, context: context)
      #expect(taken == steps)
      return abs(losses[steps] - last[0])
    }
    #expect(errors[0] / errors[1] > 1.9 && errors[0] / errors[1] < 2.1)
    var (state, losses) = (start, [Double](repeating: 0, count: 51))
    let taken = try problem.descend(&state, steps: 50, learningRate: 100, divergence: 1e6, losses: &losses, context: context)
    #expect(taken < 50)
    #expect(losses.dropFirst(taken + 1).allSatisfy { $0.isNaN })
    withExtendedLifetime((x, y)) {}
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

  private let half = LayerNode.serial([
    .dense(DenseLayer(outDim: 1, weightStd: 1.5)), .activation(.made("Erf", 1, 1, 0)),
    .dense(DenseLayer(outDim: 1, weightStd: 1)),
  ])

  /// One step moves every weight by minus the learning rate times the difference quotient of the loss.
  @Test func finiteNetworksFollowTheirGradient() throws {
    let (x, y) = (
      try matrix(4, 2) { i, j in Double((3 * i + 2 * j) % 5) / 2 - 1 }, try matrix(3, 1) { i, _ in Double(i) - 0.5 }
    )
    let weights = try [(2, 3), (3, 2), (2, 3), (3, 1)].enumerated().map { k, size in
      try matrix(size.0, size.1) { i, j in Double((7 * i + 5 * j + 3 * k) % 11) / 4 - 1.2 }
    }
    let (z, f) = (try matrix(4, 2) { _, _ in 0 }, try matrix(4, 1) { _, _ in 0 })
    func losses(_ weights: [OwnedMatrix], _ count: Int, rate: Double) throws -> [Double] {
      let network = try FiniteBottleneck(
        inner: .init(half, hidden: weights[0].view, readout: weights[1].view),
        outer: .init(half, hidden: weights[2].view, readout: weights[3].view), inputs: x.view, targets: y.view)
      var values = [Double](repeating: .nan, count: count)
      try values.withUnsafeMutableBufferPointer {
        try network.descend(learningRate: rate, losses: $0, positions: z.view, outputs: f.view, context: context)
      }
      return values
    }
    let rate = 0.1
    let before = try weights.map { try OwnedMatrix(copying: $0.view, for: "a test", context) }
    let moved = try weights.map { try OwnedMatrix(copying: $0.view, for: "a test", context) }
    let path = try losses(moved, 2, rate: rate)
    #expect(path[1] < path[0])
    let mean = (0..<3).reduce(0.0) { $0 + (f.view[$1, 0] - y.view[$1, 0]) * (f.view[$1, 0] - y.view[$1, 0]) } / 6
    #expect(relativeError(path[1], mean) < 1e-13)
    for (k, w) in before.enumerated() {
      for i in 0..<w.view.rows {
        for j in 0..<w.view.cols {
          let values = try [1e-5, -1e-5].map { h -> Double in
            let shifted = try before.map { try OwnedMatrix(copying: $0.view, for: "a test", context) }
            shifted[k].view[i, j] += h
            return try losses(shifted, 1, rate: rate)[0]
          }
          let expected = w.view[i, j] - rate * (values[0] - values[1]) / 2e-5
          #expect(abs(moved[k].view[i, j] - expected) < 1e-9, "weight \(k), \(i), \(j)")
        }
      }
    }
  }

  @Test func finiteNetworksThatDoNotFitAreRefused() throws {
    let (tall, wide) = (try matrix(3, 2) { _, _ in 1 }, try matrix(2, 3) { _, _ in 1 })
    #expect(throws: NumericError.self) { try FiniteBottleneck.Half(half, hidden: wide.view, readout: wide.view) }
    let good = try FiniteBottleneck.Half(half, hidden: wide.view, readout: tall.view)
    let (x, y) = (try matrix(4, 2) { _, _ in 1 }, try matrix(5, 2) { _, _ in 1 })
    #expect(throws: NumericError.self) { try FiniteBottleneck(inner: good, outer: good, inputs: x.view, targets: y.view) }
    #expect(throws: NumericError.self) { try FiniteBottleneck(inner: good, outer: good, inputs: wide.view, targets: x.view) }
    let kinked = LayerNode.serial([
      .dense(DenseLayer(outDim: 1, weightStd: 1)), .activation(.made("ABRelu", 0, 1)),
      .dense(DenseLayer(outDim: 1, weightStd: 1)),
    ])
    #expect(throws: NumericError.self) { try FiniteBottleneck.Half(kinked, hidden: wide.view, readout: tall.view) }
  }
}
