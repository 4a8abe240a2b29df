import CNTKSwift
import FiniteWidth
import KernelMethods
import NumericCore

@_cdecl("ntk_hierarchy_kernels") @implementation
public func ntk_hierarchy_kernels(
  _ network: UnsafePointer<ntk_network>!, _ x: UnsafePointer<ntk_matrix>!, _ train: Int64, _ kernels: UnsafePointer<ntk_matrix>!,
  _ count: Int64, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let given = try CallersNetwork(network)
    let hierarchy = try TangentHierarchy(given.network, parameters: given.parameters)
    let inputs: StridedMatrix<Double> = try matrixView(try required(x, "x"), "x")
    guard train >= 1, train <= Int64(inputs.rows), count >= 1, count < TangentHierarchy.maxOrder else {
      throw .invalid(
        "[tangent_hierarchy] needs an order in 2...\(TangentHierarchy.maxOrder) and 1...\(inputs.rows) training inputs. "
          + "Received order \(count &+ 1) and \(train) training inputs.")
    }
    let views = try kernelViews(kernels, count, inputs: inputs.rows, train: Int(train))
    try hierarchy.kernels(inputs, train: Int(train), into: views.map(\.base), context: try context(call))
  }
}

@_cdecl("ntk_hierarchy_kernel_derivative") @implementation
public func ntk_hierarchy_kernel_derivative(
  _ network: UnsafePointer<ntk_network>!, _ x: UnsafePointer<ntk_matrix>!, _ direction: UnsafePointer<ntk_matrix>!,
  _ out: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let given = try CallersNetwork(network)
    try TangentHierarchy(given.network, parameters: given.parameters).kernelDerivative(
      try matrixView(try required(x, "x"), "x"), along: try given.vector(try required(direction, "direction"), "direction"),
      into: try matrixView(try required(out, "out"), "out"), context: try context(call))
  }
}

@_cdecl("ntk_hierarchy_truncated") @implementation
public func ntk_hierarchy_truncated(
  _ start: UnsafePointer<ntk_matrix>!, _ targets: UnsafePointer<ntk_matrix>!, _ kernels: UnsafePointer<ntk_matrix>!,
  _ count: Int64,
  _ times: UnsafePointer<ntk_matrix>!, _ tolerance: Double, _ outputs: UnsafePointer<ntk_matrix>!,
  _ ntk: UnsafePointer<ntk_matrix>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "truncated_hierarchy"
    let (first, wanted) = (try vector(try required(start, "start"), "start"), try vector(try required(targets, "y"), "y"))
    guard count >= 1, count <= 63, first.cols >= wanted.cols else {
      throw .invalid(
        "[\(op)] needs 1 to 63 kernels and no more targets than outputs. Received \(count), \(wanted.cols) and \(first.cols).")
    }
    let views = try kernelViews(kernels, count, inputs: first.cols, train: wanted.cols)
    let moments = try vector(try required(times, "times"), "times")
    let instants = (0..<moments.cols).map { moments[0, $0] }
    guard instants.allSatisfy({ $0.isFinite && $0 >= 0 }), zip(instants, instants.dropFirst()).allSatisfy({ $0 <= $1 }) else {
      throw .invalid("[\(op)] times must be finite, at least 0 and ascending. Received others.")
    }
    guard tolerance > 0, tolerance < 1 else {
      throw .invalid("[\(op)] tolerance must be between 0 and 1. Received \(tolerance).")
    }
    let result: StridedMatrix<Double> = try matrixView(try required(outputs, "outputs"), "outputs")
    let path: StridedMatrix<Double>? = try optionalMatrixView(try required(ntk, "ntk"), "ntk")
    guard result.rows == instants.count, result.cols == first.cols,
      path.map({ $0.rows == instants.count && $0.cols == views[0].rows * views[0].cols }) ?? true
    else {
      throw .invalid("[\(op)] needs a row of \(first.cols) outputs for each of \(instants.count) times. Received another shape.")
    }
    try TruncatedHierarchy(
      start: first.base, targets: wanted.base, inputs: first.cols, train: wanted.cols,
      kernels: views.map { UnsafePointer($0.base) }
    ).solve(times: instants, tolerance: tolerance, outputs: result, ntk: path, context: try context(call))
  }
}

/// One contiguous row.
private func vector(_ m: ntk_matrix, _ name: String) throws(NumericError) -> StridedMatrix<Double> {
  let view: StridedMatrix<Double> = try matrixView(m, name)
  guard view.rows == 1, view.cols >= 1, view.colStride == 1 || view.cols == 1 else {
    throw .invalid("[\(name)] must be one contiguous row of numbers. Received \(view.rows) x \(view.cols).")
  }
  return view
}

/// K2, .., K_{count + 1}: the kernel of order r has inputs x train^(r-2) contiguous rows of train numbers.
private func kernelViews(
  _ kernels: UnsafePointer<ntk_matrix>?, _ count: Int64, inputs: Int, train: Int
) throws(NumericError) -> [StridedMatrix<Double>] {
  guard let kernels else { throw .invalid("[tangent_hierarchy] kernels are required. Received a null pointer.") }
  var views: [StridedMatrix<Double>] = []
  var rows: Int? = inputs
  for k in 0..<Int(count) {
    let view: StridedMatrix<Double> = try matrixView(kernels[k], "K\(k + 2)")
    guard let expected = rows, view.rows == expected, view.cols == train, view.hasContiguousRows,
      view.rowStride == train || expected == 1
    else {
      throw .invalid(
        "[tangent_hierarchy] K\(k + 2) must be \(inputs) times \(train)^\(k + 1) contiguous numbers. "
          + "Received \(view.rows) x \(view.cols).")
    }
    views.append(view)
    rows = checkedProduct(expected, train)
  }
  return views
}
