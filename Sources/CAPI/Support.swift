import CNTKSwift
import NumericCore

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
