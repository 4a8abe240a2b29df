import Activations
import Architectures
import LinearAlgebra
import NumericCore

/// The neural tangent hierarchy of a finite network with one output (Huang & Yau, arXiv:1909.08156, equations 2.7 to 2.11).
///
/// K2(a, b) is the product of the gradients g_a and g_b of the outputs at two inputs (the empirical NTK), and K_{r+1}(.., b) the derivative of
/// K_r along g_b. With H_a and T_a for the second and third derivatives of the output at input a:
///
///     K3(a, b, c) = <H_a g_c, g_b> + <g_a, H_b g_c>
///     K4(a, b, c, d) = T_a(g_b, g_c, g_d) + T_b(g_a, g_c, g_d) + <H_a g_c, H_b g_d> + <H_a g_d, H_b g_c>
///                      + <H_a g_b, H_c g_d> + <H_b g_a, H_c g_d>,
///
/// the last two because g_c itself changes along g_d. All are contracted layer by layer from jets (`GradientParts`); only the gradients
/// themselves, which are the directions, are held.
public struct TangentHierarchy {
  /// The highest kernel that three derivatives of the nonlinearities give.
  public static let maxOrder = 4

  let network: Network
  let parameters: UnsafePointer<Double>

  /// The hierarchy of `network` at these parameters.
  /// - Throws: `invalidArgument` for networks with several outputs, convolutions, batch normalisation, or nonlinearities with kinks.
  public init(_ network: Network, parameters: UnsafePointer<Double>) throws(NumericError) {
    let plan = network.plan
    guard plan.outputShape.size == 1, plan.outputShape.blocks == 1, !plan.couplesBatch else {
      throw .invalid(
        "[tangent_hierarchy] needs a network with one output that treats its inputs one by one. "
          + "Received \(plan.outputShape.size) outputs\(plan.couplesBatch ? " and BatchNorm" : "").")
    }
    for step in plan.steps {
      switch step.operation {
      case .activation(let activation) where !activation.isSmooth:
        throw .invalid(
          "[tangent_hierarchy] needs smooth nonlinearities such as Tanh, Erf, Gelu, Sin or Softplus. Received \(activation).")
      case .linear(let layer) where layer.geometry != nil || step.shape.positions != 1:
        throw .invalid(
          "[tangent_hierarchy] needs fully connected layers. Received a layer with \(step.shape.positions) positions.")
      case .affine: throw .invalid("[tangent_hierarchy] needs networks without BatchNorm. Received one with it.")
      case .input, .linear, .activation, .sum, .product, .concatenate, .normalise, .pool, .dropout: continue
      }
    }
    self.network = network
    self.parameters = parameters
  }

  /// out[i, j] = derivative of K2(x_i, x_j) along `direction`: one forward and one backward pass on jets, no tensor.
  ///
  /// Along minus the gradient of the loss it is the velocity of the kernel in gradient flow.
  public func kernelDerivative(
    _ x: StridedMatrix<Double>, along direction: UnsafePointer<Double>, into out: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    try check(x)
    guard out.rows == x.rows, out.cols == x.rows else {
      throw .invalid("[kernel_velocity] needs a result of \(x.rows) x \(x.rows). Received \(out.rows) x \(out.cols).")
    }
    let n = x.rows
    try reserve(n, order: 1, stored: 0, more: checkedProduct(24, n, n), context)
    BLASThreads.useOne()
    try context.checkpoint(0)
    let tape = try start(x, rows: n, order: 1)
    try differentiate(tape, part: 1, along: direction)
    let parts = GradientParts(tape)
    let half = try Workspace<Double>(n * n, zeroed: true)
    parts.addProducts(1, parts, 0, rows: n, cols: n, room: try ProductRoom(n * n), to: half.pointer)
    for i in 0..<n {
      for j in 0..<n { out[i, j] = half[i * n + j] + half[j * n + i] }
    }
  }

