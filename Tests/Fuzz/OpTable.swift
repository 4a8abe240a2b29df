import Architectures
import NumericCore

/// One input of libFuzzer as an op table: decoding and typing must return or throw, never trap. Built and run by `scripts/fuzz`.
///
/// A record is 20 bytes: kind, arity, how many integers and real numbers it takes and where they start, eight integers and six real numbers, a
/// byte each that mostly picks from values at the edges; the rest may be any byte. So small changes of the input are small changes of the
/// table, which libFuzzer needs to find its way.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOpTable(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let bytes, count <= 4096 else { return 0 }
  var table = OpTable()
  for at in stride(from: 0, to: count - 19, by: 20) {
    let b = bytes + at
    table.add(
      Int32(Int8(bitPattern: b[0])), arity: b[1] < 250 ? Int32(b[1]) : edges32[Int(b[1]) - 250],
      integers: (6..<14).map { integer(b[$0]) }, reals: (14..<20).map { real(b[$0]) })
    // As many numbers as the layer takes, often; hostile parts of the pools else.
    let last = table.records.count - 1
    table.records[last].integers.count = integer(b[2])
    table.records[last].reals.count = integer(b[3])
    if b[4] > 127 { table.records[last].integers.first = integer(b[4]) }
    if b[5] > 127 { table.records[last].reals.first = integer(b[5]) }
  }
  guard let node = try? OpTableDecoder.decode(table) else { return 0 }
  _ = (node.denseLayers.count, node.usesUserFunctions, node.trainsWithDropout, node.startsWithFlatten)
  for (spatial, regime) in [([], .infinite), ([], .finite), ([7], .finite), ([5, 4], .finite)] as [([Int], WidthRegime)] {
    let typed = try? TypedNetwork(node, input: GridShape(spatial: spatial, channels: 3), regime: regime)
    _ = (typed?.parameterCount, try? typed?.output())
  }
  return 0
}

private let edges32: [Int32] = [-1, .max, .min, 1 << 16, -(1 << 16), .max - 1]
private let edges64: [Int64] = [-1, .max, .min, 1 << 32, -(1 << 32), .max - 1, 1 << 62, 4097]
private let reals: [Double] = [
  0, -0.0, 1, -1, 0.5, .nan, .infinity, -.infinity, 1e300, -1e300, 1e-300, .leastNonzeroMagnitude, 3, 1e16,
]

private func integer(_ b: UInt8) -> Int64 { b < 248 ? Int64(b) : edges64[Int(b) - 248] }
private func real(_ b: UInt8) -> Double { Int(b) < reals.count ? reals[Int(b)] : Double(b) / 16 }
