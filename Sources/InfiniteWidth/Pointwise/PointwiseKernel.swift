import Architectures
import LinearAlgebra
import NumericCore
import VectorKernelTypes
import VectorKernels

/// What a kernel computation starts from.
public enum KernelInput<Element: BLASReal>: Sendable {
  /// Rows x1 against rows x2, or against themselves where x2 is nil.
  case rows(StridedMatrix<Element>, StridedMatrix<Element>?)
  case kernel(GivenKernel<Element>)
}

/// Where results go; nil is not wanted. Kernels have blocks * n1 rows and blocks * n2 columns.
public struct KernelOutput<Element: BLASReal>: Sendable {
  /// The NNGP kernel.
  public var nngp: StridedMatrix<Element>?
  /// The neural tangent kernel.
  public var ntk: StridedMatrix<Element>?
  /// Output variances of the rows, one column.
  public var variances1: StridedMatrix<Double>?
  /// Output variances of the columns, one column.
  public var variances2: StridedMatrix<Double>?

  /// Results of the given places.
  public init(
    nngp: StridedMatrix<Element>? = nil, ntk: StridedMatrix<Element>? = nil, variances1: StridedMatrix<Double>? = nil,
    variances2: StridedMatrix<Double>? = nil
  ) {
    self.nngp = nngp
    self.ntk = ntk
    self.variances1 = variances1
    self.variances2 = variances2
  }
}

/// The NNGP and NTK of fully connected networks with branches, entry by entry on tiles (KERNELS: Lee et al., arXiv:1711.00165;
/// Jacot et al., arXiv:1806.07572).
///
/// A tile takes its inner products from one small matrix product and then passes, row by row, through all layers in the cache.
public struct PointwiseKernel: Sendable {
  /// The layers.
  public let network: LayerNode
  /// Output rows per input, more than 1 after FanInConcat along the batch.
  public let blocks: Int
  let users: UserDuals

  /// A network, and the caller's functions if it uses any.
  public init(_ network: LayerNode, userFunctions: UserFunctionCall? = nil) throws(NumericError) {
    self.network = network
    blocks = try ProgramBuilder.blockCount(network)
    users = UserDuals(call: userFunctions)
  }

  /// What the output is: Gaussian or not, its width, Dense layers.
  public func describe(inputWidth: Int) throws(NumericError) -> (isGaussian: Bool, width: Int, usesUserFunctions: Bool) {
    let program = try ProgramBuilder.build(network, width: inputWidth)
    return (program.isGaussian, program.width, program.usesUserFunctions)
  }

  // Two concrete entries: behind them the whole engine is compiled for each element type. A public generic entry would leave it to
  // run unspecialised, several times slower.

  /// Computes what `output` asks for.
  public func compute(
    _ input: KernelInput<Double>, into output: KernelOutput<Double>, context: CallContext
  ) throws(NumericError) {
    try run(input, output, tangent: nil, context: context)
  }

  /// The same in float32.
  public func compute(
    _ input: KernelInput<Float>, into output: KernelOutput<Float>, context: CallContext
  ) throws(NumericError) {
    try run(input, output, tangent: nil, context: context)
  }

  /// Directional derivatives in the place of the kernels (float64).
  public func computeTangent(
    _ input: KernelInput<Double>, weights: [Double], biases: [Double], into output: KernelOutput<Double>, context: CallContext
  ) throws(NumericError) {
    try run(input, output, tangent: DenseTangent(weights: weights, biases: biases), context: context)
  }

  /// Bytes that `compute` allocates beside its arguments, for rows that need no copy.
  public func bytesNeeded(rows: Int, cols: Int, elementSize: Int, inputWidth: Int, threads: Int) throws(NumericError) -> Int? {
    let program = try ProgramBuilder.build(network, width: inputWidth)
    return TilePlan.bytes(program, rows: rows, cols: cols, elementSize: elementSize, threads: threads)
  }

  private func run<Element: BLASReal>(
    _ input: KernelInput<Element>, _ output: KernelOutput<Element>, tangent: DenseTangent?, context: CallContext
  ) throws(NumericError) {
    let source = try PairSource(input, context: context)
    try checkShapes(source, output)
    let total = blocks * blocks
    for block in 0..<total {
      let (i, j) = (block / blocks, block % blocks)
      // With x2 = x1 the blocks below the diagonal mirror those above it.
      if source.isSame, j < i, output.isMirrorable { continue }
      let part = context.part(block, of: total)
      try runBlock(source, output, i, j, tangent, part)
    }
  }

