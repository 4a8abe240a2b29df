import Architectures
import CNTKSwift
import NumericCore
import Synchronization

/// The architectures that callers hold, by number. A number that is not in the table is an error, never a crash.
enum ArchitectureTable {
  private static let table = Mutex<(next: Int64, nodes: [Int64: LayerNode])>((next: 1, nodes: [:]))

  static func insert(_ node: LayerNode) -> Int64 {
    table.withLock { table in
      let handle = table.next
      table.next += 1
      table.nodes[handle] = node
      return handle
    }
  }

  static func remove(_ handle: Int64) throws(NumericError) {
    let removed = table.withLock { $0.nodes.removeValue(forKey: handle) }
    guard removed != nil else { throw unknown(handle) }
  }

  static func node(_ handle: Int64) throws(NumericError) -> LayerNode {
    guard let node = table.withLock({ $0.nodes[handle] }) else { throw unknown(handle) }
    return node
  }

  private static func unknown(_ handle: Int64) -> NumericError {
    .invalid(
      "[architecture] needs a handle that ntk_architecture_create returned and that was not destroyed. Received \(handle).")
  }
}

@_cdecl("ntk_architecture_create") @implementation
public func ntk_architecture_create(
  _ ops: UnsafePointer<ntk_op>!, _ count: Int64, _ integers: UnsafePointer<Int64>!, _ integer_count: Int64,
  _ reals: UnsafePointer<Double>!, _ real_count: Int64, _ handle: UnsafeMutablePointer<Int64>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard let ops, let handle else {
      throw .invalid("[architecture] needs an op table and room for a handle. Received a null pointer.")
    }
    guard count >= 1, count <= Int64(OpTableDecoder.maxRecords) else {
      throw .invalid("[architecture] needs 1 to \(OpTableDecoder.maxRecords) layers. Received \(count).")
    }
    let table = OpTable(
      records: (0..<Int(count)).map { i in
        OpRecord(
          kind: ops[i].kind, arity: ops[i].arity, integers: (ops[i].first_integer, ops[i].integer_count),
          reals: (ops[i].first_real, ops[i].real_count))
      }, integers: try pool(integers, integer_count), reals: try pool(reals, real_count))
    handle.pointee = ArchitectureTable.insert(try OpTableDecoder.decode(table))
  }
}

/// A copy of the caller's numbers.
private func pool<Number>(_ numbers: UnsafePointer<Number>?, _ count: Int64) throws(NumericError) -> [Number] {
  guard count >= 0, count <= 1 << 24, numbers != nil || count == 0 else {
    throw .invalid(
      "[architecture] needs the numbers of its layers. Received \(numbers == nil ? "a null pointer and " : "")\(count).")
  }
  return Array(UnsafeBufferPointer(start: numbers, count: Int(count)))
}

@_cdecl("ntk_architecture_destroy") @implementation
public func ntk_architecture_destroy(_ handle: Int64, _ error: UnsafeMutablePointer<ntk_error>!) -> Int32 {
  guarded(error) { () throws(NumericError) in try ArchitectureTable.remove(handle) }
}

@_cdecl("ntk_architecture_describe") @implementation
public func ntk_architecture_describe(
  _ handle: Int64, _ info: UnsafeMutablePointer<ntk_architecture_info>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard let info else { throw .invalid("[architecture] needs room for its description. Received a null pointer.") }
    let node = try ArchitectureTable.node(handle)
    info.pointee = ntk_architecture_info(
      dense_count: Int64(node.denseLayers.count), uses_user_functions: node.usesUserFunctions ? 1 : 0,
      trains_with_dropout: node.trainsWithDropout ? 1 : 0, starts_with_flatten: node.startsWithFlatten ? 1 : 0, reserved: 0)
  }
}
