import Activations
import Architectures
import NumericCore
import TestSupport
import Testing

@testable import FiniteWidth

/// Derivatives against central differences and against one another.
@Suite struct DerivativeTests {
  static let networks: [[LayerNode]] = [
    [dense(6, bias: 0.3), tanhLayer, dense(5), .activation(.made("Gelu")), dense(2)],
    [dense(6), .layerNorm(epsilon: 1e-3), .activation(.made("Erf", 1, 1, 0)), dense(2)],
    [dense(6), .batchNorm(epsilon: 1e-3, isAffine: true), .activation(.made("Sin", 1, 1, 0)), dense(2)],
    [
      dense(6), .fanOut(num: 2),
      .parallel([.identity, .serial([.activation(.made("Gelu", 1)), dense(6)])]), .fanInSum, .fanOut(num: 2),
      .parallel([tanhLayer, .identity]), .fanInProd, dense(2),
    ],
  ]

  @Test(arguments: networks)
  func mixedDerivativesAreThoseOfDifferences(_ layers: [LayerNode]) throws {
    let (network, parameters) = try sample(layers, inputs: 4)
    let x = try Numbers(rows: 5, cols: 4, seed: 8)
    let count = network.plan.parameterCount
    let (v, w) = (try Numbers(rows: 1, cols: count, seed: 9), try Numbers(rows: 1, cols: count, seed: 10))
    let step = 1e-5
    let first = { (shift: Double) throws in
      let moved = try Numbers(zip(parameters.values, w.values).map { $0 + shift * $1 })
      return try derivative(network, x, moved, [v], 1)
    }
    let exact = try derivative(network, x, parameters, [v, w], 3)
    let numeric = zip(try first(step), try first(-step)).map { ($0 - $1) / (2 * step) }
    #expect(maxError(exact, numeric) < 1e-6 * (1 + largest(exact)))
  }

  @Test(arguments: [networks[0], networks[1], networks[3], [dense(2)]], [1, 3])
  func inputGradientsAreThoseOfDifferences(_ layers: [LayerNode], _ threads: Int) throws {
    let (network, parameters) = try sample(layers, inputs: 4)
    let x = try Numbers(rows: 300, cols: 4, seed: 8)
    let values = try Numbers([Double](repeating: .nan, count: 600), cols: 2)
    let gradients = try Numbers([Double](repeating: .nan, count: 2400), cols: 8)
    defer { withExtendedLifetime((x, parameters)) {} }
    try network.inputGradients(
      x.matrix, parameters: parameters.pointer, values: values.matrix, gradients: gradients.matrix,
      context: CallContext(threads: threads))
    #expect(values.values == (try network.outputs(x, parameters)))
    let found = gradients.values
    let step = 1e-5
    for d in 0..<4 {
      let shifted = try [step, -step].map { shift in
        try network.outputs(try Numbers(x.values.enumerated().map { $1 + ($0 % 4 == d ? shift : 0) }, cols: 4), parameters)
      }
      for i in 0..<300 {
        for o in 0..<2 {
          let numeric = (shifted[0][2 * i + o] - shifted[1][2 * i + o]) / (2 * step)
          #expect(abs(found[8 * i + 4 * o + d] - numeric) < 1e-7 * (1 + abs(numeric)), "input \(i), output \(o), by \(d)")
        }
      }
    }
  }

  @Test(arguments: networks, [OutputLoss.meanSquaredError, .crossEntropy])
  func gradientsAndCurvatureAreThoseOfDifferences(_ layers: [LayerNode], _ loss: OutputLoss) throws {
    let (network, parameters) = try sample(layers, inputs: 4)
    let (x, y) = (try Numbers(rows: 5, cols: 4, seed: 8), try Numbers([1, 0, 0, 1, 1, 0, 1, 0, 0, 1], cols: 2))
    let v = try Numbers(rows: 1, cols: network.plan.parameterCount, seed: 9)
    let step = 1e-5
    let evaluate = { (shift: Double) throws -> (Double, [Double]) in
      let moved = try Numbers(zip(parameters.values, v.values).map { $0 + shift * $1 })
      let gradient = try Numbers(moved.values)
      defer { withExtendedLifetime((moved, x, y)) {} }
      let value = try network.loss(
        loss, x.matrix, targets: y.matrix, parameters: moved.pointer, gradient: gradient.pointer, context: CallContext())
      return (value, gradient.values)
    }
    let (ahead, behind) = (try evaluate(step), try evaluate(-step))
    let slope = zip(try evaluate(0).1, v.values).map(*).reduce(0, +)
    #expect(abs(slope - (ahead.0 - behind.0) / (2 * step)) < 1e-7 * (1 + abs(slope)))
    let product = try Numbers(v.values)
    defer { withExtendedLifetime((x, y, v, parameters)) {} }
    let curvature = try CurvatureOperator(
      .hessian, network, loss: loss, x: x.matrix, targets: y.matrix, parameters: parameters.pointer, context: CallContext())
    try curvature.apply(v.pointer, into: product.pointer)
    let numeric = zip(ahead.1, behind.1).map { ($0 - $1) / (2 * step) }
    #expect(maxError(product.values, numeric) < 1e-6 * (1 + largest(numeric)))
  }

