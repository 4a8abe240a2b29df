import LinearAlgebra
import NumericCore

/// Points whose kernel functions Kf(., y_a) span, up to a tolerance, those of all points that were shown to it.
///
/// Partial Cholesky factorisation with pivoting over the points shown at once (Engel et al., 2004, doi:10.1109/TSP.2004.830985):
/// a point whose distance from the span, in the norm of the kernel's Hilbert space, is over `tolerance` times its own norm becomes an
/// anchor. A hundredth of the squared tolerance is added to the diagonal, so that rounding cannot blow up weights of points that hardly
/// differ; the distances that are reported include what that costs. Functions are kept by their whitened components v: sum_a (L^-T v)_a Kf(., y_a).
final class AnchorBasis: @unchecked Sendable {
  let outputs: Int
  /// Relative distance from the span under which a point needs no anchor.
  let tolerance: Double
  let anchors: PointSet
  /// L, row-major with leading dimension `leading`.
  private var factor: Workspace<Double>
  private var leading: Int
  /// v, output o from o * leading on.
  private var whitened: Workspace<Double>
  /// L^-T v, laid out likewise; valid after `refresh`.
  private(set) var weights: Workspace<Double>
  private var isFresh = true

  init(_ network: OuterNetwork, outputs: Int, tolerance: Double) throws(NumericError) {
    (self.outputs, self.tolerance, leading) = (outputs, tolerance, 64)
    anchors = try PointSet(network, capacity: leading)
    factor = try Workspace(leading, leading, zeroed: true)
    whitened = try Workspace(outputs, leading, zeroed: true)
    weights = try Workspace(outputs, leading, zeroed: true)
  }

  var count: Int { anchors.count }
  /// Elements between the weights of one output and those of the next.
  var weightStride: Int { leading }

  /// Components of some points along the basis.
  struct Projection {
    /// Row a: component along basis vector a of each point.
    let components: StridedMatrix<Double>
    /// Squared distance of each point from the span.
    let residuals: [Double]
    /// Keeps the memory of `components`.
    let room: Workspace<Double>
  }

  /// Takes anchors from `set` until every point of it is within the tolerance.
  func extend(with set: PointSet, context: CallContext) throws(NumericError) -> Projection {
    let (n, before) = (set.count, count)
    try reserve(before + n, n, context)
    let room = try Workspace<Double>(before + n, n, zeroed: true)
    let b = StridedMatrix(room.pointer, rows: before + n, cols: n)
    let known = StridedMatrix(room.pointer, rows: before, cols: n)
    if before > 0 {
      try outerKernel(.ntk, set, anchors, into: known.transposed, context: context)
      try solve(.forward, factorView, known, context: context)
    }
    var norms: [Double] = []
    var residuals: [Double] = []
    let strip = try KernelStrip()
    for i in 0..<n {
      try checkCancelled()
      strip.compute(.ntk, set, i, set, i, 1)
      norms.append(strip.value[0])
      var rest = strip.value[0]
      for a in 0..<before { rest -= b[a, i] * b[a, i] }
      residuals.append(max(0, rest))
    }
    while let p = farthest(residuals, norms) {
      try append(set, p, norms[p], b, count, &residuals, strip)
    }
    return Projection(components: StridedMatrix(room.pointer, rows: count, cols: n), residuals: residuals, room: room)
  }

  private func farthest(_ residuals: [Double], _ norms: [Double]) -> Int? {
    var (best, ratio) = (-1, tolerance * tolerance)
    for i in residuals.indices where norms[i] > 0 && residuals[i] > ratio * norms[i] {
      (best, ratio) = (i, residuals[i] / norms[i])
    }
    return best < 0 ? nil : best
  }

