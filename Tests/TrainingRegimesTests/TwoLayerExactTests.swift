import Activations
import Architectures
import Dynamics
import LinearAlgebra
import NumericCore
import TestSupport
import Testing

@testable import TrainingRegimes

/// Predictions, ridge regression and curvature of two-layer networks, against their definitions term by term.
@Suite struct TwoLayerExactTests {
  private let context = CallContext(threads: 2)

  /// A network of three units in two dimensions with tangents, on some inputs.
  private struct Problem {
    let weights, outputs, tangents, inputs, targets: OwnedMatrix
    let activation: Activation
    let hasTangents: Bool

    init(_ activation: Activation, samples: Int, hasTangents: Bool = true, width: Int = 3) throws {
      let context = CallContext()
      func normal(_ rows: Int, _ cols: Int, _ seed: UInt64) throws -> OwnedMatrix {
        let m = try OwnedMatrix(rows, cols, for: "a test", context)
        PhiloxStream(key: (seed, 0)).fillNormal(m.view.base, count: rows * cols)
        return m
      }
      (weights, outputs, tangents) = (try normal(width, 2, 1), try normal(width, 1, 2), try normal(width, 2, 3))
      (inputs, targets) = (try normal(samples, 2, 4), try normal(samples, 1, 5))
      (self.activation, self.hasTangents) = (activation, hasTangents)
    }

    func network() throws -> TwoLayerNetwork<Double> {
      try TwoLayerNetwork(
        weights: weights.view, outputs: outputs.view, tangents: hasTangents ? tangents.view : nil, activation: activation)
    }

    /// s and s' of unit i at sample k.
    func unit(_ i: Int, _ k: Int) -> (value: Double, slope: Double) {
      let z = weights.view[i, 0] * inputs.view[k, 0] + weights.view[i, 1] * inputs.view[k, 1]
      if activation.coefficients != nil { return (z * z, 2 * z) }
      return (max(z, 0), z > 0 ? 1 : 0)
    }

    /// The features of sample k: s_i where `usesOutputs`, then s'_i x where there are tangents.
    func features(_ k: Int, usesOutputs: Bool) -> [Double] {
      let units = (0..<weights.view.rows).map { unit($0, k) }
      let linear = hasTangents ? units.flatMap { [$0.slope * inputs.view[k, 0], $0.slope * inputs.view[k, 1]] } : []
      return (usesOutputs ? units.map(\.value) : []) + linear
    }

    /// The coefficients of these features.
    func coefficients(usesOutputs: Bool) -> [Double] {
      let n = weights.view.rows
      return (usesOutputs ? (0..<n).map { outputs.view[$0, 0] } : [])
        + (hasTangents ? (0..<2 * n).map { tangents.view[$0 / 2, $0 % 2] } : [])
    }
  }

  private static let activations: [Activation] = [.made("Polynomial", 0, 0, 1), .made("ABRelu", 0, 1)]

