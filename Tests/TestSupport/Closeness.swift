/// |a - b| relative to the larger magnitude, at least `floor`.
public func relativeError(_ a: Double, _ b: Double, floor: Double = 1e-300) -> Double {
  a == b ? 0 : abs(a - b) / max(abs(a), abs(b), floor)
}

/// Largest |a - b| divided by the largest |b|.
public func maxError(_ a: [Double], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  let scale = b.reduce(0) { max($0, abs($1)) }
  let worst = zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
  return worst == 0 ? 0 : worst / max(scale, 1e-300)
}
