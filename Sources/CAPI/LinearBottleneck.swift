import CNTKSwift
import NumericCore
import TrainingRegimes

@_cdecl("ntk_linear_descend") @implementation
public func ntk_linear_descend(
  _ problem: UnsafePointer<ntk_linear_bottleneck>!, _ state: UnsafePointer<ntk_matrix>!, _ steps: Int64, _ learning_rate: Double,
  _ divergence: Double, _ record: UnsafeMutablePointer<ntk_training_record>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "LinearBottleneck"
    let network = try LinearBottleneck(try pointee(problem, op, "problem"))
    let (start, context) = (try row(state, op, "state", network.stateCount), try context(call))
    try recording(record, steps: steps, op) { (journal) throws(NumericError) in
      try network.descend(
        start.base, steps: Int(steps), learningRate: learning_rate, divergence: divergence, record: &journal, context: context)
    }
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

// MARK: - Arguments

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