  @Test(arguments: activations, [false, true])
  func predictionsAreTheSumsOfTheirFeatures(_ activation: Activation, _ hasTangents: Bool) throws {
    let problem = try Problem(activation, samples: 300, hasTangents: hasTangents)
    let out = try OwnedMatrix(300, 1, for: "a test", context)
    try predict(try problem.network(), offset: 0.7, on: problem.inputs.view, into: out.view, context: context)
    let theta = problem.coefficients(usesOutputs: true)
    let expected = (0..<300).map { k in 0.7 + zip(problem.features(k, usesOutputs: true), theta).map(*).reduce(0, +) }
    #expect(maxError((0..<300).map { out.view[$0, 0] }, expected) < 1e-14)
    let wrong = try OwnedMatrix(299, 1, for: "a test", context)
    #expect(throws: NumericError.self) {
      try predict(try problem.network(), offset: 0, on: problem.inputs.view, into: wrong.view, context: context)
    }
  }

  /// The gradient of |y - c - F theta|^2 + ridge |theta|^2 vanishes at the solution, both where samples and where features are fewer.
  @Test(arguments: [4, 40], [(true, true), (true, false), (false, true)])
  func ridgeSolutionsAreStationary(_ samples: Int, _ parts: (usesOutputs: Bool, hasTangents: Bool)) throws {
    for fitsOffset in [false, true] {
      let problem = try Problem(.made("ABRelu", 0.1, 1), samples: samples, hasTangents: parts.hasTangents)
      let ridge = 0.3
      let task = try TwoLayerRidge(
        inputs: problem.inputs.view, targets: problem.targets.view, ridge: ridge, usesOutputs: parts.usesOutputs,
        fitsOffset: fitsOffset)
      let found = try task.solve(into: try problem.network(), context: context)
      #expect(found.jitter == 0)
      if !fitsOffset { #expect(found.offset == 0) }
      let theta = problem.coefficients(usesOutputs: parts.usesOutputs)
      var (slope, sum) = (theta.map { ridge * $0 }, 0.0)
      for k in 0..<samples {
        let features = rectified(problem, k, parts.usesOutputs)
        let residual = problem.targets.view[k, 0] - found.offset - zip(features, theta).map(*).reduce(0, +)
        for j in slope.indices { slope[j] -= residual * features[j] }
        sum += residual
      }
      #expect(slope.allSatisfy { abs($0) < 1e-12 })
      if fitsOffset { #expect(abs(sum) < 1e-12) }
      if !parts.usesOutputs { for i in 0..<3 { #expect(problem.outputs.view[i, 0] == 0) } }
    }
  }

  /// Features of the leaky rectifier.
  private func rectified(_ problem: Problem, _ k: Int, _ usesOutputs: Bool) -> [Double] {
    let (x, n) = ([problem.inputs.view[k, 0], problem.inputs.view[k, 1]], problem.weights.view.rows)
    let z = (0..<n).map { problem.weights.view[$0, 0] * x[0] + problem.weights.view[$0, 1] * x[1] }
    let linear = problem.hasTangents ? z.flatMap { t in x.map { (t > 0 ? 1 : 0.1) * $0 } } : []
    return (usesOutputs ? z.map { $0 > 0 ? $0 : 0.1 * $0 } : []) + linear
  }

  /// The largest eigenvalue of the matrix of gradients, put together entry by entry.
  @Test(arguments: [(true, true, false), (false, true, false), (true, false, false), (false, false, true), (false, false, false)])
  func curvatureIsThatOfTheGradients(_ moves: (weights: Bool, outputs: Bool, tangents: Bool)) throws {
    let n = 6
    let problem = try Problem(.made("Polynomial", 0, 0, 1), samples: n, hasTangents: moves.tangents)
    let found = try batchCurvature(
      of: try problem.network(), on: problem.inputs.view, trainsWeights: moves.weights, trainsOutputs: moves.outputs,
      context: context)
    let gradients = (0..<n).map { k -> [Double] in
      let units = (0..<3).map { problem.unit($0, k) }
      var row = [1.0]
      if moves.outputs { row += units.map(\.value) }
      if moves.tangents { row += problem.features(k, usesOutputs: false) }
      if moves.weights {
        for i in 0..<3 { for d in 0..<2 { row.append(problem.outputs.view[i, 0] * units[i].slope * problem.inputs.view[k, d]) } }
      }
      return row
    }
    let gram = try OwnedMatrix(n, n, for: "a test", context)
    for i in 0..<n { for j in 0..<n { gram.view[i, j] = zip(gradients[i], gradients[j]).map(*).reduce(0, +) / Double(n) } }
    let values = try Workspace<Double>(n)
    try symmetricEigen(gram.view, values: values.pointer, context: context)
    #expect(relativeError(found, values[n - 1]) < 1e-9)
  }

  /// One step on a fixed set of all samples is a step of gradient descent on the mean squared error.
  @Test func oneStepOnAllSamplesIsGradientDescent() throws {
    let (n, rate) = (7, 0.05)
    let problem = try Problem(.made("Polynomial", 0, 0, 1), samples: n, hasTangents: false)
    let network = try problem.network()
    var start = (weights: [[Double]](), outputs: [Double]())
    for i in 0..<3 {
      start.weights.append([problem.weights.view[i, 0], problem.weights.view[i, 1]])
      start.outputs.append(problem.outputs.view[i, 0])
    }
    let units = (0..<n).map { k in (0..<3).map { problem.unit($0, k) } }
    var offset = 0.2
    let residuals = (0..<n).map { k in
      problem.targets.view[k, 0] - offset - (0..<3).reduce(0) { $0 + start.outputs[$1] * units[k][$1].value }
    }
    let sgd = try TwoLayerSGD(
      rates: .init(weights: 1, tangents: 0, outputs: 2, offset: 0.5), sharesOutputs: false, batch: n, firstStep: 0, steps: 1,
      schedule: [(step: 0, rate: rate)], key: 1)
    let room = try OwnedMatrix(1, 1, for: "a test", context)
    var record = TrainingRecord(loss: room.view.base)
    try sgd.run(
      network, offset: &offset, on: .data(inputs: problem.inputs.view, targets: problem.targets.view),
      record: &record, context: context)
    #expect(record.steps == 1 && record.count == 1)
    #expect(relativeError(room.view[0, 0], residuals.reduce(0) { $0 + $1 * $1 } / Double(n)) < 1e-14)
    let scale = 2 * rate / Double(n)
    #expect(abs(offset - (0.2 + 0.5 * scale * residuals.reduce(0, +))) < 1e-14)
    for i in 0..<3 {
      let output = (0..<n).reduce(0.0) { $0 + residuals[$1] * units[$1][i].value }
      #expect(abs(problem.outputs.view[i, 0] - (start.outputs[i] + 2 * scale * output)) < 1e-13)
      for d in 0..<2 {
        let slope = (0..<n).reduce(0.0) { $0 + residuals[$1] * units[$1][i].slope * problem.inputs.view[$1, d] }
        #expect(abs(problem.weights.view[i, d] - (start.weights[i][d] + scale * start.outputs[i] * slope)) < 1e-13)
      }
    }
  }

  @Test func problemsThatDoNotFitAreRefused() throws {
    let problem = try Problem(.made("ABRelu", 0, 1), samples: 4)
    for ridge in [-1, Double.nan, .infinity] {
      #expect(throws: NumericError.self) {
        try TwoLayerRidge(
          inputs: problem.inputs.view, targets: problem.targets.view, ridge: ridge, usesOutputs: true, fitsOffset: true)
      }
    }
    #expect(throws: NumericError.self) {
      try TwoLayerRidge(inputs: problem.inputs.view, targets: problem.inputs.view, ridge: 0, usesOutputs: true, fitsOffset: true)
    }
    #expect(throws: NumericError.self) { try UnitFunction(.made("ExpNormalized", 1, 0)) }
    let task = try TwoLayerRidge(
      inputs: problem.inputs.view, targets: problem.targets.view, ridge: 0.1, usesOutputs: true, fitsOffset: true)
    #expect { try task.solve(into: try problem.network(), context: CallContext(memoryLimit: 50)) } throws: {
      ($0 as? NumericError)?.kind == .outOfMemory
    }
  }
}
