import Activations
import Architectures
import NumericCore
import TestSupport
import Testing

@testable import FiniteWidth

/// Outputs against results worked out by hand, and the promises about threads and errors.
@Suite struct ForwardPassTests {
  @Test func denseScalesByWidthAndBias() throws {
    let layer = DenseLayer(outDim: 2, weightStd: 3, biasStd: 0.5, hasBias: true)
    let network = try Network(.dense(layer), input: GridShape(channels: 4))
    let y = try network.outputs(try Numbers([1, 2, 3, 4]), try Numbers([1, 0, 0, 1, 1, 0, 0, 1, 2, 4]))
    // 3 / sqrt(4) * (1 + 3, 2 + 4) + 0.5 * (2, 4)
    #expect(y == [7, 11])
  }

  @Test func standardParameterizationUsesWeightsAsTheyAre() throws {
    let layer = DenseLayer(
      outDim: 1, weightStd: 3, biasStd: 0.5, hasBias: true, isStandard: true, inputScale: 4, outputScale: 1)
    let network = try Network(.dense(layer), input: GridShape(channels: 2))
    #expect(try network.outputs(try Numbers([2, 6]), try Numbers([1, 1, 10])) == [14])
  }

  @Test(arguments: [
    (LayerNode.fanInSum, [-2.0, 6]), (.fanInProd, [0, 9]), (.fanInConcat(.channel), [-2, 3, 0, 3]),
    (.fanInConcat(.batch), [-2, 3, 0, 3]),
  ])
  func branchesSumMultiplyAndConcatenate(_ join: LayerNode, _ expected: [Double]) throws {
    let branches = LayerNode.parallel([.identity, .activation(.made("ABRelu", 0, 1))])
    let network = try Network(.serial([.fanOut(num: 2), branches, join]), input: GridShape(channels: 2))
    #expect(try network.outputs(try Numbers([-2, 3]), try Numbers([0])) == expected)
  }

  @Test func layerNormCentresAndScales() throws {
    let network = try Network(.layerNorm(epsilon: 0), input: GridShape(channels: 3))
    let y = try network.outputs(try Numbers([1, 2, 3, 6, 6, 6], cols: 3), try Numbers([0]))
    let root = 1.5.squareRoot()
    #expect(maxError(y, [-root, 0, root, 0, 0, 0]) < 1e-15)
  }

  @Test func batchNormCentresEachChannelOverTheBatch() throws {
    let network = try Network(.batchNorm(epsilon: 0, isAffine: true), input: GridShape(channels: 2))
    let y = try network.outputs(try Numbers([1, 5, 3, 5], cols: 2), try Numbers([2, 7, 10, 20]))
    #expect(maxError(y, [8, 20, 12, 20]) < 1e-15)
  }

  @Test func convolutionsSlideOverImages() throws {
    let line = GridShape(spatial: [4], channels: 1)
    let layer = DenseLayer(outDim: 1, weightStd: 2.0.squareRoot())  // scale sqrt(2) / sqrt(2 places) = 1
    let paddings: [(Padding, Int, [Double])] = [
      (.valid, 1, [12, 23, 34]), (.same, 1, [12, 23, 34, 40]), (.circular, 1, [12, 23, 34, 41]), (.valid, 2, [12, 34]),
    ]
    for (padding, stride, expected) in paddings {
      let window = SlidingWindow(lengths: [2], strides: [stride], padding: padding)
      let network = try Network(.convolution(ConvolutionLayer(dense: layer, window: window)), input: line)
      let y = try network.outputs(try Numbers([1, 2, 3, 4]), try Numbers([10, 1]))
      #expect(maxError(y, expected) < 1e-13)
    }
  }

  @Test func dropoutKeepsTheMeanAndDoesNotDependOnThreads() throws {
    let network = try Network(.dropout(rate: 0.6, training: true), input: GridShape(channels: 7), seed: (1, 2))
    let x = try Numbers([Double](repeating: 1, count: 3000 * 7), cols: 7)
    let one = try network.outputs(x, try Numbers([0]))
    #expect(one == (try network.outputs(x, try Numbers([0]), threads: 3)))
    #expect(one.allSatisfy { $0 == 0 || $0 == 1 / 0.6 })
    // The mean of 21,000 units has standard deviation sqrt(0.4 / 0.6 / 21000) = 0.0056.
    #expect(abs(one.reduce(0, +) / Double(one.count) - 1) < 0.03)
  }

  @Test func dropoutLayersDrawDifferentUnits() throws {
    let layer = LayerNode.dropout(rate: 0.5, training: true)
    let x = try Numbers([Double](repeating: 1, count: 400), cols: 4)
    let once = try Network(layer, input: GridShape(channels: 4)).outputs(x, try Numbers([0]))
    let twice = try Network(.serial([layer, layer]), input: GridShape(channels: 4)).outputs(x, try Numbers([0]))
    #expect(once.map { $0 != 0 } != twice.map { $0 != 0 })
  }

  @Test func shapesThatDoNotFitAreErrors() throws {
    #expect(throws: NumericError.self) { try Network(.fanInSum, input: GridShape(channels: 2)) }
    #expect(throws: NumericError.self) { try Network(.globalPool(isMean: true), input: GridShape(channels: 2)) }
    let overflow = try Network(.activation(.made("Exp", 1, 1)), input: GridShape(channels: 1))
    #expect(throws: NumericError.self) { try overflow.outputs(try Numbers([1000]), try Numbers([0])) }
  }
}
