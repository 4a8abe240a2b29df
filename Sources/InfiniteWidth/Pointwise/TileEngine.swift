import LinearAlgebra
import NumericCore
import VectorKernelTypes
import VectorKernels

/// Computes one block of a kernel tile by tile.
///
/// float64 inputs: pairs whose gap is under 1e-3 get it anew from the difference of their unit rows. float32 inputs: pairs whose
/// gap is under 1/20 pass through the whole network in float64; a tile that consists mostly of such pairs does so as a whole.
final class TileEngine<Element: BLASReal>: @unchecked Sendable {
  private static var refineBelow: Double { 1e-3 }
  private static var recomputeBelow: Double { 0.05 }

  private let source: PairSource<Element>
  private let output: BlockOutput<Element>
  private let plan: TilePlan
  private let isSymmetric: Bool
  private let float: PairProgram<Element>?
  private let double: PairProgram<Double>
  private let products: GapsFromRows<Element>?
  private let diagonal: Diagonal?

  init(
    source: PairSource<Element>, output: BlockOutput<Element>, program: PointwiseProgram, row: RowSide, col: RowSide,
    isDiagonalBlock: Bool, users: UserDuals, wantsTangent: Bool
  ) throws(NumericError) {
    self.source = source
    self.output = output
    let table = KernelTable.current
    isSymmetric = source.isSame && isDiagonalBlock
    plan = TilePlan(rows: source.rows, cols: source.cols, isSymmetric: isSymmetric)
    let kernels = wantsTangent ? table.tangent : table.float64
    let isPlain = source.given == nil && !wantsTangent
    let isLarge = source.rows * source.cols >= AngularProfile.fewestPairs
    let fits = isPlain && isLarge
    let (wantsNTK, wantsNNGP) = (output.ntk != nil, output.nngp != nil)
    let fit = { (isFloat: Bool) throws(NumericError) -> AngularProfile? in
      guard fits else { return nil }
      return try AngularProfile.fit(
        program, row: row, col: col, kernels: kernels, users: users, wantsNTK: wantsNTK, wantsNNGP: wantsNNGP, isFloat: isFloat)
    }
    double = try PairProgram<Double>(
      program, row: row, col: col, kernels: kernels, users: users, profile: try fit(false), startsFromZero: isPlain)
    // Polynomials of tabulated duals have coefficients of both signs, and bounded functions multiply what they lose by the variance.
    let usesFloat = Element.self == Float.self && source.given == nil && row.duals.allSatisfy { $0 == nil }
    float =
      usesFloat
      ? try PairProgram<Element>(
        program, row: row, col: col, kernels: table.float32, users: users, profile: try fit(true),
        startsFromZero: isPlain) : nil
    products = if let a = source.inputs1, let b = source.inputs2 { try GapsFromRows(a, b, table) } else { nil }
    guard isSymmetric else {
      diagonal = nil
      return
    }
    diagonal = try Diagonal(double, row: row, output: program.rowOutput, given: source.given, wantsNTK: output.ntk != nil)
    try diagonal?.checkRange(of: Element.self)
  }

  /// Computes all tiles.
  func run(_ context: CallContext) throws(NumericError) {
    BLASThreads.useOne()
    let limited = context.forBLAS
    let scratch = (0..<max(1, min(limited.threads, plan.tiles.count))).map { _ in
      TileScratch<Element>(plan, slots: double.slotCount, planes: double.planes, wantsTheta: output.ntk != nil)
    }
    try runTasks(plan.tiles.count, context: limited) { (task, worker) throws(NumericError) in
      let (i, j) = (Int(plan.tiles[task].0), Int(plan.tiles[task].1))
      let side = TilePlan.side
      let area = TileArea(
        row: i * side, column: j * side, rows: min(side, plan.rows - i * side), cols: min(side, plan.cols - j * side))
      if let float, try floatTile(float, area, scratch[worker]) { return }
      try doubleTile(area, scratch[worker])
    }
  }

  /// Computes a tile in float32, or returns false where many of its pairs are nearly parallel.
  private func floatTile(
    _ program: PairProgram<Element>, _ area: TileArea, _ scratch: TileScratch<Element>
  ) throws(NumericError) -> Bool {
    guard let products else { return false }
    let tile = try scratch.tile(of: Element.self)
    let isPlaced = place(tile, area)
    products.fillProducts(area, tile)
    var near: [NearPair] = []
    for r in 0..<area.rows {
      products.gapsFromProducts(area, r, tile)
      products.collect(area, r, tile, below: TileEngine.recomputeBelow, skipDiagonal: isSymmetric, into: &near)
    }
    guard near.count <= area.rows * area.cols / 4 else { return false }
    for r in 0..<area.rows { try runStrip(program, area, r, tile) }
    try recompute(near, area, tile, scratch.patch())
    diagonal?.patch(area, tile, planes: 1)
    write(tile, area, isPlaced: isPlaced)
    return true
  }

  private func doubleTile(_ area: TileArea, _ scratch: TileScratch<Element>) throws(NumericError) {
    let tile = try scratch.tile(of: Double.self)
    let isPlaced = place(tile, area)
    if let products {
      try products.fillProducts(area, tile, scratch)
      var near: [NearPair] = []
      for r in 0..<area.rows {
        products.gapsFromProducts(area, r, tile)
        products.collect(area, r, tile, below: TileEngine.refineBelow, skipDiagonal: isSymmetric, into: &near)
      }
      for pair in near { tile.gaps[pair.row * tile.width + pair.col] = products.exactGap(area, pair) }
      if double.planes == 2 { for r in 0..<area.rows { spread(tile.gaps + r * tile.width, area.cols) } }
    } else if let given = source.given {
      given.fillGaps(area, tile, source: source, planes: double.planes)
    }
    for r in 0..<area.rows { try runStrip(double, area, r, tile) }
    diagonal?.patch(area, tile, planes: double.planes)
    write(tile, area, isPlaced: isPlaced)
  }

