import Architectures
import NumericCore
import TestSupport
import XCTest

@testable import FiniteWidth

/// Forward passes against results worked out by hand, and the promises about threads and errors.
final class ForwardPassTests: XCTestCase {
  func testDenseScalesByWidthAndBias() throws {
    let layer = LayerNode.dense(DenseLayer(outDim: 2, weightStd: 3, biasStd: 0.5, hasBias: true))
    let y = try run(layer, x: [1, 2, 3, 4], cols: 4, weights: [([1, 0, 0, 1, 1, 0, 0, 1], 2, [2, 4])], outCols: 2)
    // 3 / sqrt(4) * (1 + 3, 2 + 4) + 0.5 * (2, 4)
    XCTAssertEqual(y, [7, 11])
  }

  func testStandardParameterizationUsesWeightsAsTheyAre() throws {
    let dense = DenseLayer(
      outDim: 1, weightStd: 3, biasStd: 0.5, hasBias: true, isStandard: true, inputScale: 4, outputScale: 1)
    let y = try run(.dense(dense), x: [2, 6], cols: 2, weights: [([1, 1], 1, [10])], outCols: 1)
    XCTAssertEqual(y, [14])
  }

  func testBranchesSumMultiplyAndConcatenate() throws {
    let branches = LayerNode.parallel([.identity, .activation(.abRelu(a: 0, b: 1))])
    let joins: [(LayerNode, [Double])] = [
      (.fanInSum, [-2, 6]), (.fanInProd, [0, 9]), (.fanInConcat(.channel), [-2, 3, 0, 3]),
      (.fanInConcat(.batch), [-2, 3, 0, 3]),
    ]
    for (join, expected) in joins {
      let cols = join == .fanInConcat(.channel) ? 4 : 2
      let network = LayerNode.serial([.fanOut(num: 2), branches, join])
      let y = try run(network, x: [-2, 3], cols: 2, weights: [], outCols: cols, outRows: expected.count / cols)
      XCTAssertEqual(y, expected)
    }
  }

  func testLayerNormCentresAndScales() throws {
    let y = try run(.layerNorm(epsilon: 0), x: [1, 2, 3, 6, 6, 6], cols: 3, weights: [], outCols: 3)
    let root = 1.5.squareRoot()
    XCTAssertLessThan(maxError(y, [-root, 0, root, 0, 0, 0]), 1e-15)
  }

  func testDropoutKeepsTheMeanAndDoesNotDependOnThreads() throws {
    let n = 3000
    let x = [Double](repeating: 1, count: n * 7)
    let one = try run(.dropout(rate: 0.6, training: true), x: x, cols: 7, weights: [], outCols: 7, threads: 1)
    let three = try run(.dropout(rate: 0.6, training: true), x: x, cols: 7, weights: [], outCols: 7, threads: 3)
    XCTAssertEqual(one, three)
    XCTAssertTrue(one.allSatisfy { $0 == 0 || $0 == 1 / 0.6 })
    // The mean of 21,000 units has standard deviation sqrt(0.4 / 0.6 / 21000) = 0.0056.
    XCTAssertEqual(one.reduce(0, +) / Double(one.count), 1, accuracy: 0.03)
    XCTAssertEqual(try run(.dropout(rate: 0.6, training: false), x: [1, 2], cols: 2, weights: [], outCols: 2), [1, 2])
  }

  func testDropoutLayersDrawDifferentUnits() throws {
    let layer = LayerNode.dropout(rate: 0.5, training: true)
    let x = [Double](repeating: 1, count: 400)
    let once = try run(layer, x: x, cols: 4, weights: [], outCols: 4)
    let twice = try run(.serial([layer, layer]), x: x, cols: 4, weights: [], outCols: 4)
    XCTAssertNotEqual(once.map { $0 != 0 }, twice.map { $0 != 0 })
  }

