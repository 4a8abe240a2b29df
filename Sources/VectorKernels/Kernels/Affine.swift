import VectorKernelTypes

/// The end of a pass over a strip: theta times the slope, then perhaps a Dense layer.
///
/// Dense without bias leaves the correlation alone. With a bias, an input of deviation s gets the direction
/// (C, S) = (W_std s, b_std) / sqrt(W_std^2 s^2 + b_std^2), and with o = the sign of the new correlation
///   1 - o rho' = ((C_i - C_j)^2 + (S_i - o S_j)^2) / 2 + C_i C_j (1 - o rho),
/// a sum of terms >= 0: nothing cancels.
struct Affine<L: Lanes> {
  private let gap: UnsafeMutableRawPointer
  private let theta: UnsafeMutableRawPointer?
  private let epilogue: StripArguments.Epilogue
  private let colArrays: UnsafePointer<UnsafeRawPointer>
  private let rowValues: RowValues<L>
  private let back: L
  private let constant: L

  /// Arrays: deviations before the layer times the root of K's factor, then C and S.
  /// Parameters: factor of theta, the constant; their derivatives.
  @inline(__always)
  init(_ arguments: borrowing StripArguments, arraysBefore: Int, parametersBefore: Int) {
    gap = arguments.gap
    theta = arguments.theta
    epilogue = arguments.epilogue
    colArrays = arguments.colArrays + arraysBefore
    let p = arguments.parameters + parametersBefore
    back = L(p[0], derivative: p[2])
    constant = L(p[1], derivative: p[3])
    let count = epilogue == .none ? 0 : epilogue == .dense ? 1 : 3
    rowValues = RowValues<L>(arguments.rowArrays + arraysBefore, count: count, index: arguments.row)
  }

  @inline(__always)
  func finish(
    gap g: L, slope: L, vector k: Int, column: Int, isNonNegative: Bool = false, startsTheta: Bool = false
  ) {
    if epilogue == .none {
      g.store(gap, vector: k)
      if let theta { (L.load(theta, vector: k) * slope).store(theta, vector: k) }
      return
    }
    // Before any branch on theta: the compiler takes vectors apart when it merges two computations of the same one.
    let size = isNonNegative ? g : g.withoutSign()
    let correlation = isNonNegative ? L.one - g : L.negated(L.one - size, like: g)
    if let theta {
      let deviations = rowValues.e0 * L.load(colArrays[0], vector: column)
      let kept = startsTheta ? constant : L.fma(back * slope, L.load(theta, vector: k), constant)
      L.fma(deviations, correlation, kept).store(theta, vector: k)
    }
    if epilogue == .dense {
      g.store(gap, vector: k)
      return
    }
    let (ca, sa) = (rowValues.e1, rowValues.e2)
    let (cb, sb) = (L.load(colArrays[1], vector: column), L.load(colArrays[2], vector: column))
    let cc = ca * cb
    let c = ca - cb
    if isNonNegative {
      let s = sa - sb
      L.fma(L(0.5), L.fma(c, c, s * s), cc * size).store(gap, vector: k)
      return
    }
    let mixed = L.fma(cc, correlation, sa * sb)
    let s = sa - L.negated(sb, like: mixed)
    // 1 - o rho: the stored gap where the sign stays, 2 - gap where it changes (only from - to +).
    let apart = L.select(L.differ(g.signBit(), mixed.signBit()), L(2) - size, size)
    L.signed(L.fma(L(0.5), L.fma(c, c, s * s), cc * apart), like: mixed).store(gap, vector: k)
  }
}