  /// Values become values with zero derivatives, in vectors of eight.
  private func spread(_ row: UnsafeMutablePointer<Double>, _ count: Int) {
    for block in stride(from: (count - 1) / 8, through: 0, by: -1) {
      for lane in 0..<8 {
        row[16 * block + lane + 8] = 0
        let value = row[8 * block + lane]
        row[16 * block + lane] = value
      }
    }
  }

  private func runStrip<Work: BLASReal>(
    _ program: PairProgram<Work>, _ area: TileArea, _ r: Int, _ tile: TileMemory<Work>
  ) throws(NumericError) {
    // On the diagonal of a symmetric result only columns from the row's own on are needed.
    let skipped = isSymmetric && area.row == area.column ? r & ~31 : 0
    let planes = program.planes
    let gaps = tile.gaps + r * tile.width + skipped * planes
    let thetas = tile.thetas + r * tile.thetaWidth + skipped * planes
    let count = area.cols - skipped
    tile.prefetchThetas(r + 1, area)
    if output.ntk != nil {
      if !program.startsTheta { thetas.update(repeating: 0, count: (count + 31) / 32 * 32 * planes) }
      if let given = source.given { given.fillTheta(area, r, from: skipped, thetas, planes: planes) }
    }
    tile.strip.place(gap: gaps, theta: thetas)
    try program.run(tile.strip, row: area.row + r, column: area.column + skipped, count: count)
    guard output.nngp != nil else { return }
    program.kernels.layers.covariance(
      StripArguments(
        gap: UnsafeMutableRawPointer(gaps), theta: nil, count: count, rowArrays: program.rowOutput,
        colArrays: program.colOutput, row: area.row + r, column: area.column + skipped,
        parameters: noNumbers))
  }

  /// Sends nearly parallel pairs of a float32 tile through the network in float64, one vector of neighbours at a time.
  private func recompute(
    _ near: [NearPair], _ area: TileArea, _ tile: TileMemory<Element>, _ strip: StripMemory<Double>
  ) throws(NumericError) {
    guard let products else { return }
    let lanes = double.kernels.lanes
    var first = 0
    while first < near.count {
      let (row, group) = (near[first].row, near[first].col / lanes)
      var last = first
      let gaps = strip.gapElements(0)
      for lane in 0..<lanes { gaps[lane] = 1 }
      while last < near.count, near[last].row == row, near[last].col / lanes == group {
        gaps[near[last].col % lanes] = products.exactGap(area, near[last])
        last += 1
      }
      let theta = strip.theta(0)
      theta?.update(repeating: 0, count: lanes)
      let column = area.column + lanes * group
      try double.run(strip, row: area.row + row, column: column, count: lanes)
      if output.nngp != nil {
        double.kernels.layers.covariance(
          StripArguments(
            gap: UnsafeMutableRawPointer(gaps), theta: nil, count: lanes, rowArrays: double.rowOutput,
            colArrays: double.colOutput, row: area.row + row, column: column, parameters: noNumbers))
      }
      for pair in near[first..<last] {
        if output.nngp != nil { tile.gaps[row * tile.width + pair.col] = Element(gaps[pair.col % lanes]) }
        if let theta { tile.thetas[row * tile.thetaWidth + pair.col] = Element(theta[pair.col % lanes]) }
      }
      first = last
    }
  }

  /// The NTKs of a tile off the diagonal are computed in the result itself: no copy.
  private func place<Work: BLASReal>(_ tile: TileMemory<Work>, _ area: TileArea) -> Bool {
    let isOnDiagonal = isSymmetric && area.row == area.column
    return tile.placeThetas(in: output.ntk, area, allowed: !isOnDiagonal && double.planes == 1)
  }

  private func write<Work: BLASReal>(_ tile: TileMemory<Work>, _ area: TileArea, isPlaced: Bool) {
    write(TileView(values: tile.gaps, width: tile.width, isTangent: double.planes == 2), area, output.nngp, output.mirroredNNGP)
    write(
      TileView(values: tile.thetas, width: tile.thetaWidth, isTangent: double.planes == 2), area, output.ntk,
      output.mirroredNTK, isPlaced: isPlaced)
  }

  private func write<Work: BLASReal>(
    _ view: TileView<Work>, _ area: TileArea, _ target: StridedMatrix<Element>?, _ mirror: StridedMatrix<Element>?,
    isPlaced: Bool = false
  ) {
    guard let target else { return }
    let isOnDiagonal = isSymmetric && area.row == area.column
    if isOnDiagonal { view.mirrorUpper(area.rows) }
    if !isPlaced { view.write(area, to: target) }
    if isSymmetric, !isOnDiagonal { view.writeTransposed(area, to: target) }
    if let mirror { view.writeTransposed(area, to: mirror) }
  }
}

nonisolated(unsafe) private let noNumbers: UnsafePointer<Double> = {
  let room = UnsafeMutablePointer<Double>.allocate(capacity: 1)
  room.initialize(to: 0)
  return UnsafePointer(room)
}()
