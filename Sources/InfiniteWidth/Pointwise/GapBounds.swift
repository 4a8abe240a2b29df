import NumericCore
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

/// Which polynomial a ReLU after another one uses: shorter ones do where gaps are small.
enum ReLUReach: Int, Sendable {
  case whole, wide, narrow, tight

  /// The shortest for gaps up to `gap`.
  init(gap: Double) {
    self = gap <= 0.32 ? .tight : gap <= 0.45 ? .narrow : gap <= 0.7 ? .wide : .whole
  }

  /// The largest gap that it is for.
  var limit: Double {
    switch self {
    case .whole: 2
    case .wide: 0.7
    case .narrow: 0.45
    case .tight: 0.32
    }
  }

  var kind: DualKind {
    switch self {
    case .whole: .acuteReLU
    case .wide: .wideReLU
    case .narrow: .narrowReLU
    case .tight: .tightReLU
    }
  }
}

/// How far gaps can reach: they shrink from ReLU layer to ReLU layer.
enum GapBounds {
  /// The largest gaps before each ReLU of `steps` that follows another one, for inputs of these sides: `first` prepared for the rows'
  /// block, `second` for the columns'.
  static func largest(_ steps: [PairStep], _ first: [RowSide], _ second: [RowSide]) -> [Double] {
    var reach: [Int: Double] = [:]
    var all: [Double] = []
    for step in steps {
      var gap = reach[step.slot] ?? 1
      switch step.action {
      case .dual(.acuteReLU):
        all.append(gap)
        gap = afterReLU(gap)
      case .dense, .scale: break
      case .copy(let source): gap = reach[source] ?? 1
      default: gap = 1
      }
      if step.epilogue == .denseBias { gap = mixed(gap, step, first, second) }
      reach[step.slot] = gap
    }
    return all
  }

  /// The steps with the planned polynomials.
  static func narrowed(_ steps: [PairStep], _ reaches: [ReLUReach]) -> [PairStep] {
    var left = reaches[...]
    return steps.map { step in
      guard case .dual(.acuteReLU) = step.action else { return step }
      var next = step
      next.action = .dual((left.popFirst() ?? .whole).kind)
      return next
    }
  }

  /// Throws where gaps can be larger than the plan's polynomials are for.
  static func check(_ reaches: [ReLUReach], _ largest: [Double]) throws(NumericError) {
    guard reaches.count == largest.count else { throw WordReader.damaged }
    // Bounds of a part are those of the whole or smaller, up to rounding.
    for (reach, gap) in zip(reaches, largest) where gap > reach.limit * (1 + 1e-12) {
      throw .invalid(
        "[kernel_fn] the plan holds for inputs whose correlations after a ReLU are at least \(1 - reach.limit). "
          + "Received inputs that may have \(1 - gap): make the plan from all inputs.")
    }
  }

  /// 1 - rho' of the largest gap, and so the largest: 1 - rho - (sin t - t cos t) / pi.
  private static func afterReLU(_ gap: Double) -> Double {
    let cosine = 1 - gap
    return gap - ((gap * (2 - gap)).squareRoot() - acos(cosine) * cosine) / .pi
  }

  /// A bias mixes in the angles a of bias and weights: 1 - rho' <= (1 - cos(a_i - a_j)) + cos a_i cos a_j gap.
  private static func mixed(_ gap: Double, _ step: PairStep, _ first: [RowSide], _ second: [RowSide]) -> Double {
    guard first[0].planes == 1, step.rowArrays.count >= 2, step.colArrays.count >= 2 else { return 1 }
    var range = NumberRange(least: 1, largest: 0)
    for (sides, ids) in [(first, step.rowArrays), (second, step.colArrays)] {
      for side in sides { range.extend(by: side.arrays[ids[ids.count - 2]].pointer, count: side.count) }
    }
    let (least, largest) = (range.least, range.largest)
    func sine(_ c: Double) -> Double { max(0, 1 - c * c).squareRoot() }
    let apart = 1 - (least * largest + sine(least) * sine(largest))
    return min(1, apart + largest * largest * gap)
  }
}
