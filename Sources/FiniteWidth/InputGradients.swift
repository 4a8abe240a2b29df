import NumericCore

/// Derivatives of the outputs by the inputs.
extension Network {
  /// Writes the outputs for the rows of `x` into `values` (rows x outputs) and their gradients by the inputs into `gradients`
  /// (rows x outputs inputs, one output after the other). One pass forwards and one backwards for each output.
  /// - Throws: `invalidArgument` where shapes do not fit, or where inputs depend on each other (BatchNorm).
  public func inputGradients(
    _ x: StridedMatrix<Double>, parameters: UnsafePointer<Double>, values: StridedMatrix<Double>,
    gradients: StridedMatrix<Double>,
    context: CallContext
  ) throws(NumericError) {
    try check(x, values)
    guard !plan.couplesBatch, plan.outputShape.blocks == 1 else {
      throw .invalid("[input_gradients] needs a network that treats its inputs one by one. Received one with BatchNorm.")
    }
    let (inputs, outputs) = (plan.inputShape.size, plan.outputShape.size)
    guard gradients.rows == x.rows, checkedProduct(outputs, inputs) == gradients.cols else {
      throw .invalid(
        "[input_gradients] gradients must be \(x.rows) x (\(outputs) \(inputs)). Received \(gradients.rows) x \(gradients.cols).")
    }
    let jet = ParameterJet(parts: [parameters])
    try forEachChunk(x.rows, order: 0, backward: true, context: context) { (rows, pool, _) throws(NumericError) in
      let tape = Tape(self, parameters: jet, pool: pool, rows: rows, allRows: x.rows, order: 0, backward: true)
      try tape.setInput(x)
      try tape.forward(0)
      for output in 0..<outputs {
        for r in 0..<rows.count { values[rows.lowerBound + r, output] = tape.output(0)?.row(r)[output] ?? 0 }
        let gradient = try tape.inputGradient(of: output)
        for r in 0..<rows.count {
          for d in 0..<inputs { gradients[rows.lowerBound + r, output * inputs + d] = gradient?.row(r)[d] ?? 0 }
        }
      }
    }
  }
}

extension Tape {
  /// The gradient of one output by this chunk's inputs; nil where it vanishes.
  fileprivate func inputGradient(of output: Int) throws(NumericError) -> Tensor? {
    let one = try new(plan.outputShape, zeroed: true)
    for r in 0..<rows { one.row(r)[output] = 1 }
    clearCotangents(part: 0)
    setOutputCotangent(one)
    try backward(0, toInput: true)
    return cotangents[0][0]
  }
}
