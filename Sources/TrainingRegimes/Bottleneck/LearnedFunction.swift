import NumericCore

/// What training has added to the outer function: f_t - f_0 = sum_a w_a Kf(., y_a), with Kf its NTK.
///
/// Exact: every visited position is kept with its residual, O(n t) of them. Compressed: the sum is projected onto a basis of positions
/// (`AnchorBasis`). `dropped` bounds, in the norm of Kf's Hilbert space, what the projections have left out, so at a point z the function
/// is off by at most `dropped` sqrt(Kf(z, z)).
final class LearnedFunction: @unchecked Sendable {
  let network: OuterNetwork
  let outputs: Int
  let basis: AnchorBasis?
  private let positions: PointSet
  /// Weights of output o, capacity `stride`; exact mode only.
  private var weights: Workspace<Double>
  private var stride: Int
  /// See the type's description; 0 in exact mode.
  var dropped = 0.0

  /// `tolerance` 0 is exact.
  init(_ network: OuterNetwork, outputs: Int, tolerance: Double) throws(NumericError) {
    (self.network, self.outputs) = (network, outputs)
    basis = tolerance > 0 ? try AnchorBasis(network, outputs: outputs, tolerance: tolerance) : nil
    stride = tolerance > 0 ? 1 : 1024
    positions = try PointSet(network, capacity: stride)
    weights = try Workspace(outputs, stride)
  }

  /// Number of positions that the function is made of.
  var count: Int { basis?.count ?? positions.count }
  var anchors: PointSet { basis?.anchors ?? positions }

  /// Weight of anchor a for output o.
  func weight(_ a: Int, _ o: Int) -> Double { basis.map { $0.weights[o * $0.weightStride + a] } ?? weights[o * stride + a] }

  /// Adds sum_i c_io Kf(., set_i), with c of points x outputs.
  func add(_ set: PointSet, _ c: StridedMatrix<Double>, context: CallContext) throws(NumericError) {
    guard let basis else { return try keep(set, c, context) }
    let projection = try basis.extend(with: set, context: context)
    try basis.add(projection, c)
    try basis.refresh(context)
    var loss = 0.0
    for o in 0..<outputs {
      var sum = 0.0
      for i in 0..<set.count { sum += abs(c[i, o]) * projection.residuals[i].squareRoot() }
      loss = max(loss, sum)
    }
    dropped += loss
  }

  private func keep(_ set: PointSet, _ c: StridedMatrix<Double>, _ context: CallContext) throws(NumericError) {
    let first = positions.count
    let needed = first + set.count
    if needed > stride {
      let wider = max(needed, 2 * stride)
      try context.reserve(
        checkedProduct(3 * wider, PointSet.bytesPerPoint(network) + 8 * outputs), for: "the history of \(wider) positions",
        instead: "Use history=\"compressed\".")
      let larger = try Workspace<Double>(outputs, wider)
      for o in 0..<outputs { (larger.pointer + o * wider).update(from: weights.pointer + o * stride, count: first) }
      (weights, stride) = (larger, wider)
    }
    for i in 0..<set.count { try positions.append(set, i) }
    for o in 0..<outputs { for i in 0..<set.count { weights[o * stride + first + i] = c[i, o] } }
  }

  /// Adds the function and its gradient at the points.
  func addValues(
    at points: PointSet, values: StridedMatrix<Double>, gradients: StridedMatrix<Double>?, context: CallContext
  ) throws(NumericError) {
    try addKernelSum(
      .ntk, points, anchors, weights: basis?.weights.pointer ?? weights.pointer, stride: basis?.weightStride ?? stride,
      values: values, gradients: gradients, context: context)
  }
}
