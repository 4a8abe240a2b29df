#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

func sine(_ x: Double) -> Double { sin(x) }
func cosine(_ x: Double) -> Double { cos(x) }

/// A sum that keeps the rounding errors of its additions (Neumaier, ZAMM 54, 1974).
struct CompensatedSum {
  private var sum = 0.0
  private var lost = 0.0

  var value: Double { sum + lost }

  static func += (a: inout CompensatedSum, x: Double) {
    let total = a.sum + x
    a.lost += abs(a.sum) >= abs(x) ? (a.sum - total) + x : (x - total) + a.sum
    a.sum = total
  }
}
