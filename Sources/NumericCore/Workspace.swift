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

  /// Room for as many elements as the product of the given sizes, aligned to 64 bytes, not initialised unless `zeroed`.
  ///
  /// Sizes that callers choose are passed one by one: their product is checked here.
  public init(_ size: Int, _ others: Int..., zeroed: Bool = false) throws(NumericError) {
    let stride = MemoryLayout<Element>.stride
    let product = others.reduce(size) { (product: Int?, other) in product.flatMap { checkedProduct($0, other) } }
    guard let count = product, size >= 0, others.allSatisfy({ $0 >= 0 }) else {
      throw NumericError(
        .outOfMemory, "[workspace] \(([size] + others).map(String.init).joined(separator: " x ")) elements fit no address space.",
        bytes: .max)
    }
    guard let bytes = checkedProduct(max(count, 1), stride), let padded = checkedSum(bytes, 64) else {
      throw NumericError(
        .outOfMemory, "[workspace] \(count) elements of \(stride) bytes fit no address space.", bytes: .max)
    }
    var raw: UnsafeMutableRawPointer?
    guard posix_memalign(&raw, 64, padded) == 0, let raw else { throw Workspace.refused(bytes) }
    // Never the last of a limited address space: small objects must find room.
    guard bytes < 1 << 20 || AddressSpace.hasRoom(AddressSpace.headroom) else {
      free(raw)
      throw Workspace.refused(bytes)
    }
    pointer = raw.bindMemory(to: Element.self, capacity: max(count, 1))
    self.count = count
    if zeroed {
      try forEachSlice(of: bytes, size: 1 << 24) { (slice) throws(NumericError) in memset(raw + slice.lowerBound, 0, slice.count)
      }
    }
  }

  private static func refused(_ bytes: Int) -> NumericError {
    NumericError(.outOfMemory, "[workspace] \(bytes) bytes are needed. The system refused them.", bytes: bytes)
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
