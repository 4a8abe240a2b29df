/// |u a - v b|^2 in float64, summed in one order whatever the rows' type; `u`, `v` are factors of the rows (v < 0: a sum).
public func squaredDistance(
  _ a: UnsafePointer<Double>, _ u: Double, _ b: UnsafePointer<Double>, _ v: Double, _ dimension: Int
) -> Double {
  distance(dimension, u, v, { UnsafeRawPointer(a + $0).loadUnaligned(as: SIMD8<Double>.self) }) {
    UnsafeRawPointer(b + $0).loadUnaligned(as: SIMD8<Double>.self)
  } _: {
    (a[$0], b[$0])
  }
}

/// The same for rows of float32.
public func squaredDistance(
  _ a: UnsafePointer<Float>, _ u: Double, _ b: UnsafePointer<Float>, _ v: Double, _ dimension: Int
) -> Double {
  distance(dimension, u, v, { widened(a + $0) }) {
    widened(b + $0)
  } _: {
    (Double(a[$0]), Double(b[$0]))
  }
}

// Element by element: the library's conversion of a vector is a call.
@inline(__always)
private func widened(_ p: UnsafePointer<Float>) -> SIMD8<Double> {
  SIMD8(
    Double(p[0]), Double(p[1]), Double(p[2]), Double(p[3]), Double(p[4]), Double(p[5]), Double(p[6]), Double(p[7]))
}

@inline(__always)
private func distance(
  _ dimension: Int, _ u: Double, _ v: Double, _ left: (Int) -> SIMD8<Double>, _ right: (Int) -> SIMD8<Double>,
  _ single: (Int) -> (Double, Double)
) -> Double {
  var sum = SIMD8<Double>()
  var k = 0
  while k &+ 8 <= dimension {
    let difference = left(k) * u - right(k) * v
    sum += difference * difference
    k = k &+ 8
  }
  var rest = SIMD8<Double>()
  for lane in 0..<(dimension &- k) {
    let (x, y) = single(k &+ lane)
    rest[lane] = x * u - y * v
  }
  sum += rest * rest
  let four = sum.lowHalf + sum.highHalf
  let two = four.lowHalf + four.highHalf
  return two[0] + two[1]
}
