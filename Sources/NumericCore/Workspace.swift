#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Aligned memory that is freed with its owner. Allocation fails by throwing, never by trapping.
public final class Workspace<Element: BitwiseCopyable>: @unchecked Sendable {
  /// The first element.
  public let pointer: UnsafeMutablePointer<Element>
  /// How many elements there are.
  public let count: Int

  /// Room for `count` elements, aligned to 64 bytes, not initialised unless `zeroed`.
  public init(_ count: Int, zeroed: Bool = false) throws(NumericError) {
    let stride = MemoryLayout<Element>.stride
    guard count >= 0, let bytes = checkedProduct(max(count, 1), stride), let padded = checkedSum(bytes, 64) else {
      throw NumericError(.outOfMemory, "[workspace] \(count) elements of \(stride) bytes do not fit any address space.")
    }
    var raw: UnsafeMutableRawPointer?
    guard posix_memalign(&raw, 64, padded) == 0, let raw else {
      throw NumericError(.outOfMemory, "[workspace] \(bytes) bytes are needed. The system refused them.", bytes: bytes)
    }
    pointer = raw.bindMemory(to: Element.self, capacity: max(count, 1))
    self.count = count
    if zeroed { memset(raw, 0, bytes) }
  }

  deinit { free(UnsafeMutableRawPointer(pointer)) }

  /// Element i; the index is not checked.
  @inlinable public subscript(_ i: Int) -> Element {
    get { pointer[i] }
    set { pointer[i] = newValue }
  }

  /// The elements as a buffer.
  public var buffer: UnsafeMutableBufferPointer<Element> { UnsafeMutableBufferPointer(start: pointer, count: count) }
}
