#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// x to the power 1/5, for x >= 0.
@inline(__always) func fifthRoot(_ x: Double) -> Double { pow(x, 0.2) }
