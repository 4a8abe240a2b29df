#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Natural logarithm, named so that it does not clash with a module's own.
@inline(__always) func logarithm(_ x: Double) -> Double { log(x) }
