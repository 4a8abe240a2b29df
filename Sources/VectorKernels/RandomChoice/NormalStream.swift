import VectorKernels

#if arch(x86_64)
  import VectorKernelRandomV2
  import VectorKernelRandomV3
  import VectorKernelRandomV4
#else
  import VectorKernelRandomV0
#endif

/// Standard normal numbers in bulk: Philox4x32-10 and Box-Muller in vector registers, about a nanosecond each.
///
/// Number j of stream s depends on the key, s and j only, so any part can be made anywhere and in any order. For single numbers of full
/// float64 resolution there is `PhiloxStream`.
public struct NormalStream: Sendable {
  /// Numbers are made in strips of this many.
  public static let strip = 32
  /// Which family of streams.
  public let key: UInt64

  /// The streams of a key.
  public init(key: UInt64) { self.key = key }

  /// Fills `strips` strips of 32 float32 numbers, from strip `first` of stream `stream` on.
  public func fill(_ out: UnsafeMutablePointer<Float>, strips: Int, stream: UInt64, first: Int) {
    let start = UInt64(truncatingIfNeeded: first)
    #if arch(x86_64)
      switch CPULevel.current {
      case .v4: VectorKernelRandomV4.fillNormalStrips(out, strips: strips, key: key, stream: stream, first: start)
      case .v3: VectorKernelRandomV3.fillNormalStrips(out, strips: strips, key: key, stream: stream, first: start)
      default: VectorKernelRandomV2.fillNormalStrips(out, strips: strips, key: key, stream: stream, first: start)
      }
    #else
      VectorKernelRandomV0.fillNormalStrips(out, strips: strips, key: key, stream: stream, first: start)
    #endif
  }

  /// Fills 32 raw words, from block `first` of stream `stream` on: four words a block, as Random123 has them.
  public func fillWords(_ out: UnsafeMutablePointer<UInt32>, stream: UInt64, first: UInt64) {
    #if arch(x86_64)
      VectorKernelRandomV2.philoxWords(out, key: key, stream: stream, first: first)
    #else
      VectorKernelRandomV0.philoxWords(out, key: key, stream: stream, first: first)
    #endif
  }
}
