import NumericCore
import TestSupport
import Testing

@testable import TrainingRegimes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Limits, predictions and movements of autoencoders, against closed forms, means over many neurons and sums by hand.
@Suite struct AutoencoderLimitTests {
  private let context = CallContext()

  private func matrix(_ rows: [[Double]]) throws -> OwnedMatrix {
    let m = try OwnedMatrix(rows.count, rows[0].count, for: "a test", context)
    for (i, row) in rows.enumerated() { for (j, value) in row.enumerated() { m.view[i, j] = value } }
    return m
  }

  /// At equal, orthogonal and opposite inputs, and at 60 degrees.
  @Test func limitsAtKnownAngles() throws {
    let x = try matrix([[1, 0]])
    let y = try matrix([[2, 0], [0, 3], [-1, 0], [0.5, 3.0.squareRoot() / 2], [0, 0]])
    let (encoder, decoder) = (try OwnedMatrix(1, 5, for: "a test", context), try OwnedMatrix(1, 5, for: "a test", context))
    try autoencoderLimits(x.view, y.view, encoder: encoder.view, decoder: decoder.view, context: context)
    let root = 3.0.squareRoot()
    // <x, y> (pi - t) / (2 pi), and |x| |y| (sin t + (pi - t) cos t) / (2 pi).
    let (first, second) = ([1, 0, 0, 1.0 / 6, 0], [1, 3 / (2 * Double.pi), 0, (root / 2 + Double.pi / 3) / (2 * Double.pi), 0])
    #expect(maxError((0..<5).map { encoder.view[0, $0] }, first) < 1e-15)
    #expect(maxError((0..<5).map { decoder.view[0, $0] }, second) < 1e-15)
  }

  /// The mean over many random neurons, each with its own gradient: five standard errors.
  @Test func tiedLimitIsTheMeanOverNeurons() throws {
    let (x, y) = (try matrix([[0.8, -0.6]]), try matrix([[1.2, 0.5]]))
    let out = try OwnedMatrix(2, 2, for: "a test", context)
    try tiedAutoencoderLimit(x.view, y.view, out: out.view, context: context)
    let count = 40_000
    let draws = try Workspace<Double>(2 * count)
    try PhiloxStream(key: (3, 0)).fillNormal(draws.pointer, count: 2 * count)
    let inner = x.view[0, 0] * y.view[0, 0] + x.view[0, 1] * y.view[0, 1]
    for a in 0..<2 {
      for b in 0..<2 {
        var (sum, squares) = (0.0, 0.0)
        for r in 0..<count {
          let w = [draws[2 * r], draws[2 * r + 1]]
          let (f, g) = (w[0] * x.view[0, 0] + w[1] * x.view[0, 1], w[0] * y.view[0, 0] + w[1] * y.view[0, 1])
          let (on, other) = (f > 0 ? 1.0 : 0, g > 0 ? 1.0 : 0)
          // d (w_a relu(f)) / dw = e_a relu(f) + w_a 1(f > 0) x, and its product with that of (y, b).
          var value = (a == b ? max(f, 0) * max(g, 0) : 0) + w[a] * w[b] * on * other * inner
          value += max(f, 0) * other * w[b] * y.view[0, a] + max(g, 0) * on * w[a] * x.view[0, b]
          sum += value
          squares += value * value
        }
        let mean = sum / Double(count)
        let error = ((squares / Double(count) - mean * mean) / Double(count)).squareRoot()
        #expect(abs(out.view[a, b] - mean) < 5 * error)
      }
    }
  }

  @Test func predictedLossesAreSumsOfExponentials() throws {
    let (values, rate, root) = ([0.5, 2], 0.3, 0.5.squareRoot())
    let (vectors, residual) = (try matrix([[root, root], [root, -root]]), try matrix([[1], [3]]))
    let spread = try matrix([[0.4, 0], [0, 0.8]])
    // Squared lengths along the eigenvectors: (4)^2 / 2 and (-2)^2 / 2, and 0.6 of the spread for each.
    for (isFlow, extra) in [(false, 0), (true, 0), (false, 0.6), (true, 0.6)] {
      var loss = [Double](repeating: .nan, count: 4)
      try predictedLoss(
        values: values, vectors: vectors.view, residual: residual.view, spread: extra > 0 ? spread.view : nil, rate: rate,
        isFlow: isFlow, steps: 3, loss: &loss, context: context)
      for k in 0...3 {
        let factor = { (value: Double) in pow(isFlow ? exp(-rate * value) : 1 - rate * value, Double(2 * k)) }
        #expect(relativeError(loss[k], 0.5 * ((8 + extra) * factor(0.5) + (2 + extra) * factor(2))) < 1e-14)
      }
    }
    var one = [0.0]
    for (rate, steps) in [(0, 0), (.nan, 0), (1, -1)] as [(Double, Int)] {
      #expect(throws: NumericError.self) {
        try predictedLoss(
          values: values, vectors: vectors.view, residual: residual.view, spread: nil, rate: rate, isFlow: false, steps: steps,
          loss: &one, context: context)
      }
    }
  }

  @Test func movementsAreWhatTheySay() throws {
    let x = try matrix([[1, 0], [0, 1], [1, 1]])
    let (before, after) = (try matrix([[1, 2], [3, -1]]), try matrix([[1, -2], [3, -1]]))
    let (tall, taller) = (try matrix([[2, 0], [0, 1]]), try matrix([[2, 0], [0, 2]]))
    let start = try Autoencoder(inputs: x.view, encoder: before.view, decoder: tall.view, scale: 1)
    let end = try Autoencoder(inputs: x.view, encoder: after.view, decoder: taller.view, scale: 1)
    let moved = try autoencoderMovement(end, from: start, context: context)
    #expect(relativeError(moved.encoder, 4 / 15.0.squareRoot()) < 1e-15)
    #expect(relativeError(moved.decoder, 1 / 5.0.squareRoot()) < 1e-15)
    #expect(moved.largestNeuron == 4)
    // Neuron (1, 2) was active on all three inputs; (1, -2) is so on the first only.
    #expect(relativeError(moved.flipped, 2.0 / 6) < 1e-15)
    #expect(try autoencoderMovement(start, from: start, context: context) == AutoencoderMovement())
    withExtendedLifetime((x, before, after, tall, taller)) {}
  }

  @Test func outputsAndActivationsAreTheirDefinition() throws {
    let sample = try Sample(4, 3, 150)
    let network = try sample.network()
    let (outputs, hidden) = (try OwnedMatrix(4, 3, for: "a test", context), try OwnedMatrix(4, 150, for: "a test", context))
    try autoencoderOutputs(network, outputs: outputs.view, hidden: hidden.view, context: context)
    for i in 0..<4 {
      var expected = [0.0, 0, 0]
      for r in 0..<150 {
        let z = (0..<3).reduce(0.0) { $0 + network.encoder[r, $1] * network.inputs[i, $1] }
        #expect(abs(hidden.view[i, r] - max(z, 0)) < 1e-14)
        for c in 0..<3 { expected[c] += network.scale * max(z, 0) * network.decoder[r, c] }
      }
      #expect(maxError((0..<3).map { outputs.view[i, $0] }, expected) < 1e-13)
    }
    withExtendedLifetime(sample) {}
  }
}
