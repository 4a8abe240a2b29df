import COpenBLAS
import NumericCore
import Synchronization

/// Keeps OpenBLAS on one thread: ntkswift's own workers call it, one tile each.
///
/// More than `maximumCallers` simultaneous calls would exhaust OpenBLAS's buffers and end the process, so worker counts are capped. Each
/// caller at a time needs a buffer, which OpenBLAS maps at first need and never gives back; where it cannot, it ends the process too. So
/// where the address space is limited there are only as many callers as there is room for.
public enum BLASThreads {
  /// Most threads that may be inside BLAS at the same time in one call.
  public static let maximumCallers = 32

  /// No processor's buffer is larger.
  private static let largestBuffer = 160 << 20
  private static let lock = Mutex<Void>(())

  private static let hasBuffer = Atomic<Bool>(false)

  /// Sets the library to one thread, and has it map the buffer of the first caller; cheap where both is already so. Call it before a
  /// series of BLAS calls.
  /// - Throws: `outOfMemory` where a limited address space has no room for the buffer.
  public static func useOne() throws(NumericError) {
    if openblas_get_num_threads() != 1 { lock.withLock { _ in openblas_set_num_threads(1) } }
    guard !hasBuffer.load(ordering: .relaxed) else { return }
    guard AddressSpace.hasRoom(largestBuffer) else {
      throw NumericError(
        .outOfMemory,
        "[blas] a buffer of up to \(largestBuffer) bytes is needed. The address space (RLIMIT_AS) has no room for it.",
        bytes: largestBuffer)
    }
    _ = bufferBytes
    hasBuffer.store(true, ordering: .relaxed)
  }

  /// Callers that may be inside BLAS at the same time, out of `wanted`: at least 1, whose buffer `bufferBytes` has mapped.
  static func callers(_ wanted: Int) -> Int {
    var callers = min(wanted, maximumCallers)
    guard callers > 1, AddressSpace.isLimited else { return callers }
    while callers > 1, !AddressSpace.hasRoom((callers - 1) * bufferBytes + AddressSpace.headroom) { callers -= 1 }
    return callers
  }

  /// Bytes of a caller's buffer: what the first product of this process mapped; the largest where that is not known.
  private static let bufferBytes: Int = {
    let before = AddressSpace.used
    // Small products need no buffer.
    let size = 256
    var numbers = [Double](repeating: 0, count: 3 * size * size)
    numbers.withUnsafeMutableBufferPointer { room in
      guard let a = room.baseAddress else { return }
      let (b, c, n) = (a + size * size, a + 2 * size * size, Int32(size))
      Double.gemm(false, false, n, n, n, 1, a, n, b, n, 0, c, n)
    }
    guard let before, let after = AddressSpace.used, after - before > 1 << 20 else { return largestBuffer }
    return min(after - before, largestBuffer)
  }()
}
