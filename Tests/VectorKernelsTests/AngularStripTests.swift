import Testing
import VectorKernelTypes
import VectorKernels

#if canImport(Glibc)
  import Glibc
#endif

/// The ReLU strip against libm, at every CPU level that this machine has.
@Suite(.serialized) struct AngularStripTests {
  static var levels: [Int] { CPULevel.allCases.map(\.rawValue).filter { $0 > 0 && $0 <= CPULevel.available.rawValue } }

  /// Angles from 1e-8 to pi, dense near both ends.
  static let angles: [Double] = (0..<256).map { i in
    let t = (Double(i) + 0.5) / 256
    return t < 0.5 ? 0.5 * .pi * pow(2 * t, 6) : .pi - 0.5 * .pi * pow(2 - 2 * t, 6)
  }

  @Test(arguments: levels, [DualKind("relu"), "abRelu"]) func reluMatchesLibm(level: Int, kind: DualKind) throws {
    let saved = CPULevel.current
    defer { try? CPULevel.select(saved.rawValue) }
    try CPULevel.select(level)
    let kernel = KernelTable.current.float64.duals[kind]!
    var gaps = Self.angles.map { t in
      let size = 2 * pow(sin(min(t, .pi - t) / 2), 2)  // 1 - |cos t|
      return t > .pi / 2 ? -size : size
    }
    var thetas = [Double](repeating: 1, count: gaps.count)
    // ReLU: h = g = 1/2.
    run(kernel.strip, &gaps, &thetas, parameters: [0.5, 0.5, 0.5.squareRoot(), 0.25, 0.25])
    for (k, t) in Self.angles.enumerated() {
      // 1 - kappa1 = 1 - cos t - (sin t - t cos t) / pi, by its series where it would cancel.
      let excess = t < 0.05 ? pow(t, 3) * (1.0 / 3 - t * t / 30 + pow(t, 4) / 840) : sin(t) - t * cos(t)
      let expected = 2 * pow(sin(t / 2), 2) - excess / .pi
      #expect(abs(gaps[k] - expected) <= 4e-16 + 2e-8 * expected * (t < 1e-6 ? 1 : 0) + 4e-15 * expected, "angle \(t)")
      #expect(abs(thetas[k] - (1 - t / .pi) / 2) <= 4e-16, "angle \(t)")
    }
  }

  /// ReLU after ReLU: gaps are not negative, and at most 1, 0.7, 0.45 and 0.32.
  @Test(arguments: levels, [DualKind("acuteReLU"), "wideReLU", "narrowReLU", "tightReLU"])
  func acuteReluMatchesLibm(level: Int, kind: DualKind) throws {
    let saved = CPULevel.current
    defer { try? CPULevel.select(saved.rawValue) }
    try CPULevel.select(level)
    let largest = [DualKind("acuteReLU"): 1, "wideReLU": 0.7, "narrowReLU": 0.45, "tightReLU": 0.32][kind]!
    let angles = (0..<256).map { i in acos(1 - largest) * pow((Double(i) + 0.5) / 255.5, 6) }
    var gaps = angles.map { 2 * pow(sin($0 / 2), 2) }
    var thetas = [Double](repeating: 1, count: gaps.count)
    run(KernelTable.current.float64.duals[kind]!.strip, &gaps, &thetas, parameters: [])
    var floats = angles.map { Float(2 * pow(sin($0 / 2), 2)) }
    var floatThetas = [Float](repeating: 1, count: gaps.count)
    run(KernelTable.current.float32.duals[kind]!.strip, &floats, &floatThetas, parameters: [])
    for (k, t) in angles.enumerated() {
      let excess = t < 0.05 ? pow(t, 3) * (1.0 / 3 - t * t / 30 + pow(t, 4) / 840) : sin(t) - t * cos(t)
      let expected = 2 * pow(sin(t / 2), 2) - excess / .pi
      #expect(abs(gaps[k] - expected) <= 4e-16 + 2e-8 * expected * (t < 1e-6 ? 1 : 0) + 4e-15 * expected, "angle \(t)")
      #expect(abs(thetas[k] - (1 - t / .pi) / 2) <= 4e-16, "angle \(t)")
      #expect(abs(Double(floats[k]) - expected) <= 2e-7, "angle \(t)")
      #expect(abs(Double(floatThetas[k]) - (1 - t / .pi) / 2) <= 2e-7, "angle \(t)")
    }
  }

  @Test(arguments: levels, [DualKind("relu"), "abRelu"]) func signedZerosKeepTheirMeaning(level: Int, kind: DualKind) throws {
    let saved = CPULevel.current
    defer { try? CPULevel.select(saved.rawValue) }
    try CPULevel.select(level)
    let kernel = KernelTable.current.float64.duals[kind]!
    var gaps = [Double](repeating: 0, count: 256)
    for k in stride(from: 1, to: 256, by: 2) { gaps[k] = -0.0 }
    var thetas = [Double](repeating: 1, count: 256)
    run(kernel.strip, &gaps, &thetas, parameters: [0.5, 0.5, 0.5.squareRoot(), 0.25, 0.25])
    // Equal inputs stay equal; opposite inputs are uncorrelated after a ReLU.
    #expect(gaps[0] == 0 && gaps[0].sign == .plus && thetas[0] == 0.5)
    #expect(gaps[1] == 1 && thetas[1] == 0)
  }

  private func run<Element>(
    _ strip: StripFunction, _ gaps: inout [Element], _ thetas: inout [Element], parameters: [Double]
  ) {
    let padded = parameters + [Double](repeating: 0, count: 16)
    let none = [UnsafeRawPointer(bitPattern: 64)!]
    let count = gaps.count
    gaps.withUnsafeMutableBytes { g in
      thetas.withUnsafeMutableBytes { t in
        padded.withUnsafeBufferPointer { p in
          none.withUnsafeBufferPointer { none in
            strip(
              StripArguments(
                gap: g.baseAddress!, theta: t.baseAddress, count: count, rowArrays: none.baseAddress!,
                colArrays: none.baseAddress!, row: 0, column: 0, parameters: p.baseAddress!))
          }
        }
      }
    }
  }
}