  /// Writes K2, .., K_order: the first index runs over all `x`, the others over its first `train` rows, the last one fastest.
  public func kernels(
    _ x: StridedMatrix<Double>, train n: Int, into kernels: [UnsafeMutablePointer<Double>], context: CallContext
  ) throws(NumericError) {
    try check(x)
    let order = kernels.count + 1
    guard order >= 2, order <= TangentHierarchy.maxOrder, n >= 1, n <= x.rows else {
      throw .invalid(
        "[tangent_hierarchy] needs an order in 2...\(TangentHierarchy.maxOrder) and 1...\(x.rows) training inputs. "
          + "Received \(order) and \(n).")
    }
    let context = context.forBLAS
    let blocks = order == 4 ? checkedProduct(8, x.rows, x.rows, n, n) : 0
    let directionBytes = checkedProduct(8, x.rows, network.plan.parameterCount)
    try reserve(
      x.rows, order: order - 2, stored: order == 4 ? x.rows : 0, more: checkedSum(blocks, directionBytes), context)
    BLASThreads.useOne()
    let directions =
      try order > 2 ? gradients(x, count: order == 4 ? x.rows : n, context: context.part(0, 0.05)) : Workspace<Double>(0)
    let run = HierarchyRun(hierarchy: self, x: x, train: n, directions: directions)
    try run.setNTK(kernels[0])
    guard order > 2 else { return }
    let along = try run.setThird(kernels[1], keeping: order == 4, context: context.part(0.05, order == 4 ? 0.2 : 1))
    guard order > 3 else { return }
    try run.setFourth(kernels[2], along, context: context.part(0.2, 1))
  }

  /// Gradients of the outputs at the first `count` inputs, one row each.
  private func gradients(
    _ x: StridedMatrix<Double>, count: Int, context: CallContext
  ) throws(NumericError) -> Workspace<Double> {
    let width = network.plan.parameterCount
    let out = try Workspace<Double>(count * width, zeroed: true)
    try runTasks(count, context: context) { (i, _) throws(NumericError) in
      let tape = Tape(
        network, parameters: ParameterJet(parts: [parameters]), pool: TensorPool(), rows: i..<i + 1, allRows: x.rows, order: 0,
        backward: true)
      try tape.setInput(x)
      try tape.forward(0)
      try tape.setOnes()
      try tape.backward(0, gradient: GradientJet(parts: [out.pointer + i * width]))
    }
    return out
  }

  /// A tape with the values and gradients of the first `rows` inputs, ready for derivatives along `order` directions.
  func start(_ x: StridedMatrix<Double>, rows: Int, order: Int) throws(NumericError) -> Tape {
    let jet = ParameterJet(parts: [parameters] + [UnsafePointer<Double>?](repeating: nil, count: (1 << order) - 1))
    let tape = Tape(
      network, parameters: jet, pool: TensorPool(), rows: 0..<rows, allRows: x.rows, order: order, backward: true)
    try tape.setInput(x)
    try tape.forward(0)
    try tape.setOnes()
    try tape.backward(0)
    return tape
  }

  /// Part `part` of values and cotangents, `direction` being a new one where there is one.
  func differentiate(
    _ tape: Tape, part: Int, along direction: UnsafePointer<Double>? = nil
  ) throws(NumericError) {
    if let direction { tape.parameters.parts[part] = direction }
    try tape.forward(part)
    tape.clearCotangents(part: part)
    try tape.backward(part)
  }

  private func check(_ x: StridedMatrix<Double>) throws(NumericError) {
    guard x.cols == network.plan.inputShape.size, x.rows > 0 else {
      throw .invalid(
        "[tangent_hierarchy] needs inputs of \(network.plan.inputShape.size) numbers, at least one. Received \(x.rows) x \(x.cols)."
      )
    }
  }

  private func reserve(_ rows: Int, order: Int, stored: Int, more: Int?, _ context: CallContext) throws(NumericError) {
    let perRow = network.plan.totalSize &* 8
    let tapes = checkedProduct(perRow &* (2 << order) &+ (order &+ 1) &* perRow, rows, context.threads)
    let kept = checkedProduct(LayerSignals.size(network.plan, outputs: 1) &* 32, rows, stored)
    try context.reserve(
      checkedSum(checkedSum(tapes, kept), more), for: "the tangent hierarchy at \(rows) inputs",
      instead: "Use fewer inputs, a lower order or fewer threads.")
  }
}

/// a b c .., or nil where it overflows.
private func checkedProduct(_ a: Int, _ b: Int, _ c: Int, _ d: Int = 1, _ e: Int = 1) -> Int? {
  var result: Int? = a
  for factor in [b, c, d, e] { result = result.flatMap { NumericCore.checkedProduct($0, factor) } }
  return result
}

private func checkedSum(_ a: Int?, _ b: Int?) -> Int? {
  guard let a, let b else { return nil }
  return NumericCore.checkedSum(a, b)
}

extension Tape {
  /// From the output itself.
  fileprivate func setOnes() throws(NumericError) {
    let ones = try new(plan.outputShape)
    ones.pointer.update(repeating: 1, count: ones.count)
    setOutputCotangent(ones)
  }
}
