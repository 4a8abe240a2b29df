import Architectures
import NumericCore
import TestSupport
import Testing

@testable import FiniteWidth

/// Kernels of gradients against gradients that are held.
@Suite struct EmpiricalKernelTests {
  static let image = GridShape(spatial: [4, 3], channels: 2)
  static let networks: [(LayerNode, GridShape)] = [
    (.serial([dense(6, bias: 0.3), tanhLayer, .layerNorm(epsilon: 0.1), dense(3, bias: 0.1)]), GridShape(channels: 4)),
    (
      .serial([
        .convolution(
          ConvolutionLayer(
            dense: DenseLayer(outDim: 5, weightStd: 1, biasStd: 0.4, hasBias: true),
            window: SlidingWindow(lengths: [2, 3], padding: .same))), tanhLayer, dense(4, bias: 0.2), tanhLayer,
        .globalPool(isMean: true), dense(3),
      ]), image
    ),
  ]

  @Test(arguments: networks)
  func ntkIsTheProductOfGradients(_ layers: LayerNode, _ shape: GridShape) throws {
    let network = try Network(layers, input: shape)
    let n = 5
    let parameters = try Numbers(rows: 1, cols: network.plan.parameterCount, seed: 3)
    let x = try Numbers(rows: n, cols: shape.size, seed: 4)
    defer { withExtendedLifetime((parameters, x)) {} }
    // gradients[i][o]: of output o at input i
    let gradients = try (0..<n).map { i in
      try (0..<3).map { o -> [Double] in
        var selection = [Double](repeating: 0, count: n * 3)
        selection[i * 3 + o] = 1
        let gradient = try Numbers(parameters.values)
        let cotangents = try Numbers(selection, cols: 3)
        try network.pullBack(
          x.matrix, parameters: parameters.pointer, cotangents: cotangents.matrix, into: gradient.pointer,
          context: CallContext())
        withExtendedLifetime(cotangents) {}
        return gradient.values
      }
    }
    var expected: [Double] = []
    for i in 0..<n {
      for j in 0..<n {
        for a in 0..<3 {
          for b in 0..<3 { expected.append(zip(gradients[i][a], gradients[j][b]).map(*).reduce(0, +)) }
        }
      }
    }
    let out = try Numbers([Double](repeating: .nan, count: n * n * 9))
    let kernel = try EmpiricalKernel(network, parameters: parameters.pointer)
    try kernel.ntk(
      x.matrix, nil, pairing: OutputPairing(outputs: [[[0]], [[1]], [[2]]]), into: out.pointer, context: CallContext())
    #expect(maxError(out.values, expected) < 1e-13 * (1 + largest(expected)))

    let traced = try Numbers([Double](repeating: .nan, count: n * n))
    try kernel.ntk(
      x.matrix, x.matrix, pairing: OutputPairing(outputs: [[[0, 1, 2]]]), into: traced.pointer, context: CallContext())
    let means = (0..<n * n).map { (p: Int) -> Double in
      let total: Double = expected[9 * p] + expected[9 * p + 4] + expected[9 * p + 8]
      return total / 3
    }
    #expect(maxError(traced.values, means) < 1e-13 * (1 + largest(means)))
  }

  @Test func batchNormIsRefused() throws {
    let network = try Network(.batchNorm(epsilon: 1, isAffine: false), input: GridShape(channels: 2))
    let nothing = try Numbers([0])
    #expect(throws: NumericError.self) { try EmpiricalKernel(network, parameters: nothing.pointer) }
  }
}
