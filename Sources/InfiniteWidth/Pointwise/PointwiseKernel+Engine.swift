import Architectures
import NumericCore
import VectorKernelProduct

extension PointwiseKernel: KernelEngine {
  /// Output rows per input of this width.
  public func outputBlocks(inputWidth: Int) throws(NumericError) -> Int {
    try typed(from: Signal(GridShape(channels: inputWidth))).output().blocks
  }

  /// As `KernelEngine` says, like the following.
  public func plan(
    _ inputs: [Inputs<Double>], _ fields: KernelFields, context: CallContext
  ) throws(NumericError) -> (KernelPlan, [PointwiseSide<Double>]) {
    try makePlan(inputs, fields, context)
  }

  /// The same in float32.
  public func plan(
    _ inputs: [Inputs<Float>], _ fields: KernelFields, context: CallContext
  ) throws(NumericError) -> (KernelPlan, [PointwiseSide<Float>]) {
    try makePlan(inputs, fields, context)
  }

  /// Takes inputs through the row steps.
  public func prepare(
    _ inputs: Inputs<Double>, name: String, plan: KernelPlan, context: CallContext
  ) throws(NumericError) -> PointwiseSide<Double> {
    try side(inputs, name, plan, context)
  }

  /// The same in float32.
  public func prepare(
    _ inputs: Inputs<Float>, name: String, plan: KernelPlan, context: CallContext
  ) throws(NumericError) -> PointwiseSide<Float> {
    try side(inputs, name, plan, context)
  }

  /// Takes pairs through the pair steps, tile by tile.
  public func evaluate(
    _ row: PointwiseSide<Double>, _ col: PointwiseSide<Double>?, shift: Int?, plan: KernelPlan,
    into output: KernelOutput<Double>, context: CallContext
  ) throws(NumericError) {
    try run(row, col, shift, plan, output, context)
  }

  /// The same in float32.
  public func evaluate(
    _ row: PointwiseSide<Float>, _ col: PointwiseSide<Float>?, shift: Int?, plan: KernelPlan,
    into output: KernelOutput<Float>, context: CallContext
  ) throws(NumericError) {
    try run(row, col, shift, plan, output, context)
  }

  /// Starts from a given kernel.
  public func proceed(
    from given: GivenKernel<Double>, into output: KernelOutput<Double>, context: CallContext
  ) throws(NumericError) -> Double {
    try goOn(given, output, context)
  }

  /// The same in float32.
  public func proceed(
    from given: GivenKernel<Float>, into output: KernelOutput<Float>, context: CallContext
  ) throws(NumericError) -> Double {
    try goOn(given, output, context)
  }

  /// What sides and tiles take.
  public func bytesNeeded(
    rows: Int, cols: Int, elementSize: Int, inputWidth: Int, threads: Int
  ) throws(NumericError) -> Int? {
    let network = try typed(from: Signal(GridShape(channels: inputWidth)))
    let (program, blocks) = (try ProgramBuilder.build(network), try network.output().blocks)
    guard let count = checkedSum(rows, cols),
      let sides = TilePlan.sideBytes(program, count: count, blocks: blocks, elementSize: elementSize),
      let tiles = TilePlan.tileBytes(program, rows: rows, cols: cols, threads: threads)
    else { return nil }
    return checkedSum(sides, tiles)
  }

  // MARK: one form for both types

  private func makePlan<Element: RowElement>(
    _ inputs: [Inputs<Element>], _ fields: KernelFields, _ context: CallContext
  ) throws(NumericError) -> (KernelPlan, [PointwiseSide<Element>]) {
    let sides = try sides(inputs, context)
    guard let first = inputs.first, !sides.isEmpty else { throw .invalid("[kernel_plan] needs inputs. Received none.") }
    let content = try prepare(sides, NetworkStart(width: first.width), planned: nil, fields, context)
    for block in sides[0].rowSides.indices {
      try ResultRange.check(sides, block: block, content.pairs[block * (sides[0].rowSides.count + 1)], users: users, fields)
    }
    let plan = KernelPlan(
      network: 0, width: first.width, elementSize: MemoryLayout<Element>.size, fields: fields, content: .pointwise(content))
    return (plan, sides)
  }

  private func side<Element: RowElement>(
    _ inputs: Inputs<Element>, _ name: String, _ plan: KernelPlan, _ context: CallContext
  ) throws(NumericError) -> PointwiseSide<Element> {
    let side = PointwiseSide(try InputRows(inputs, name: name, context: context))
    _ = try prepare(
      [side], NetworkStart(width: plan.width), planned: plan.pointwise, plan.fields, context, names: [name])
    return side
  }

  private func run<Element: RowElement>(
    _ row: PointwiseSide<Element>, _ col: PointwiseSide<Element>?, _ shift: Int?, _ plan: KernelPlan,
    _ output: KernelOutput<Element>, _ context: CallContext
  ) throws(NumericError) {
    let source = PairSource(row: row, col: col ?? row, isSame: col == nil, shift: shift)
    try evaluate(source, plan.pointwise, output, context)
  }

  private func goOn<Element: RowElement>(
    _ given: GivenKernel<Element>, _ output: KernelOutput<Element>, _ context: CallContext
  ) throws(NumericError) -> Double {
    try given.checkShapes()
    var sides = [try PointwiseSide<Element>(variances: given.variances1, name: "cov1")]
    if !given.isSame { sides.append(try PointwiseSide<Element>(variances: given.variances2, name: "cov2")) }
    let plan = try prepare(sides, NetworkStart(given), planned: nil, output.fields, context)
    let source = PairSource(
      row: sides[0], col: sides[sides.count - 1], isSame: given.isSame, shift: given.isSame ? 0 : nil, given: given)
    try evaluate(source, plan, output, context)
    return plan.series.joined().reduce(0) { max($0, $1.missed) }
  }
}

extension KernelPlan {
  /// The decisions of the pointwise engine.
  fileprivate var pointwise: PointwisePlan {
    switch content {
    case .pointwise(let plan): plan
    }
  }
}