  private func checkShapes<Element>(_ source: PairSource<Element>, _ output: KernelOutput<Element>) throws(NumericError) {
    guard let rows = checkedProduct(source.rows, blocks), let cols = checkedProduct(source.cols, blocks) else {
      throw .invalid("[kernel] too many output rows. Received \(source.rows) x \(source.cols) inputs, \(blocks) blocks.")
    }
    for (name, matrix) in [("nngp", output.nngp), ("ntk", output.ntk)] {
      guard let matrix else { continue }
      guard matrix.rows == rows, matrix.cols == cols else {
        throw .invalid("[kernel] \(name) needs shape (\(rows), \(cols)). Received (\(matrix.rows), \(matrix.cols)).")
      }
    }
    for (name, matrix, count) in [("cov1", output.variances1, rows), ("cov2", output.variances2, cols)] {
      guard let matrix else { continue }
      guard matrix.rows == count, matrix.cols == 1 else {
        throw .invalid("[kernel] \(name) needs shape (\(count), 1). Received (\(matrix.rows), \(matrix.cols)).")
      }
    }
  }

  private func runBlock<Element: BLASReal>(
    _ source: PairSource<Element>, _ output: KernelOutput<Element>, _ i: Int, _ j: Int, _ tangent: DenseTangent?,
    _ context: CallContext
  ) throws(NumericError) {
    let program = try ProgramBuilder.build(
      network, width: source.width, isGaussian: source.isGaussian, isInput: source.isInput, rowBlock: i, colBlock: j,
      tangent: tangent)
    let wantsTangent = tangent != nil
    try context.reserve(
      TilePlan.bytes(
        program, rows: source.rows, cols: source.cols, elementSize: MemoryLayout<Element>.size, threads: context.threads,
        planes: wantsTangent ? 2 : 1),
      for: "the kernel of \(source.rows) x \(source.cols) inputs (beside its result)", instead: "Use fewer inputs at a time.")
    let table = KernelTable.current
    let kernels = wantsTangent ? table.tangent : table.float64
    let limit =
      Element.self == Float.self
      ? Double(Float.greatestFiniteMagnitude).squareRoot() : Double.greatestFiniteMagnitude.squareRoot()
    let row = try RowSide(
      deviations: source.deviations1, count: source.rows, arrayCount: program.rowArrayCount, tableCount: program.rowTableCount,
      kernels: kernels, users: users, tangent: tangent)
    try row.run(program.rowSteps, limit: limit, name: "x1")
    var col = row
    if !source.isSame || i != j {
      col = try RowSide(
        deviations: source.deviations2, count: source.cols, arrayCount: program.colArrayCount, tableCount: program.colTableCount,
        kernels: kernels, users: users, tangent: tangent)
      try col.run(program.colSteps, limit: limit, name: source.isSame ? "x1" : "x2")
      try RowSide.matchSeries(row, col, program)
    }
    output.writeVariances(row, program.rowOutput, col, program.colOutput, i, j, isSame: source.isSame)
    guard output.nngp != nil || output.ntk != nil else { return }
    let engine = try TileEngine(
      source: source, output: output.block(i, j, rows: source.rows, cols: source.cols, mirror: source.isSame && i != j),
      program: program, row: row, col: col, isDiagonalBlock: i == j, users: users, wantsTangent: wantsTangent)
    try engine.run(context)
  }
}

extension RowSide {
  /// Gives the series of both sides the same number of terms, the larger, or one table.
  static func matchSeries(_ row: RowSide, _ col: RowSide, _ program: PointwiseProgram) throws(NumericError) {
    for rowStep in program.rowSteps {
      guard case .series(let source, _, let table) = rowStep.action else { continue }
      guard let colStep = program.colSteps.first(where: { $0.table?.index == table }) else { continue }
      if row.duals[table] != nil || col.duals[table] != nil {
        let dual = try RowSide.table(source, rowStep, [row, col])
        try row.fillTable(dual, rowStep)
        try col.fillTable(dual, colStep)
        continue
      }
      let terms = max(row.tables[table].count, col.tables[table].count)
      for (side, step) in [(row, rowStep), (col, colStep)] where side.tables[table].count < terms {
        guard case .series(_, let ratio, _) = step.action else { continue }
        try side.fillSeries(source, input: step.input, output: step.output, ratio: ratio, table: table, terms: terms)
      }
    }
  }
}

extension CallContext {
  /// Progress of one part of several.
  fileprivate func part(_ index: Int, of count: Int) -> CallContext {
    guard count > 1, let report else { return self }
    return reporting { report((Double(index) + $0) / Double(count)) }
  }
}
