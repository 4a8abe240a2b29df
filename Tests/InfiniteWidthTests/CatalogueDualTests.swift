import Activations
import Architectures
import InfiniteWidth
import TestSupport
import Testing
import VectorKernelTypes
import VectorKernels

/// What the catalogue says of duals, against the strip kernels and against the functions.
@Suite(.serialized) struct CatalogueDualTests {
  static let activations = Catalogue.entries.flatMap(\.samples) + [.made("ABRelu", 0, 1), .made("Erf"), .made("Sin")]
  static let levels = CPULevel.available == .portable ? [0] : (2...CPULevel.available.rawValue).map { $0 }

  @Test(arguments: levels) func closedFormsAndStripKernelsAreTheSame(level: Int) throws {
    let saved = CPULevel.current
    try CPULevel.select(level)
    defer { try? CPULevel.select(saved.rawValue) }
    let closed = Self.activations.compactMap { activation -> DualKind? in
      guard case .closed(let name, _) = activation.dual else { return nil }
      return DualKind(name)
    }
    // Variants that the engine puts in the place of "relu".
    let variants: Set<DualKind> = ["acuteReLU", "wideReLU", "narrowReLU", "tightReLU"]
    for kernels in [KernelTable.current.float64, KernelTable.current.float32, KernelTable.current.tangent] {
      #expect(Set(kernels.duals.keys) == Set(closed).union(variants))
    }
  }

  /// E f(u) f(v) and E f'(u) f'(v) by two-dimensional quadrature of the entry's own function, for everything that has one.
  @Test(arguments: activations) func dualsAreThoseOfTheFunction(activation: Activation) throws {
    guard let function = activation.function, !Self.hasOtherKernel(activation) else { return }
    let (d, rows) = (3, 2)
    let x = [1.1, -0.3, 0.7, -0.2, 0.9, 1.4]
    let dense = LayerNode.dense(DenseLayer(outDim: 1, weightStd: 0.8, biasStd: 0.2, hasBias: true))
    let (nngp, ntk) = try kernels(.serial([dense, .activation(activation)]), x, rows, d)
    let tolerance = Self.tolerance(activation)
    let c = { (i: Int, j: Int) in 0.64 * (0..<d).reduce(0.0) { $0 + x[i * d + $1] * x[j * d + $1] } / Double(d) + 0.04 }
    for (i, j) in [(0, 0), (0, 1), (1, 1)] {
      let value = Oracle.dual({ function.jet($0)[0] }, c(i, i), c(j, j), c(i, j))
      let slope = Oracle.dual({ function.jet($0)[1] }, c(i, i), c(j, j), c(i, j))
      let scale = (nngp[i * rows + i] * nngp[j * rows + j]).squareRoot()
      #expect(abs(nngp[i * rows + j] - value) <= tolerance * scale, "\(activation) K[\(i), \(j)]")
      let largest = max(scale, abs(c(i, j)) * max(1, slope))
      #expect(abs(ntk[i * rows + j] - c(i, j) * slope) <= 10 * tolerance * largest, "\(activation) theta[\(i), \(j)]")
    }
  }

  /// Kernels that are not those of the finite network's function, as their classes say: unit variances only; the exact function's.
  private static func hasOtherKernel(_ activation: Activation) -> Bool {
    activation.name == "Hermite" || activation == .made("Gelu", 1)
  }

  /// Series of kinked functions stop at their longest length, far from a tolerance of 1e-8.
  private static func tolerance(_ activation: Activation) -> Double {
    guard case .expansion(let tolerance) = activation.dual else { return 1e-11 }
    return activation.isSmooth ? 100 * tolerance : 3e-4
  }
}
