import Architectures
import NumericCore
import VectorKernelProduct
import VectorKernelTypes
import VectorKernels

/// The NNGP and NTK of fully connected networks with branches, entry by entry on tiles (KERNELS: Lee et al., arXiv:1711.00165;
/// Jacot et al., arXiv:1806.07572).
///
/// A tile takes its inner products from one small matrix product and then passes, row by row, through all layers in the cache.
public struct PointwiseKernel: Sendable {
  /// The layers.
  public let network: LayerNode
  let users: UserDuals

  /// A network, and the caller's functions if it uses any.
  /// - Throws: `invalidArgument` where this engine has no kernel of a layer.
  public init(_ network: LayerNode, userFunctions: UserFunctionCall? = nil) throws(NumericError) {
    try PointwiseKernel.accept(network)
    self.network = network
    users = UserDuals(call: userFunctions)
  }

  /// The network with all shapes and laws, for what enters it.
  public func typed(from start: Signal) throws(NumericError) -> TypedNetwork {
    try TypedNetwork(network, from: .one(start), regime: .infinite)
  }

  /// Directional derivatives in the place of the kernels (float64).
  public func computeTangent(
    _ pair: InputPair<Double>, weights: [Double], biases: [Double], into output: KernelOutput<Double>, context: CallContext
  ) throws(NumericError) {
    try pair.checkWidths()
    let sides = try sides(pair.sides, context)
    let start = NetworkStart(width: pair.x1.width, tangent: DenseTangent(weights: weights, biases: biases))
    let plan = try prepare(sides, start, planned: nil, output.fields, context)
    let source = PairSource(row: sides[0], col: sides.last ?? sides[0], isSame: sides.count == 1, shift: pair.shift)
    try evaluate(source, plan, output, wantsTangent: true, context)
  }
}

/// What enters a network.
struct NetworkStart {
  var signal: Signal
  var tangent: DenseTangent?

  /// Inputs of `width` numbers.
  init(width: Int, tangent: DenseTangent? = nil) { (signal, self.tangent) = (Signal(GridShape(channels: width)), tangent) }

  /// What an earlier network gave.
  init<Element>(_ given: GivenKernel<Element>) {
    signal = Signal(GridShape(channels: given.width), law: given.isGaussian ? .gaussian : .other)
  }
}

// MARK: the three parts of a computation

extension PointwiseKernel {
  private var names: [String] { ["x1", "x2"] }

  func sides<Element: RowElement>(
    _ inputs: [Inputs<Element>], _ context: CallContext
  ) throws(NumericError) -> [PointwiseSide<Element>] {
    var sides: [PointwiseSide<Element>] = []
    for (x, name) in zip(inputs, names) { sides.append(PointwiseSide(try InputRows(x, name: name, context: context))) }
    return sides
  }

  /// Output blocks, and the steps for each pair of them, row by row.
  private func programs(_ start: NetworkStart) throws(NumericError) -> (blocks: Int, [PointwiseProgram]) {
    let network = try typed(from: start.signal)
    let blocks = try network.output().blocks
    var programs: [PointwiseProgram] = []
    for block in 0..<(blocks * blocks) {
      programs.append(
        try ProgramBuilder.build(
          network, rowBlock: block / blocks, colBlock: block % blocks, tangent: start.tangent))
    }
    return (blocks, programs)
  }

  /// Computes what depends on single inputs, and returns the plan by which it was done: `planned`, or, where that is nil, one made from
  /// these inputs.
  func prepare<Element: RowElement>(
    _ sides: [PointwiseSide<Element>], _ start: NetworkStart, planned: PointwisePlan?, _ fields: KernelFields,
    _ context: CallContext, names: [String] = ["x1", "x2"]
  ) throws(NumericError) -> PointwisePlan {
    let kernels = start.tangent == nil ? KernelTable.current.float64 : KernelTable.current.tangent
    let limit = Double(Element.greatestFiniteMagnitude).squareRoot()
    let (blocks, programs) = try programs(start)
    if let planned {
      try check(planned, blocks)
      for (side, name) in zip(sides, names) where planned.needsEqualLengths {
        try PointwisePlan.check(side.deviations, side.count, in: planned.deviations, at: "at the start", name)
      }
    }
    var plan = planned ?? PointwisePlan(deviations: NumberRange(sides.map { ($0.deviations, $0.count) }))
    for side in sides { (side.programs, side.isOfPlan) = (programs, planned == nil) }
    let count = sides.reduce(0) { $0 + $1.count }
    for block in 0..<blocks {
      let program = programs[block * (blocks + 1)]
      try context.reserve(
        TilePlan.sideBytes(
          program, count: count, blocks: blocks, elementSize: MemoryLayout<Element>.size, planes: kernels.planes),
        for: "what a kernel keeps of its inputs", instead: "Use fewer inputs at a time.")
      for side in sides {
        side.rowSides.append(
          try RowSide(
            deviations: UnsafePointer(side.deviations.pointer), count: side.count, arrayCount: program.rowArrayCount,
            tableCount: program.rowTableCount, kernels: kernels, users: users, tangent: start.tangent))
      }
      let pass = RowPass(sides: sides.map { $0.rowSides[block] }, names: names, limit: limit)
      let series = try pass.run(program.rowSteps, planned: planned?.series[block])
      if planned == nil { plan.series.append(series) }
    }
    if planned == nil { plan.pairs = try pairPlans(sides, start, plan.deviations, fields) }
    return plan
  }

