import VectorKernelTypes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The strip kernels of ReLU, which the engine chooses among by what it knows of the correlations before it.
extension DualKind {
  static let relu: DualKind = "relu"
  /// `relu` where correlations are never negative; where gaps are at most 0.7; 0.45; 0.32.
  static let acuteReLU: DualKind = "acuteReLU"
  static let wideReLU: DualKind = "wideReLU"
  static let narrowReLU: DualKind = "narrowReLU"
  static let tightReLU: DualKind = "tightReLU"
}

/// How far gaps can reach: they shrink from ReLU layer to ReLU layer, and shorter polynomials do for small ones.
enum GapBounds {
  /// The steps with `wideReLU`, `narrowReLU` and `tightReLU` where the inputs at hand allow them.
  static func narrowed(_ steps: [PairStep], _ row: RowSide, _ col: RowSide) -> [PairStep] {
    var reach: [Int: Double] = [:]
    return steps.map { step in
      var (next, gap) = (step, reach[step.slot] ?? 1)
      switch step.action {
      case .dual(.acuteReLU):
        next.action = .dual(
          gap <= 0.32 ? .tightReLU : gap <= 0.45 ? .narrowReLU : gap <= 0.7 ? .wideReLU : .acuteReLU)
        gap = afterReLU(gap)
      case .dense, .scale: break
      case .copy(let source): gap = reach[source] ?? 1
      default: gap = 1
      }
      if step.epilogue == .denseBias { gap = mixed(gap, step, row, col) }
      reach[step.slot] = gap
      return next
    }
  }

  /// 1 - rho' of the largest gap, and so the largest: 1 - rho - (sin t - t cos t) / pi.
  private static func afterReLU(_ gap: Double) -> Double {
    let cosine = 1 - gap
    return gap - ((gap * (2 - gap)).squareRoot() - acos(cosine) * cosine) / .pi
  }

  /// A bias mixes in the angles a of bias and weights: 1 - rho' <= (1 - cos(a_i - a_j)) + cos a_i cos a_j gap.
  private static func mixed(_ gap: Double, _ step: PairStep, _ row: RowSide, _ col: RowSide) -> Double {
    guard row.planes == 1, step.rowArrays.count >= 2, step.colArrays.count >= 2 else { return 1 }
    var (least, largest) = (1.0, 0.0)
    for (side, ids) in [(row, step.rowArrays), (col, step.colArrays)] {
      let cosines = side.arrays[ids[ids.count - 2]].pointer
      for i in 0..<side.count {
        least = min(least, cosines[i])
        largest = max(largest, cosines[i])
      }
    }
    func sine(_ c: Double) -> Double { max(0, 1 - c * c).squareRoot() }
    let apart = 1 - (least * largest + sine(least) * sine(largest))
    return min(1, apart + largest * largest * gap)
  }
}
