import Architectures
import NumericCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Centring and scaling of groups: each position's channels (LayerNorm), or each channel over the batch (BatchNorm).
///
/// y = c r with c = x - mean and r = (epsilon + mean c^2)^(-1/2); as jets, all parts of y are sums of products of parts of c and r.
extension Tape {
  func normalise(_ normalisation: Normalisation, _ step: Step, _ index: Int, _ part: Int) throws(NumericError) -> Tensor? {
    let groups = Groups(normalisation.group, rows: rowCount(step.shape), shape: step.shape)
    // c replaces the value that was normalised: only the difference from the mean matters, also for the backward pass.
    guard let x = values[step.inputs[0]][part] else { return part == 0 ? nil : try spread(groups, step, index, part, nil) }
    let centred = try new(step.shape)
    groups.subtractMeans(x.pointer, into: centred.pointer)
    return try spread(groups, step, index, part, centred, epsilon: normalisation.epsilon)
  }

  /// Remembers part `part` of c and r, and returns that of c r.
  private func spread(
    _ groups: Groups, _ step: Step, _ index: Int, _ part: Int, _ centred: Tensor?, epsilon: Double = 0
  ) throws(NumericError) -> Tensor? {
    if slopes[index].count < 1 << maxDirections { slopes[index] = [Tensor?](repeating: nil, count: 1 << maxDirections) }
    slopes[index][part] = centred
    let variance = try pool.take(rows: 1, cols: groups.count, zeroed: true)
    var isZero = part != 0
    Jets.forEachSplit(part) { a, b in
      guard let left = slopes[index][a], let right = slopes[index][b] else { return }
      isZero = false
      groups.addMeanProducts(left.pointer, right.pointer, to: variance.pointer)
    }
    if part == 0 {
      for g in 0..<groups.count {
        let total = epsilon + variance.pointer[g]
        // A constant group with epsilon 0 is 0 / 0; its centred values are zero, so zero it stays.
        variance.pointer[g] = total > 0 ? total : .infinity
      }
    }
    // statistics holds v in [part] and r in [part + parts].
    let parts = 1 << maxDirections
    if statistics[index].count < 2 * parts { statistics[index] = [Tensor?](repeating: nil, count: 2 * parts) }
    statistics[index][part] = isZero ? nil : variance
    statistics[index][part + parts] = try power(-0.5, index, part, groups.count)
    let out = try new(step.shape, zeroed: true)
    var any = false
    Jets.forEachSplit(part) { a, b in
      guard let c = slopes[index][a], let r = statistics[index][b + parts] else { return }
      any = true
      groups.addScaled(c.pointer, r.pointer, to: out.pointer)
    }
    return any ? out : nil
  }

  /// Part `part` of v^exponent, of the statistics of step `index`.
  private func power(_ exponent: Double, _ index: Int, _ part: Int, _ count: Int) throws(NumericError) -> Tensor? {
    guard let v = statistics[index][0] else { return nil }
    let out = try pool.take(rows: 1, cols: count, zeroed: true)
    var any = false
    for blocks in Jets.partitions(part) {
      let factors = blocks.compactMap { statistics[index][$0]?.pointer }
      guard factors.count == blocks.count else { continue }
      any = true
      var (coefficient, order) = (1.0, exponent)
      for _ in blocks {
        coefficient *= order
        order -= 1
      }
      for g in 0..<count {
        var term = v.pointer[g].isFinite ? coefficient * pow(v.pointer[g], order) : 0
        for factor in factors { term *= factor[g] }
        out.pointer[g] += term
      }
    }
    return any ? out : nil
  }