  private func check(_ plan: PointwisePlan, _ blocks: Int) throws(NumericError) {
    guard plan.series.count == blocks, plan.pairs.count == blocks * blocks else { throw WordReader.damaged }
  }

  private func pairPlans<Element: RowElement>(
    _ sides: [PointwiseSide<Element>], _ start: NetworkStart, _ deviations: NumberRange, _ fields: KernelFields
  ) throws(NumericError) -> [PairPlan] {
    let entries = checkedProduct(sides[0].count, sides[sides.count - 1].count) ?? .max
    let isPlain = start.tangent == nil && sides[0].inputs != nil
    let fits = isPlain && entries >= AngularProfile.fewestPairs && (fields.nngp || fields.ntk)
    var plans: [PairPlan] = []
    let blocks = sides[0].rowSides.count
    for i in 0..<blocks {
      for j in 0..<blocks {
        let program = sides[0].programs[i * blocks + j]
        let largest = GapBounds.largest(program.pairSteps, sides.map { $0.rowSides[i] }, sides.map { $0.rowSides[j] })
        let fit = { (isFloat: Bool) throws(NumericError) -> AngularProfile? in
          guard fits else { return nil }
          return try AngularProfile.fit(
            program, deviations: deviations, kernels: KernelTable.current.float64, users: users, fields: fields, isFloat: isFloat)
        }
        plans.append(
          PairPlan(
            reaches: largest.map(ReLUReach.init(gap:)), profile: try fit(false),
            floatProfile: Element.self == Float.self ? try fit(true) : nil))
      }
    }
    return plans
  }

  func evaluate<Element: RowElement>(
    _ source: PairSource<Element>, _ plan: PointwisePlan, _ output: KernelOutput<Element>, wantsTangent: Bool = false,
    _ context: CallContext
  ) throws(NumericError) {
    let blocks = source.row.rowSides.count
    try output.checkShapes(rows: source.rows, cols: source.cols, blocks: blocks)
    try check(plan, blocks)
    for block in 0..<(blocks * blocks) {
      let (i, j) = (block / blocks, block % blocks)
      // With x2 = x1 the blocks below the diagonal mirror those above it.
      if source.isSame, j < i, output.isMirrorable { continue }
      let task = BlockTask(
        source: source, program: source.row.programs[block], plan: plan.pairs[block], row: source.row.rowSides[i],
        col: source.col.rowSides[j], users: users, fields: output.fields, isOnDiagonal: i == j,
        wantsTangent: wantsTangent)
      try evaluate(task, i, j, output, context.part(block, of: blocks * blocks))
    }
  }

  private func evaluate<Element: RowElement>(
    _ task: BlockTask<Element>, _ i: Int, _ j: Int, _ output: KernelOutput<Element>, _ context: CallContext
  ) throws(NumericError) {
    let (source, program) = (task.source, task.program)
    if !source.row.isOfPlan || !source.col.isOfPlan {
      try GapBounds.check(task.plan.reaches, GapBounds.largest(program.pairSteps, [task.row], [task.col]))
    }
    if i == j { output.writeVariances(task.row, program.rowOutput, task.col, program.colOutput, block: i) }
    let needsTiles = output.nngp != nil || output.ntk != nil
    guard needsTiles || output.ntkDiagonal != nil else { return }
    let pairs = try task.program(of: Double.self, row: task.row, col: task.col)
    let diagonal = try task.diagonal(pairs, all: output.ntkDiagonal != nil, wantsNTK: output.fields.ntk)
    if let target = output.ntkDiagonal { diagonal?.writeThetas(to: target, from: i * source.rows) }
    guard needsTiles else { return }
    try context.reserve(
      TilePlan.tileBytes(
        program, rows: source.rows, cols: source.cols, threads: context.threads, planes: task.wantsTangent ? 2 : 1),
      for: "the kernel of \(source.rows) x \(source.cols) inputs (beside its result)", instead: "Use fewer inputs at a time.")
    let mirrors = source.isSame && i != j
    let part = output.block(i, j, rows: source.rows, cols: source.cols, mirror: mirrors)
    try TileEngine(task, pairs, output: part, diagonal: diagonal).run(context)
  }
}

extension PointwisePlan {
  /// Whether a part of it holds for inputs of one length only.
  var needsEqualLengths: Bool {
    pairs.contains { $0.profile?.needsEqualLengths == true || $0.floatProfile?.needsEqualLengths == true }
  }
}

extension CallContext {
  /// Progress of one part of several.
  fileprivate func part(_ index: Int, of count: Int) -> CallContext {
    guard count > 1, let report else { return self }
    return reporting { report((Double(index) + $0) / Double(count)) }
  }
}
