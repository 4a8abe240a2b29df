import Activations
import Architectures
import NumericCore
import TestSupport
import Testing

@testable import FiniteWidth

/// K2, K3 and K4 against closed forms, differences and gradients that are held.
@Suite struct TangentHierarchyTests {
  /// K2, .., K_order of the first `train` of the inputs.
  private func kernels(
    _ network: Network, _ parameters: Numbers, _ x: Numbers, train: Int, order: Int = 4, threads: Int = 1, limit: Int = .max
  ) throws -> [[Double]] {
    var size = x.matrix.rows
    let out = try (2...order).map { _ in
      size *= train
      return try Numbers([Double](repeating: .nan, count: size))
    }
    defer { withExtendedLifetime((x, parameters, out)) {} }
    try TangentHierarchy(network, parameters: parameters.pointer).kernels(
      x.matrix, train: train, into: out.map(\.pointer), context: CallContext(threads: threads, memoryLimit: limit))
    return out.map(\.values)
  }

  private func gradient(_ network: Network, _ parameters: Numbers, _ x: Numbers, _ i: Int) throws -> [Double] {
    let cotangent = try Numbers((0..<x.matrix.rows).map { $0 == i ? 1 : 0 }, cols: 1)
    let gradient = try Numbers(parameters.values)
    try network.pullBack(
      x.matrix, parameters: parameters.pointer, cotangents: cotangent.matrix, into: gradient.pointer, context: CallContext())
    withExtendedLifetime((x, cotangent)) {}
    return gradient.values
  }

  private func varied() throws -> (network: Network, parameters: Numbers) {
    let frozen = LayerNode.dense(DenseLayer(outDim: 4, weightStd: 1.1, biasStd: 0, hasBias: false, isFrozen: true))
    let branches: [LayerNode] = [
      .fanOut(num: 2), .parallel([.serial([dense(4), .activation(.made("Gelu"))]), .identity]), .fanInSum,
    ]
    return try sample(
      [dense(4, bias: 0.3), tanhLayer] + branches + [frozen, .activation(.made("Sin", 1, 0.7, 0.2)), dense(1)], inputs: 3)
  }

  /// f = w_1 .. w_L x. With a, b (and c): K2 = (a^2 + b^2) x y, K3 = 4 a b x y z, K4 = 4 (a^2 + b^2) x y z u for two layers; for three with
  /// s = a^2 + b^2 + c^2 and q = b^2 c^2 + a^2 c^2 + a^2 b^2: q x y, 4 a b c s x y z, (4 s q + 24 a^2 b^2 c^2) x y z u.
  @Test(arguments: [2, 3]) func scalarLinearChains(_ depth: Int) throws {
    let layer = LayerNode.dense(DenseLayer(outDim: 1, weightStd: 1))
    let network = try Network(.serial([LayerNode](repeating: layer, count: depth)), input: GridShape(channels: 1))
    let (a, b, c) = (0.7, -1.3, depth == 3 ? 0.45 : 0)
    let weights = try Numbers(depth == 3 ? [a, b, c] : [a, b])
    let inputs = [1.5, -0.4, 2.25]
    let found = try kernels(network, weights, try Numbers(inputs, cols: 1), train: 2)
    let (s, q) = (a * a + b * b + c * c, b * b * c * c + a * a * c * c + a * a * b * b)
    let factors = depth == 2 ? [s, 4 * a * b, 4 * s] : [q, 4 * a * b * c * s, 4 * s * q + 24 * a * a * b * b * c * c]
    var expected: [[Double]] = [[], [], []]
    for x in inputs {
      for y in inputs.prefix(2) {
        expected[0].append(factors[0] * x * y)
        for z in inputs.prefix(2) {
          expected[1].append(factors[1] * x * y * z)
          for u in inputs.prefix(2) { expected[2].append(factors[2] * x * y * z * u) }
        }
      }
    }
    for (kernel, wanted) in zip(found, expected) { #expect(maxError(kernel, wanted) < 1e-14 * (1 + largest(wanted))) }
  }

  @Test func eachKernelIsTheDerivativeOfTheOneBefore() throws {
    let (network, parameters) = try varied()
    let (x, n, step) = (try Numbers(rows: 3, cols: 3, seed: 4), 3, 1e-5)
    let found = try kernels(network, parameters, x, train: n)
    let gradients = try (0..<n).map { try gradient(network, parameters, x, $0) }
    for i in 0..<n {
      for j in 0..<n {
        // A frozen layer has no gradient that counts.
        let slots = network.plan.parameters.filter(\.isTrainable)
        let product = slots.reduce(0.0) { sum, slot in
          (slot.offset..<slot.offset + slot.count).reduce(sum) { $0 + gradients[i][$1] * gradients[j][$1] }
        }
        #expect(abs(found[0][i * n + j] - product) < 1e-13 * largest(found[0]))
      }
    }
    for c in 0..<n {
      let moved = try [step, -step].map { h in
        let shifted = try Numbers(zip(parameters.values, trainable(network, gradients[c])).map { $0 + h * $1 })
        return try kernels(network, shifted, x, train: n, order: 3)
      }
      for order in 0..<2 {
        let numeric = zip(moved[0][order], moved[1][order]).map { ($0 - $1) / (2 * step) }
        let exact = numeric.indices.map { found[order + 1][$0 * n + c] }
        #expect(maxError(exact, numeric) < 1e-7 * (1 + largest(found[order + 1])))
      }
    }
  }

  /// Zero where the layer is frozen.
  private func trainable(_ network: Network, _ gradient: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: gradient.count)
    for slot in network.plan.parameters where slot.isTrainable {
      for i in slot.offset..<slot.offset + slot.count { result[i] = gradient[i] }
    }
    return result
  }

