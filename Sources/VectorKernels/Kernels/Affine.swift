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
  private let own: L
  private let back: L
  private let constant: L

  /// Arrays: deviations before the layer, then C and S. Parameters: factors of K and theta, the constant; their derivatives.
  @inline(__always)
  init(_ arguments: borrowing StripArguments, arraysBefore: Int, parametersBefore: Int) {
    gap = arguments.gap
    theta = arguments.theta
    epilogue = arguments.epilogue
    colArrays = arguments.colArrays + arraysBefore
    let p = arguments.parameters + parametersBefore
    own = L(p[0], derivative: p[3])
    back = L(p[1], derivative: p[4])
    constant = L(p[2], derivative: p[5])
    let count = epilogue == .none ? 0 : epilogue == .dense ? 1 : 3
    rowValues = RowValues<L>(arguments.rowArrays + arraysBefore, count: count, index: arguments.row)
  }

  @inline(__always)
  func finish(gap g: L, slope: L, vector k: Int, column: Int, isNonNegative: Bool = false) {
    switch epilogue {
    case .none:
      g.store(gap, vector: k)
      if let theta { (L.load(theta, vector: k) * slope).store(theta, vector: k) }
    case .dense:
      g.store(gap, vector: k)
      if let theta {
        let deviations = rowValues.e0 * L.load(colArrays[0], vector: column)
        next(theta: theta, g, slope, deviations, k, isNonNegative)
      }
    case .denseBias:
      let b = RowValues<L>(colArrays, count: 3, vector: column)
      let a = rowValues
      if let theta { next(theta: theta, g, slope, a.e0 * b.e0, k, isNonNegative) }
      let result = isNonNegative ? mixedNonNegative(g, a.e1, b.e1, a.e2, b.e2) : mixed(g, a.e1, b.e1, a.e2, b.e2)
      result.store(gap, vector: k)
    }
  }

  @inline(__always)
  private func next(
    theta: UnsafeMutableRawPointer, _ g: L, _ slope: L, _ deviations: L, _ k: Int, _ isNonNegative: Bool
  ) {
    let correlation = isNonNegative ? L.one - g : L.negated(L.one - g.withoutSign(), where: g.signBit())
    let kept = L.fma(back * slope, L.load(theta, vector: k), constant)
    L.fma(own * deviations, correlation, kept).store(theta, vector: k)
  }

  @inline(__always)
  private func mixedNonNegative(_ g: L, _ ca: L, _ cb: L, _ sa: L, _ sb: L) -> L {
    let (c, s) = (ca - cb, sa - sb)
    return L.fma(L(0.5), L.fma(c, c, s * s), (ca * cb) * g)
  }

  @inline(__always)
  private func mixed(_ g: L, _ ca: L, _ cb: L, _ sa: L, _ sb: L) -> L {
    let negative = g.signBit()
    let size = g.withoutSign()
    let cc = ca * cb
    let correlation = L.fma(cc, L.negated(L.one - size, where: negative), sa * sb)
    let turned = correlation < L.zero
    let c = ca - cb
    let s = sa - L.select(turned, -sb, sb)
    // 1 - o rho: the stored gap where the sign stays, 2 - gap where it changes (only from - to +).
    let apart = L.select(turned, size, L.select(negative, L(2) - size, size))
    return L.signed(L.fma(L(0.5), L.fma(c, c, s * s), cc * apart), negative: turned)
  }
}
