import Architectures
import CNTKSwift
import FiniteWidth
import NumericCore

/// A caller's network, checked: everything that the functions below share.
struct CallersNetwork {
  let network: Network
  let parameters: UnsafePointer<Double>

  init(_ description: UnsafePointer<ntk_network>?) throws(NumericError) {
    let (network, given) = try CallersNetwork.open(description)
    guard let parameters = given.parameters, given.parameter_count == Int64(network.plan.parameterCount) else {
      throw .invalid(
        "[network] needs \(network.plan.parameterCount) parameters. Received \(given.parameters == nil ? 0 : given.parameter_count)."
      )
    }
    self.network = network
    self.parameters = parameters
  }

  static func open(_ description: UnsafePointer<ntk_network>?) throws(NumericError) -> (Network, ntk_network) {
    guard let given = description?.pointee else { throw .invalid("[network] is required. Received a null pointer.") }
    let sizes = [given.input_shape.0, given.input_shape.1, given.input_shape.2]
    for size in sizes where size < 1 || size > Int64(Int32.max) {
      throw .invalid("[network] inputs need 1 to \(Int32.max) numbers along each axis. Received \(size).")
    }
    guard given.spatial_axes >= 0, given.spatial_axes <= 2 else {
      throw .invalid("[network] spatial_axes must be 0, 1 or 2. Received \(given.spatial_axes).")
    }
    let shape = GridShape(spatial: sizes.prefix(Int(given.spatial_axes)).map { Int($0) }, channels: Int(sizes[2]))
    let user = UserScalars(function: given.function, context: given.function_context)
    let network = try Network(
      try ArchitectureTable.node(given.architecture), input: shape, seed: given.seed, userFunction: user.evaluate)
    return (network, given)
  }

  /// A contiguous row of as many numbers as there are parameters.
  func vector(_ m: ntk_matrix, _ name: String) throws(NumericError) -> UnsafeMutablePointer<Double> {
    let view = try matrixView(m, name)
    guard view.rows == 1, view.cols == network.plan.parameterCount, view.hasContiguousRows else {
      throw .invalid(
        "[network] \(name) must be 1 x \(network.plan.parameterCount) and contiguous. Received \(view.rows) x \(view.cols).")
    }
    return view.base
  }

  /// Rows of as many numbers as there are parameters.
  func vectors(_ m: ntk_matrix, _ name: String) throws(NumericError) -> [UnsafeMutablePointer<Double>] {
    guard m.data != nil else { return [] }
    let view = try matrixView(m, name)
    guard view.cols == network.plan.parameterCount, view.hasContiguousRows, view.rows <= 1 << 20 else {
      throw .invalid(
        "[network] \(name) must have \(network.plan.parameterCount) columns and contiguous rows. Received \(view.rows) x \(view.cols)."
      )
    }
    return (0..<view.rows).map { view.base + $0 * view.rowStride }
  }
}

func required<Value>(_ pointer: UnsafePointer<Value>?, _ name: String) throws(NumericError) -> Value {
  guard let pointer else { throw .invalid("[network] \(name) is required. Received a null pointer.") }
  return pointer.pointee
}

/// The loss of that number, for the outputs of `network`.
func outputLoss(_ number: Int32, of network: Network) throws(NumericError) -> OutputLoss {
  guard let loss = OutputLoss(rawValue: Int(number)) else {
    throw .invalid("[network] loss must be 0 (mean squared error), 1 (cross-entropy) or 2 (logistic). Received \(number).")
  }
  let outputs = network.plan.outputShape.size
  if let objection = loss.objection(outputs: outputs) {
    throw .invalid("[loss] \(objection). Received \(outputs) outputs.")
  }
  return loss
}

@_cdecl("ntk_network_describe") @implementation
public func ntk_network_describe(
  _ network: UnsafePointer<ntk_network>!, _ info: UnsafeMutablePointer<ntk_network_info>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard let info else { throw .invalid("[network] needs room for its description. Received a null pointer.") }
    let plan = try CallersNetwork.open(network).0.plan
    let output = plan.outputShape
    let spatial = output.spatial.map { Int64($0) } + [1, 1]
    info.pointee = ntk_network_info(
      parameter_count: Int64(plan.parameterCount), output_shape: (spatial[0], spatial[1], Int64(output.channels)),
      output_spatial_axes: Int32(output.spatial.count), couples_batch: plan.couplesBatch ? 1 : 0,
      output_blocks: Int64(output.blocks))
  }
}

