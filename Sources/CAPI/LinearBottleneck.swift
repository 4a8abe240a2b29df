import CNTKSwift
import NumericCore
import TrainingRegimes

@_cdecl("ntk_linear_descend") @implementation
public func ntk_linear_descend(
  _ problem: UnsafePointer<ntk_linear_bottleneck>!, _ state: UnsafePointer<ntk_matrix>!, _ learning_rate: Double,
  _ divergence: Double,
  _ losses: UnsafePointer<ntk_matrix>!, _ taken: UnsafeMutablePointer<Int64>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "LinearBottleneck"
    let network = try LinearBottleneck(try pointee(problem, op, "problem"))
    let (start, out) = (try row(state, op, "state", network.stateCount), try row(losses, op, "losses", nil))
    let steps = try network.descend(
      start.base, steps: out.cols - 1, learningRate: learning_rate, divergence: divergence, losses: out.base,
      context: try context(call))
    taken?.pointee = Int64(steps)
  }
}

@_cdecl("ntk_linear_flow") @implementation
public func ntk_linear_flow(
  _ problem: UnsafePointer<ntk_linear_bottleneck>!, _ state: UnsafePointer<ntk_matrix>!, _ times: UnsafePointer<Double>!,
  _ count: Int64,
  _ tolerance: Double, _ states: UnsafePointer<ntk_matrix>!, _ losses: UnsafePointer<ntk_matrix>!,
  _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "LinearBottleneck"
    let network = try LinearBottleneck(try pointee(problem, op, "problem"))
    let ascending = try ascendingTimes(times, count)
    let (start, out) = (try row(state, op, "state", network.stateCount), try row(losses, op, "losses", ascending.count))
    let room = try view(states, op, "states")
    guard room.rows == ascending.count, room.cols == network.stateCount, room.hasContiguousRows,
      room.rows <= 1 || room.rowStride == room.cols
    else {
      throw .invalid(
        "[LinearBottleneck] states must be contiguous, (\(ascending.count), \(network.stateCount)). Received (\(room.rows), \(room.cols))."
      )
    }
    try network.flow(
      start.base, times: ascending, tolerance: tolerance, states: room.base, losses: out.base, context: try context(call))
  }
}

@_cdecl("ntk_constant_kernel_descent") @implementation
public func ntk_constant_kernel_descent(
  _ kernel: UnsafePointer<ntk_matrix>!, _ residuals: UnsafePointer<ntk_matrix>!, _ learning_rate: Double,
  _ losses: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "constant_kernel_descent"
    let out = try row(losses, op, "losses", nil)
    try constantKernelDescent(
      try view(kernel, op, "kernel"), residuals: try view(residuals, op, "residuals"), learningRate: learning_rate,
      steps: out.cols - 1,
      losses: out.base, context: try context(call))
  }
}

@_cdecl("ntk_finite_bottleneck") @implementation
public func ntk_finite_bottleneck(
  _ inner: UnsafePointer<ntk_finite_half>!, _ outer: UnsafePointer<ntk_finite_half>!, _ inputs: UnsafePointer<ntk_matrix>!,
  _ targets: UnsafePointer<ntk_matrix>!, _ learning_rate: Double, _ losses: UnsafePointer<ntk_matrix>!,
  _ positions: UnsafePointer<ntk_matrix>!, _ outputs: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "FiniteBottleneck"
    let (first, second) = (try half(try pointee(inner, op, "inner")), try half(try pointee(outer, op, "outer")))
    let (x, y) = (try view(inputs, op, "inputs"), try view(targets, op, "targets"))
    let out = try row(losses, op, "losses", nil)
    let (z, f) = (try contiguous(view(positions, op, "positions"), op), try contiguous(view(outputs, op, "outputs"), op))
    guard z.rows == x.rows, z.cols == second.hidden.rows, f.rows == x.rows, f.cols == y.cols else {
      throw .invalid("[FiniteBottleneck] positions and outputs must have the shapes of the result. Received others.")
    }
    let network = try FiniteBottleneck(inner: first, outer: second, inputs: x, targets: y)
    try network.descend(
      learningRate: learning_rate, losses: UnsafeMutableBufferPointer(start: out.base, count: out.cols), positions: z, outputs: f,
      context: try context(call))
  }
}

// MARK: - Arguments

private func half(_ h: ntk_finite_half) throws(NumericError) -> FiniteBottleneck.Half {
  try FiniteBottleneck.Half(
    try ArchitectureTable.node(h.architecture), hidden: try contiguous(try matrixView(h.hidden, "hidden"), "FiniteBottleneck"),
    readout: try contiguous(try matrixView(h.readout, "readout"), "FiniteBottleneck"))
}

private func contiguous(_ m: StridedMatrix<Double>, _ operation: String) throws(NumericError) -> StridedMatrix<Double> {
  guard m.hasContiguousRows, m.rows <= 1 || m.rowStride == m.cols else {
    throw .invalid("[\(operation)] needs contiguous matrices. Received strides \(m.rowStride), \(m.colStride).")
  }
  return m
}

extension LinearBottleneck {
  fileprivate init(_ p: ntk_linear_bottleneck) throws(NumericError) {
    guard p.units >= 1, p.units <= 1 << 24 else {
      throw .invalid("[LinearBottleneck] units must be at least 1. Received \(p.units).")
    }
    try self.init(
      inputs: try matrixView(p.inputs, "inputs"), targets: try matrixView(p.targets, "targets"), units: Int(p.units),
      scale: p.scale,
      innerDepth: p.inner_depth, outerDepth: p.outer_depth)
  }
}

/// One contiguous row of at least one number, or of `count`.
private func row(
  _ m: UnsafePointer<ntk_matrix>?, _ operation: String, _ name: String, _ count: Int?
) throws(NumericError) -> StridedMatrix<Double> {
  let matrix = try view(m, operation, name)
  guard matrix.rows == 1, matrix.cols == count ?? max(1, matrix.cols), matrix.hasContiguousRows else {
    throw .invalid(
      "[\(operation)] \(name) must be one contiguous row\(count.map { " of \($0) numbers" } ?? ""). Received (\(matrix.rows), \(matrix.cols))."
    )
  }
  return matrix
}
