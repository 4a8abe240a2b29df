#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// x to the power y, for x >= 0.
@inline(__always) func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
