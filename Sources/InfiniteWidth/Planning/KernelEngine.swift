import Architectures
import NumericCore
import VectorKernelProduct

/// Which kernels are wanted.
public struct KernelFields: Equatable, Sendable {
  /// The NNGP kernel.
  public var nngp: Bool
  /// The neural tangent kernel.
  public var ntk: Bool

  /// A choice.
  public init(nngp: Bool, ntk: Bool) {
    self.nngp = nngp
    self.ntk = ntk
  }
}

/// One way to compute kernels of networks.
///
/// A computation has three parts, so that a kernel can be made in pieces. `plan` looks at all inputs and decides whatever depends on
/// them as a whole. `prepare` computes what depends on one input alone, by the plan. `evaluate` computes a block from two prepared
/// sides. With one plan an entry of a kernel has the same bits in whatever block it is computed.
///
/// Entries exist for float64 and float32 by themselves: behind a generic one the whole engine would run unspecialised, several times slower.
public protocol KernelEngine: Sendable {
  /// Prepared float64 inputs.
  associatedtype Side64: Sendable
  /// Prepared float32 inputs.
  associatedtype Side32: Sendable

  /// Throws where this engine cannot compute a network's kernel, with the reason.
  static func accept(_ network: LayerNode) throws(NumericError)

  /// The engine for a network, with the caller's functions if it uses any.
  init(_ network: LayerNode, userFunctions: UserFunctionCall?) throws(NumericError)

  /// The layers.
  var network: LayerNode { get }
  /// Output rows per input of this width: more than 1 after FanInConcat along the batch.
  func outputBlocks(inputWidth: Int) throws(NumericError) -> Int

  /// The plan for all of `inputs` (one or two sides that belong together), and the sides, prepared.
  func plan(
    _ inputs: [Inputs<Double>], _ fields: KernelFields, context: CallContext
  ) throws(NumericError) -> (KernelPlan, [Side64])
  /// The same in float32.
  func plan(
    _ inputs: [Inputs<Float>], _ fields: KernelFields, context: CallContext
  ) throws(NumericError) -> (KernelPlan, [Side32])

  /// What depends on each of `inputs` alone; `name` is for messages.
  func prepare(
    _ inputs: Inputs<Double>, name: String, plan: KernelPlan, context: CallContext
  ) throws(NumericError) -> Side64
  /// The same in float32.
  func prepare(_ inputs: Inputs<Float>, name: String, plan: KernelPlan, context: CallContext) throws(NumericError) -> Side32

  /// Kernels of `row` against `col` (nil: `row`); row i and column i + `shift` are the same input.
  func evaluate(
    _ row: Side64, _ col: Side64?, shift: Int?, plan: KernelPlan, into output: KernelOutput<Double>, context: CallContext
  ) throws(NumericError)
  /// The same in float32.
  func evaluate(
    _ row: Side32, _ col: Side32?, shift: Int?, plan: KernelPlan, into output: KernelOutput<Float>, context: CallContext
  ) throws(NumericError)

  /// Goes on from the kernel of an earlier network; returns the largest tolerance that was missed.
  func proceed(
    from given: GivenKernel<Double>, into output: KernelOutput<Double>, context: CallContext
  ) throws(NumericError) -> Double
  /// The same in float32.
  func proceed(
    from given: GivenKernel<Float>, into output: KernelOutput<Float>, context: CallContext
  ) throws(NumericError) -> Double

  /// Bytes that a kernel of this size takes beside its arguments; nil where they fit no address space.
  func bytesNeeded(rows: Int, cols: Int, elementSize: Int, inputWidth: Int, threads: Int) throws(NumericError) -> Int?
}

extension KernelEngine {
  /// Kernels of a pair of inputs, by `plan` or by one made for them alone; returns the largest tolerance that a Hermite expansion
  /// missed (0: none).
  @discardableResult
  public func compute(
    _ pair: InputPair<Double>, plan: KernelPlan? = nil, into output: KernelOutput<Double>, context: CallContext
  ) throws(NumericError) -> Double {
    try pair.checkWidths()
    guard let plan else {
      let (own, sides) = try self.plan(pair.sides, output.fields, context: context)
      let col = sides.count > 1 ? sides[1] : nil
      try evaluate(sides[0], col, shift: pair.shift, plan: own, into: output, context: context)
      return own.missedTolerance
    }
    try plan.check(network: network.fingerprint, width: pair.x1.width, elementSize: MemoryLayout<Double>.size)
    try plan.check(fields: output.fields)
    let row = try prepare(pair.x1, name: "x1", plan: plan, context: context)
    let col: Side64? = if let x2 = pair.x2 { try prepare(x2, name: "x2", plan: plan, context: context) } else { nil }
    try evaluate(row, col, shift: pair.shift, plan: plan, into: output, context: context)
    return plan.missedTolerance
  }

  /// The same in float32.
  @discardableResult
  public func compute(
    _ pair: InputPair<Float>, plan: KernelPlan? = nil, into output: KernelOutput<Float>, context: CallContext
  ) throws(NumericError) -> Double {
    try pair.checkWidths()
    guard let plan else {
      let (own, sides) = try self.plan(pair.sides, output.fields, context: context)
      let col = sides.count > 1 ? sides[1] : nil
      try evaluate(sides[0], col, shift: pair.shift, plan: own, into: output, context: context)
      return own.missedTolerance
    }
    try plan.check(network: network.fingerprint, width: pair.x1.width, elementSize: MemoryLayout<Float>.size)
    try plan.check(fields: output.fields)
    let row = try prepare(pair.x1, name: "x1", plan: plan, context: context)
    let col: Side32? = if let x2 = pair.x2 { try prepare(x2, name: "x2", plan: plan, context: context) } else { nil }
    try evaluate(row, col, shift: pair.shift, plan: plan, into: output, context: context)
    return plan.missedTolerance
  }
}

extension KernelEngine {
  /// A plan for all inputs of `pair`, which other calls and processes can use for parts of them.
  public func plan(for pair: InputPair<Double>, _ fields: KernelFields, context: CallContext) throws(NumericError) -> KernelPlan {
    try pair.checkWidths()
    return try plan(pair.sides, fields, context: context).0.sealed(for: network)
  }

  /// The same in float32.
  public func plan(for pair: InputPair<Float>, _ fields: KernelFields, context: CallContext) throws(NumericError) -> KernelPlan {
    try pair.checkWidths()
    return try plan(pair.sides, fields, context: context).0.sealed(for: network)
  }
}

extension InputPair {
  /// One or two sides.
  public var sides: [Inputs<Element>] { x2.map { [x1, $0] } ?? [x1] }

  func checkWidths() throws(NumericError) {
    guard let x2 else { return }
    let (width1, width2) = (x1.width, x2.width)
    guard width1 == width2 else {
      throw .invalid(
        "[kernel] x1 and x2 need the same number of columns. Received (\(x1.count), \(width1)) and (\(x2.count), \(width2)).")
    }
  }
}

extension Inputs {
  /// Numbers of one input.
  var width: Int {
    switch self {
    case .arrays(let array): array.countPerEntry
    }
  }
}
