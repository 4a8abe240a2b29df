import Dynamics
import NumericCore
import TestSupport
import Testing

@testable import TrainingRegimes

/// A small network with random weights, and the memory it lives in.
struct Sample {
  let x: Workspace<Double>
  let encoder: Workspace<Double>
  let decoder: Workspace<Double>?
  let (n, d, m): (Int, Int, Int)

  init(_ n: Int, _ d: Int, _ m: Int, isTied: Bool = false, seed: UInt64 = 1) throws {
    (self.n, self.d, self.m) = (n, d, m)
    x = try Self.normal(n * d, seed)
    encoder = try Self.normal(m * d, seed + 100)
    decoder = isTied ? nil : try Self.normal(m * d, seed + 200)
  }

  private static func normal(_ count: Int, _ seed: UInt64) throws -> Workspace<Double> {
    let room = try Workspace<Double>(count)
    PhiloxStream(key: (seed, 0)).fillNormal(room.pointer, count: count)
    return room
  }

  func network() throws -> Autoencoder {
    try Autoencoder(
      inputs: StridedMatrix(x.pointer, rows: n, cols: d), encoder: StridedMatrix(encoder.pointer, rows: m, cols: d),
      decoder: decoder.map { StridedMatrix($0.pointer, rows: m, cols: d) }, scale: 1 / Double(m * d).squareRoot())
  }

  /// The loss by its definition.
  func loss() -> Double {
    let (w, a) = (encoder, decoder ?? encoder)
    var total = 0.0
    for i in 0..<n {
      for c in 0..<d {
        var u = 0.0
        for r in 0..<m {
          var z = 0.0
          for k in 0..<d { z += w[r * d + k] * x[i * d + k] }
          u += a[r * d + c] * max(z, 0)
        }
        let residual = u / Double(m * d).squareRoot() - x[i * d + c]
        total += residual * residual
      }
    }
    return 0.5 * total
  }
}

@Suite struct AutoencoderTests {
  @Test(arguments: [(false, false), (true, false), (true, true)])
  func oneStepIsTheGradient(trainsDecoder: Bool, isTied: Bool) throws {
    let sample = try Sample(6, 4, 37, isTied: isTied)
    let before = (0..<sample.m * sample.d).map { sample.encoder[$0] }
    let decoderBefore = sample.decoder.map { decoder in (0..<sample.m * sample.d).map { decoder[$0] } }
    let room = try Workspace<Double>(2)
    var record = TrainingRecord(loss: room.pointer)
    let start = sample.loss()
    try train(
      sample.network(), AutoencoderTraining(trainsDecoder: trainsDecoder, rate: 1, steps: 1), record: &record,
      context: CallContext(threads: 2))
    #expect(record.steps == 1)
    #expect(relativeError(room[0], start) < 1e-13)
    #expect(relativeError(room[1], sample.loss()) < 1e-13)
    let stepped = (0..<before.count).map { before[$0] - sample.encoder[$0] }
    let decoderStep = decoderBefore.map { old in (0..<old.count).map { old[$0] - sample.decoder![$0] } }
    if !trainsDecoder { #expect(decoderStep!.allSatisfy { $0 == 0 }) }
    // Central differences at the start; none of these samples sits within the step of a kink.
    for k in 0..<before.count { sample.encoder[k] = before[k] }
    if let decoderBefore { for k in 0..<before.count { sample.decoder![k] = decoderBefore[k] } }
    let h = 1e-6
    func slope(_ room: Workspace<Double>, _ k: Int) -> Double {
      let value = room[k]
      room[k] = value + h
      let up = sample.loss()
      room[k] = value - h
      let down = sample.loss()
      room[k] = value
      return (up - down) / (2 * h)
    }
    #expect(maxError(stepped, (0..<before.count).map { slope(sample.encoder, $0) }) < 1e-7)
    if trainsDecoder, let decoder = sample.decoder {
      #expect(maxError(decoderStep!, (0..<before.count).map { slope(decoder, $0) }) < 1e-7)
    }
  }

  @Test(arguments: [false, true]) func threadsGiveTheSameBits(isFlow: Bool) throws {
    func trained(_ threads: Int) throws -> ([Double], [Double]) {
      let sample = try Sample(20, 10, 3000)
      let room = try Workspace<Double>(6)
      var record = TrainingRecord(loss: room.pointer)
      try train(
        sample.network(),
        AutoencoderTraining(trainsDecoder: true, rate: 0.1, steps: 5, flowTolerance: isFlow ? 1e-3 : nil), record: &record,
        context: CallContext(threads: threads))
      return ((0..<6).map { room[$0] }, (0..<sample.m * sample.d).map { sample.encoder[$0] })
    }
    let one = try trained(1)
    let three = try trained(3)
    #expect(one.0 == three.0)
    #expect(one.1 == three.1)
  }

  @Test func flowIsTheLimitOfSmallSteps() throws {
    func last(_ rate: Double, _ steps: Int, _ tolerance: Double?) throws -> Double {
      let sample = try Sample(5, 4, 60)
      let room = try Workspace<Double>(steps + 1)
      var record = TrainingRecord(loss: room.pointer)
      try train(
        sample.network(), AutoencoderTraining(trainsDecoder: true, rate: rate, steps: steps, flowTolerance: tolerance),
        record: &record, context: CallContext())
      return room[steps]
    }
    let flow = try last(0.1, 5, 1e-5)
    let (coarse, fine) = (try last(1e-2, 50, nil), try last(1e-3, 500, nil))
    // Euler's error goes like its step: ten times smaller.
    #expect(abs(fine - flow) < 0.15 * abs(coarse - flow))
    #expect(relativeError(fine, flow) < 1e-3)
  }

  @Test func divergenceStopsAndKeepsTheLosses() throws {
    let sample = try Sample(8, 4, 50)
    let room = try Workspace<Double>(1001)
    var record = TrainingRecord(loss: room.pointer)
    try train(
      sample.network(), AutoencoderTraining(trainsDecoder: true, rate: 50, steps: 1000), record: &record, context: CallContext())
    #expect(record.outcome == .diverged)
    #expect(record.steps > 0 && record.steps < 1000)
    #expect((0..<record.steps).allSatisfy { room[$0].isFinite })
  }

  @Test func cancellationLeavesWholeSteps() throws {
    let sample = try Sample(20, 10, 2000)
    let room = try Workspace<Double>(1_000_001)
    var record = TrainingRecord(loss: room.pointer)
    let context = CallContext(threads: 2) { _ in false }
    #expect(throws: NumericError.cancelled) {
      try train(
        sample.network(), AutoencoderTraining(trainsDecoder: true, rate: 1e-3, steps: 1_000_000), record: &record,
        context: context)
    }
    #expect(record.steps > 0)
    #expect(relativeError(room[record.steps], sample.loss()) < 1e-12)
  }

