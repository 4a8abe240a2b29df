import LinearAlgebra
import NumericCore

/// Which matrix a curvature operator multiplies by.
public enum CurvatureKind: Int, Sendable {
  /// The Hessian of the loss by the parameters (Pearlmutter, Neural Computation 6, 1994).
  case hessian = 0
  /// J^T H_f J with the Hessian H_f of the loss by the outputs: the generalised Gauss-Newton matrix.
  case gaussNewton = 1
  /// mean_i g_i g_i^T with the gradient g_i of each input's own loss: the empirical Fisher matrix.
  case empiricalFisher = 2
  /// mean_i (g_i - g)(g_i - g)^T: the covariance of the gradients.
  case gradientCovariance = 3

  /// Whether it is made of the gradients of single inputs.
  fileprivate var isOfSingleInputs: Bool { self == .empiricalFisher || self == .gradientCovariance }
}

/// Products of vectors with the Hessian of a loss (or another `CurvatureKind`), exact to rounding, at fixed parameters.
///
/// Everything that does not depend on the vector (values, slopes, the gradient's cotangents) is computed once and kept where the memory of
/// the call allows it; a product then costs one tangent pass forwards and one backwards and no transcendental function.
public final class CurvatureOperator {
  private let network: Network
  let kind: CurvatureKind
  private let loss: OutputLoss
  private let x: StridedMatrix<Double>
  private let targets: StridedMatrix<Double>
  private let parameters: UnsafePointer<Double>
  private let context: CallContext
  /// The tapes of each group's chunks; nil where they are made anew for every product.
  private var kept: [[Tape]]?
  /// What products in single precision need beside the tapes.
  private var single: SinglePass?
  /// The gradient of the loss, which comes with the tapes of the Hessian and which the covariance subtracts; nil where there is none.
  public let gradient: Workspace<Double>?

  /// The operator for the loss at the rows of `x`; it keeps all pointers while it lives. The gradient is computed where it is wanted.
  public init(
    _ kind: CurvatureKind, _ network: Network, loss: OutputLoss, x: StridedMatrix<Double>, targets: StridedMatrix<Double>,
    parameters: UnsafePointer<Double>, wantsGradient: Bool = true, context: CallContext
  ) throws(NumericError) {
    try network.check(x, targets)
    guard !kind.isOfSingleInputs || (!network.plan.couplesBatch && network.plan.outputShape.blocks == 1) else {
      throw .invalid(
        "[operator] gradients of single inputs need a network that treats them one by one. Received one with BatchNorm.")
    }
    self.network = network
    self.kind = kind
    self.loss = loss
    self.x = x
    self.targets = targets
    self.parameters = parameters
    self.context = context.forBLAS
    // Values, slopes, cotangents and tangents of all rows, at most half of what the call may use.
    let bytes = checkedProduct(network.plan.totalSize &* 8 &* 8, x.rows)
    let keeps = bytes.map { $0 <= context.memoryLimit / 2 } ?? false
    gradient =
      switch kind {
      case .hessian: keeps && wantsGradient ? try Workspace(network.plan.parameterCount, zeroed: true) : nil
      case .gradientCovariance: try network.gradient(of: loss, x, targets, parameters, context)
      case .gaussNewton, .empiricalFisher: nil
      }
    guard keeps, let bytes else { return }
    let tapes = try makeTapes()
    kept = tapes
    if bytes <= context.memoryLimit / 4 { single = SinglePass(network.plan, tapes.map(\.count), parameters) }
  }

  /// Rows and columns of the matrix.
  public var dimension: Int { network.plan.parameterCount }

  /// product = matrix times `v`; `context` takes the place of that of the operator where it is given.
  public func apply(
    _ v: UnsafePointer<Double>, into product: UnsafeMutablePointer<Double>, context: CallContext? = nil
  ) throws(NumericError) {
    let context = context ?? self.context
    guard let kept else {
      try network.sumOverRows(x.rows, order: 1, into: product, context: context) { (rows, pool, sum, _) throws(NumericError) in
        guard let sum else { return }
        try multiply(try makeTape(rows, pool), v, into: sum)
      }
      return centre(product, v)
    }
    let parts = try Workspace<Double>(kept.count * dimension, zeroed: true)
    try runTasks(kept.count, context: context) { (group, _) throws(NumericError) in
      for tape in kept[group] { try multiply(tape, v, into: parts.pointer + group * dimension) }
    }
    product.update(from: parts.pointer, count: dimension)
    for group in 1..<max(1, kept.count) {
      for i in 0..<dimension { product[i] += parts.pointer[group * dimension + i] }
    }
    centre(product, v)
  }

  /// product -= g <g, v> for the covariance of gradients, whose mean is g.
  private func centre(_ product: UnsafeMutablePointer<Double>, _ v: UnsafePointer<Double>) {
    guard kind == .gradientCovariance, let mean = gradient else { return }
    let along = (0..<dimension).reduce(0.0) { $0 + mean[$1] * v[$1] }
    for i in 0..<dimension { product[i] -= along * mean[i] }
  }