  func testScalarFunctions() throws {
    let known: [(Activation, Double, Double)] = [
      (.abRelu(a: -1, b: 1), -2, 2), (.erf(a: 2, b: 1, c: 0.5), 0, 0.5), (.gelu(approximate: false), 1, 0.8413447460685429),
      (.gelu(approximate: true), 1, 0.8411919906082768), (.sin(a: 2, b: 1, c: .pi / 2), 0, 2), (.rbf(gamma: 1), 0, 1),
      (.sign, -3, -1),
      (.step, 3, 1), (.exp(a: 2, b: -1), 0, 2), (.gaussian(a: 1, b: -1), 1, 0.36787944117144233),
      (.gabor, .pi / 2, 0.08480497247111634), (.hermite(degree: 3), 2, 2 / 6.0.squareRoot()), (.polynomial([1, 2, 3]), 2, 17),
      (.rectifiedMonomial(degree: 2), -3, 0), (.rectifiedMonomial(degree: 2), 3, 9),
      (.named(.tanh, parameter: 1, tolerance: 1e-8), 0.5, 0.46211715726000973),
      (.named(.sigmoid, parameter: 1, tolerance: 1e-8), -800, 0), (.named(.softplus, parameter: 1, tolerance: 1e-8), 800, 800),
      (.named(.swish, parameter: 1, tolerance: 1e-8), 0, 0),
      (.named(.elu, parameter: 2, tolerance: 1e-8), -1, 2 * (0.36787944117144233 - 1)),
      (.named(.selu, parameter: 1, tolerance: 1e-8), 1, 1.0507009873554805),
    ]
    for (activation, x, y) in known {
      let value = try XCTUnwrap(ScalarFunctions.function(activation))(x)
      XCTAssertEqual(value, y, accuracy: 1e-14, "\(activation) at \(x)")
    }
  }

  func testErrorsAreValues() {
    let dense = LayerNode.dense(DenseLayer(outDim: 2, weightStd: 1))
    XCTAssertThrowsError(try run(dense, x: [1, 2], cols: 2, weights: [], outCols: 2))
    XCTAssertThrowsError(try run(dense, x: [1, 2], cols: 2, weights: [([1, 2], 1, nil)], outCols: 2))
    XCTAssertThrowsError(try run(.fanInSum, x: [1, 2], cols: 2, weights: [], outCols: 2))
    XCTAssertThrowsError(try run(.activation(.expNormalized(gamma: 1, shift: -1)), x: [1], cols: 1, weights: [], outCols: 1))
    XCTAssertThrowsError(try run(.activation(.exp(a: 1, b: 1)), x: [1000], cols: 1, weights: [], outCols: 1)) {
      XCTAssertEqual(($0 as? NumericError)?.kind, .overflow)
    }
  }

  /// Runs a network on row-major inputs; weights are (row-major W, columns, b).
  private func run(
    _ network: LayerNode, x: [Double], cols: Int, weights: [([Double], Int, [Double]?)], outCols: Int, outRows: Int? = nil,
    threads: Int = 1
  ) throws -> [Double] {
    let rows = x.count / cols
    var keep: [Workspace<Double>] = []
    func matrix(_ values: [Double], _ columns: Int) throws -> StridedMatrix<Double> {
      let room = try Workspace<Double>(values.count)
      for (i, v) in values.enumerated() { room[i] = v }
      keep.append(room)
      return StridedMatrix(room.pointer, rows: values.count / columns, cols: columns)
    }
    let own = try weights.map { DenseWeights(weights: try matrix($0.0, $0.1), bias: try $0.2.map { try matrix($0, $0.count) }) }
    let input = try matrix(x, cols)
    let output = try matrix([Double](repeating: .nan, count: (outRows ?? rows) * outCols), outCols)
    let pass = ForwardPass(network: network, weights: own, seed: (1, 2)) { (_, _, _, _) throws(NumericError) in }
    try pass.run(input, into: output, context: CallContext(threads: threads))
    return withExtendedLifetime(keep) { (0..<output.rows * outCols).map { output.base[$0] } }
  }
}