  /// Makes point p of `set` the anchor of number `row`, and computes row `row` of the components of all points.
  private func append(
    _ set: PointSet, _ p: Int, _ norm: Double, _ b: StridedMatrix<Double>, _ row: Int, _ residuals: inout [Double],
    _ strip: KernelStrip
  ) throws(NumericError) {
    let n = set.count
    let nugget = max(0.01 * tolerance * tolerance, 1e-13) * norm
    let pivot = (residuals[p] + nugget).squareRoot()
    for first in stride(from: 0, to: n, by: KernelStrip.width) {
      try checkCancelled()
      let width = min(KernelStrip.width, n - first)
      strip.compute(.ntk, set, p, set, first, width)
      for j in 0..<width { b[row, first + j] = strip.value[j] }
    }
    for a in 0..<row {
      if a % 64 == 0 { try checkCancelled() }
      let (own, others) = (b[a, p], b.base + a * n)
      let target = b.base + row * n
      for i in 0..<n { target[i] -= own * others[i] }
    }
    for i in 0..<n {
      b[row, i] = (i == p ? residuals[p] : b[row, i]) / pivot
      if i != p { residuals[i] = max(0, residuals[i] - b[row, i] * b[row, i]) }
    }
    residuals[p] = max(0, residuals[p] - b[row, p] * b[row, p])
    try anchors.append(set, p)
    for a in 0..<row { factor[row * leading + a] = b[a, p] }
    factor[row * leading + row] = pivot
    isFresh = false
  }

  /// v += sum_i components_i c_io, with c of points x outputs.
  func add(_ projection: Projection, _ c: StridedMatrix<Double>) throws(NumericError) {
    for a in 0..<projection.components.rows {
      try checkCancelled()
      let row = projection.components.base + a * projection.components.cols
      for o in 0..<outputs {
        var sum = 0.0
        for i in 0..<c.rows { sum += row[i] * c[i, o] }
        whitened[o * leading + a] += sum
      }
    }
    isFresh = false
  }

  /// Makes `weights` belong to the present components.
  func refresh(_ context: CallContext) throws(NumericError) {
    guard !isFresh, count > 0 else { return }
    let room = try Workspace<Double>(count, outputs)
    let right = StridedMatrix(room.pointer, rows: count, cols: outputs)
    for a in 0..<count { for o in 0..<outputs { right[a, o] = whitened[o * leading + a] } }
    try solve(.backward, factorView, right, context: context)
    for a in 0..<count { for o in 0..<outputs { weights[o * leading + a] = right[a, o] } }
    isFresh = true
  }

  /// v, output after output.
  var components: [Double] {
    get { (0..<outputs).flatMap { o in (0..<count).map { a in whitened[o * leading + a] } } }
    set {
      for o in 0..<outputs { for a in 0..<count { whitened[o * leading + a] = newValue[o * count + a] } }
      isFresh = false
    }
  }

  private var factorView: StridedMatrix<Double> {
    StridedMatrix(factor.pointer, rows: count, cols: count, rowStride: leading, colStride: 1)
  }

  /// Room for `needed` anchors and the components of n points.
  private func reserve(_ needed: Int, _ n: Int, _ context: CallContext) throws(NumericError) {
    let wider = needed > leading ? max(needed, 2 * leading) : leading
    let numbers = checkedProduct(wider, wider + 2 * outputs).flatMap { a in
      checkedProduct(needed, n).flatMap { checkedSum(a, $0) }
    }
    try context.reserve(
      numbers.flatMap { checkedProduct($0, 8) }, for: "a basis of \(needed) positions",
      instead: "Raise the tolerance of the compression.")
    guard wider > leading else { return }
    let larger = try Workspace<Double>(wider, wider, zeroed: true)
    for a in 0..<count { (larger.pointer + a * wider).update(from: factor.pointer + a * leading, count: count) }
    factor = larger
    whitened = try widened(whitened, wider)
    weights = try widened(weights, wider)
    leading = wider
  }

  private func widened(_ old: Workspace<Double>, _ wider: Int) throws(NumericError) -> Workspace<Double> {
    let new = try Workspace<Double>(outputs, wider, zeroed: true)
    for o in 0..<outputs { (new.pointer + o * wider).update(from: old.pointer + o * leading, count: count) }
    return new
  }
}