  /// Whether matrix products outweigh all the rest: multiplications by weights for each number that passes through the layers.
  public var isMostlyProducts: Bool {
    var multiplications = 0
    for step in network.plan.steps {
      guard case .linear(let operation) = step.operation else { continue }
      multiplications += network.plan.parameters[operation.weight].rows &* step.shape.size
    }
    return multiplications / 64 >= network.plan.totalSize
  }

  /// Whether there are products in single precision: where the tapes are kept, with room for copies beside them.
  public var hasSingle: Bool { single != nil }

  /// As `apply` to about six digits, in half the time: the matrix products are taken in single precision.
  public func applySingle(
    _ v: UnsafePointer<Double>, into product: UnsafeMutablePointer<Double>, context: CallContext? = nil
  ) throws(NumericError) {
    guard let single, let kept else { return try apply(v, into: product, context: context) }
    try single.begin(v)
    let parts = try Workspace<Double>(kept.count * dimension)
    try runTasks(kept.count, context: context ?? self.context) { (group, _) throws(NumericError) in
      let part = parts.pointer + group * dimension
      single.clear(group, part)
      for (tape, operands) in zip(kept[group], single.operands[group]) {
        tape.single = operands
        defer { tape.single = nil }
        try multiply(tape, v, into: part)
      }
    }
    single.gather(parts.pointer, into: product)
    centre(product, v)
  }

  private func makeTapes() throws(NumericError) -> [[Tape]] {
    let groups = network.groups(x.rows)
    let (perGroup, size) = ((max(1, x.rows) - 1) / groups + 1, network.evenChunkRows((max(1, x.rows) - 1) / groups + 1))
    var tapes: [[Tape]] = []
    BLASThreads.useOne()
    for group in 0..<groups {
      let (pool, end) = (TensorPool(), min(x.rows, (group + 1) * perGroup))
      var own: [Tape] = []
      for first in stride(from: min(x.rows, group * perGroup), to: end, by: max(1, size)) {
        own.append(try makeTape(first..<min(end, first + size), pool, kind == .hessian ? gradient?.pointer : nil))
        try context.checkpoint(0)
      }
      tapes.append(own)
    }
    return tapes
  }

  /// A tape with the values and, for the Hessian, the gradient's cotangents; adds the gradient to `sum`.
  private func makeTape(
    _ rows: Range<Int>, _ pool: TensorPool, _ sum: UnsafeMutablePointer<Double>? = nil
  ) throws(NumericError) -> Tape {
    let tape = Tape(
      network, parameters: ParameterJet(parts: [parameters, nil]), pool: pool, rows: rows, allRows: x.rows, order: 1,
      backward: true)
    try tape.setInput(x)
    try tape.forward(0)
    if kind == .hessian {
      tape.setOutputCotangent(try loss.cotangent(tape, targets, part: 0))
      try tape.backward(0, gradient: GradientJet(parts: [sum]))
    }
    return tape
  }

  private func multiply(
    _ tape: Tape, _ v: UnsafePointer<Double>, into sum: UnsafeMutablePointer<Double>
  ) throws(NumericError) {
    tape.parameters.parts[1] = v
    try tape.forward(1)
    switch kind {
    case .hessian:
      tape.clearCotangents(part: 1)
      tape.setOutputCotangent(try loss.cotangent(tape, targets, part: 1), part: 1)
      try tape.backward(1, gradient: GradientJet(parts: [nil, sum]))
    case .gaussNewton:
      guard let f = tape.output(0), let tangent = tape.output(1) else { return }
      let cotangent = try tape.new(network.plan.outputShape)
      loss.hessian(f, tangent, share: 1 / loss.count(rows: targets.rows, cols: targets.cols), into: cotangent)
      try pullBack(tape, cotangent, into: sum)
    case .empiricalFisher, .gradientCovariance:
      guard let tangent = tape.output(1) else { return }
      // g_i <g_i, v> / n with g_i = J_i^T s_i: the cotangent s_i <s_i, J_i v> / n.
      let cotangent = try loss.sampleCotangent(tape, targets)
      for r in 0..<cotangent.rows {
        let (s, jv) = (cotangent.row(r), tangent.row(r))
        let along = (0..<cotangent.cols).reduce(0.0) { $0 + s[$1] * jv[$1] } / Double(max(1, x.rows))
        for c in 0..<cotangent.cols { s[c] *= along }
      }
      try pullBack(tape, cotangent, into: sum)
    }
  }

  private func pullBack(_ tape: Tape, _ cotangent: Tensor, into sum: UnsafeMutablePointer<Double>) throws(NumericError) {
    tape.clearCotangents(part: 0)
    tape.setOutputCotangent(cotangent)
    try tape.backward(0, gradient: GradientJet(parts: [sum]))
  }
}

extension Network {
  /// The gradient of the loss by the parameters.
  fileprivate func gradient(
    of loss: OutputLoss, _ x: StridedMatrix<Double>, _ targets: StridedMatrix<Double>, _ parameters: UnsafePointer<Double>,
    _ context: CallContext
  ) throws(NumericError) -> Workspace<Double> {
    let gradient = try Workspace<Double>(plan.parameterCount)
    _ = try self.loss(loss, x, targets: targets, parameters: parameters, gradient: gradient.pointer, context: context)
    return gradient
  }
}
