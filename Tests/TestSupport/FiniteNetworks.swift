import Architectures
import FiniteWidth
import InfiniteWidth
import NumericCore

extension EngineConformance {
  /// The kernels are those of wide random networks: the means over draws differ from them by five standard errors, and what a width of
  /// `width` units leaves, at most. The NTK where the network treats its inputs one by one.
  public func finiteNetworkFailures(draws: Int = 24, width units: Int = 192) throws(NumericError) -> [String] {
    let count = min(rows, 5)
    let inputs = Array(x[..<(count * width)])
    let samples = try FiniteSamples(engine.network.widened(to: units), inputs, rows: count, draws: draws)
    let exact = try kernels(of: inputs, rows: count)
    var failures: [String] = []
    for (name, sample, kernel) in [("NNGP", samples.nngp, exact.nngp), ("NTK", samples.ntk, exact.ntk)] where !sample.isEmpty {
      let scale = kernel.reduce(0) { max($0, abs($1)) }
      for entry in kernel.indices {
        let values = sample.map { $0[entry] }
        let mean = values.reduce(0, +) / Double(draws)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(draws * (draws - 1))
        let bound = 5 * variance.squareRoot() + 4 * scale / Double(units)
        if abs(mean - kernel[entry]) > bound {
          failures.append("the \(name) \(kernel[entry]) at \(entry) is that of finite networks, \(mean), to \(bound)")
        }
      }
    }
    return failures
  }

  private func kernels(of inputs: [Double], rows count: Int) throws(NumericError) -> (nngp: [Double], ntk: [Double]) {
    let n = count * blocks
    let (copy, nngp, ntk) = (try Workspace<Double>(inputs.count), try Workspace<Double>(n * n), try Workspace<Double>(n * n))
    for (k, value) in inputs.enumerated() { copy.pointer[k] = value }
    let output = KernelOutput(
      nngp: StridedMatrix(nngp.pointer, rows: n, cols: n), ntk: StridedMatrix(ntk.pointer, rows: n, cols: n))
    let pair = InputPair(Inputs.rows(StridedMatrix(copy.pointer, rows: count, cols: width)))
    _ = try engine.compute(pair, into: output, context: CallContext())
    withExtendedLifetime(copy) {}
    return (Array(nngp.buffer), Array(ntk.buffer))
  }
}

/// Kernels of random networks, one array for each draw.
private struct FiniteSamples {
  var nngp: [[Double]] = []
  /// None where the network does not treat its inputs one by one.
  var ntk: [[Double]] = []

  init(_ layers: LayerNode, _ inputs: [Double], rows: Int, draws: Int) throws(NumericError) {
    let room = try Workspace<Double>(inputs.count)
    for (k, value) in inputs.enumerated() { room.pointer[k] = value }
    let x = StridedMatrix(room.pointer, rows: rows, cols: inputs.count / rows)
    for draw in 0..<draws {
      let seed = (UInt64(draw), UInt64(0x6d63))
      let network = try Network(layers, input: GridShape(channels: x.cols), seed: seed)
      let parameters = try Workspace<Double>(max(1, network.plan.parameterCount), zeroed: true)
      for (number, slot) in network.plan.parameters.enumerated() where slot.initialDeviation > 0 {
        let (start, stream) = (parameters.pointer + slot.offset, PhiloxStream(key: seed, counter: (0, UInt64(number), 0, 0)))
        stream.fillNormal(start, count: slot.count)
        for k in 0..<slot.count { start[k] *= slot.initialDeviation }
      }
      nngp.append(try FiniteSamples.outputs(network, x, parameters))
      let shape = network.plan.outputShape
      guard shape.blocks == 1 else { continue }
      let kernel = try Workspace<Double>(rows * rows)
      try EmpiricalKernel(network, parameters: parameters.pointer).ntk(
        x, nil, pairing: OutputPairing(outputs: [[Array(0..<shape.size)]]), into: kernel.pointer, context: CallContext())
      ntk.append(Array(kernel.buffer))
    }
    withExtendedLifetime(room) {}
  }

  /// Means over the outputs of products of outputs.
  private static func outputs(
    _ network: Network, _ x: StridedMatrix<Double>, _ parameters: Workspace<Double>
  ) throws(NumericError) -> [Double] {
    let (n, m) = (x.rows * network.plan.outputShape.blocks, network.plan.outputShape.size)
    let f = try Workspace<Double>(n * m)
    try network.forward(
      x, parameters: parameters.pointer, into: StridedMatrix(f.pointer, rows: n, cols: m), context: CallContext())
    return (0..<n * n).map { entry in
      (0..<m).reduce(0.0) { $0 + f[entry / n * m + $1] * f[entry % n * m + $1] } / Double(m)
    }
  }
}

extension LayerNode {
  /// The same network with `units` units in every layer with weights.
  fileprivate func widened(to units: Int) -> LayerNode {
    switch self {
    case .serial(let children): return .serial(children.map { $0.widened(to: units) })
    case .parallel(let children): return .parallel(children.map { $0.widened(to: units) })
    case .dense(var layer):
      layer.outDim = units
      return .dense(layer)
    case .convolution(var layer):
      layer.dense.outDim = units
      return .convolution(layer)
    case .identity, .fanOut, .fanInSum, .fanInProd, .fanInConcat, .layerNorm, .dropout, .activation, .pool, .globalPool, .flatten,
      .batchNorm:
      return self
    }
  }
}
