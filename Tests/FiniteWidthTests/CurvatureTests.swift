import Architectures
import LinearAlgebra
import NumericCore
import TestSupport
import Testing

@testable import FiniteWidth

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Products with curvature matrices and losses along lines, against dense matrices, differences and closed forms.
@Suite struct CurvatureTests {
  /// A network of two outputs on five inputs of three numbers, with targets for either loss.
  private struct Problem {
    let network: Network
    let parameters: Numbers
    let x: Numbers
    let y: Numbers
    let loss: OutputLoss

    init(_ loss: OutputLoss, layers: [LayerNode] = [dense(4, bias: 0.3), tanhLayer, dense(2)]) throws {
      (network, parameters) = try sample(layers, inputs: 3)
      (x, self.loss) = (try Numbers(rows: 5, cols: 3, seed: 8), loss)
      y = try Numbers([1, 0, 0.25, 0.75, 1, 0, 0, 1, 0.5, 0.5], cols: 2)
    }

    var count: Int { network.plan.parameterCount }

    func curvature(_ kind: CurvatureKind, rows: Range<Int> = 0..<5, limit: Int = .max) throws -> CurvatureOperator {
      let part = { (m: StridedMatrix<Double>) in
        StridedMatrix(m.base + rows.lowerBound * m.cols, rows: rows.count, cols: m.cols)
      }
      return try CurvatureOperator(
        kind, network, loss: loss, x: part(x.matrix), targets: part(y.matrix), parameters: parameters.pointer,
        context: CallContext(memoryLimit: limit))
    }

    /// The loss and its gradient at the parameters plus `shift` times `direction`.
    func at(_ shift: Double, along direction: [Double], rows: Range<Int> = 0..<5) throws -> (value: Double, gradient: [Double]) {
      let moved = try Numbers(zip(parameters.values, direction).map { $0 + shift * $1 })
      let gradient = try Numbers(moved.values)
      let (inputs, targets) = (x.matrix, y.matrix)
      let value = try network.loss(
        loss, StridedMatrix(inputs.base + 3 * rows.lowerBound, rows: rows.count, cols: 3),
        targets: StridedMatrix(targets.base + 2 * rows.lowerBound, rows: rows.count, cols: 2), parameters: moved.pointer,
        gradient: gradient.pointer, context: CallContext())
      withExtendedLifetime((x, y)) {}
      return (value, gradient.values)
    }

    /// Column k: the derivatives of all outputs by parameter k.
    func jacobian() throws -> [[Double]] {
      try (0..<count).map { k in
        let unit = try Numbers((0..<count).map { $0 == k ? 1 : 0 })
        let out = try Numbers([Double](repeating: .nan, count: 10), cols: 2)
        try network.derivatives(
          x.matrix, parameters: parameters.pointer, along: [UnsafePointer(unit.pointer)], into: [(1, out.matrix)],
          context: CallContext())
        return out.values
      }
    }

    /// The second derivative of the whole loss by the two outputs of each input, row by row.
    func outputHessians() throws -> [[Double]] {
      let f = try network.outputs(x, parameters)
      return (0..<5).map { r in
        guard loss == .crossEntropy else { return [0.1, 0, 0, 0.1] }  // 1 / (5 inputs times 2 outputs)
        let ratio = exp(f[2 * r + 1] - f[2 * r])
        let p = 1 / (1 + ratio)
        return [p * (1 - p) / 5, -p * (1 - p) / 5, -p * (1 - p) / 5, p * (1 - p) / 5]
      }
    }
  }

  @Test(arguments: [OutputLoss.meanSquaredError, .crossEntropy])
  func gaussNewtonIsTheProductOfDenseMatrices(_ loss: OutputLoss) throws {
    let problem = try Problem(loss)
    let (jacobian, inner) = (try problem.jacobian(), try problem.outputHessians())
    let curvature = try problem.curvature(.gaussNewton)
    for k in 0..<problem.count {
      let unit = try Numbers((0..<problem.count).map { $0 == k ? 1 : 0 })
      let product = try Numbers(unit.values)
      try curvature.apply(unit.pointer, into: product.pointer)
      let expected = (0..<problem.count).map { j in
        (0..<5).reduce(0.0) { sum, r in
          let (a, b, h) = (jacobian[j], jacobian[k], inner[r])
          let first = a[2 * r] * (h[0] * b[2 * r] + h[1] * b[2 * r + 1])
          return sum + first + a[2 * r + 1] * (h[2] * b[2 * r] + h[3] * b[2 * r + 1])
        }
      }
      #expect(maxError(product.values, expected) < 1e-13 * (1 + largest(expected)))
    }
    withExtendedLifetime(problem) {}
  }

