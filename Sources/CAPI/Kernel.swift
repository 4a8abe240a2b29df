import Architectures
import CNTKSwift
import InfiniteWidth
import NumericCore
import VectorKernelProduct

@_cdecl("ntk_kernel") @implementation
public func ntk_kernel(
  _ architecture: Int64, _ source: UnsafePointer<ntk_kernel_source>!, _ plan: UnsafePointer<ntk_bytes>!,
  _ function: ntk_user_function!, _ function_context: UnsafeMutableRawPointer!, _ result: UnsafePointer<ntk_kernel_result>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard let source = source?.pointee, let result = result?.pointee else {
      throw .invalid("[kernel] needs a source and a result. Received a null pointer.")
    }
    let engine = try Planner.engine(
      for: ArchitectureTable.node(architecture), userFunctions: userFunctionCall(function, function_context))
    let context = try context(call)
    let plan: KernelPlan? = if let plan = plan?.pointee { try KernelPlan(bytes: byteArray(plan, "kernel_plan")) } else { nil }
    let missed =
      source.isFloat32
      ? try run(engine, source.start(Float.self), plan, result.output(Float.self), context)
      : try run(engine, source.start(Double.self), plan, result.output(Double.self), context)
    result.missed_tolerance?.pointee = missed
  }
}

// One for each type: see `KernelEngine`.

private func run(
  _ engine: any KernelEngine, _ start: KernelStart<Double>, _ plan: KernelPlan?, _ output: KernelOutput<Double>,
  _ context: CallContext
) throws(NumericError) -> Double {
  switch start {
  case .inputs(let pair): try engine.compute(pair, plan: plan, into: output, context: context)
  case .kernel(let given): try engine.proceed(from: given, into: output, context: context)
  }
}

private func run(
  _ engine: any KernelEngine, _ start: KernelStart<Float>, _ plan: KernelPlan?, _ output: KernelOutput<Float>,
  _ context: CallContext
) throws(NumericError) -> Double {
  switch start {
  case .inputs(let pair): try engine.compute(pair, plan: plan, into: output, context: context)
  case .kernel(let given): try engine.proceed(from: given, into: output, context: context)
  }
}

@_cdecl("ntk_kernel_plan") @implementation
public func ntk_kernel_plan(
  _ architecture: Int64, _ source: UnsafePointer<ntk_kernel_source>!, _ wants_nngp: Int32, _ wants_ntk: Int32,
  _ function: ntk_user_function!, _ function_context: UnsafeMutableRawPointer!, _ call: UnsafePointer<ntk_call>!,
  _ plan: UnsafeMutablePointer<ntk_bytes>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard let source = source?.pointee, let plan else {
      throw .invalid("[kernel_plan] needs inputs and room for a plan. Received a null pointer.")
    }
    let engine = try Planner.engine(
      for: ArchitectureTable.node(architecture), userFunctions: userFunctionCall(function, function_context))
    let (fields, context) = (KernelFields(nngp: wants_nngp != 0, ntk: wants_ntk != 0), try context(call))
    let made =
      source.isFloat32
      ? try engine.plan(for: source.pair(Float.self), fields, context: context)
      : try engine.plan(for: source.pair(Double.self), fields, context: context)
    try give(made.bytes, to: plan)
  }
}

@_cdecl("ntk_kernel_plan_describe") @implementation
public func ntk_kernel_plan_describe(
  _ plan: UnsafePointer<ntk_bytes>!, _ info: UnsafeMutablePointer<ntk_plan_info>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard let plan = plan?.pointee, let info else {
      throw .invalid("[kernel_plan] needs a plan and room for its description. Received a null pointer.")
    }
    let read = try KernelPlan(bytes: byteArray(plan, "kernel_plan"))
    let dtype = read.isFloat32 ? NTK_FLOAT32 : NTK_FLOAT64
    info.pointee = ntk_plan_info(
      input_width: Int64(read.inputWidth), dtype: Int32(dtype.rawValue), has_nngp: read.fields.nngp ? 1 : 0,
      has_ntk: read.fields.ntk ? 1 : 0, reserved: 0)
  }
}

@_cdecl("ntk_kernel_tangent") @implementation
public func ntk_kernel_tangent(
  _ architecture: Int64, _ source: UnsafePointer<ntk_kernel_source>!, _ dense_W: UnsafePointer<Double>!,
  _ dense_b: UnsafePointer<Double>!, _ dense_count: Int64, _ result: UnsafePointer<ntk_kernel_result>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard let source = source?.pointee, let result = result?.pointee, let dense_W, let dense_b else {
      throw .invalid("[kernel_tangent] needs a source, directions and a result. Received a null pointer.")
    }
    let node = try ArchitectureTable.node(architecture)
    guard dense_count == Int64(node.denseLayers.count) else {
      throw .invalid(
        "[kernel_tangent] needs one direction for each of \(node.denseLayers.count) Dense layers. Received \(dense_count).")
    }
    let count = Int(dense_count)
    let (weights, biases) = ((0..<count).map { dense_W[$0] }, (0..<count).map { dense_b[$0] })
    guard weights.allSatisfy(\.isFinite), biases.allSatisfy(\.isFinite) else {
      throw .invalid("[kernel_tangent] directions must be finite. Received others.")
    }
    try PointwiseKernel(node).computeTangent(
      source.pair(Double.self), weights: weights, biases: biases, into: result.output(Double.self), context: try context(call))
  }
}

