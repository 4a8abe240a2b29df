import Activations

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

func exponential(_ x: Double) -> Double { exp(x) }
func logarithm(_ x: Double) -> Double { log(x) }

/// A nonlinearity whose dual is its Hermite series: with f(s z) = sum a_n(s) He_n(z) / sqrt(n!),
/// T = sum a_n(s_i) a_n(s_j) rho^n and Td = sum n a_n(s_i) a_n(s_j) rho^(n-1) / (s_i s_j) (Mehler's formula).
struct SeriesSource {
  /// Where its coefficients come from.
  enum Coefficients {
    case polynomial([Double])
    case function(ScalarFunction)
    case user(Int)
  }

  let coefficients: Coefficients
  /// Which powers occur.
  let parity: Parity
  /// Largest share of the energy that may be cut off.
  let tolerance: Double
}
