import Testing
import VectorKernelTypes
import VectorKernels

#if canImport(Glibc)
  import Glibc
#endif

#if arch(x86_64)
  private typealias Wide = Float80
#else
  private typealias Wide = Double
#endif

/// The Erf strips, with and without a shift, against libm in more digits, at every CPU level that this machine has.
@Suite(.serialized) struct ErfStripTests {
  static var levels: [Int] { AngularStripTests.levels }

  @Test(arguments: levels, [0.0, 0.4]) func erfMatchesLibm(level: Int, shift: Double) throws {
    let saved = CPULevel.current
    defer { try? CPULevel.select(saved.rawValue) }
    try CPULevel.select(level)
    // Deviations of all sizes; gaps down to 1e-13, every third negative; exact zeros of both signs between equal inputs.
    let count = 256
    let deviations = (0..<count).map { pow(10, -3 + 5 * Double($0 / 2) / 128) }
    for row in [0, 67, 130, 201, 255] {
      var gaps = (0..<count).map { k in pow((Double(k * 37 % count) + 0.5) / 256, k % 2 == 0 ? 1 : 5) * (k % 3 == 0 ? -1 : 1) }
      gaps[row] = row % 2 == 0 ? 0 : -0.0
      let (next, slopes) = run(deviations, row: row, gaps, shift: shift)
      for k in 0..<count {
        let (rho, slope) = expected(gaps[k], deviations[row], deviations[k], shift)
        let got = next[k].sign == .minus ? -1 - Wide(next[k]) : 1 - Wide(next[k])
        #expect(abs(Double(got - rho)) <= 2e-15, "\(gaps[k]) \(deviations[row]) \(deviations[k])")
        #expect(abs(slopes[k] / Double(slope) - 1) <= 2e-15, "\(gaps[k]) \(deviations[row]) \(deviations[k])")
      }
      if row % 2 == 0 { #expect(next[row] == 0 && next[row].sign == .plus) }
    }
  }

  /// Correlation after erf(x) + shift and E of the product of derivatives, from the definition with t = rho u_i u_j.
  private func expected(_ gap: Double, _ si: Double, _ sj: Double, _ shift: Double) -> (rho: Wide, slope: Wide) {
    let scale = 2 / Wide.pi
    func shares(_ s: Double) -> (u: Wide, d: Wide) {
      let r = Wide(2).squareRoot() * Wide(s)
      let n = 1 / (1 + r * r).squareRoot()
      return (r * n, n)
    }
    func value(_ t: Wide, _ w: Wide) -> Wide {
      let arc = t * t < 0.5 ? asin(abs(t)) : Wide.pi / 2 - asin(w.squareRoot())
      return scale * (t < 0 ? -arc : arc) + Wide(shift) * Wide(shift)
    }
    func variance(_ x: (u: Wide, d: Wide)) -> Wide { value(x.u * x.u, x.d * x.d * (2 - x.d * x.d)) }
    let (a, b, size) = (shares(si), shares(sj), Wide(gap.magnitude))
    let t = (gap.sign == .minus ? -1 : 1) * (1 - size) * a.u * b.u
    let (da, db) = (a.d * a.d, b.d * b.d)
    let w = da + db - da * db + (1 - da) * (1 - db) * size * (2 - size)
    let slope = 4 / Wide.pi * a.d * b.d / w.squareRoot()
    return (value(t, w) / (variance(a) * variance(b)).squareRoot(), slope)
  }

  /// The row kernel, then the strip of one row; the NTK before is 1, so that slopes are left.
  private func run(_ deviations: [Double], row: Int, _ gaps: [Double], shift: Double) -> (gaps: [Double], slopes: [Double]) {
    let kernel = KernelTable.current.float64.duals[shift == 0 ? "erf" : "shiftedErf"]!
    let count = deviations.count
    let parameters = [(2.0).squareRoot(), 2 / Double.pi, shift, 4 / Double.pi] + [Double](repeating: 0, count: 16)
    let arrays = (0..<kernel.arrayCount).map { _ in
      UnsafeMutableRawPointer.allocate(byteCount: 8 * count, alignment: 64)
    }
    defer { for array in arrays { array.deallocate() } }
    var (gaps, slopes) = (gaps, [Double](repeating: 1, count: count))
    var after = deviations
    deviations.withUnsafeBytes { s in
      after.withUnsafeMutableBytes { result in
        kernel.prepare(
          RowArguments(
            deviations: s.baseAddress!, arrays: arrays, result: result.baseAddress!, count: count, parameters: parameters))
      }
    }
    let sides = arrays.map { UnsafeRawPointer($0) }
    gaps.withUnsafeMutableBytes { g in
      slopes.withUnsafeMutableBytes { t in
        sides.withUnsafeBufferPointer { sides in
          parameters.withUnsafeBufferPointer { p in
            kernel.strip(
              StripArguments(
                gap: g.baseAddress!, theta: t.baseAddress, count: count, rowArrays: sides.baseAddress!,
                colArrays: sides.baseAddress!, row: row, column: 0, parameters: p.baseAddress!))
          }
        }
      }
    }
    return (gaps, slopes)
  }
}
