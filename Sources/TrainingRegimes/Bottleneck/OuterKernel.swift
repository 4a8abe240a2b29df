import LinearAlgebra
import NumericCore

/// Which kernel of the outer network.
enum OuterKernelKind: Sendable {
  case nngp
  case ntk
}

/// The kernel between one point and a strip of others, with its derivatives by c0 and a0 (see `OuterNetwork`).
///
/// NNGP: K <- W_std^2 T + b_std^2. NTK: Theta <- W_std^2 (Theta T_c + T) + b_std^2, starting at c0 (Jacot et al., 2018,
/// arXiv:1806.07572); both are differentiated forwards along the layers.
final class KernelStrip: @unchecked Sendable {
  /// Points per strip: seven arrays of this length stay in the first-level cache.
  static let width = 256

  /// Kernel values, then its derivatives by c0 and by a0.
  var value: UnsafeMutablePointer<Double> { kind == .ntk ? part(3) : part(0) }
  var dc: UnsafeMutablePointer<Double> { kind == .ntk ? part(4) : part(1) }
  var da: UnsafeMutablePointer<Double> { kind == .ntk ? part(5) : part(2) }

  private var kind = OuterKernelKind.ntk
  private let room: Workspace<Double>

  init() throws(NumericError) { room = try Workspace(6, KernelStrip.width) }

  /// Covariance, its derivatives; NTK, its derivatives.
  @inline(__always) private func part(_ i: Int) -> UnsafeMutablePointer<Double> { room.pointer + i * KernelStrip.width }

  /// Point i of `points` against `count` points of `others` from `first` on.
  func compute(_ kind: OuterKernelKind, _ points: PointSet, _ i: Int, _ others: PointSet, _ first: Int, _ count: Int) {
    self.kind = kind
    start(points, i, others, first, count)
    for (l, layer) in points.network.layers.enumerated() {
      let (a, slope, b) = (points.variance(l)[i], points.slope(l)[i], others.variance(l) + first)
      switch layer.dual {
      case .identity: pass(layer, slope, count) { (c, j) in DualJet(value: c, dc: 1, da: 0, dcc: 0, dca: 0) }
      case .erf(let p, let q, let r): pass(layer, slope, count) { (c, j) in SmoothDual.erf(c, a, b[j], p, q, r) }
      case .sine(let p, let q, let r): pass(layer, slope, count) { (c, j) in SmoothDual.sine(c, a, b[j], p, q, r) }
      case .exponential(let p, let q): pass(layer, slope, count) { (c, j) in SmoothDual.exponential(c, a, b[j], p, q) }
      case .gaussian(let p, let q): pass(layer, slope, count) { (c, j) in SmoothDual.gaussian(c, a, b[j], p, q) }
      case .gelu: pass(layer, slope, count) { (c, j) in SmoothDual.gelu(c, a, b[j]) }
      case .series:
        guard let f = points.expansion(l, i), let g = others.expansion(l, first) else { continue }
        pass(layer, slope, count) { (c, j) in
          SmoothSeries.jet(f, g + j * SmoothSeries.stride, SmoothDual.correlation(c, a, b[j]))
        }
      }
    }
  }

  private func start(_ points: PointSet, _ i: Int, _ others: PointSet, _ first: Int, _ count: Int) {
    let network = points.network
    let (c, cc, ca, t, tc, ta) = (part(0), part(1), part(2), part(3), part(4), part(5))
    for j in 0..<count { c[j] = 0 }
    for d in 0..<network.units {
      let (x, y) = (points.coordinate(d)[i], others.coordinate(d) + first)
      for j in 0..<count { c[j] += x * y[j] }
    }
    for j in 0..<count {
      c[j] = network.scale * c[j] + network.bias
      (cc[j], ca[j], t[j], tc[j], ta[j]) = (1, 0, c[j], 1, 0)
    }
  }

