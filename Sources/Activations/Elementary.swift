#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

// The functions that several families are made of, with their derivatives.

/// The hyperbolic tangent without overflow.
@inline(__always)
func hyperbolicTangent(_ x: Double) -> Jet {
  let e = expm1(-2 * abs(x))
  let t = x >= 0 ? -e / (e + 2) : e / (e + 2)
  let s = 1 - t * t
  return [t, s, -2 * t * s, s * (6 * t * t - 2)]
}

/// 1 / (1 + exp(-x)) without overflow.
@inline(__always)
func logistic(_ x: Double) -> Jet {
  let small = exp(-abs(x))
  let p = x >= 0 ? 1 / (1 + small) : small / (1 + small)
  let q = small / ((1 + small) * (1 + small))
  return [p, q, q * (1 - 2 * p), q * (1 - 6 * q)]
}

/// a sin(b x + c).
@inline(__always)
func sine(_ a: Double, _ b: Double, _ c: Double, _ x: Double) -> Jet {
  let (s, d) = (a * sin(b * x + c), a * b * cos(b * x + c))
  return [s, d, -b * b * s, -b * b * d]
}

/// f(g(x)) from the derivatives of f at g(x) and those of g at x (Faà di Bruno).
@inline(__always)
func chain(_ f: Jet, _ g: Jet) -> Jet {
  let square = g[1] * g[1]
  return [
    f[0], f[1] * g[1], f[2] * square + f[1] * g[2], f[3] * square * g[1] + 3 * f[2] * g[1] * g[2] + f[1] * g[3],
  ]
}

/// x f(x) from the derivatives of f at x.
@inline(__always)
func timesArgument(_ x: Double, _ f: Jet) -> Jet {
  [x * f[0], f[0] + x * f[1], 2 * f[1] + x * f[2], 3 * f[2] + x * f[3]]
}