@_cdecl("ntk_network_derivatives") @implementation
public func ntk_network_derivatives(
  _ network: UnsafePointer<ntk_network>!, _ x: UnsafePointer<ntk_matrix>!, _ directions: UnsafePointer<ntk_matrix>!,
  _ sets: UnsafePointer<Int64>!, _ outs: UnsafePointer<ntk_matrix>!, _ count: Int64, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let given = try CallersNetwork(network)
    guard count >= 1, count <= 8, let sets, let outs else {
      throw .invalid("[network] 1 to 8 derivatives with their sets are required. Received \(count).")
    }
    let along = try given.vectors(try required(directions, "directions"), "directions")
    var outputs: [(set: Int, out: StridedMatrix<Double>)] = []
    for k in 0..<Int(count) {
      guard sets[k] >= 0, sets[k] < 8 else {
        throw .invalid("[network] a set of directions must be in 0..<8. Received \(sets[k]).")
      }
      outputs.append((Int(sets[k]), try matrixView(outs[k], "out")))
    }
    try given.network.derivatives(
      try matrixView(try required(x, "x"), "x"), parameters: given.parameters, along: along.map { UnsafePointer($0) },
      into: outputs,
      context: try context(call))
  }
}

@_cdecl("ntk_network_pull_back") @implementation
public func ntk_network_pull_back(
  _ network: UnsafePointer<ntk_network>!, _ x: UnsafePointer<ntk_matrix>!, _ cotangents: UnsafePointer<ntk_matrix>!,
  _ gradient: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let given = try CallersNetwork(network)
    try given.network.pullBack(
      try matrixView(try required(x, "x"), "x"), parameters: given.parameters,
      cotangents: try matrixView(try required(cotangents, "cotangents"), "cotangents"),
      into: try given.vector(try required(gradient, "gradient"), "gradient"), context: try context(call))
  }
}

@_cdecl("ntk_network_loss") @implementation
public func ntk_network_loss(
  _ network: UnsafePointer<ntk_network>!, _ loss: Int32, _ x: UnsafePointer<ntk_matrix>!, _ targets: UnsafePointer<ntk_matrix>!,
  _ value: UnsafeMutablePointer<Double>!, _ gradient: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let given = try CallersNetwork(network)
    let wanted = try required(gradient, "gradient")
    let result = try given.network.loss(
      try outputLoss(loss, of: given.network), try matrixView(try required(x, "x"), "x"),
      targets: try matrixView(try required(targets, "targets"), "targets"), parameters: given.parameters,
      gradient: wanted.data == nil ? nil : try given.vector(wanted, "gradient"), context: try context(call))
    value?.pointee = result
  }
}

@_cdecl("ntk_network_ntk") @implementation
public func ntk_network_ntk(
  _ network: UnsafePointer<ntk_network>!, _ x1: UnsafePointer<ntk_matrix>!, _ x2: UnsafePointer<ntk_matrix>!,
  _ outputs: UnsafePointer<Int64>!, _ kept: Int64, _ diagonal: Int64, _ traced: Int64, _ out: UnsafeMutablePointer<Double>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let given = try CallersNetwork(network)
    let size = given.network.plan.outputShape.size
    guard let out, let outputs, kept >= 1, diagonal >= 1, traced >= 1,
      checkedProduct(Int(kept), Int(diagonal)).flatMap({ checkedProduct($0, Int(traced)) }) == size
    else {
      throw .invalid(
        "[empirical] kept, diagonal and traced must make up the \(size) outputs. Received \(kept), \(diagonal), \(traced).")
    }
    let numbers = (0..<Int(kept)).map { f in
      (0..<Int(diagonal)).map { d in (0..<Int(traced)).map { t in Int(outputs[(f * Int(diagonal) + d) * Int(traced) + t]) } }
    }
    try EmpiricalKernel(given.network, parameters: given.parameters).ntk(
      try matrixView(try required(x1, "x1"), "x1"), try optionalMatrixView(try required(x2, "x2"), "x2"),
      pairing: OutputPairing(outputs: numbers), into: out, context: try context(call))
  }
}

@_cdecl("ntk_network_gradient_gram") @implementation
public func ntk_network_gradient_gram(
  _ network: UnsafePointer<ntk_network>!, _ x1: UnsafePointer<ntk_matrix>!, _ combination1: UnsafePointer<ntk_matrix>!,
  _ x2: UnsafePointer<ntk_matrix>!, _ combination2: UnsafePointer<ntk_matrix>!, _ gram: UnsafePointer<ntk_matrix>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let given = try CallersNetwork(network)
    var second: (StridedMatrix<Double>, StridedMatrix<Double>)?
    if let x: StridedMatrix<Double> = try optionalMatrixView(try required(x2, "x2"), "x2") {
      second = (x, try matrixView(try required(combination2, "combination2"), "combination2"))
    }
    try EmpiricalKernel(given.network, parameters: given.parameters).gradientGram(
      try matrixView(try required(x1, "x1"), "x1"), try matrixView(try required(combination1, "combination1"), "combination1"),
      second, into: try matrixView(try required(gram, "gram"), "gram"), context: try context(call))
  }
}
