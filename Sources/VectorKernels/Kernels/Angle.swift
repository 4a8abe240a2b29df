/// The acute angle whose cosine is 1 - gap: its value, sine and cosine, accurate also where the gap is tiny.
@inline(__always)
func acuteAngle<L: Lanes>(_ gap: L, _ ratio: AngleRatio<L>) -> (angle: L, sine: L, cosine: L) {
  let sine = (gap * (L(2) - gap)).squareRoot()
  return (sine * ratio(gap), sine, L.one - gap)
}

/// asin(t) for t in [0, 1], given w = 1 - t^2 without cancellation.
@inline(__always)
func arcsine<L: Lanes>(_ t: L, complement w: L, root: L, _ ratio: ArcsineRatio<L>) -> L {
  let steep = w < L(0.5)
  let z = L.select(steep, w, t * t)
  let arc = L.select(steep, root, t) * ratio(z)
  return L.select(steep, L(0.5 * Double.pi) - arc, arc)
}

/// The gap that belongs to a correlation, exactly 0 for a pair of equal inputs.
@inline(__always)
func gap<L: Lanes>(ofCorrelation rho: L, equalInputs: L.Mask) -> L {
  let size = L.max(L.one - rho.magnitude(), L.zero)
  return L.signed(L.select(equalInputs, .zero, size), like: rho)
}

/// 1 - t_i t_j where each t is a correlation scaled by u = sqrt(1 - d^2): from the gap and the d's, without cancellation.
@inline(__always)
func scaledComplement<L: Lanes>(_ size: L, _ ua: L, _ ub: L, _ da2: L, _ db2: L) -> L {
  let rows = L.fma(-da2, db2, da2 + db2)
  let uu = ua * ub
  return L.fma(uu * uu, size * (L(2) - size), rows)
}
