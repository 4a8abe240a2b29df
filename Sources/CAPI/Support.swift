import CNTKSwift
import NumericCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs `body`; a thrown error is copied into `error` and its code returned. Every exported function is written with it.
func guarded(_ error: UnsafeMutablePointer<ntk_error>?, _ body: () throws(NumericError) -> Void) -> Int32 {
  do {
    try body()
    error?.pointee.code = 0
    return 0
  } catch let failure {
    if let error { fill(error, with: failure) }
    return failure.kind.rawValue
  }
}

private func fill(_ error: UnsafeMutablePointer<ntk_error>, with failure: NumericError) {
  error.pointee.code = failure.kind.rawValue
  error.pointee.index = (Int64(failure.index.0), Int64(failure.index.1))
  error.pointee.bytes = Int64(failure.bytes)
  error.pointee.value = failure.value
  withUnsafeMutableBytes(of: &error.pointee.message) { fill($0, with: failure.message) }
}

/// Zero-terminated text, cut at a character boundary so that it stays valid UTF-8.
func fill(_ room: UnsafeMutableRawBufferPointer, with text: String) {
  var used = 0
  for character in text {
    let bytes = character.utf8
    if used + bytes.count >= room.count { break }
    for byte in bytes {
      room[used] = byte
      used += 1
    }
  }
  room[used] = 0
}

/// A caller's matrix as a typed view; throws on null data, negative sizes, a wrong dtype, sizes that overflow.
func matrixView<Element: BinaryFloatingPoint>(
  _ m: ntk_matrix, _ name: String, as type: Element.Type = Double.self
) throws(NumericError) -> StridedMatrix<Element> {
  guard m.rows >= 0, m.cols >= 0 else {
    throw .invalid("[\(name)] sizes must not be negative. Received \(m.rows) x \(m.cols).")
  }
  let expected = type == Float.self ? NTK_FLOAT32 : NTK_FLOAT64
  guard m.dtype == Int32(expected.rawValue) else {
    throw .invalid("[\(name)] needs \(type == Float.self ? "float32" : "float64"). Received dtype code \(m.dtype).")
  }
  guard let data = m.data else { throw .invalid("[\(name)] needs memory. Received a null pointer.") }
  let size = MemoryLayout<Element>.stride
  // No address space holds more rows or columns, and products with small numbers stay in range even where the other size is 0.
  let most = Int64(1) << 48
  let span = { (count: Int64, stride: Int64) -> Int? in
    guard stride != .min, let steps = checkedProduct(max(Int(count) - 1, 0), Int(abs(stride))) else { return nil }
    return steps
  }
  guard m.rows <= most, m.cols <= most, let r = span(m.rows, m.row_stride), let c = span(m.cols, m.col_stride),
    let extent = checkedSum(r, c),
    checkedProduct(extent, size) != nil, checkedProduct(Int(m.rows), Int(m.cols)).flatMap({ checkedProduct($0, size) }) != nil
  else {
    throw .invalid(
      "[\(name)] must fit in memory. Received \(m.rows) x \(m.cols) with strides \(m.row_stride), \(m.col_stride).")
  }
  return StridedMatrix(
    data.assumingMemoryBound(to: Element.self), rows: Int(m.rows), cols: Int(m.cols), rowStride: Int(m.row_stride),
    colStride: Int(m.col_stride))
}

