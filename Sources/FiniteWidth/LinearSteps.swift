import LinearAlgebra
import NumericCore

/// Dense layers and convolutions: products with a weight matrix, the latter of windows laid out as rows.
extension Tape {
  func linear(_ operation: LinearOperation, _ step: Step, _ index: Int, _ part: Int) throws(NumericError) -> Tensor? {
    let x = values[step.inputs[0]]
    let slot = plan.parameters[operation.weight]
    var out: Tensor?
    // The bias first: BLAS then adds to it, and nothing is set to zero.
    if let bias = operation.bias, let b = parameters[part] {
      let target = try new(step.shape)
      try addBias(b + plan.parameters[bias].offset, operation.biasScale, slot.cols, to: target, adding: false)
      out = target
    }
    if let single { return try linear(single, operation, step, index, part, into: out) }
    try Jets.forEachSplit(part) { (a, b) throws(NumericError) in
      guard let weights = parameters[a], let input = x[b] else { return }
      let (target, adding) = try present(out, step)
      let rows = try windowRows(of: step.inputs[0], b, input, operation.geometry)
      try gemm(
        false, slot.cols, slot.rows, operation.scale, rows.pointer, weights + slot.offset, adding ? 1 : 0, target.pointer,
        target.count / slot.cols)
      out = target
    }
    return out
  }

  func linearBackward(
    _ operation: LinearOperation, _ step: Step, _ index: Int, _ part: Int, _ gradient: GradientJet, toInput: Bool
  ) throws(NumericError) {
    let input = step.inputs[0]
    if operation.isTrainable, let target = gradient[part] { try addWeightGradient(operation, step, index, part, target) }
    guard input != 0 || toInput else { return }
    if let single { return try linearBackward(single, operation, step, index, part) }
    let slot = plan.parameters[operation.weight]
    var windows: Tensor?
    try Jets.forEachSplit(part) { (a, b) throws(NumericError) in
      guard let weights = parameters[a], let above = cotangents[index][b] else { return }
      if let geometry = operation.geometry {
        let rows: Tensor
        if let windows {
          rows = windows
        } else {
          rows = try pool.take(rows: rowCount(step.shape) &* geometry.positions, cols: geometry.patchSize)
        }
        try gemm(
          true, slot.rows, slot.cols, operation.scale, above.pointer, weights + slot.offset, windows == nil ? 0 : 1, rows.pointer,
          rows.rows)
        windows = rows
      } else {
        let (target, adding) = try cotangent(of: input, part)
        try gemm(
          true, slot.rows, slot.cols, operation.scale, above.pointer, weights + slot.offset, adding ? 1 : 0, target.pointer,
          above.count / slot.cols)
      }
    }
    if let windows, let geometry = operation.geometry {
      let (target, adding) = try cotangent(of: input, part)
      try scatter(windows, geometry, into: target, adding: adding)
    }
  }

  private func addWeightGradient(
    _ operation: LinearOperation, _ step: Step, _ index: Int, _ part: Int, _ target: UnsafeMutablePointer<Double>
  ) throws(NumericError) {
    let slot = plan.parameters[operation.weight]
    let x = values[step.inputs[0]]
    if let single {
      try addWeightGradient(single, operation, step, index, part)
    } else {
      try Jets.forEachSplit(part) { (a, b) throws(NumericError) in
        guard let input = x[a], let above = cotangents[index][b] else { return }
        let rows = try windowRows(of: step.inputs[0], a, input, operation.geometry)
        try Double.slicedGemm(
          true, false, slot.rows, slot.cols, above.count / slot.cols, operation.scale, rows.pointer, slot.rows, above.pointer,
          slot.cols, 1, target + slot.offset, slot.cols)
      }
    }
    if let bias = operation.bias, let above = cotangents[index][part] {
      let sum = target + plan.parameters[bias].offset
      for r in 0..<above.count / slot.cols {
        if r & 63 == 0 { try checkCancelled() }
        let row = above.pointer + r &* slot.cols
        for c in 0..<slot.cols { sum[c] += operation.biasScale * row[c] }
      }
    }
  }

