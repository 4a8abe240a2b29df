import Architectures
import CNTKSwift
import InfiniteWidth
import LinearAlgebra
import NumericCore

@_cdecl("ntk_kernel") @implementation
public func ntk_kernel(
  _ architecture: Int64, _ source: UnsafePointer<ntk_kernel_source>!, _ function: ntk_user_function!,
  _ function_context: UnsafeMutableRawPointer!, _ result: UnsafePointer<ntk_kernel_result>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard let source = source?.pointee, let result = result?.pointee else {
      throw .invalid("[kernel] needs a source and a result. Received a null pointer.")
    }
    let kernel = try PointwiseKernel(
      ArchitectureTable.node(architecture), userFunctions: userFunctionCall(function, function_context))
    let context = try context(call)
    if source.dtype == Int32(NTK_FLOAT32.rawValue) {
      try kernel.compute(source.input(Float.self), into: result.output(Float.self), context: context)
    } else {
      try kernel.compute(source.input(Double.self), into: result.output(Double.self), context: context)
    }
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
      source.input(Double.self), weights: weights, biases: biases, into: result.output(Double.self), context: try context(call))
  }
}

@_cdecl("ntk_kernel_plan") @implementation
public func ntk_kernel_plan(
  _ architecture: Int64, _ n1: Int64, _ n2: Int64, _ width: Int64, _ dtype: Int32, _ call: UnsafePointer<ntk_call>!,
  _ bytes: UnsafeMutablePointer<Int64>!, _ threads: UnsafeMutablePointer<Int32>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard n1 >= 0, n2 >= 0, n1 < 1 << 40, n2 < 1 << 40, width >= 1, width <= Int64(Int32.max) else {
      throw .invalid("[kernel_plan] needs n1, n2 >= 0 and width >= 1. Received \(n1), \(n2), \(width).")
    }
    let kernel = try PointwiseKernel(ArchitectureTable.node(architecture))
    let context = try context(call)
    let size = dtype == Int32(NTK_FLOAT32.rawValue) ? 4 : 8
    guard
      let needed = try kernel.bytesNeeded(
        rows: Int(n1), cols: Int(n2), elementSize: size, inputWidth: Int(width), threads: context.threads)
    else { throw NumericError(.outOfMemory, "[kernel_plan] the kernel fits no address space.", bytes: .max) }
    bytes?.pointee = Int64(needed)
    threads?.pointee = Int32(clamping: context.threads)
  }
}

extension ntk_kernel_source {
  var dtype: Int32 { x1.data == nil ? nngp.dtype : x1.dtype }

  func input<Element: BLASReal>(_ type: Element.Type) throws(NumericError) -> KernelInput<Element> {
    if x1.data != nil {
      return .rows(try matrixView(x1, "x1", as: type), try optionalMatrixView(x2, "x2", as: type))
    }
    let k: StridedMatrix<Element> = try matrixView(nngp, "nngp", as: type)
    let t: StridedMatrix<Element>? = try optionalMatrixView(ntk, "ntk", as: type)
    if let t, t.rows != k.rows || t.cols != k.cols {
      throw .invalid("[kernel] ntk needs the shape of nngp, (\(k.rows), \(k.cols)). Received (\(t.rows), \(t.cols)).")
    }
    let variances1 = try column(cov1, "cov1")
    let variances2 = try optionalMatrixView(cov2, "cov2") == nil ? variances1 : column(cov2, "cov2")
    guard width >= 1, width < 1 << 40 else { throw .invalid("[kernel] width must be a positive integer. Received \(width).") }
    return .kernel(
      GivenKernel(
        nngp: k, ntk: t, variances1: variances1, variances2: variances2, width: Int(width), isGaussian: is_gaussian != 0,
        isSame: x1_is_x2 != 0))
  }

  private func column(_ m: ntk_matrix, _ name: String) throws(NumericError) -> [Double] {
    let view: StridedMatrix<Double> = try matrixView(m, name)
    guard view.cols == 1 else { throw .invalid("[kernel] \(name) needs one column. Received \(view.cols).") }
    return (0..<view.rows).map { view[$0, 0] }
  }
}

extension ntk_kernel_result {
  func output<Element: BLASReal>(_ type: Element.Type) throws(NumericError) -> KernelOutput<Element> {
    KernelOutput(
      nngp: try optionalMatrixView(nngp, "nngp", as: type), ntk: try optionalMatrixView(ntk, "ntk", as: type),
      variances1: try optionalMatrixView(cov1, "cov1"), variances2: try optionalMatrixView(cov2, "cov2"))
  }
}
