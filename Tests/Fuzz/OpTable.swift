import Architectures
import NumericCore

/// One input of libFuzzer as an op table: decoding and typing must return or throw, never trap. Built and run by `scripts/fuzz`.
///
/// A record is 16 bytes: kind, arity, four integers and six numbers, a byte each that mostly picks from values at the edges; the rest may be
/// any byte. So small changes of the input are small changes of the table, which libFuzzer needs to find its way.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOpTable(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let bytes, count <= 4096 else { return 0 }
  var table: [OpRecord] = []
  for at in stride(from: 0, to: count - 15, by: 16) {
    let b = bytes + at
    table.append(
      OpRecord(
        kind: Int32(Int8(bitPattern: b[0])), arity: b[1] < 250 ? Int32(b[1]) : edges32[Int(b[1]) - 250],
        integers: (integer(b[2]), integer(b[3]), integer(b[4]), integer(b[5])),
        reals: (real(b[6]), real(b[7]), real(b[8]), real(b[9]), real(b[10]), real(b[11]))))
  }
  guard let node = try? OpTableDecoder.decode(table, coefficients: [1, .nan, -2, 0]) else { return 0 }
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
