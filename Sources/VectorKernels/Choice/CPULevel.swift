import CNTKSwift
import NumericCore
import Synchronization
import VectorKernelTypes

#if arch(x86_64)
  import VectorKernelsV2
  import VectorKernelsV3
  import VectorKernelsV4
#else
  import VectorKernelsV0
#endif

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The micro-architecture level whose vector kernels run. The best one the processor has is chosen at start;
/// the environment variable NTKSWIFT_CPU=v2|v3|v4 chooses a lower one.
public enum CPULevel: Int, Sendable, CaseIterable {
  case portable = 0
  case v2 = 2
  case v3 = 3
  case v4 = 4

  /// The highest level that this processor can run.
  public static let available = CPULevel(rawValue: Int(ntk_probe_cpu_level())) ?? .portable

  private static let chosen = Atomic<Int>(startLevel().rawValue)

  /// The level in use.
  public static var current: CPULevel { CPULevel(rawValue: chosen.load(ordering: .relaxed)) ?? available }

  /// Uses `level` from the next call on; throws where the processor lacks it.
  public static func select(_ level: Int) throws(NumericError) {
    guard let wanted = CPULevel(rawValue: level), wanted.rawValue <= available.rawValue,
      (wanted == .portable) == (available == .portable)
    else {
      throw .invalid("[cpu_level] needs a level from 2 to \(available.rawValue) on this processor. Received \(level).")
    }
    chosen.store(level, ordering: .relaxed)
  }

  private static func startLevel() -> CPULevel {
    guard let text = getenv("NTKSWIFT_CPU").flatMap({ String(validatingCString: $0) }) else { return available }
    for level in [CPULevel.v2, .v3, .v4] where text == "v\(level.rawValue)" && level.rawValue <= available.rawValue {
      return level
    }
    return available
  }
}

extension KernelTable {
  #if arch(x86_64)
    private static let v2 = VectorKernelsV2.makeKernelTable()
    private static let v3 = VectorKernelsV3.makeKernelTable()
    private static let v4 = VectorKernelsV4.makeKernelTable()

    /// The kernels of the level in use.
    public static var current: KernelTable {
      switch CPULevel.current {
      case .v4: v4
      case .v3: v3
      default: v2
      }
    }
  #else
    private static let portable = VectorKernelsV0.makeKernelTable()

    /// The kernels of this processor.
    public static var current: KernelTable { portable }
  #endif
}
