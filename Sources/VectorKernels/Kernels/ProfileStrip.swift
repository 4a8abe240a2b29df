import VectorKernelTypes

/// All layers at once, where the network is one function of the angle t between the inputs: theta = u_i u_j F(t), correlation G(t).
///
/// F = E(sin t) + cos t O(sin t), the parts that are even and odd about a right angle. What dual activations leave at rho = 1 and
/// rho = -1, powers of the roots of the gap, is smooth in sin t, so that two short polynomials in y = 2 sin t - 1 do.
/// Equal inputs get the value there exactly.
///
/// Row arrays: u, coefficients for F, for G (in the strip's element type, each as often as `Lanes.coefficient` wants; for each pair of
/// powers 2j, 2j + 1 of y those of E, then those of O). Column arrays: u. Parameters: pairs of powers for F, for G (0: not wanted), F and G of equal inputs.
@inline(__always)
func profileStrip<L: Lanes>(_ type: L.Type, _ arguments: borrowing StripArguments) {
  let first = arguments.column / L.lanes
  let vectors = (arguments.count &+ L.lanes &- 1) / L.lanes
  let (rowArrays, p) = (arguments.rowArrays, arguments.parameters)
  let (thetaTerms, correlationTerms) = (Int(p[0]), Int(p[1]))
  if let theta = arguments.theta, thetaTerms > 0 {
    let scale = L.splat(rowArrays[0], index: arguments.row)
    let (coefficients, columns, whenEqual) = (rowArrays[1], arguments.colArrays[0], L(p[2]))
    for k in 0..<vectors {
      let value = profile(.load(arguments.gap, vector: k), coefficients, thetaTerms, whenEqual)
      (scale * L.load(columns, vector: first &+ k) * value).store(theta, vector: k)
    }
  }
  guard correlationTerms > 0 else { return }
  let (coefficients, whenEqual) = (rowArrays[2], L(p[3]))
  for k in 0..<vectors {
    let rho = profile(.load(arguments.gap, vector: k), coefficients, correlationTerms, whenEqual)
    L.signed(L.max(L.one - rho.magnitude(), .zero), negative: rho < L.zero).store(arguments.gap, vector: k)
  }
}

@inline(__always)
private func profile<L: Lanes>(_ g: L, _ c: UnsafeRawPointer, _ terms: Int, _ whenEqual: L) -> L {
  let size = g.withoutSign()
  let y = L.fma(L(2), (size * (L(2) - size)).squareRoot(), L(-1))
  let y2 = y * y
  var at = 4 &* (terms &- 1)
  var (even0, even1) = (L.coefficient(c, index: at), L.coefficient(c, index: at &+ 1))
  var (odd0, odd1) = (L.coefficient(c, index: at &+ 2), L.coefficient(c, index: at &+ 3))
  while at > 0 {
    at = at &- 4
    even0 = L.fma(y2, even0, .coefficient(c, index: at))
    even1 = L.fma(y2, even1, .coefficient(c, index: at &+ 1))
    odd0 = L.fma(y2, odd0, .coefficient(c, index: at &+ 2))
    odd1 = L.fma(y2, odd1, .coefficient(c, index: at &+ 3))
  }
  let rho = L.negated(L.one - size, where: g.signBit())
  let value = L.fma(rho, L.fma(y, odd1, odd0), L.fma(y, even1, even0))
  return L.select(L.and(L.equal(g, .zero), g.plusSign()), whenEqual, value)
}
