import Activations
import Architectures
import NumericCore
import TestSupport
import Testing
import TrainingRegimes

@Suite struct BottleneckTests {
  private let outer = LayerNode.serial([
    .dense(DenseLayer(outDim: 1, weightStd: 1.5)), .activation(.made("Erf", 1, 1, 0)),
    .dense(DenseLayer(outDim: 1, weightStd: 1)),
  ])

  private func matrix(_ rows: Int, _ cols: Int, _ value: (Int, Int) -> Double) throws -> (
    StridedMatrix<Double>, Workspace<Double>
  ) {
    let room = try Workspace<Double>(rows * cols)
    let view = StridedMatrix(room.pointer, rows: rows, cols: cols)
    for i in 0..<rows { for j in 0..<cols { view[i, j] = value(i, j) } }
    return (view, room)
  }

  /// A run on three training points and one test point, with a linear f_0.
  private func run(_ options: BottleneckOptions) throws -> Bottleneck {
    let inner = try matrix(4, 3) { i, j in i == j ? 1.5 : 0.3 }
    let start = try matrix(4, 2) { i, j in Double(i) * 0.4 - Double(j) * 0.3 }
    let targets = try matrix(3, 1) { i, _ in i == 1 ? 1 : -0.5 }
    let linear = BottleneckStart.function { z, count, values, gradients in
      for i in 0..<count {
        values[i] = 0.7 * z[2 * i] - 0.4 * z[2 * i + 1]
        (gradients[2 * i], gradients[2 * i + 1]) = (0.7, -0.4)
      }
      return true
    }
    return try withExtendedLifetime((inner.1, start.1, targets.1)) {
      try Bottleneck(
        outer: outer, inner: inner.0, positions: start.0, targets: targets.0, start: linear, options: options,
        context: CallContext())
    }
  }

  @Test func gradientOfTheKernelIsItsDerivative() throws {
    let step = 1e-5
    let (left, a) = try matrix(3, 2) { i, j in (i == 0 ? 0.3 : i == 1 ? 0.3 + step : 0.3 - step) + (j == 1 ? 0.2 : 0) }
    for i in 0..<3 { left[i, 1] = 0.5 }
    let (right, b) = try matrix(2, 2) { i, j in i == 0 ? 0.3 + 0.2 * Double(j) : -0.8 }
    let ((out, c), (gradient, d)) = (try matrix(3, 2) { _, _ in 0 }, try matrix(3, 4) { _, _ in 0 })
    try inputGradient(outer, isNTK: true, left, right, into: out, gradient: gradient, context: CallContext())
    for j in 0..<2 { #expect(abs(gradient[0, 2 * j] - (out[1, j] - out[2, j]) / (2 * step)) < 1e-8) }
    withExtendedLifetime((a, b, c, d)) {}
  }

  /// Two short runs are one long run.
  @Test func runsGoOn() throws {
    var options = BottleneckOptions()
    options.learningRate = 0.5
    for compression in [0, 1e-3] {
      options.compression = compression
      let (once, twice) = (try run(options), try run(options))
      try once.descend(20, recordingEvery: 1, context: CallContext())
      try twice.descend(12, recordingEvery: 1, context: CallContext())
      try twice.descend(8, recordingEvery: 1, context: CallContext())
      #expect(once.records.losses == twice.records.losses)
      #expect(once.records.positions == twice.records.positions)
      #expect(once.steps == 20)
    }
  }

  @Test func flowIsTheLimitOfDescent() throws {
    var options = BottleneckOptions()
    options.flowTolerance = 1e-9
    let flow = try run(options)
    try flow.flow(to: [2], recordingSteps: false, context: CallContext())
    var errors: [Double] = []
    for steps in [100, 200] {
      options.learningRate = 2 / Double(steps)
      let descent = try run(options)
      try descent.descend(steps, recordingEvery: steps, context: CallContext())
      errors.append(abs((descent.records.losses.last ?? 0) - (flow.records.losses.last ?? 1)))
    }
    #expect(errors[0] / errors[1] > 1.8)
    #expect(errors[0] / errors[1] < 2.2)
  }

  @Test func cancellationKeepsWholeSteps() throws {
    var calls = 0
    let cancelling = CallContext(threads: 1, memoryLimit: .max) { _ in
      calls += 1
      return calls < 3
    }
    let training = try run(BottleneckOptions())
    #expect(throws: NumericError.cancelled) { try training.descend(1 << 40, recordingEvery: 1 << 40, context: cancelling) }
    #expect(training.records.losses.count == training.steps + 1)
    #expect(training.steps > 0)
  }

  @Test func kinkedNetworksAreRefused() throws {
    let kinked = LayerNode.serial([
      .dense(DenseLayer(outDim: 1, weightStd: 1)), .activation(.made("ABRelu", 0, 1)),
      .dense(DenseLayer(outDim: 1, weightStd: 1)),
    ])
    let (z, a) = try matrix(1, 2) { _, _ in 1 }
    let ((out, b), (gradient, c)) = (try matrix(1, 1) { _, _ in 0 }, try matrix(1, 2) { _, _ in 0 })
    #expect(throws: NumericError.self) {
      try inputGradient(kinked, isNTK: true, z, z, into: out, gradient: gradient, context: CallContext())
    }
    withExtendedLifetime((a, b, c)) {}
  }

  @Test func linearFlowConservesItsMatrix() throws {
    let (x, a) = try matrix(5, 3) { i, j in Double((i * 3 + j) % 7) / 3 - 1 }
    let (y, b) = try matrix(5, 1) { i, _ in Double(i) - 2 }
    let problem = try LinearBottleneck(inputs: x, targets: y, units: 2, scale: 0.4, innerDepth: 2, outerDepth: 3)
    var start = (0..<problem.stateCount).map { Double(($0 * 5) % 9) / 5 - 0.8 }
    var (end, losses) = ([Double](repeating: 0, count: start.count), [0.0])
    try problem.flow(&start, times: [20], tolerance: 1e-11, states: &end, losses: &losses, context: CallContext())
    func conserved(_ s: [Double], _ p: Int, _ q: Int) -> Double {
      3 * (0..<3).reduce(0.0) { $0 + s[p * 3 + $1] * s[q * 3 + $1] } - 2 * s[6 + p] * s[6 + q]
    }
    for p in 0..<2 { for q in 0..<2 { #expect(abs(conserved(end, p, q) - conserved(start, p, q)) < 1e-8) } }
    withExtendedLifetime((a, b)) {}
  }
}
