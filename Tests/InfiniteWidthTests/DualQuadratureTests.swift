import Activations
import Architectures
import InfiniteWidth
import NumericCore
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Every dual activation against two-dimensional quadrature of its definition, E f(u) f(v) and E f'(u) f'(v).
@Suite struct DualQuadratureTests {
  /// A nonlinearity, its function and derivative, and the largest relative error expected of the oracle or of the expansion.
  struct Sample: CustomTestStringConvertible, Sendable {
    var activation: Activation
    var f: @Sendable (Double) -> Double
    var derivative: @Sendable (Double) -> Double
    var tolerance = 1e-12
    var testDescription: String { "\(activation)" }
  }

  static let samples: [Sample] = [
    Sample(activation: .made("ABRelu", 0, 1), f: { max($0, 0) }, derivative: { $0 > 0 ? 1 : 0 }),
    Sample(activation: .made("ABRelu", -0.4, 1.3), f: { $0 > 0 ? 1.3 * $0 : -0.4 * $0 }, derivative: { $0 > 0 ? 1.3 : -0.4 }),
    Sample(
      activation: .made("Erf", 0.7, 1.3, 0.4), f: { 0.7 * erf(1.3 * $0) + 0.4 },
      derivative: { 0.7 * 1.3 * 2 / Double.pi.squareRoot() * exp(-1.69 * $0 * $0) }),
    Sample(
      activation: .made("Erf", -0.7, 1.3, 0), f: { -0.7 * erf(1.3 * $0) },
      derivative: { -0.7 * 1.3 * 2 / Double.pi.squareRoot() * exp(-1.69 * $0 * $0) }),
    Sample(
      activation: .made("Gelu"), f: { $0 * 0.5 * erfc(-$0 / 2.0.squareRoot()) },
      derivative: { 0.5 * erfc(-$0 / 2.0.squareRoot()) + $0 * exp(-$0 * $0 / 2) / (2 * Double.pi).squareRoot() }),
    Sample(
      activation: .made("Sin", 0.7, 1.3, 0.4), f: { 0.7 * sin(1.3 * $0 + 0.4) }, derivative: { 0.91 * cos(1.3 * $0 + 0.4) }),
    Sample(
      activation: .made("Rbf", 0.6), f: { 2.0.squareRoot() * sin(1.2.squareRoot() * $0 + .pi / 4) },
      derivative: { 2.4.squareRoot() * cos(1.2.squareRoot() * $0 + .pi / 4) }),
    Sample(activation: .made("Exp", 0.8, 0.5), f: { 0.8 * exp(0.5 * $0) }, derivative: { 0.4 * exp(0.5 * $0) }),
    Sample(
      activation: .made("Gaussian", 1.2, -0.7), f: { 1.2 * exp(-0.7 * $0 * $0) }, derivative: { -1.68 * $0 * exp(-0.7 * $0 * $0) }
    ),
    Sample(
      activation: .made("Gaussian", 1, 0.05), f: { exp(0.05 * $0 * $0) }, derivative: { 0.1 * $0 * exp(0.05 * $0 * $0) },
      tolerance: 1e-9),
    Sample(
      activation: .made("Gabor"), f: { exp(-$0 * $0) * sin($0) }, derivative: { exp(-$0 * $0) * (cos($0) - 2 * $0 * sin($0)) }),
    Sample(activation: .made("RectifiedMonomial", 2), f: { $0 > 0 ? $0 * $0 : 0 }, derivative: { $0 > 0 ? 2 * $0 : 0 }),
    Sample(
      activation: .made("RectifiedMonomial", 5), f: { $0 > 0 ? pow($0, 5) : 0 }, derivative: { $0 > 0 ? 5 * pow($0, 4) : 0 }),
    Sample(
      activation: .made("Polynomial", 0.3, -0.5, 0.2, 0.1), f: { 0.3 + $0 * (-0.5 + $0 * (0.2 + 0.1 * $0)) },
      derivative: { -0.5 + $0 * (0.4 + 0.3 * $0) }),
    Sample(
      activation: .made("Tanh", 1e-10), f: { tanh($0) }, derivative: { 1 - tanh($0) * tanh($0) },
      tolerance: 1e-9),
    Sample(
      activation: .made("Sigmoid", 1e-10), f: { 1 / (1 + exp(-$0)) },
      derivative: { 1 / (2 + 2 * cosh($0)) }, tolerance: 1e-9),
    Sample(
      activation: .made("Softplus", 1e-10), f: { log1p(exp($0)) }, derivative: { 1 / (1 + exp(-$0)) },
      tolerance: 1e-9),
    Sample(
      activation: .made("Swish", 1e-10), f: { $0 / (1 + exp(-$0)) },
      derivative: { (1 + exp(-$0) + $0 * exp(-$0)) / pow(1 + exp(-$0), 2) }, tolerance: 1e-9),
    Sample(
      activation: .made("Elu", 1, 1e-6), f: { $0 > 0 ? $0 : expm1($0) },
      derivative: { $0 > 0 ? 1 : exp($0) },
      tolerance: 3e-5),
  ]

