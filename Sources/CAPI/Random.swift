import CNTKSwift
import NumericCore

@_cdecl("ntk_philox_raw") @implementation
public func ntk_philox_raw(
  _ key: UnsafePointer<UInt64>!, _ counter: UnsafePointer<UInt64>!, _ out: UnsafeMutablePointer<UInt64>!, _ count: Int64,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    try stream("philox_raw", key, counter, count, out != nil).fillRaw(out, count: Int(count))
  }
}

@_cdecl("ntk_philox_normal") @implementation
public func ntk_philox_normal(
  _ key: UnsafePointer<UInt64>!, _ counter: UnsafePointer<UInt64>!, _ out: UnsafeMutablePointer<Double>!, _ count: Int64,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    try stream("philox_normal", key, counter, count, out != nil).fillNormal(out, count: Int(count))
  }
}

private func stream(
  _ name: String, _ key: UnsafePointer<UInt64>?, _ counter: UnsafePointer<UInt64>?, _ count: Int64, _ hasRoom: Bool
) throws(NumericError) -> PhiloxStream {
  guard let key, let counter, hasRoom else {
    throw .invalid("[\(name)] needs a key, a counter and room. Received a null pointer.")
  }
  guard count >= 0 else { throw .invalid("[\(name)] count must not be negative. Received \(count).") }
  return PhiloxStream(key: (key[0], key[1]), counter: (counter[0], counter[1], counter[2], counter[3]))
}
