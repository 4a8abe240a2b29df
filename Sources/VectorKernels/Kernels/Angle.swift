/// The acute angle whose cosine is 1 - gap: its value, sine and cosine, accurate also where the gap is tiny.
@inline(__always)
func acuteAngle<L: Lanes>(_ gap: L, _ ratio: AngleRatio<L>) -> (angle: L, sine: L, cosine: L) {
  let sine = (gap * (L(2) - gap)).squareRoot()
  return (sine * ratio(gap), sine, L.one - gap)
}

/// asin(t) for |t| <= 1, given w = 1 - t^2 without cancellation.
@inline(__always)
func arcsine<L: Lanes>(_ t: L, complement w: L, root: L) -> L {
  let size = t.magnitude()
  let steep = w < L(0.5)
  let z = L.select(steep, w, t * t)
  let arc = L.select(steep, root, size) * L.arcsineRatio(z)
  let positive = L.select(steep, L(0.5 * Double.pi) - arc, arc)
  return L.select(t < L.zero, -positive, positive)
}

/// The gap that belongs to a correlation, exactly 0 for a pair of equal inputs.
@inline(__always)
func gap<L: Lanes>(ofCorrelation rho: L, equalInputs: L.Mask) -> L {
  let size = L.max(L.one - rho.magnitude(), L.zero)
  return L.signed(L.select(equalInputs, .zero, size), negative: rho < L.zero)
}

/// Pairs of equal inputs: correlation exactly 1 and the same deviation.
@inline(__always)
func equalInputs<L: Lanes>(_ gap: L, _ a: L, _ b: L) -> L.Mask {
  // A positive zero only: for -0 the correlation is -1.
  L.and(L.and(L.equal(gap, .zero), gap.plusSign()), L.equal(a, b))
}

/// 1 - t_i t_j where each t is a correlation scaled by u = sqrt(1 - d^2): from the gap and the d's, without cancellation.
@inline(__always)
func scaledComplement<L: Lanes>(_ size: L, _ ua: L, _ ub: L, _ da2: L, _ db2: L) -> L {
  let rows = L.fma(-da2, db2, da2 + db2)
  let uu = ua * ub
  return L.fma(uu * uu, size * (L(2) - size), rows)
}