  @Test(arguments: samples) func kernelsMatchTheirDefinition(sample: Sample) throws {
    let (d, rows) = (3, 4)
    let x = [1.1, -0.3, 0.7, -0.2, 0.9, 1.4, 0.05, 0.1, -0.6, -1.0, 0.8, 0.3]
    let dense = LayerNode.dense(DenseLayer(outDim: 1, weightStd: 1.2, biasStd: 0.3, hasBias: true))
    let (nngp, ntk) = try kernels(.serial([dense, .activation(sample.activation)]), x, rows, d)
    for i in 0..<rows {
      for j in 0..<rows {
        let c = covariance(x, i, j, d)
        let (a, b) = (covariance(x, i, i, d), covariance(x, j, j, d))
        let value = Oracle.dual(sample.f, a, b, c)
        let slope = Oracle.dual(sample.derivative, a, b, c)
        let scale = (Oracle.dual(sample.f, a, a, a) * Oracle.dual(sample.f, b, b, b)).squareRoot()
        #expect(abs(nngp[i * rows + j] - value) <= sample.tolerance * scale, "K[\(i), \(j)]")
        // Before the nonlinearity the NTK of one Dense layer is its kernel.
        #expect(abs(ntk[i * rows + j] - c * slope) <= 10 * sample.tolerance * max(scale, abs(c)), "theta[\(i), \(j)]")
      }
    }
  }

  private func covariance(_ x: [Double], _ i: Int, _ j: Int, _ d: Int) -> Double {
    1.44 * (0..<d).reduce(0.0) { $0 + x[i * d + $1] * x[j * d + $1] } / Double(d) + 0.09
  }
}

/// NNGP and NTK of `network` on the rows of x.
func kernels(_ network: LayerNode, _ x: [Double], _ rows: Int, _ d: Int, threads: Int = 1) throws -> ([Double], [Double]) {
  var x = x
  var nngp = [Double](repeating: .nan, count: rows * rows)
  var ntk = nngp
  try x.withUnsafeMutableBufferPointer { x in
    try nngp.withUnsafeMutableBufferPointer { nngp in
      try ntk.withUnsafeMutableBufferPointer { ntk in
        let output = KernelOutput(
          nngp: StridedMatrix(nngp.baseAddress!, rows: rows, cols: rows),
          ntk: StridedMatrix(ntk.baseAddress!, rows: rows, cols: rows))
        try PointwiseKernel(network).compute(
          InputPair(.rows(StridedMatrix(x.baseAddress!, rows: rows, cols: d))), into: output,
          context: CallContext(threads: threads))
      }
    }
  }
  return (nngp, ntk)
}

/// E f(u) f(v) by Gauss-Legendre panels on either side of the kinks u = 0 and v = 0.
enum Oracle {
  static func dual(_ f: (Double) -> Double, _ a: Double, _ b: Double, _ c: Double) -> Double {
    let spread = max(b - c * c / a, 0).squareRoot()
    var sum = 0.0
    for (z, w) in nodes(0) {
      let u = a.squareRoot() * z
      let mean = c / a * u
      guard spread > 1e-12 else {
        sum += w * f(u) * f(mean)
        continue
      }
      var inner = 0.0
      for (y, v) in nodes(-mean / spread) { inner += v * f(mean + spread * y) }
      sum += w * f(u) * inner
    }
    return sum
  }

  /// Nodes for a standard normal weight, with a break at `kink`.
  private static func nodes(_ kink: Double) -> [(Double, Double)] {
    let (t, w) = GaussianQuadrature.legendre(24)
    let kink = min(max(kink, -12), 12)
    var breaks = [-12.0, kink, 12.0]
    for p in stride(from: -10.5, through: 10.5, by: 1.5) where abs(p - kink) > 0.01 { breaks.append(p) }
    breaks.sort()
    var all: [(Double, Double)] = []
    for (left, right) in zip(breaks, breaks.dropFirst()) where right > left {
      for (x, v) in zip(t, w) {
        let z = (left + right) / 2 + (right - left) / 2 * x
        all.append((z, v * (right - left) / 2 * exp(-z * z / 2) / (2 * Double.pi).squareRoot()))
      }
    }
    return all
  }
}
