import NumericCore

/// Inputs of the outer network with what its kernels need of each: coordinates, variances layer by layer, series coefficients.
///
/// Coordinate d of all points lies together, so that loops over points are vectors. Grows by doubling.
final class PointSet: @unchecked Sendable {
  let network: OuterNetwork
  private(set) var count = 0
  private(set) var capacity: Int
  private var coordinates: Workspace<Double>
  private var variances: Workspace<Double>
  private var slopes: Workspace<Double>
  private var series: [Workspace<Double>?]

  init(_ network: OuterNetwork, capacity: Int) throws(NumericError) {
    self.network = network
    self.capacity = max(capacity, 1)
    coordinates = try Workspace(network.units, self.capacity)
    variances = try Workspace(network.layers.count + 1, self.capacity)
    slopes = try Workspace(network.layers.count + 1, self.capacity)
    series = []
    for layer in network.layers {
      if case .series = layer.dual {
        series.append(try Workspace(SmoothSeries.stride, self.capacity))
      } else {
        series.append(nil)
      }
    }
  }

  /// Bytes for each point.
  static func bytesPerPoint(_ network: OuterNetwork) -> Int {
    let expansions = network.layers.count { if case .series = $0.dual { true } else { false } }
    return 8 * (network.units + 2 * (network.layers.count + 1) + expansions * SmoothSeries.stride)
  }

  /// Coordinate d of the points.
  @inline(__always) func coordinate(_ d: Int) -> UnsafeMutablePointer<Double> { coordinates.pointer + d * capacity }
  /// Variances before nonlinearity l of the points.
  @inline(__always) func variance(_ l: Int) -> UnsafeMutablePointer<Double> { variances.pointer + l * capacity }
  /// Derivatives of these variances by that before the first nonlinearity.
  @inline(__always) func slope(_ l: Int) -> UnsafeMutablePointer<Double> { slopes.pointer + l * capacity }
  /// Series coefficients of point i at nonlinearity l, if it needs them.
  @inline(__always) func expansion(_ l: Int, _ i: Int) -> UnsafeMutablePointer<Double>? {
    series[l].map { $0.pointer + i * SmoothSeries.stride }
  }

  func removeAll() { count = 0 }
  /// Forgets all points from `length` on.
  func shorten(to length: Int) { count = min(count, length) }

  /// Appends the points whose coordinates are the first `rows` rows of `z` (rows x units).
  func append(_ z: StridedMatrix<Double>, rows: Int) throws(NumericError) {
    try grow(to: count + rows)
    for d in 0..<network.units {
      let target = coordinate(d) + count
      for i in 0..<rows { target[i] = z[i, d] }
    }
    try forEachSlice(of: rows, size: 1024) { (slice) throws(NumericError) in
      try describe(from: count + slice.lowerBound, slice.count)
    }
    count += rows
  }

  /// Appends point i of another set of the same network.
  func append(_ other: PointSet, _ i: Int) throws(NumericError) {
    try grow(to: count + 1)
    for d in 0..<network.units { coordinate(d)[count] = other.coordinate(d)[i] }
    for l in 0...network.layers.count {
      variance(l)[count] = other.variance(l)[i]
      slope(l)[count] = other.slope(l)[i]
    }
    for l in 0..<network.layers.count {
      if let source = other.expansion(l, i), let target = expansion(l, count) {
        target.update(from: source, count: SmoothSeries.stride)
      }
    }
    count += 1
  }

  private func grow(to needed: Int) throws(NumericError) {
    guard needed > capacity else { return }
    let wider = max(needed, 2 * capacity)
    coordinates = try widened(coordinates, network.units, wider)
    variances = try widened(variances, network.layers.count + 1, wider)
    slopes = try widened(slopes, network.layers.count + 1, wider)
    for l in series.indices {
      guard let old = series[l] else { continue }
      let new = try Workspace<Double>(SmoothSeries.stride, wider)
      new.pointer.update(from: old.pointer, count: SmoothSeries.stride * count)
      series[l] = new
    }
    capacity = wider
  }

  private func widened(_ old: Workspace<Double>, _ rows: Int, _ wider: Int) throws(NumericError) -> Workspace<Double> {
    let new = try Workspace<Double>(rows, wider)
    for r in 0..<rows { (new.pointer + r * wider).update(from: old.pointer + r * capacity, count: count) }
    return new
  }

  /// Variances of `rows` new points through all layers: a -> W_std^2 T(a, a, a) + b_std^2.
  private func describe(from first: Int, _ rows: Int) throws(NumericError) {
    for i in first..<first + rows {
      var square = 0.0
      for d in 0..<network.units { square += coordinate(d)[i] * coordinate(d)[i] }
      variance(0)[i] = network.scale * square + network.bias
      slope(0)[i] = 1
      guard variance(0)[i].isFinite else {
        throw NumericError(
          .overflow, "[Bottleneck] positions in the bottleneck must stay finite. Received \(square) as a squared norm.")
      }
    }
    for (l, layer) in network.layers.enumerated() {
      if case .series(let source) = layer.dual, let target = expansion(l, first) {
        try source.coefficients(variance(l) + first, count: rows, into: target)
      }
      for i in first..<first + rows {
        let (a, h) = (variance(l)[i], expansion(l, i))
        let jet = layer.dual.jet(a, a, a, h, h)
        variance(l + 1)[i] = layer.weight * jet.value + layer.bias
        slope(l + 1)[i] = layer.weight * (jet.dc + 2 * jet.da) * slope(l)[i]
      }
    }
  }
}

extension SmoothDual {
  /// The dual of one pair; `f`, `g` are its series coefficients where it has some.
  func jet(
    _ c: Double, _ a: Double, _ b: Double, _ f: UnsafePointer<Double>?, _ g: UnsafePointer<Double>?
  ) -> DualJet {
    switch self {
    case .identity: return DualJet(value: c, dc: 1, da: 0, dcc: 0, dca: 0)
    case .erf(let p, let q, let r): return SmoothDual.erf(c, a, b, p, q, r)
    case .sine(let p, let q, let r): return SmoothDual.sine(c, a, b, p, q, r)
    case .exponential(let p, let q): return SmoothDual.exponential(c, a, b, p, q)
    case .gaussian(let p, let q): return SmoothDual.gaussian(c, a, b, p, q)
    case .gelu: return SmoothDual.gelu(c, a, b)
    case .series:
      guard let f, let g else { return DualJet(value: .nan, dc: .nan, da: .nan, dcc: .nan, dca: .nan) }
      return SmoothSeries.jet(f, g, SmoothDual.correlation(c, a, b))
    }
  }

  @inline(__always)
  static func correlation(_ c: Double, _ a: Double, _ b: Double) -> Double {
    let product = (a * b).squareRoot()
    return product > 0 ? min(1, max(-1, c / product)) : 0
  }
}
