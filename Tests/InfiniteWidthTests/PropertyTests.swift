import Activations
import Architectures
import InfiniteWidth
import NumericCore
import TestSupport
import Testing

@Suite struct PropertyTests {
  static let threadCounts = [1, 2, 7]

  static func relu(_ depth: Int, bias: Double = 0.1) -> LayerNode {
    var layers: [LayerNode] = []
    for _ in 0..<depth {
      layers.append(.dense(DenseLayer(outDim: 1, weightStd: 1.4, biasStd: bias, hasBias: bias > 0)))
      layers.append(.activation(.made("ABRelu", 0, 1)))
    }
    return .serial(layers + [.dense(DenseLayer(outDim: 1, weightStd: 1.4, biasStd: bias, hasBias: bias > 0))])
  }

  static func inputs(_ rows: Int, _ d: Int) -> [Double] {
    var x = [Double](repeating: 0, count: rows * d)
    PhiloxStream(key: (3, 1)).fillNormal(&x, count: x.count)
    // A duplicate, an opposite, a multiple and a row of zeros.
    for k in 0..<d {
      x[1 * d + k] = x[k]
      x[2 * d + k] = -x[k]
      x[3 * d + k] = 2 * x[k]
      x[4 * d + k] = 0
    }
    return x
  }

  @Test func threadsDoNotChangeBits() throws {
    let (rows, d) = (431, 7)
    let x = Self.inputs(rows, d)
    let reference = try kernels(Self.relu(3), x, rows, d, threads: 1)
    for threads in Self.threadCounts {
      let result = try kernels(Self.relu(3), x, rows, d, threads: threads)
      #expect(result.0 == reference.0 && result.1 == reference.1)
    }
  }

  @Test func kernelsAreSymmetricToTheBit() throws {
    let (rows, d) = (250, 5)
    let (nngp, ntk) = try kernels(Self.relu(2), Self.inputs(rows, d), rows, d)
    for i in 0..<rows {
      for j in 0..<i { #expect(nngp[i * rows + j] == nngp[j * rows + i] && ntk[i * rows + j] == ntk[j * rows + i]) }
    }
  }

  @Test func duplicatesHaveTheDiagonalsBits() throws {
    let (rows, d) = (40, 6)
    for activation in [Activation.made("ABRelu", 0, 1), .made("Erf", 1, 1, 0), .made("Gelu"), .made("Sin", 1, 1, 0)] {
      let dense = LayerNode.dense(DenseLayer(outDim: 1, weightStd: 1.3, biasStd: 0.2, hasBias: true))
      let network = LayerNode.serial([dense, .activation(activation), dense, .activation(activation), dense])
      let (nngp, ntk) = try kernels(network, Self.inputs(rows, d), rows, d)
      #expect(nngp[0] == nngp[1] && nngp[0] == nngp[rows + 1], "\(activation)")
      #expect(ntk[0] == ntk[1] && ntk[0] == ntk[rows + 1], "\(activation)")
    }
  }

  /// f(-x) and f(x) see opposite half-spaces: without bias the NNGP of opposite inputs after one ReLU is 0.
  @Test func oppositeInputsAreUncorrelatedAfterReLU() throws {
    let dense = LayerNode.dense(DenseLayer(outDim: 1, weightStd: 1))
    let (nngp, ntk) = try kernels(.serial([dense, .activation(.made("ABRelu", 0, 1)), dense]), Self.inputs(5, 3), 5, 3)
    #expect(nngp[2] == 0)
    #expect(ntk[2] == 0)
  }

  @Test func homogeneityWithoutBias() throws {
    let (rows, d) = (30, 4)
    let x = Self.inputs(rows, d)
    let (k1, t1) = try kernels(Self.relu(4, bias: 0), x, rows, d)
    for scale in [1e-150, 1e-9, 1024, 1e140] {
      let (k2, t2) = try kernels(Self.relu(4, bias: 0), x.map { $0 * scale }, rows, d)
      for i in 0..<(rows * rows) {
        #expect(abs(k2[i] / scale / scale - k1[i]) <= 1e-13 * k1[0])
        #expect(abs(t2[i] / scale / scale - t1[i]) <= 1e-12 * t1[0])
      }
    }
  }

  @Test func varianceOverflowIsNamed() {
    #expect(throws: NumericError.self) { try kernels(Self.relu(2), [1e200, 1e200], 2, 1) }
    let growth = LayerNode.serial([
      .dense(DenseLayer(outDim: 1, weightStd: 30)), .activation(.made("Exp", 1, 1)), .dense(DenseLayer(outDim: 1, weightStd: 1)),
    ])
    #expect(throws: NumericError.self) { try kernels(growth, [1, 2], 2, 1) }
  }

  @Test func depthOneThousandStaysFinite() throws {
    let (nngp, ntk) = try kernels(Self.relu(1000, bias: 0), Self.inputs(20, 3).map { $0 }, 20, 3)
    #expect(nngp.allSatisfy(\.isFinite) && ntk.allSatisfy(\.isFinite))
  }

  @Test func nonlinearityNeedsAGaussianInput() {
    #expect(throws: NumericError.self) { try kernels(.activation(.made("ABRelu", 0, 1)), [1, 2], 2, 1) }
    let dense = LayerNode.dense(DenseLayer(outDim: 1, weightStd: 1))
    let twice = LayerNode.serial([dense, .activation(.made("Sign")), .activation(.made("Sign"))])
    #expect(throws: NumericError.self) { try kernels(twice, [1, 2], 2, 1) }
    #expect(throws: NumericError.self) { try kernels(.serial([dense, .fanOut(num: 2)]), [1, 2], 2, 1) }
    #expect(throws: NumericError.self) { try kernels(.serial([dense, .parallel([dense, dense])]), [1, 2], 2, 1) }
  }
}