/// A caller's array as a typed view; throws on null data, a rank or dtype that is none, negative sizes, sizes that overflow.
func arrayView<Element: BinaryFloatingPoint>(
  _ a: ntk_array, _ name: String, as type: Element.Type = Double.self
) throws(NumericError) -> StridedArray<Element> {
  guard a.rank >= 1, a.rank <= NTK_MAX_RANK else {
    throw .invalid("[\(name)] needs 1 to \(NTK_MAX_RANK) axes. Received \(a.rank).")
  }
  let expected = type == Float.self ? NTK_FLOAT32 : NTK_FLOAT64
  guard a.dtype == Int32(expected.rawValue) else {
    throw .invalid("[\(name)] needs \(type == Float.self ? "float32" : "float64"). Received dtype code \(a.dtype).")
  }
  guard let data = a.data else { throw .invalid("[\(name)] needs memory. Received a null pointer.") }
  let shape = withUnsafeBytes(of: a.shape) { Array($0.bindMemory(to: Int64.self).prefix(Int(a.rank))) }
  let strides = withUnsafeBytes(of: a.strides) { Array($0.bindMemory(to: Int64.self).prefix(Int(a.rank))) }
  let size = MemoryLayout<Element>.stride
  // No address space holds more along an axis, and products with small numbers stay in range even where another axis is empty.
  let most = 1 << 48
  var (extent, count): (Int?, Int?) = (0, 1)
  for (length, step) in zip(shape, strides) {
    guard length >= 0, length <= most, step != .min else { (extent, count) = (nil, nil); break }
    let span = checkedProduct(max(Int(length) - 1, 0), Int(abs(step)))
    extent = extent.flatMap { e in span.flatMap { checkedSum(e, $0) } }
    count = count.flatMap { checkedProduct($0, max(Int(length), 1)) }
  }
  guard let extent, let count, checkedProduct(extent, size) != nil, checkedProduct(count, size) != nil else {
    throw .invalid("[\(name)] must fit in memory. Received shape \(shape) with strides \(strides).")
  }
  return StridedArray(data.assumingMemoryBound(to: Element.self), shape: shape.map { Int($0) }, strides: strides.map { Int($0) })
}

/// The caller's bytes; an empty array for none.
func byteArray(_ bytes: ntk_bytes, _ name: String) throws(NumericError) -> [UInt8] {
  guard bytes.size >= 0, bytes.size < 1 << 40, bytes.data != nil || bytes.size == 0 else {
    throw .invalid("[\(name)] needs bytes. Received \(bytes.size) of them\(bytes.data == nil ? " at a null pointer" : "").")
  }
  return Array(UnsafeBufferPointer(start: bytes.data, count: Int(bytes.size)))
}

/// Copies bytes into memory that the caller frees with `ntk_bytes_free`.
func give(_ bytes: [UInt8], to target: UnsafeMutablePointer<ntk_bytes>) throws(NumericError) {
  guard let memory = malloc(max(1, bytes.count)) else {
    throw NumericError(.outOfMemory, "[memory] \(bytes.count) bytes are needed. The system refused them.", bytes: bytes.count)
  }
  bytes.withUnsafeBytes { if let from = $0.baseAddress { memory.copyMemory(from: from, byteCount: bytes.count) } }
  target.pointee = ntk_bytes(data: memory.assumingMemoryBound(to: UInt8.self), size: Int64(bytes.count))
}

@_cdecl("ntk_bytes_free") @implementation
public func ntk_bytes_free(_ bytes: UnsafeMutablePointer<ntk_bytes>!) {
  guard let bytes else { return }
  free(bytes.pointee.data)
  bytes.pointee = ntk_bytes(data: nil, size: 0)
}

/// Like `matrixView`, or nil where the matrix is absent (null data).
func optionalMatrixView<Element: BinaryFloatingPoint>(
  _ m: ntk_matrix, _ name: String, as type: Element.Type = Double.self
) throws(NumericError) -> StridedMatrix<Element>? {
  m.data == nil ? nil : try matrixView(m, name, as: type)
}

/// The caller's wishes for one call; a null pointer means defaults.
func context(_ call: UnsafePointer<ntk_call>?) throws(NumericError) -> CallContext {
  guard let call = call?.pointee else { return CallContext(threads: Machine.cpuCount, memoryLimit: nil) }
  guard call.threads >= 0 else { throw .invalid("[call] threads must be 0 (automatic) or more. Received \(call.threads).") }
  guard call.memory_limit >= 0 else {
    throw .invalid("[call] memory_limit must be 0 (automatic) or more bytes. Received \(call.memory_limit).")
  }
  let threads = call.threads == 0 ? Machine.cpuCount : min(Int(call.threads), 1024)
  let limit = call.memory_limit == 0 ? nil : Int(call.memory_limit)
  guard let progress = call.progress else { return CallContext(threads: threads, memoryLimit: limit) }
  let callContext = call.context
  return CallContext(threads: threads, memoryLimit: limit) { progress(callContext, $0) == 0 }
}
