import COpenBLAS
import Synchronization

/// Keeps OpenBLAS on one thread: ntkswift's own workers call it, one tile each.
///
/// More than `maximumCallers` simultaneous calls would exhaust OpenBLAS's buffers and end the process, so worker counts are capped.
public enum BLASThreads {
  /// Most threads that may be inside BLAS at the same time in one call.
  public static let maximumCallers = 32

  private static let lock = Mutex<Void>(())

  /// Sets the library to one thread; cheap where it is already so. Call it before a series of BLAS calls.
  public static func useOne() {
    guard openblas_get_num_threads() != 1 else { return }
    lock.withLock { _ in openblas_set_num_threads(1) }
  }
}
