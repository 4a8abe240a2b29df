import Architectures
import NumericCore

/// Evaluates caller function `index` (`what` 0) or its derivative (1) on `count` points, from any thread.
public typealias UserScalarFunction = (
  _ index: Int, _ what: Int, _ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ count: Int
) throws(NumericError) -> Void

/// The flat parameter vectors that a pass reads: part 0 the parameters, part {i} direction i (nil: zero).
struct ParameterJet {
  var parts: [UnsafePointer<Double>?]
  subscript(_ part: Int) -> UnsafePointer<Double>? { part < parts.count ? parts[part] : nil }
}

/// Where a backward pass adds the derivatives by the parameters, by part (nil: not wanted).
struct GradientJet {
  var parts: [UnsafeMutablePointer<Double>?] = []
  subscript(_ part: Int) -> UnsafeMutablePointer<Double>? { part < parts.count ? parts[part] : nil }
}

/// One chunk of inputs on its way through a network, forwards and backwards, with what must be remembered in between.
///
/// Values and cotangents are jets (see `Jets`): part 0 of a backward pass is the gradient, part 1 a Hessian-vector product, and so on.
/// Parts are computed in the order of their numbers, so that a value computed once serves many directions.
final class Tape {
  let plan: NetworkPlan
  let pool: TensorPool
  var parameters: ParameterJet
  let userFunction: UserScalarFunction?
  let seed: (UInt64, UInt64)
  /// Inputs in this chunk, the number of the first, and of all.
  let rows: Int
  let firstRow: Int
  let allRows: Int
  /// Derivatives of the nonlinearities that will be needed: the order of the jets, plus 1 where a backward pass follows.
  let slopeOrder: Int

  var values: [[Tensor?]]
  var cotangents: [[Tensor?]]
  /// Values laid out as rows of windows for convolutions, where a backward pass follows.
  var windows: [[(geometry: WindowGeometry, rows: Tensor)?]]
  /// Of an activation its derivatives by order; of a dropout its mask.
  var slopes: [[Tensor?]]
  /// Of a normalisation the variance and then 1 / deviation, by part.
  var statistics: [[Tensor?]]
  /// Of a normalisation the derivatives by 1 / deviation, by part.
  var normalisedCotangents: [Int: [Tensor?]] = [:]
  /// Directions of the jets.
  let maxDirections: Int
  /// Where matrix products are taken in single precision, their operands.
  var single: SingleProducts?

  init(
    _ network: Network, parameters: ParameterJet, pool: TensorPool, rows: Range<Int>, allRows: Int, order: Int, backward: Bool,
    slopeOrder: Int? = nil
  ) {
    plan = network.plan
    userFunction = network.userFunction
    seed = network.seed
    self.parameters = parameters
    self.pool = pool
    self.rows = rows.count
    firstRow = rows.lowerBound
    self.allRows = allRows
    let slopeOrder = slopeOrder ?? (order + (backward ? 1 : 0))
    self.slopeOrder = slopeOrder
    maxDirections = order
    let parts = 1 << order
    let empty = [[Tensor?]](repeating: [Tensor?](repeating: nil, count: parts), count: network.plan.steps.count)
    values = empty
    cotangents = empty
    statistics = empty
    windows = empty.map { $0.map { _ in nil } }
    slopes = [[Tensor?]](
      repeating: [Tensor?](repeating: nil, count: slopeOrder + 1), count: network.plan.steps.count)
  }

  var keepsForBackward: Bool { slopeOrder > 0 }
  func output(_ part: Int) -> Tensor? { values[plan.output][part] }
  /// Rows of a step's value in this chunk.
  func rowCount(_ shape: Signal) -> Int { rows &* shape.blocks }

  func new(_ shape: Signal, zeroed: Bool = false) throws(NumericError) -> Tensor {
    try pool.take(rows: rowCount(shape), cols: shape.size, zeroed: zeroed)
  }

  /// Part `part` of the inputs: rows of `x` from `firstRow`.
  func setInput(_ x: StridedMatrix<Double>, part: Int = 0) throws(NumericError) {
    let tensor = try new(Signal(plan.inputShape))
    for r in 0..<rows {
      let target = tensor.row(r)
      for c in 0..<tensor.cols { target[c] = x[firstRow &+ r, c] }
    }
    values[0][part] = tensor
    windows[0][part] = nil
  }

  /// Computes part `part` of every value. Smaller parts come first.
  func forward(_ part: Int) throws(NumericError) {
    single?.forgetValues(part: part)
    for index in 1..<max(1, plan.steps.count) {
      values[index][part] = try forward(plan.steps[index], index, part)
      windows[index][part] = nil
      if part == 0 { release(after: index) }
    }
  }

  private func forward(_ step: Step, _ index: Int, _ part: Int) throws(NumericError) -> Tensor? {
    switch step.operation {
    case .input: return nil
    case .linear(let operation): return try linear(operation, step, index, part)
    case .activation(let activation): return try activate(activation, step, index, part)
    case .sum: return try sum(step, part)
    case .product: return try product(step, part)
    case .concatenate(let axis): return try concatenate(axis, step, part)
    case .normalise(let normalisation): return try normalise(normalisation, step, index, part)
    case .affine(let scale, let shift): return try affine(scale, shift, step, part)
    case .pool(let pooling): return try pool(pooling, step, part)
    case .dropout(let rate, let stream): return try dropout(rate, stream, step, index, part)
    }
  }

  /// Gives back the memory of values that nothing reads any more.
  private func release(after index: Int) {
    for input in plan.steps[index].inputs where plan.lastReader[input] == index {
      if !keepsForBackward || !plan.steps[input].isKept { values[input][0] = nil }
    }
  }

  /// Sets part `part` of the derivative of a scalar by the outputs.
  func setOutputCotangent(_ tensor: Tensor?, part: Int = 0) { cotangents[plan.output][part] = tensor }

  /// Forgets part `part` of the cotangents, so that another backward pass can follow.
  func clearCotangents(part: Int) {
    for i in cotangents.indices { cotangents[i][part] = nil }
    single?.forgetCotangents(part: part)
  }

  /// Computes part `part` of every cotangent and adds the derivatives by the parameters to `gradient`. The output's cotangent is set before;
  /// the input's own is computed only where asked for.
  func backward(_ part: Int, gradient: GradientJet = GradientJet(), toInput: Bool = false) throws(NumericError) {
    for index in stride(from: plan.steps.count - 1, through: 1, by: -1) {
      let step = plan.steps[index]
      switch step.operation {
      case .input: break
      case .linear(let operation): try linearBackward(operation, step, index, part, gradient, toInput: toInput)
      case .activation: try activateBackward(step, index, part)
      case .sum: try sumBackward(step, index, part)
      case .product: try productBackward(step, index, part)
      case .concatenate(let axis): try concatenateBackward(axis, step, index, part)
      case .normalise(let normalisation): try normaliseBackward(normalisation, step, index, part)
      case .affine(let scale, let shift): try affineBackward(scale, shift, step, index, part, gradient)
      case .pool(let pooling): try poolBackward(pooling, step, index, part)
      case .dropout: try dropoutBackward(step, index, part)
      }
    }
  }

  /// The tensor in which part `part` of a value's cotangent is summed, and whether it holds something already.
  func cotangent(of index: Int, _ part: Int) throws(NumericError) -> (tensor: Tensor, adding: Bool) {
    if let present = cotangents[index][part] { return (present, true) }
    let tensor = try new(plan.steps[index].shape)
    cotangents[index][part] = tensor
    return (tensor, false)
  }
}