  @Test(arguments: [OutputLoss.meanSquaredError, .crossEntropy], [CurvatureKind.empiricalFisher, .gradientCovariance])
  func gradientsOfSingleInputsHaveTheirMomentsAsDenseMatrices(_ loss: OutputLoss, _ kind: CurvatureKind) throws {
    let problem = try Problem(loss)
    let n = problem.count
    let gradients = try (0..<5).map { try problem.at(0, along: problem.parameters.values, rows: $0..<$0 + 1).gradient }
    let mean = (0..<n).map { j in kind == .empiricalFisher ? 0 : gradients.reduce(0.0) { $0 + $1[j] } / 5 }
    let curvature = try problem.curvature(kind)
    for k in 0..<n {
      let unit = try Numbers((0..<n).map { $0 == k ? 1 : 0 })
      let product = try Numbers(unit.values)
      try curvature.apply(unit.pointer, into: product.pointer)
      let expected = (0..<n).map { j in gradients.reduce(0.0) { $0 + ($1[j] - mean[j]) * ($1[k] - mean[k]) } / 5 }
      #expect(maxError(product.values, expected) < 1e-13 * (1 + largest(expected)))
    }
    withExtendedLifetime(problem) {}
  }

  @Test func gradientsOfSingleInputsNeedInputsThatDoNotMeet() throws {
    let problem = try Problem(.meanSquaredError, layers: [dense(4), .batchNorm(epsilon: 1e-3, isAffine: true), dense(2)])
    for kind in [CurvatureKind.empiricalFisher, .gradientCovariance] {
      #expect { try problem.curvature(kind) } throws: { "\($0)".contains("one by one") }
    }
  }