@_cdecl("ntk_kernel_memory") @implementation
public func ntk_kernel_memory(
  _ architecture: Int64, _ n1: Int64, _ n2: Int64, _ width: Int64, _ dtype: Int32, _ call: UnsafePointer<ntk_call>!,
  _ bytes: UnsafeMutablePointer<Int64>!, _ threads: UnsafeMutablePointer<Int32>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard n1 >= 0, n2 >= 0, n1 < 1 << 40, n2 < 1 << 40, width >= 1, width <= Int64(Int32.max) else {
      throw .invalid("[kernel_memory] needs n1, n2 >= 0 and width >= 1. Received \(n1), \(n2), \(width).")
    }
    let engine = try Planner.engine(for: ArchitectureTable.node(architecture))
    let context = try context(call)
    let size = dtype == Int32(NTK_FLOAT32.rawValue) ? 4 : 8
    guard
      let needed = try engine.bytesNeeded(
        rows: Int(n1), cols: Int(n2), elementSize: size, inputWidth: Int(width), threads: context.threads)
    else { throw NumericError(.outOfMemory, "[kernel_memory] the kernel fits no address space.", bytes: .max) }
    bytes?.pointee = Int64(needed)
    threads?.pointee = Int32(clamping: context.threads)
  }
}

/// Where a computation starts.
private enum KernelStart<Element: RowElement> {
  case inputs(InputPair<Element>)
  case kernel(GivenKernel<Element>)
}

extension ntk_kernel_source {
  fileprivate var isFloat32: Bool { (x1.data == nil ? nngp.dtype : x1.dtype) == Int32(NTK_FLOAT32.rawValue) }

  fileprivate func start<Element: RowElement>(_ type: Element.Type) throws(NumericError) -> KernelStart<Element> {
    x1.data != nil ? .inputs(try pair(type)) : .kernel(try given(type))
  }

  fileprivate func pair<Element: RowElement>(_ type: Element.Type) throws(NumericError) -> InputPair<Element> {
    let first = Inputs.arrays(try arrayView(x1, "x1", as: type))
    let second: Inputs<Element>? = x2.data == nil ? nil : .arrays(try arrayView(x2, "x2", as: type))
    guard has_places != 0 else { return InputPair(first, second) }
    let most = Int64(1) << 48
    guard place1 >= 0, place1 <= most, place2 >= 0, place2 <= most else {
      throw .invalid("[kernel] places must be 0 or more, and at most \(most). Received \(place1) and \(place2).")
    }
    return InputPair(first, second, places: (Int(place1), Int(place2)))
  }

  private func given<Element: RowElement>(_ type: Element.Type) throws(NumericError) -> GivenKernel<Element> {
    let k: StridedMatrix<Element> = try matrixView(nngp, "nngp", as: type)
    let t: StridedMatrix<Element>? = try optionalMatrixView(ntk, "ntk", as: type)
    if let t, t.rows != k.rows || t.cols != k.cols {
      throw .invalid("[kernel] ntk needs the shape of nngp, (\(k.rows), \(k.cols)). Received (\(t.rows), \(t.cols)).")
    }
    let variances1 = try column(cov1, "cov1")
    let variances2 = try optionalMatrixView(cov2, "cov2") == nil ? variances1 : column(cov2, "cov2")
    guard width >= 1, width < 1 << 40 else { throw .invalid("[kernel] width must be a positive integer. Received \(width).") }
    return GivenKernel(
      nngp: k, ntk: t, variances1: variances1, variances2: variances2, width: Int(width), isGaussian: is_gaussian != 0,
      isSame: x1_is_x2 != 0)
  }

  private func column(_ m: ntk_matrix, _ name: String) throws(NumericError) -> [Double] {
    let view: StridedMatrix<Double> = try matrixView(m, name)
    guard view.cols == 1 else { throw .invalid("[kernel] \(name) needs one column. Received \(view.cols).") }
    return (0..<view.rows).map { view[$0, 0] }
  }
}

extension ntk_kernel_result {
  func output<Element: RowElement>(_ type: Element.Type) throws(NumericError) -> KernelOutput<Element> {
    KernelOutput(
      nngp: try optionalMatrixView(nngp, "nngp", as: type), ntk: try optionalMatrixView(ntk, "ntk", as: type),
      variances1: try optionalMatrixView(cov1, "cov1"), variances2: try optionalMatrixView(cov2, "cov2"),
      ntkDiagonal: try optionalMatrixView(ntk_diagonal, "ntk_diagonal"))
  }
}