  @Test(arguments: [false, true]) func kernelIsTheProductOfJacobians(isTied: Bool) throws {
    let sample = try Sample(3, 2, 9, isTied: isTied)
    let size = sample.n * sample.d
    let out = try Workspace<Double>(size * size)
    let network = try sample.network()
    try autoencoderKernel(network, layers: .both, out: StridedMatrix(out.pointer, rows: size, cols: size), context: CallContext())
    let jacobian = try jacobianByDifferences(sample)
    var product = [Double](repeating: 0, count: size * size)
    for p in 0..<size { for q in 0..<size { for row in jacobian { product[p * size + q] += row[p] * row[q] } } }
    #expect(maxError((0..<size * size).map { out[$0] }, product) < 1e-8)
  }

  /// Row k: derivative of all outputs by weight k.
  private func jacobianByDifferences(_ sample: Sample) throws -> [[Double]] {
    let room = try Workspace<Double>(sample.n * sample.d)
    func outputs() throws -> [Double] {
      let out = StridedMatrix(room.pointer, rows: sample.n, cols: sample.d)
      try autoencoderOutputs(try sample.network(), outputs: out, hidden: nil, context: CallContext())
      return (0..<room.count).map { room[$0] }
    }
    var rows: [[Double]] = []
    for weights in [sample.encoder] + (sample.decoder.map { [$0] } ?? []) {
      for k in 0..<weights.count {
        let (value, h) = (weights[k], 1e-6)
        weights[k] = value + h
        let up = try outputs()
        weights[k] = value - h
        let down = try outputs()
        weights[k] = value
        rows.append(zip(up, down).map { ($0 - $1) / (2 * h) })
      }
    }
    return rows
  }

  @Test func badNetworksAreErrors() throws {
    let sample = try Sample(3, 2, 4)
    let x = StridedMatrix(sample.x.pointer, rows: 3, cols: 2)
    let w = StridedMatrix(sample.encoder.pointer, rows: 4, cols: 2)
    #expect(throws: NumericError.self) {
      try Autoencoder(inputs: x, encoder: StridedMatrix(w.base, rows: 0, cols: 2), decoder: nil, scale: 1)
    }
    #expect(throws: NumericError.self) {
      try Autoencoder(inputs: x, encoder: StridedMatrix(w.base, rows: 2, cols: 4), decoder: nil, scale: 1)
    }
    #expect(throws: NumericError.self) { try Autoencoder(inputs: x, encoder: w.transposed.transposed, decoder: x, scale: 1) }
    #expect(throws: NumericError.self) { try Autoencoder(inputs: x, encoder: w, decoder: nil, scale: .nan) }
    let room = try Workspace<Double>(4)
    var record = TrainingRecord(loss: room.pointer)
    #expect(throws: NumericError.self) {
      try train(
        sample.network(), AutoencoderTraining(trainsDecoder: true, rate: -1, steps: 3), record: &record, context: CallContext())
    }
    let error = #expect(throws: NumericError.self) {
      try train(
        sample.network(), AutoencoderTraining(trainsDecoder: true, rate: 1, steps: 3), record: &record,
        context: CallContext(memoryLimit: 100))
    }
    #expect(error?.kind == .outOfMemory)
  }
}