  @Test func velocityIsTheDerivativeOfTheKernel() throws {
    let (network, parameters) = try varied()
    let (x, step) = (try Numbers(rows: 4, cols: 3, seed: 4), 1e-5)
    let direction = try Numbers(trainable(network, try Numbers(rows: 1, cols: parameters.cols, seed: 11).values))
    let out = try Numbers([Double](repeating: .nan, count: 16), cols: 4)
    try TangentHierarchy(network, parameters: parameters.pointer).kernelDerivative(
      x.matrix, along: direction.pointer, into: out.matrix, context: CallContext())
    let moved = try [step, -step].map { h in
      try kernels(network, try Numbers(zip(parameters.values, direction.values).map { $0 + h * $1 }), x, train: 4, order: 2)[0]
    }
    let numeric = zip(moved[0], moved[1]).map { ($0 - $1) / (2 * step) }
    #expect(maxError(out.values, numeric) < 1e-8 * (1 + largest(numeric)))
    withExtendedLifetime((x, direction)) {}
  }

  /// Part 1 of the gradients is H_i v, whose products differences of gradients give.
  @Test func productsOfPartsAreThoseOfTheGradientsThemselves() throws {
    let (network, parameters) = try sample([dense(4, bias: 0.3), tanhLayer, dense(3), tanhLayer, dense(1)], inputs: 3)
    let (x, step) = (try Numbers(rows: 3, cols: 3, seed: 4), 1e-5)
    let v = try Numbers(rows: 1, cols: parameters.cols, seed: 12)
    let hierarchy = try TangentHierarchy(network, parameters: parameters.pointer)
    let tape = try hierarchy.start(x.matrix, rows: 3, order: 1)
    try hierarchy.differentiate(tape, part: 1, along: v.pointer)
    let parts = GradientParts(tape)
    let shifted = try [step, -step].map { h in try Numbers(zip(parameters.values, v.values).map { $0 + h * $1 }) }
    let held = try (0..<3).map { i -> [[Double]] in
      let (ahead, behind) = (try gradient(network, shifted[0], x, i), try gradient(network, shifted[1], x, i))
      return [try gradient(network, parameters, x, i), zip(ahead, behind).map { ($0 - $1) / (2 * step) }]
    }
    for (set, other) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
      let sum = try Workspace<Double>(9, zeroed: true)
      parts.addProducts(set, parts, other, rows: 3, cols: 3, room: try ProductRoom(9), to: sum.pointer)
      let expected = (0..<9).map { (pair: Int) -> Double in
        zip(held[pair / 3][set], held[pair % 3][other]).reduce(0) { $0 + $1.0 * $1.1 }
      }
      #expect(maxError((0..<9).map { sum[$0] }, expected) < 1e-8 * (1 + largest(expected)), "parts \(set) and \(other)")
    }
    withExtendedLifetime((x, v)) {}
  }

  @Test func threadsAndPassiveInputsKeepTheNumbers() throws {
    let (network, parameters) = try varied()
    let x = try Numbers(rows: 5, cols: 3, seed: 6)
    let (whole, part) = (try kernels(network, parameters, x, train: 5), try kernels(network, parameters, x, train: 2))
    #expect(try kernels(network, parameters, x, train: 5, threads: 3) == whole)
    for a in 0..<5 {
      for b in 0..<2 {
        #expect(abs(part[0][a * 2 + b] - whole[0][a * 5 + b]) < 1e-13 * largest(whole[0]))
        for c in 0..<2 {
          #expect(abs(part[1][(a * 2 + b) * 2 + c] - whole[1][(a * 5 + b) * 5 + c]) < 1e-13 * largest(whole[1]))
          for d in 0..<2 {
            let (mine, other) = (((a * 2 + b) * 2 + c) * 2 + d, ((a * 5 + b) * 5 + c) * 5 + d)
            #expect(abs(part[2][mine] - whole[2][other]) < 1e-13 * largest(whole[2]))
          }
        }
      }
    }
  }

  @Test func networksWithoutAHierarchyAreRefused() throws {
    let window = SlidingWindow(lengths: [1, 1])
    let convolution = LayerNode.convolution(ConvolutionLayer(dense: DenseLayer(outDim: 1, weightStd: 1), window: window))
    let refused: [(LayerNode, GridShape)] = [
      (.serial([dense(3), .activation(.made("ABRelu", 0, 1)), dense(1)]), GridShape(channels: 2)),
      (.serial([dense(3), tanhLayer, dense(2)]), GridShape(channels: 2)),
      (.serial([dense(3), .batchNorm(epsilon: 1, isAffine: true), dense(1)]), GridShape(channels: 2)),
      (.serial([convolution, .flatten, dense(1)]), GridShape(spatial: [2, 2], channels: 1)),
    ]
    let room = try Numbers([Double](repeating: 1, count: 40))
    for (layers, shape) in refused {
      let network = try Network(layers, input: shape)
      #expect(throws: NumericError.self) { try TangentHierarchy(network, parameters: room.pointer) }
    }
  }

  @Test func sizesAndMemoryAreChecked() throws {
    let (network, parameters) = try sample([dense(3), tanhLayer, dense(1)], inputs: 2)
    let x = try Numbers(rows: 3, cols: 2, seed: 1)
    let hierarchy = try TangentHierarchy(network, parameters: parameters.pointer)
    let out = try Numbers([Double](repeating: 0, count: 4000))
    let (three, wide) = (StridedMatrix(out.pointer, rows: 3, cols: 3), StridedMatrix(x.pointer, rows: 2, cols: 3))
    for (train, orders) in [(0, 2), (4, 2), (-1, 2), (3, 1), (3, 5)] {
      #expect(throws: NumericError.self) {
        try hierarchy.kernels(
          x.matrix, train: train, into: [UnsafeMutablePointer<Double>](repeating: out.pointer, count: orders - 1),
          context: CallContext())
      }
    }
    #expect(throws: NumericError.self) { try hierarchy.kernels(wide, train: 1, into: [out.pointer], context: CallContext()) }
    let small = StridedMatrix(out.pointer, rows: 3, cols: 2)
    #expect(throws: NumericError.self) {
      try hierarchy.kernelDerivative(x.matrix, along: parameters.pointer, into: small, context: CallContext())
    }
    #expect { try kernels(network, parameters, x, train: 3, limit: 1000) } throws: { ($0 as? NumericError)?.kind == .outOfMemory }
    let tight = CallContext(memoryLimit: 100)
    #expect { try hierarchy.kernelDerivative(x.matrix, along: parameters.pointer, into: three, context: tight) } throws: {
      ($0 as? NumericError)?.kind == .outOfMemory
    }
    withExtendedLifetime(parameters) {}
  }

  /// Smooth ones have no kink; a kink spoils the second derivative that K3 needs.
  @Test func activationsWithKinksAreKnown() {
    let smooth: [Activation] = [
      .made("Erf", 1, 1, 0), .made("Gelu", 1), .made("Sin", 1, 1, 0), .made("Exp", 1, 1), .made("Polynomial", 0, 1, 2),
      .made("ABRelu", 0.4, 0.4), .made("Tanh", 1e-8), .made("Softplus", 1e-8),
      .made("Swish", 1e-8), .made("Gaussian", 1, -1), .made("Gabor"), .made("Hermite", 3), .made("Rbf", 1),
    ]
    let kinked: [Activation] = [
      .made("ABRelu", 0, 1), .made("ABRelu", -1, 1), .made("Sign"), .made("Step"), .made("RectifiedMonomial", 2),
      .made("Elu", 1, 1e-8), .made("Selu", 1e-8),
    ]
    for activation in smooth { #expect(activation.isSmooth, "\(activation)") }
    for activation in kinked { #expect(!activation.isSmooth, "\(activation)") }
  }
}