  /// Part `part` of value `index`, `x`, as rows of the product: itself, or one row per window, which a backward pass finds again.
  private func windowRows(of index: Int, _ part: Int, _ x: Tensor, _ geometry: WindowGeometry?) throws(NumericError) -> Tensor {
    guard let geometry else { return x }
    if let laid = windows[index][part], laid.geometry == geometry { return laid.rows }
    let rows = try pool.take(rows: x.rows &* geometry.positions, cols: geometry.patchSize)
    for r in 0..<x.rows {
      if r & 15 == 0 { try checkCancelled() }
      geometry.lay(x.row(r), into: rows.row(r &* geometry.positions))
    }
    if keepsForBackward { windows[index][part] = (geometry, rows) }
    return rows
  }

  private func scatter(_ rows: Tensor, _ geometry: WindowGeometry, into x: Tensor, adding: Bool) throws(NumericError) {
    if !adding { x.pointer.update(repeating: 0, count: x.count) }
    for r in 0..<x.rows {
      if r & 15 == 0 { try checkCancelled() }
      geometry.addBack(rows.row(r &* geometry.positions), to: x.row(r))
    }
  }

  private func present(_ out: Tensor?, _ step: Step) throws(NumericError) -> (Tensor, adding: Bool) {
    if let out { return (out, true) }
    return (try new(step.shape), false)
  }

  /// out = scale a op(b) + beta out for a row-major out of `rows` x `cols` and inner size k.
  private func gemm(
    _ transposeB: Bool, _ cols: Int, _ k: Int, _ scale: Double, _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>,
    _ beta: Double, _ out: UnsafeMutablePointer<Double>, _ rows: Int
  ) throws(NumericError) {
    try Double.slicedGemm(false, transposeB, rows, cols, k, scale, a, k, b, transposeB ? k : cols, beta, out, cols)
  }

  private func addBias(_ bias: UnsafePointer<Double>, _ scale: Double, _ cols: Int, to out: Tensor, adding: Bool)
    throws(NumericError)
  {
    for r in 0..<out.count / cols {
      if r & 63 == 0 { try checkCancelled() }
      let row = out.pointer + r &* cols
      if adding {
        for c in 0..<cols { row[c] += scale * bias[c] }
      } else {
        for c in 0..<cols { row[c] = scale * bias[c] }
      }
    }
  }

  // MARK: Trained scale and shift of each channel

  func affine(_ scale: Int, _ shift: Int, _ step: Step, _ part: Int) throws(NumericError) -> Tensor? {
    let x = values[step.inputs[0]]
    let channels = step.shape.channels
    let out = try new(step.shape, zeroed: true)
    Jets.forEachSplit(part) { a, b in
      guard let weights = parameters[a], let input = x[b] else { return }
      addScaled(input, weights + plan.parameters[scale].offset, channels, to: out)
    }
    if let b = parameters[part] { try addBias(b + plan.parameters[shift].offset, 1, channels, to: out, adding: true) }
    return out
  }

  func affineBackward(
    _ scale: Int, _ shift: Int, _ step: Step, _ index: Int, _ part: Int, _ gradient: GradientJet
  ) throws(NumericError) {
    let channels = step.shape.channels
    let x = values[step.inputs[0]]
    if let target = gradient[part] {
      let (scales, shifts) = (target + plan.parameters[scale].offset, target + plan.parameters[shift].offset)
      Jets.forEachSplit(part) { a, b in
        guard let input = x[a], let above = cotangents[index][b] else { return }
        for i in 0..<above.count / channels {
          for c in 0..<channels { scales[c] += input.pointer[i &* channels &+ c] * above.pointer[i &* channels &+ c] }
        }
      }
      if let above = cotangents[index][part] {
        for i in 0..<above.count / channels {
          for c in 0..<channels { shifts[c] += above.pointer[i &* channels &+ c] }
        }
      }
    }
    let (target, adding) = try cotangent(of: step.inputs[0], part)
    if !adding { target.pointer.update(repeating: 0, count: target.count) }
    Jets.forEachSplit(part) { a, b in
      guard let weights = parameters[a], let above = cotangents[index][b] else { return }
      addScaled(above, weights + plan.parameters[scale].offset, channels, to: target)
    }
  }

  private func addScaled(_ x: Tensor, _ scale: UnsafePointer<Double>, _ channels: Int, to out: Tensor) {
    for i in 0..<x.count / channels {
      let (source, target) = (x.pointer + i &* channels, out.pointer + i &* channels)
      for c in 0..<channels { target[c] += scale[c] * source[c] }
    }
  }
}
