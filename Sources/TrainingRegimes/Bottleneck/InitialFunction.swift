import NumericCore

/// f_0, the outer network before training, with its gradient.
enum InitialFunction {
  /// A network whose output at the start was subtracted.
  case zero
  /// A finite network, drawn or given.
  case network(WideNetwork)
  /// The caller's function: (positions, count, values, gradients) -> success
  case function((UnsafePointer<Double>, Int, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>) -> Bool)

  /// f_0 and its gradient at the points, into `values` (points x outputs) and `gradients` (points x outputs units), both contiguous.
  func evaluate(
    _ points: PointSet, values: StridedMatrix<Double>, gradients: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    let (n, outputs, units) = (points.count, values.cols, points.network.units)
    switch self {
    case .zero:
      values.base.update(repeating: 0, count: n * outputs)
      gradients.base.update(repeating: 0, count: n * outputs * units)
    case .network(let network): try network.evaluate(points, values: values, gradients: gradients, context: context)
    case .function(let call):
      let rows = try Workspace<Double>(n, units)
      for i in 0..<n { for d in 0..<units { rows[i * units + d] = points.coordinate(d)[i] } }
      guard call(rows.pointer, n, values.base, gradients.base) else {
        throw NumericError(.callbackFailed, "[Bottleneck] initial must return values and gradients. It raised.")
      }
    }
    for e in 0..<n * outputs where !values.base[e].isFinite {
      throw .invalid(
        "[Bottleneck] the initial function must be finite. Received \(values.base[e]) at point \(e / outputs).",
        index: (e / outputs, e % outputs))
    }
  }
}