  func normaliseBackward(_ normalisation: Normalisation, _ step: Step, _ index: Int, _ part: Int) throws(NumericError) {
    let groups = Groups(normalisation.group, rows: rowCount(step.shape), shape: step.shape)
    let parts = 1 << maxDirections
    // Derivatives by r, then by v (d r / d v = -v^(-3/2) / 2), then by c, then by x.
    let byScale = try pool.take(rows: 1, cols: groups.count, zeroed: true)
    Jets.forEachSplit(part) { a, b in
      guard let above = cotangents[index][a], let c = slopes[index][b] else { return }
      groups.addMeanProducts(above.pointer, c.pointer, to: byScale.pointer)
    }
    let inner = try new(step.shape, zeroed: true)
    Jets.forEachSplit(part) { a, b in
      guard let above = cotangents[index][a], let r = statistics[index][b + parts] else { return }
      groups.addScaled(above.pointer, r.pointer, to: inner.pointer)
    }
    if normalisedCotangents[index] == nil { normalisedCotangents[index] = [Tensor?](repeating: nil, count: parts) }
    normalisedCotangents[index]?[part] = byScale
    for a in 0..<parts where a & ~part == 0 {
      guard let byR = normalisedCotangents[index]?[a] else { continue }
      try addVarianceTerms(groups, index, byR, part & ~a, to: inner)
    }
    let (target, adding) = try cotangent(of: step.inputs[0], part)
    if !adding { target.pointer.update(repeating: 0, count: target.count) }
    groups.addCentred(inner.pointer, to: target.pointer)
  }

  /// Adds byR (d r / d v) 2 c, the parts of the last two factors splitting `set`; byR is a mean over the group, so the group's size cancels.
  private func addVarianceTerms(
    _ groups: Groups, _ index: Int, _ byR: Tensor, _ set: Int, to inner: Tensor
  ) throws(NumericError) {
    try Jets.forEachSplit(set) { (a, b) throws(NumericError) in
      guard let c = slopes[index][b], let slope = try power(-1.5, index, a, groups.count) else { return }
      for g in 0..<groups.count { slope.pointer[g] *= -byR.pointer[g] }
      groups.addScaled(c.pointer, slope.pointer, to: inner.pointer)
    }
  }
}

/// How the numbers of a tensor form groups: each row of channels, or each channel over all rows.
struct Groups {
  let count: Int
  private let rows: Int
  private let channels: Int
  private let isBatch: Bool

  init(_ group: Normalisation.Group, rows: Int, shape: Signal) {
    self.rows = rows &* shape.positions
    channels = shape.channels
    isBatch = group == .batch
    count = isBatch ? channels : self.rows
  }

  private var size: Double { Double(max(1, isBatch ? rows : channels)) }

  @inline(__always)
  private func forEach(_ body: (_ group: Int, _ place: Int) -> Void) {
    if isBatch {
      for r in 0..<rows { for c in 0..<channels { body(c, r &* channels &+ c) } }
    } else {
      for r in 0..<rows { for c in 0..<channels { body(r, r &* channels &+ c) } }
    }
  }

  /// out = x minus the mean of its group.
  func subtractMeans(_ x: UnsafePointer<Double>, into out: UnsafeMutablePointer<Double>) {
    out.update(repeating: 0, count: rows &* channels)
    addCentred(x, to: out)
  }

  /// out += x minus the mean of its group.
  func addCentred(_ x: UnsafePointer<Double>, to out: UnsafeMutablePointer<Double>) {
    var means = [Double](repeating: 0, count: count)
    let size = size
    means.withUnsafeMutableBufferPointer { means in
      guard let means = means.baseAddress else { return }
      forEach { g, i in means[g] += x[i] }
      for g in 0..<count { means[g] /= size }
      forEach { g, i in out[i] += x[i] - means[g] }
    }
  }

  /// out += mean over the group of a b.
  func addMeanProducts(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, to out: UnsafeMutablePointer<Double>) {
    let share = 1 / size
    forEach { g, i in out[g] += share * a[i] * b[i] }
  }

  /// out += x times its group's factor.
  func addScaled(_ x: UnsafePointer<Double>, _ factor: UnsafePointer<Double>, to out: UnsafeMutablePointer<Double>) {
    forEach { g, i in out[i] += x[i] * factor[g] }
  }
}