  @Test(arguments: [OutputLoss.meanSquaredError, .crossEntropy])
  func hessianIsThatOfDifferencesAndSymmetric(_ loss: OutputLoss) throws {
    let problem = try Problem(loss)
    let (n, step) = (problem.count, 1e-5)
    let curvature = try problem.curvature(.hessian)
    var columns: [[Double]] = []
    for k in 0..<n {
      let unit = (0..<n).map { $0 == k ? 1.0 : 0 }
      let (direction, product) = (try Numbers(unit), try Numbers(unit))
      try curvature.apply(direction.pointer, into: product.pointer)
      let (ahead, behind) = (try problem.at(step, along: unit).gradient, try problem.at(-step, along: unit).gradient)
      let numeric = zip(ahead, behind).map { ($0 - $1) / (2 * step) }
      #expect(maxError(product.values, numeric) < 1e-8 * (1 + largest(numeric)))
      columns.append(product.values)
    }
    for i in 0..<n { for j in 0..<i { #expect(abs(columns[i][j] - columns[j][i]) < 1e-14 * (1 + largest(columns[i]))) } }
    // The gradient comes with the Hessian's tapes.
    let gradient = try #require(curvature.gradient)
    let expected = try problem.at(0, along: columns[0]).gradient
    #expect(maxError((0..<n).map { gradient[$0] }, expected) < 1e-15 * (1 + largest(expected)))
    withExtendedLifetime(problem) {}
  }

  @Test(arguments: [CurvatureKind.hessian, .gaussNewton, .gradientCovariance])
  func littleMemoryAndManyThreadsGiveTheSameProducts(_ kind: CurvatureKind) throws {
    let (network, parameters) = try sample(DerivativeTests.networks[0], inputs: 4)
    let (x, y) = (try Numbers(rows: 900, cols: 4, seed: 8), try Numbers(rows: 900, cols: 2, seed: 5))
    let v = try Numbers(rows: 1, cols: network.plan.parameterCount, seed: 9)
    defer { withExtendedLifetime((x, y, v, parameters)) {} }
    // 900 rows of this network keep 1.3 MB of tapes: the small limit makes them anew for every product.
    let products = try [(1, Int.max), (3, .max), (2, 1_100_000)].map { (threads, limit) -> [Double] in
      let curvature = try CurvatureOperator(
        kind, network, loss: .meanSquaredError, x: x.matrix, targets: y.matrix, parameters: parameters.pointer,
        context: CallContext(threads: threads, memoryLimit: limit))
      #expect((curvature.gradient == nil) == (kind == .gaussNewton || (kind == .hessian && limit < .max)))
      let product = try Numbers(v.values)
      try curvature.apply(v.pointer, into: product.pointer)
      return product.values
    }
    #expect(products[0] == products[1])
    #expect(maxError(products[0], products[2]) < 1e-13 * (1 + largest(products[0])))
  }

  @Test(arguments: [OutputLoss.meanSquaredError, .crossEntropy])
  func curvaturesOfSingleInputsAreThoseOfTheirHessians(_ loss: OutputLoss) throws {
    let problem = try Problem(loss)
    let v = try Numbers(rows: 1, cols: problem.count, seed: 9)
    let out = try Numbers([Double](repeating: .nan, count: 5))
    try problem.network.sampleCurvatures(
      loss, problem.x.matrix, targets: problem.y.matrix, parameters: problem.parameters.pointer, along: v.pointer,
      into: out.pointer, context: CallContext(threads: 2))
    for i in 0..<5 {
      let step = 1e-4
      let values = try [-step, 0, step].map { try problem.at($0, along: v.values, rows: i..<i + 1).value }
      let numeric = (values[0] - 2 * values[1] + values[2]) / (step * step)
      #expect(abs(out.values[i] - numeric) < 1e-6 * (1 + abs(numeric)))
    }
    let product = try Numbers(v.values)
    try problem.curvature(.hessian).apply(v.pointer, into: product.pointer)
    let whole = zip(v.values, product.values).map(*).reduce(0, +)
    #expect(abs(out.values.reduce(0, +) / 5 - whole) < 1e-14 * (1 + abs(whole)))
    withExtendedLifetime(problem) {}
  }

  /// f = w x at x = 1, y = 1, w = 0: the loss (1 - w)^2 / 2 is 1.2 times as large at w = 1 - sqrt(1.2) and w = 1 + sqrt(1.2).
  @Test func stepsThatRaiseAParabola() throws {
    let network = try Network(.dense(DenseLayer(outDim: 1, weightStd: 1)), input: GridShape(channels: 1))
    let (zero, one) = (try Numbers([0]), try Numbers([1]))
    func alpha(_ update: Double, most: Double = 100, factor: Double = 1.2) throws -> Double {
      let direction = try Numbers([update])
      defer { withExtendedLifetime((zero, one)) {} }
      return try network.stepToRaise(
        .meanSquaredError, by: factor, one.matrix, targets: one.matrix, parameters: zero.pointer, update: direction.pointer,
        most: most, context: CallContext())
    }
    let root = 1.2.squareRoot()
    for (update, expected) in [(1, root - 1), (-1, 1 + root), (-0.01, 100 * (1 + root)), (1e5, 1e-5 * (root - 1))] {
      let found = try alpha(update, most: 1000)
      #expect(found >= expected * (1 - 1e-12) && found <= expected * 1.0011, "update \(update)")
    }
    #expect(try alpha(-1, most: 1) == .infinity)
    #expect(try alpha(0) == .infinity)
    #expect(abs(try alpha(-1, factor: 4) - 3) < 0.0031)
  }

  @Test func gradientsOfBatchesAreThoseOfTheirInputs() throws {
    let problem = try Problem(.crossEntropy)
    let n = problem.count
    let rows = try Numbers([Double](repeating: .nan, count: 2 * n), cols: n)
    func fill(batch: Int) throws {
      try problem.network.batchGradients(
        problem.loss, problem.x.matrix, targets: problem.y.matrix, parameters: problem.parameters.pointer, batch: batch,
        into: rows.matrix, context: CallContext())
    }
    try fill(batch: 2)
    for k in 0..<2 {
      let expected = try problem.at(0, along: problem.parameters.values, rows: 2 * k..<2 * k + 2).gradient
      #expect(Array(rows.values[k * n..<(k + 1) * n]) == expected)
    }
    for batch in [3, 0, -1, Int.max] { #expect(throws: NumericError.self) { try fill(batch: batch) } }
    withExtendedLifetime(problem) {}
  }

  /// Each batch is over long before the 50 ms after which a pass would report by itself.
  @Test func manyShortBatchesAndStepsCanBeCancelled() throws {
    let (network, parameters) = try sample([dense(2)], inputs: 1)
    let rows = 1_000_000
    let (x, y) = (try Numbers([0.5]), try Numbers([0.5]))
    let all = StridedMatrix(x.pointer, rows: rows, cols: 1, rowStride: 0, colStride: 1)
    let targets = StridedMatrix(y.pointer, rows: rows, cols: 2, rowStride: 0, colStride: 0)
    let room = try Numbers([0, 0])
    let gradients = StridedMatrix(room.pointer, rows: rows, cols: 2, rowStride: 0, colStride: 1)
    var calls = 0
    let impatient = CallContext { _ in
      calls += 1
      return false
    }
    #expect(throws: NumericError.cancelled) {
      try network.batchGradients(
        .meanSquaredError, all, targets: targets, parameters: parameters.pointer, batch: 1, into: gradients, context: impatient)
    }
    #expect(calls == 1)
    // Not at the first evaluation, but in the middle of one.
    var answers = 0
    let later = CallContext { _ in
      answers += 1
      return answers < 3
    }
    #expect(throws: NumericError.cancelled) {
      _ = try network.stepToRaise(
        .meanSquaredError, by: 1.2, all, targets: targets, parameters: parameters.pointer, update: room.pointer, most: 1e9,
        context: later)
    }
    #expect(answers == 3)
    withExtendedLifetime((x, y, parameters, room)) {}
  }

  @Test func inputsThatDependOnEachOtherAreRefused() throws {
    let problem = try Problem(.meanSquaredError, layers: [.batchNorm(epsilon: 1e-3, isAffine: false), dense(2)])
    let v = try Numbers(rows: 1, cols: problem.count, seed: 9)
    #expect(throws: NumericError.self) {
      try problem.network.sampleCurvatures(
        .meanSquaredError, problem.x.matrix, targets: problem.y.matrix, parameters: problem.parameters.pointer, along: v.pointer,
        into: v.pointer, context: CallContext())
    }
    let short = try Numbers([1, 2], cols: 2)
    #expect(throws: NumericError.self) {
      try CurvatureOperator(
        .hessian, problem.network, loss: .meanSquaredError, x: problem.x.matrix, targets: short.matrix,
        parameters: problem.parameters.pointer, context: CallContext())
    }
  }
}