  /// One output: the loss and its derivatives are those of cross-entropy with a second output that is always 0.
  @Test func logisticIsCrossEntropyAgainstAnOutputOfZero() throws {
    let (one, parameters) = try sample([dense(6, bias: 0.3), tanhLayer, dense(1)], inputs: 4)
    let two = try Network(.serial([dense(6, bias: 0.3), tanhLayer, dense(2)]), input: GridShape(channels: 4), seed: (1, 2))
    // Weights lie row by row: those of the second output are zeros.
    let (head, last) = (parameters.values.dropLast(6), parameters.values.suffix(6))
    let widened = try Numbers(Array(head) + last.flatMap { [$0, 0] })
    let (x, labels) = (try Numbers(rows: 5, cols: 4, seed: 8), [1, 0, 0.25, 1, 0])
    let (y1, y2) = (try Numbers(labels, cols: 1), try Numbers(labels.flatMap { [$0, 1 - $0] }, cols: 2))
    let (g1, g2) = (try Numbers(parameters.values), try Numbers(widened.values))
    defer { withExtendedLifetime((x, y1, y2, parameters, widened)) {} }
    let value = try one.loss(
      .logistic, x.matrix, targets: y1.matrix, parameters: parameters.pointer, gradient: g1.pointer, context: CallContext())
    let expected = try two.loss(
      .crossEntropy, x.matrix, targets: y2.matrix, parameters: widened.pointer, gradient: g2.pointer, context: CallContext())
    #expect(abs(value - expected) < 1e-15 * 10)
    let kept =
      Array(g2.values.dropLast(12)) + stride(from: 0, to: 12, by: 2).map { g2.values.suffix(12)[g2.values.count - 12 + $0] }
    #expect(maxError(g1.values, kept) < 1e-14)

    let v = try Numbers(rows: 1, cols: parameters.values.count, seed: 3)
    let wide = try Numbers(Array(v.values.dropLast(6)) + v.values.suffix(6).flatMap { [$0, 0] })
    for kind in [CurvatureKind.hessian, .gaussNewton] {
      let (p1, p2) = (try Numbers(v.values), try Numbers(wide.values))
      try CurvatureOperator(
        kind, one, loss: .logistic, x: x.matrix, targets: y1.matrix, parameters: parameters.pointer, context: CallContext()
      ).apply(v.pointer, into: p1.pointer)
      try CurvatureOperator(
        kind, two, loss: .crossEntropy, x: x.matrix, targets: y2.matrix, parameters: widened.pointer, context: CallContext()
      ).apply(wide.pointer, into: p2.pointer)
      let narrow = Array(p2.values.dropLast(12)) + stride(from: 0, to: 12, by: 2).map { p2.values[p2.values.count - 12 + $0] }
      #expect(maxError(p1.values, narrow) < 1e-13 * (1 + largest(narrow)))
    }
  }

  /// Products in single precision: the exact ones to six digits, whichever came before, and the same bits for any number of threads.
  @Test(arguments: DerivativeTests.networks, [CurvatureKind.hessian, .gaussNewton, .gradientCovariance])
  func productsInSinglePrecisionAreNearTheExactOnes(_ layers: [LayerNode], _ kind: CurvatureKind) throws {
    let (network, parameters) = try sample(layers, inputs: 4)
    guard kind != .gradientCovariance || !network.plan.couplesBatch else { return }
    let (x, y) = (try Numbers(rows: 600, cols: 4, seed: 8), try Numbers(rows: 600, cols: 2, seed: 5))
    defer { withExtendedLifetime((x, y, parameters)) {} }
    let curvature = try CurvatureOperator(
      kind, network, loss: .meanSquaredError, x: x.matrix, targets: y.matrix, parameters: parameters.pointer,
      context: CallContext())
    #expect(curvature.hasSingle)
    for seed in 9..<12 as Range<UInt64> {
      let v = try Numbers(rows: 1, cols: network.plan.parameterCount, seed: seed)
      let results = try [1, 0, 3].map { threads in
        let product = try Numbers(v.values)
        if threads == 0 {
          try curvature.apply(v.pointer, into: product.pointer)
        } else {
          try curvature.applySingle(v.pointer, into: product.pointer, context: CallContext(threads: threads))
        }
        return product.values
      }
      #expect(maxError(results[0], results[1]) < 1e-5 * largest(results[1]))
      #expect(results[0] == results[2])
    }
  }

  @Test func sumsDoNotDependOnThreads() throws {
    let (network, parameters) = try sample(DerivativeTests.networks[0], inputs: 4)
    let (x, y) = (try Numbers(rows: 3000, cols: 4, seed: 8), try Numbers(rows: 3000, cols: 2, seed: 5))
    defer { withExtendedLifetime((x, y, parameters)) {} }
    let gradients = try [1, 3].map { threads in
      let gradient = try Numbers(parameters.values)
      _ = try network.loss(
        .meanSquaredError, x.matrix, targets: y.matrix, parameters: parameters.pointer, gradient: gradient.pointer,
        context: CallContext(threads: threads))
      return gradient.values
    }
    #expect(gradients[0] == gradients[1])
  }

  @Test func partitionsAreCountedByBellNumbers() {
    #expect([0, 1, 3, 7, 15].map { Jets.partitions($0).count } == [1, 1, 2, 5, 15])
    #expect(Jets.assignments(3, to: 3).count == 9)
  }

  private func derivative(
    _ network: Network, _ x: Numbers, _ parameters: Numbers, _ directions: [Numbers], _ set: Int
  ) throws -> [Double] {
    let size = network.plan.outputShape.size
    let out = try Numbers([Double](repeating: .nan, count: x.matrix.rows * size), cols: size)
    defer { withExtendedLifetime((x, parameters, directions)) {} }
    try network.derivatives(
      x.matrix, parameters: parameters.pointer, along: directions.map { UnsafePointer($0.pointer) }, into: [(set, out.matrix)],
      context: CallContext())
    return out.values
  }
}
