import LinearAlgebra
import NumericCore

/// What random probes say about the whole spectrum of a symmetric operator that is known by its products only.
public struct StochasticEstimates {
  private let op: any SymmetricOperator
  private let dimension: Int
  private let seed: UInt64
  private let context: CallContext

  /// Estimates for an operator; probe i depends on the seed and on i only.
  public init(_ op: any SymmetricOperator, seed: UInt64, context: CallContext) throws(NumericError) {
    guard op.dimension >= 1, op.dimension <= Int(Int32.max) else {
      throw .invalid("[stochastic] the operator needs 1 to \(Int32.max) rows. Received \(op.dimension).")
    }
    (self.op, dimension, self.seed) = (op, op.dimension, seed)
    self.context = context
  }

  /// v^T A v for `probes` vectors v of random signs: each has the trace as its mean (Hutchinson, 1990).
  ///
  /// Their variance is 2 (||A||_F^2 - sum_i A_ii^2). One product and O(dimension) operations per probe.
  public func traceSamples(probes: Int) throws(NumericError) -> [Double] {
    guard probes >= 1 else { throw .invalid("[trace] probes must be 1 or more. Received \(probes).") }
    let (v, w) = (try Workspace<Double>(dimension), try Workspace<Double>(dimension))
    var samples: [Double] = []
    for probe in 0..<probes {
      signs(UInt64(probe), into: v.pointer)
      try op.multiply(v.pointer, into: w.pointer, context: share(probe, probes))
      var total = 0.0
      for i in 0..<dimension { total += v[i] * w[i] }
      guard total.isFinite else { throw .invalid("[trace] the operator must return finite numbers. Received NaN or infinity.") }
      samples.append(total)
      try context.checkpoint(Double(probe + 1) / Double(probes))
    }
    return samples
  }

  /// Nodes and weights whose weighted counting measure approximates the density of eigenvalues: `steps` of each for each of `probes`
  /// Gauss rules, which begin at vectors of random signs; the weights add up to 1.
  ///
  /// Stochastic Lanczos quadrature (Ubaru, Chen, Saad, SIAM J. Matrix Anal. Appl. 38, 2017). Moments of degree below 2 steps are those of
  /// the probes. Rows that are shorter than `steps` (an invariant subspace) end in zero weights.
  public func density(
    probes: Int, steps: Int, nodes: StridedMatrix<Double>, weights: StridedMatrix<Double>
  ) throws(NumericError) {
    guard probes >= 1, steps >= 1 else {
      throw .invalid("[spectral_density] probes and steps must be 1 or more. Received \(probes), \(steps).")
    }
    guard nodes.rows == probes, nodes.cols == steps, weights.rows == probes, weights.cols == steps else {
      throw .invalid(
        "[spectral_density] nodes and weights must be \(probes) x \(steps). "
          + "Received \(nodes.rows) x \(nodes.cols) and \(weights.rows) x \(weights.cols).")
    }
    let v = try Workspace<Double>(dimension)
    for probe in 0..<probes {
      signs(UInt64(probe), into: v.pointer)
      let rule = try lanczosQuadrature(
        op, steps: steps, start: v.pointer, seed: seed &+ UInt64(probe), context: share(probe, probes))
      for k in 0..<steps {
        let isThere = k < rule.nodes.count
        nodes[probe, k] = isThere ? rule.nodes[k] : rule.nodes.last ?? 0
        weights[probe, k] = isThere ? rule.weights[k] / Double(probes) : 0
      }
    }
  }

  private func share(_ probe: Int, _ probes: Int) -> CallContext {
    context.part(Double(probe) / Double(probes), Double(probe + 1) / Double(probes))
  }

  /// +1 and -1 by the bits of a stream of its own.
  private func signs(_ probe: UInt64, into v: UnsafeMutablePointer<Double>) {
    let stream = PhiloxStream(key: (seed, 0x7072_6F62_6573), counter: (0, probe, 0, 0))
    for first in stride(from: 0, to: dimension, by: 256) {
      let words = stream.block(UInt64(first / 256))
      let parts = [words.0, words.1, words.2, words.3]
      for i in first..<min(first + 256, dimension) {
        v[i] = parts[(i - first) / 64] >> UInt64(i % 64) & 1 == 0 ? 1 : -1
      }
    }
  }
}
