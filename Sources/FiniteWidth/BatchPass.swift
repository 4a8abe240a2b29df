import NumericCore

/// Losses and gradients of one batch after another, in memory that is used again instead of being returned after every step of training.
public final class BatchPass {
  /// What the parameters belong to.
  public enum Model: Sendable {
    /// The network itself.
    case network
    /// Its linearisation f + J (parameters - start) at the start (Lee et al., arXiv:1902.06720, equation 3).
    case linearised
  }

  private let network: Network
  private let model: Model
  private let loss: OutputLoss
  private let room = SumRoom()

  /// Passes through one network with one loss.
  public init(_ network: Network, _ model: Model, loss: OutputLoss) {
    self.network = network
    self.model = model
    self.loss = loss
  }

  /// The loss at the rows of `x`, and (where `gradient` is given) its derivative by the parameters.
  ///
  /// `parameters` are those of the network; of a linearised one the parameters where it is linearised, and then `displacement` says how far
  /// the trained ones are from there. `seed` is the key that Dropout in train mode draws from.
  public func run(
    _ x: StridedMatrix<Double>, targets: StridedMatrix<Double>, parameters: UnsafePointer<Double>,
    displacement: UnsafePointer<Double>?, gradient: UnsafeMutablePointer<Double>?, seed: (UInt64, UInt64), context: CallContext
  ) throws(NumericError) -> Double {
    var network = network
    network.seed = seed
    try network.check(x, targets)
    let order = displacement == nil || model == .network ? 0 : 1
    let jet = ParameterJet(parts: order == 0 ? [parameters] : [parameters, displacement])
    return try network.sumOverRows(x.rows, order: order, into: gradient, room: room, context: context) {
      (rows, pool, sum, value) throws(NumericError) in
      let needsSlopes = sum != nil || order > 0
      let tape = Tape(
        network, parameters: jet, pool: pool, rows: rows, allRows: x.rows, order: order, backward: sum != nil,
        slopeOrder: needsSlopes ? 1 : 0)
      try tape.setInput(x)
      for part in 0...order { try tape.forward(part) }
      let plain = try tape.replaceOutput(addingPart: order)
      value += try loss.value(tape, targets)
      guard sum != nil else { return }
      let cotangent = try loss.cotangent(tape, targets, part: 0)
      tape.values[tape.plan.output][0] = plain
      tape.setOutputCotangent(cotangent)
      try tape.backward(0, gradient: GradientJet(parts: [sum]))
    }
  }
}

extension Tape {
  /// Adds part `part` of the outputs to their value, where it is another part, and returns what the value was.
  fileprivate func replaceOutput(addingPart part: Int) throws(NumericError) -> Tensor? {
    let plain = output(0)
    guard part > 0, let plain, let change = output(part) else { return plain }
    let sum = try new(plan.outputShape)
    for i in 0..<sum.count { sum.pointer[i] = plain.pointer[i] + change.pointer[i] }
    values[plan.output][0] = sum
    return plain
  }
}

/// Memory of sums over the rows of a batch: one pool of tensors for each group of rows, and the groups' sums.
final class SumRoom {
  private var pools: [TensorPool] = []
  private var sums: Workspace<Double>?

  /// A pool for each group.
  func pools(_ groups: Int) -> [TensorPool] {
    while pools.count < groups { pools.append(TensorPool()) }
    return pools
  }

  /// `count` numbers, which the caller sets.
  func numbers(_ count: Int) throws(NumericError) -> Workspace<Double> {
    if let sums, sums.count == count { return sums }
    let fresh = try Workspace<Double>(count)
    sums = fresh
    return fresh
  }
}