  @inline(__always)
  private func pass(_ layer: OuterNetwork.Layer, _ slope: Double, _ count: Int, _ dual: (_ c: Double, _ j: Int) -> DualJet) {
    let (c, cc, ca, t, tc, ta) = (part(0), part(1), part(2), part(3), part(4), part(5))
    let (weight, bias) = (layer.weight, layer.bias)
    for j in 0..<count {
      let d = dual(c[j], j)
      let (byC, byA) = (d.dc * cc[j], d.dc * ca[j] + d.da * slope)
      tc[j] = weight * (tc[j] * d.dc + t[j] * d.dcc * cc[j] + byC)
      ta[j] = weight * (ta[j] * d.dc + t[j] * (d.dcc * ca[j] + d.dca * slope) + byA)
      t[j] = weight * (t[j] * d.dc + d.value) + bias
      c[j] = weight * d.value + bias
      cc[j] = weight * byC
      ca[j] = weight * byA
    }
  }
}

/// Rows of work big enough for a thread of its own.
private let pairsPerTask = 8192

/// Kernel values k(points_i, others_j) into `out` (points x others), and with `gradient` (points x others units, k numbers for each pair)
/// the derivatives by the coordinates of points_i.
func outerKernel(
  _ kind: OuterKernelKind, _ points: PointSet, _ others: PointSet, into out: StridedMatrix<Double>,
  gradient: StridedMatrix<Double>? = nil, context: CallContext
) throws(NumericError) {
  let units = points.network.units
  let scale = points.network.scale
  try forEachPoint(points.count, others.count, context) { (i, strip) throws(NumericError) in
    for first in stride(from: 0, to: others.count, by: KernelStrip.width) {
      try checkCancelled()
      let count = min(KernelStrip.width, others.count - first)
      strip.compute(kind, points, i, others, first, count)
      for j in 0..<count { out[i, first + j] = strip.value[j] }
      guard let gradient else { continue }
      for d in 0..<units {
        let (z, y) = (points.coordinate(d)[i], others.coordinate(d) + first)
        for j in 0..<count { gradient[i, (first + j) * units + d] = scale * (strip.dc[j] * y[j] + 2 * strip.da[j] * z) }
      }
    }
  }
}

/// Adds sum_j weights_jo k(., others_j) and its gradient, at the points, to `values` (points x outputs) and `gradients` (points x outputs
/// units). `weights` holds the numbers of output o together, `stride` apart from the next output's.
func addKernelSum(
  _ kind: OuterKernelKind, _ points: PointSet, _ others: PointSet, weights: UnsafePointer<Double>, stride weightStride: Int,
  values: StridedMatrix<Double>, gradients: StridedMatrix<Double>?, context: CallContext
) throws(NumericError) {
  let (units, outputs, scale) = (points.network.units, values.cols, points.network.scale)
  guard others.count > 0 else { return }
  try forEachPoint(points.count, others.count, context) { (i, strip) throws(NumericError) in
    for first in stride(from: 0, to: others.count, by: KernelStrip.width) {
      try checkCancelled()
      let count = min(KernelStrip.width, others.count - first)
      strip.compute(kind, points, i, others, first, count)
      for o in 0..<outputs {
        let w = weights + o * weightStride + first
        let (k, dc, da) = (strip.value, strip.dc, strip.da)
        var (sum, own) = (0.0, 0.0)
        for j in 0..<count {
          sum += w[j] * k[j]
          own += w[j] * da[j]
        }
        values[i, o] += sum
        guard let gradients else { continue }
        for d in 0..<units {
          let y = others.coordinate(d) + first
          var moment = 0.0
          for j in 0..<count { moment += w[j] * dc[j] * y[j] }
          gradients[i, o * units + d] += scale * (moment + 2 * own * points.coordinate(d)[i])
        }
      }
    }
  }
}

/// Runs `body` for each point, in parallel where there is enough to do; each worker has its strip.
private func forEachPoint(
  _ points: Int, _ others: Int, _ context: CallContext, _ body: (_ i: Int, _ strip: KernelStrip) throws(NumericError) -> Void
) throws(NumericError) {
  let rows = max(1, pairsPerTask / max(others, 1))
  let tasks = (points + rows - 1) / rows
  guard tasks > 1, context.threads > 1 else {
    let strip = try KernelStrip()
    for i in 0..<points {
      try checkCancelled()
      try body(i, strip)
    }
    return
  }
  var strips: [KernelStrip] = []
  for _ in 0..<min(context.threads, tasks) { strips.append(try KernelStrip()) }
  let shared = strips
  try runTasks(tasks, context: context.reporting(nil)) {
    (task, worker) throws(NumericError) in
    for i in task * rows..<min(points, (task + 1) * rows) {
      try checkCancelled()
      try body(i, shared[worker])
    }
  }
}
