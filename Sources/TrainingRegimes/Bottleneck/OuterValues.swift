import NumericCore

/// f and grad f at the training points for one state: what a step, or a stage of a step of the flow, is made of.
final class OuterValues {
  let points: PointSet
  /// f, points x outputs
  let values: StridedMatrix<Double>
  /// grad f, points x (outputs units)
  let gradients: StridedMatrix<Double>
  /// c = dL/df, points x outputs
  let residuals: StridedMatrix<Double>
  /// sum_o c_io grad f_o(z_i), points x units
  let slopes: StridedMatrix<Double>
  private let room: Workspace<Double>

  init(_ network: OuterNetwork, points n: Int, outputs: Int) throws(NumericError) {
    let k = network.units
    points = try PointSet(network, capacity: n)
    room = try Workspace(n * (2 * outputs + outputs * k + k), zeroed: true)
    values = StridedMatrix(room.pointer, rows: n, cols: outputs)
    residuals = StridedMatrix(room.pointer + n * outputs, rows: n, cols: outputs)
    gradients = StridedMatrix(room.pointer + 2 * n * outputs, rows: n, cols: outputs * k)
    slopes = StridedMatrix(room.pointer + n * outputs * (2 + k), rows: n, cols: k)
  }

  /// Puts the points where the first rows of `z` are.
  func place(_ z: StridedMatrix<Double>) throws(NumericError) {
    points.removeAll()
    try points.append(z, rows: values.rows)
  }

  /// f = f_0 + learned at the points, and what follows from it.
  func evaluate(
    _ initial: InitialFunction, _ learned: LearnedFunction, _ targets: StridedMatrix<Double>, _ context: CallContext
  ) throws(NumericError) {
    try initial.evaluate(points, values: values, gradients: gradients, context: context)
    try learned.addValues(at: points, values: values, gradients: gradients, context: context)
    finish(targets)
  }

  /// Residuals and slopes from values and gradients.
  func finish(_ targets: StridedMatrix<Double>) {
    let (n, outputs, k) = (values.rows, values.cols, slopes.cols)
    let factor = 1 / Double(n * outputs)
    for i in 0..<n {
      for d in 0..<k { slopes[i, d] = 0 }
      for o in 0..<outputs {
        let c = factor * (values[i, o] - targets[i, o])
        residuals[i, o] = c
        for d in 0..<k { slopes[i, d] += c * gradients[i, o * k + d] }
      }
    }
  }

  /// mean (f - y)^2 / 2
  func loss(_ targets: StridedMatrix<Double>) -> Double {
    var sum = 0.0
    for i in 0..<values.rows {
      for o in 0..<values.cols {
        let r = values[i, o] - targets[i, o]
        sum += r * r
      }
    }
    return sum / Double(2 * values.rows * values.cols)
  }
}

extension LearnedFunction {
  /// Adds scale sum_i c_io Kf(., set_i).
  func add(_ set: PointSet, _ c: StridedMatrix<Double>, scale: Double, context: CallContext) throws(NumericError) {
    let room = try Workspace<Double>(c.rows * c.cols)
    let scaled = StridedMatrix(room.pointer, rows: c.rows, cols: c.cols)
    for i in 0..<c.rows { for o in 0..<c.cols { scaled[i, o] = scale * c[i, o] } }
    try add(set, scaled, context: context)
  }
}
