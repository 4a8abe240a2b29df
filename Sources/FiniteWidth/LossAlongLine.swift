import NumericCore

/// The loss along a straight line through the parameters: curvature of each input's loss, and how far a step may go.
extension Network {
  /// out[i] = second derivative along `direction` of the loss of input i (the whole loss is their mean).
  ///
  /// With the unit eigenvector e of the Hessian H these are e^T H_i e, whose mean is the eigenvalue and whose variance is the s^2 of
  /// Eq. (1) of the break-even paper (arXiv:2002.09572).
  /// - Throws: `invalidArgument` where shapes do not fit, or where inputs depend on each other (BatchNorm).
  public func sampleCurvatures(
    _ loss: OutputLoss, _ x: StridedMatrix<Double>, targets: StridedMatrix<Double>, parameters: UnsafePointer<Double>,
    along direction: UnsafePointer<Double>, into out: UnsafeMutablePointer<Double>, context: CallContext
  ) throws(NumericError) {
    try check(x, targets)
    guard !plan.couplesBatch, plan.outputShape.blocks == 1 else {
      throw .invalid("[sample_curvature] needs a network that treats its inputs one by one. Received one with BatchNorm.")
    }
    let jet = ParameterJet(parts: Network.parts(parameters, [direction, direction]))
    try forEachChunk(x.rows, order: 2, backward: false, context: context) { (rows, pool, _) throws(NumericError) in
      let tape = Tape(self, parameters: jet, pool: pool, rows: rows, allRows: x.rows, order: 2, backward: false)
      try tape.setInput(x)
      for part in 0..<4 { try tape.forward(part) }
      guard let f = tape.output(0), let tangent = tape.output(1) else { return }
      let slope = try loss.sampleCotangent(tape, targets)
      let bent = try tape.new(plan.outputShape)
      loss.hessian(f, tangent, share: Double(x.rows) / loss.count(rows: x.rows, cols: f.cols), into: bent)
      for r in 0..<rows.count {
        var total = 0.0
        for c in 0..<f.cols { total += tangent.row(r)[c] * bent.row(r)[c] }
        if let second = tape.output(3) { for c in 0..<f.cols { total += slope.row(r)[c] * second.row(r)[c] } }
        out[rows.lowerBound &+ r] = total
      }
    }
  }

  /// The smallest alpha > 0 with loss(parameters - alpha update) >= `factor` times the loss, to a relative 1e-3; infinity beyond `most`.
  ///
  /// Alpha grows by a quarter from 1/32 until the loss is over the level, and the crossing is then bisected: a rise and fall within one
  /// such step is missed. The stability proxy of section 4 of the break-even paper (arXiv:2002.09572), with factor 1.2.
  public func stepToRaise(
    _ loss: OutputLoss, by factor: Double, _ x: StridedMatrix<Double>, targets: StridedMatrix<Double>,
    parameters: UnsafePointer<Double>, update: UnsafePointer<Double>, most: Double, context: CallContext
  ) throws(NumericError) -> Double {
    let count = plan.parameterCount
    let moved = try Workspace<Double>(count)
    // How far the search will go is not known; what matters is that a pass over many inputs can be cancelled too.
    let inner = context.part(0, 0)
    func value(_ alpha: Double) throws(NumericError) -> Double {
      try context.checkpoint(0)
      for i in 0..<count { moved[i] = parameters[i] - alpha * update[i] }
      return try self.loss(loss, x, targets: targets, parameters: UnsafePointer(moved.pointer), context: inner)
    }
    for i in 0..<count where !update[i].isFinite {
      throw .invalid("[step_to_raise] the update must be finite. Received \(update[i]) at index \(i).", index: (i, -1))
    }
    let level = factor * (try value(0))
    guard level.isFinite else { throw .invalid("[step_to_raise] needs a finite loss to start from. Received \(level / factor).") }
    // Beyond a pole or an overflow the loss is no number: that counts as raised.
    func isRaised(_ alpha: Double) throws(NumericError) -> Bool { !(try value(alpha) < level) }
    var (low, high) = (0.0, 1.0 / 32)
    while try !isRaised(high) {
      guard high < most else { return .infinity }
      (low, high) = (high, high * 1.25)
    }
    while high - low > 1e-3 * high, high > 1e-9 {
      let middle = 0.5 * (low + high)
      if try isRaised(middle) { high = middle } else { low = middle }
    }
    return high
  }

  /// Row k of `gradients` (one row of all parameters per mini-batch) = gradient of the loss on inputs k batch ..< (k + 1) batch.
  public func batchGradients(
    _ loss: OutputLoss, _ x: StridedMatrix<Double>, targets: StridedMatrix<Double>, parameters: UnsafePointer<Double>, batch: Int,
    into gradients: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    try check(x, targets)
    guard batch >= 1, let used = checkedProduct(batch, gradients.rows), used <= x.rows, plan.outputShape.blocks == 1,
      gradients.cols == plan.parameterCount, gradients.hasContiguousRows
    else {
      throw .invalid("[gradient_covariance] \(gradients.rows) batches of \(batch) inputs are wanted. Received \(x.rows) inputs.")
    }
    var lastReport = Machine.seconds
    for k in 0..<gradients.rows {
      // Short batches end before they report by themselves.
      if Machine.seconds - lastReport >= 0.05 {
        try context.checkpoint(Double(k) / Double(gradients.rows))
        lastReport = Machine.seconds
      }
      let rows = { (m: StridedMatrix<Double>) in
        StridedMatrix(
          m.base + k * batch * m.rowStride, rows: batch, cols: m.cols, rowStride: m.rowStride, colStride: m.colStride)
      }
      let share = context.part(Double(k) / Double(gradients.rows), Double(k + 1) / Double(gradients.rows))
      _ = try self.loss(
        loss, rows(x), targets: rows(targets), parameters: parameters, gradient: gradients.base + k * gradients.rowStride,
        context: share)
    }
  }
}
