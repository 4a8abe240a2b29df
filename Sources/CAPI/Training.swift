import CNTKSwift
import KernelMethods
import NumericCore

@_cdecl("ntk_gradient_flow") @implementation
public func ntk_gradient_flow(
  _ flow: UnsafePointer<ntk_flow>!, _ residual: UnsafePointer<ntk_matrix>!, _ train: UnsafePointer<ntk_matrix>!,
  _ k_test_train: UnsafePointer<ntk_matrix>!, _ test: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "gradient_flow"
    let given = try pointee(flow, op, "flow")
    let (cross, result) = (try optionalView(k_test_train, "k_test_train"), try optionalView(test, "test"))
    guard result == nil || cross != nil else {
      throw .invalid("[gradient_flow] the test outputs need k_test_train. Received a null pointer.")
    }
    try gradientFlow(
      try spectrum(given, op), times: try times(given.times, given.time_count, op), residual: try view(residual, op, "residual"),
      train: try optionalView(train, "train"), cross: cross, test: result, context: try context(call))
  }
}

@_cdecl("ntk_flow_covariance") @implementation
public func ntk_flow_covariance(
  _ flow: UnsafePointer<ntk_flow>!, _ is_ntk: Int32, _ kernels: UnsafePointer<ntk_ensemble_kernels>!,
  _ out: UnsafePointer<ntk_matrix>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "flow_covariance"
    let (given, matrices) = (try pointee(flow, op, "flow"), try pointee(kernels, op, "kernels"))
    let (spectrum, times) = (try spectrum(given, op), try times(given.times, given.time_count, op))
    let kind: FlowKind = is_ntk == 0 ? .nngp : .ntk
    let (result, context) = (try view(out, op, "out"), try context(call))
    if matrices.nngp_test_test.data != nil {
      try flowTestCovariance(
        spectrum, kind, times: times, kernels: try EnsembleKernels(matrices, isNTK: kind == .ntk), out: result, context: context)
    } else {
      try flowTrainCovariance(
        spectrum, kind, times: times, nngp: try optionalMatrixView(matrices.nngp_train_train, "nngp_train_train"), out: result,
        context: context)
    }
  }
}

@_cdecl("ntk_gradient_descent") @implementation
public func ntk_gradient_descent(
  _ descent: UnsafePointer<ntk_descent>!, _ k_train_train: UnsafePointer<ntk_matrix>!, _ start: UnsafePointer<ntk_matrix>!,
  _ out: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "gradient_descent"
    let given = try pointee(descent, op, "descent")
    let (kernel, first) = (try view(k_train_train, op, "k_train_train"), try view(start, op, "start"))
    let blocks = given.has_momentum == 0 ? 2 : 4
    guard kernel.rows > 0, first.rows == 1, first.cols > 0, first.cols % (kernel.rows * blocks) == 0,
      first.colStride == 1 || first.cols == 1
    else {
      throw .invalid(
        "[gradient_descent] start must be one contiguous row of \(blocks) n c numbers. Received (\(first.rows), \(first.cols)).")
    }
    guard given.tolerance > 0, given.tolerance < 1, given.damping.isFinite else {
      throw .invalid(
        "[gradient_descent] the tolerance must be between 0 and 1, the damping finite. Received \(given.tolerance), \(given.damping)."
      )
    }
    let outputs = first.cols / (kernel.rows * blocks)
    let solver = GradientDescent(
      loss: try loss(given, kernel.rows, outputs), kernel: kernel, outputs: outputs,
      damping: given.has_momentum == 0 ? nil : given.damping, tolerance: given.tolerance, mostSteps: Int(max(1, given.most_steps))
    )
    let ascending = try times(given.times, given.time_count, op)
    guard zip(ascending, ascending.dropFirst()).allSatisfy({ $0 <= $1 }) else {
      throw .invalid("[gradient_descent] times must ascend. Received a later time before an earlier one.")
    }
    try solver.run(from: first.base, times: ascending, out: try view(out, op, "out"), context: try context(call))
  }
}

// MARK: - Arguments

private func optionalView(_ m: UnsafePointer<ntk_matrix>?, _ name: String) throws(NumericError) -> StridedMatrix<Double>? {
  guard let m else { return nil }
  return try optionalMatrixView(m.pointee, name)
}

private func spectrum(_ flow: ntk_flow, _ operation: String) throws(NumericError) -> Spectrum {
  let vectors: StridedMatrix<Double> = try matrixView(flow.vectors, "vectors")
  guard vectors.rows == vectors.cols else {
    throw .invalid("[\(operation)] vectors must be square. Received (\(vectors.rows), \(vectors.cols)).")
  }
  guard flow.size > 0, flow.size.isFinite else { throw .invalid("[\(operation)] size must be positive. Received \(flow.size).") }
  let values = try column(try matrixView(flow.values, "values"), Int64(vectors.rows), operation, "values")
  return Spectrum(values: values, vectors: vectors, size: flow.size)
}

/// The caller's times; none may be negative or NaN.
private func times(_ pointer: UnsafePointer<Double>?, _ count: Int64, _ operation: String) throws(NumericError) -> [Double] {
  guard count >= 0, let count = Int(exactly: count), count <= Int.max / 16 else {
    throw .invalid("[\(operation)] the number of times must not be negative. Received \(count).")
  }
  guard count > 0 else { return [] }
  guard let pointer else { throw .invalid("[\(operation)] times are required. Received a null pointer.") }
  let values = Array(UnsafeBufferPointer(start: pointer, count: count))
  for (i, t) in values.enumerated() where !(t >= 0) {
    throw .invalid("[\(operation)] times must be numbers of at least 0. Received \(t) at index \(i).", index: (i, -1))
  }
  return values
}

private func loss(_ given: ntk_descent, _ n: Int, _ outputs: Int) throws(NumericError) -> Loss {
  let kinds = [NTK_LOSS_MSE, NTK_LOSS_CROSS_ENTROPY, NTK_LOSS_LOGISTIC, NTK_LOSS_GRADIENT, NTK_LOSS_VALUE].map {
    Int32($0.rawValue)
  }
  guard let kind = kinds.firstIndex(of: given.loss) else {
    throw .invalid("[gradient_descent] the loss must be an ntk_loss_kind. Received \(given.loss).")
  }
  let count = n * outputs
  if kind < 3 {
    let y: StridedMatrix<Double> = try matrixView(given.targets, "targets")
    guard y.rows == n, y.cols == outputs, y.colStride == 1 || y.cols <= 1, y.rowStride == y.cols || y.rows <= 1 else {
      throw .invalid(
        "[gradient_descent] targets must be a contiguous (\(n), \(outputs)) matrix. Received (\(y.rows), \(y.cols)).")
    }
    if kind == 0 { return .meanSquaredError(targets: y.base) }
    if kind == 2 { return .logistic(targets: y.base) }
    guard given.classes > 1, count % Int(given.classes) == 0 else {
      throw .invalid(
        "[gradient_descent] classes must be 2 or more and divide the \(count) outputs. Received \(given.classes).")
    }
    guard given.divisor > 0, given.divisor.isFinite else {
      throw .invalid("[gradient_descent] the divisor must be a positive number. Received \(given.divisor).")
    }
    return .crossEntropy(targets: y.base, classes: Int(given.classes), divisor: given.divisor)
  }
  guard let function = given.function else {
    throw .invalid("[gradient_descent] a loss function is required. Received a null pointer.")
  }
  let owner = given.function_context
  if kind == 3 { return .gradient { function(owner, 1, $0, $1, Int64(count)) == 0 } }
  return .value { function(owner, 0, $0, $1, Int64(count)) == 0 }
}
