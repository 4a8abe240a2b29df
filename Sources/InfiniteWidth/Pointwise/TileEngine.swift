import VectorKernelProduct
import NumericCore
import VectorKernelTypes
import VectorKernels

/// Computes one block of a kernel tile by tile.
///
/// float64 inputs: pairs whose gap is under 1e-3 get it anew from the difference of their unit rows. float32 inputs: pairs whose
/// gap is under 1/20 pass through the whole network in float64 (all pairs do where the plan is wide). Both are decided for each pair
/// by itself.
final class TileEngine<Element: RowElement>: @unchecked Sendable {
  private static var refineBelow: Double { 1e-3 }
  private let recomputeBelow: Double

  private let source: PairSource<Element>
  private let output: BlockOutput<Element>
  private let plan: TilePlan
  private let isSymmetric: Bool
  private let float: PairProgram<Element>?
  private let double: PairProgram<Double>
  private let products: GapsFromRows<Element>?
  private let diagonal: Diagonal?

  /// `pairs`: the task's program in float64; `diagonal`: of the inputs that rows and columns of this block share.
  init(
    _ task: BlockTask<Element>, _ pairs: PairProgram<Double>, output: BlockOutput<Element>, diagonal: Diagonal?
  ) throws(NumericError) {
    source = task.source
    self.output = output
    self.diagonal = diagonal
    isSymmetric = source.isSame && task.isOnDiagonal
    // No gap is over 1.
    recomputeBelow = task.plan.isWide ? 2 : 0.05
    plan = TilePlan(rows: source.rows, cols: source.cols, isSymmetric: isSymmetric)
    double = pairs
    float =
      Element.self == Float.self && source.given == nil ? try task.program(of: Element.self, row: task.row, col: task.col) : nil
    products =
      if let a = source.row.inputs, let b = source.col.inputs { try GapsFromRows(a, b, KernelTable.current) } else { nil }
  }

  /// Computes all tiles.
  func run(_ context: CallContext) throws(NumericError) {
    var scratch: [TileScratch<Element>] = []
    for _ in 0..<max(1, min(context.threads, plan.tiles.count)) {
      scratch.append(
        try TileScratch<Element>(
          plan, slots: double.slotCount, planes: double.planes, dimension: source.row.inputs?.dimension ?? 0,
          wantsTheta: output.ntk != nil))
    }
    try runTasks(plan.tiles.count, context: context) { (task, worker) throws(NumericError) in
      let (i, j) = (Int(plan.tiles[task].0), Int(plan.tiles[task].1))
      let side = TilePlan.side
      let area = TileArea(
        row: i * side, column: j * side, rows: min(side, plan.rows - i * side), cols: min(side, plan.cols - j * side))
      if let float { try floatTile(float, area, scratch[worker]) } else { try doubleTile(area, scratch[worker]) }
    }
  }

  /// Computes a tile of float32 inputs.
  private func floatTile(
    _ program: PairProgram<Element>, _ area: TileArea, _ scratch: TileScratch<Element>
  ) throws(NumericError) {
    guard let products else { return }
    let tile = try scratch.tile(of: Element.self)
    let isPlaced = place(tile, area)
    products.fillProducts(area, tile, scratch)
    var near: [NearPair] = []
    for r in 0..<area.rows {
      let known = near.count
      products.gapsFromProducts(area, r, tile)
      products.collect(area, r, tile, below: recomputeBelow, skipDiagonal: isSymmetric, into: &near)
      // Where all pairs of a row are near nothing is left for float32.
      let wanted = isSymmetric ? min(area.cols, area.column + area.cols - area.row - r - 1) : area.cols
      if near.count - known < wanted { try runStrip(program, area, r, tile) }
    }
    try recompute(near, area, tile, scratch)
    if let diagonal, let shift = source.shift { diagonal.patch(area, tile, planes: 1, shift: shift) }
    try write(tile, area, isPlaced: isPlaced)
  }

  private func doubleTile(_ area: TileArea, _ scratch: TileScratch<Element>) throws(NumericError) {
    let tile = try scratch.tile(of: Double.self)
    let isPlaced = place(tile, area)
    if let products {
      products.fillProducts(area, tile, scratch)
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
    if let diagonal, let shift = source.shift { diagonal.patch(area, tile, planes: double.planes, shift: shift) }
    try write(tile, area, isPlaced: isPlaced)
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

  private func runStrip<Work: RowElement>(
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

  /// Sends nearly parallel pairs of a float32 tile through the network in float64: one vector of neighbours at a time, or the whole row
  /// where many of its pairs are near.
  private func recompute(
    _ near: [NearPair], _ area: TileArea, _ tile: TileMemory<Element>, _ scratch: TileScratch<Element>
  ) throws(NumericError) {
    guard !near.isEmpty else { return }
    let (strip, lanes) = (try scratch.patch(), double.kernels.lanes)
    var first = 0
    while first < near.count {
      let row = near[first].row
      var end = first
      while end < near.count, near[end].row == row { end += 1 }
      if 2 * (end - first) >= area.cols / lanes {
        try recompute(near[first..<end], from: 0, count: area.cols, area, tile, strip)
        first = end
      }
      while first < end {
        let group = near[first].col / lanes
        var last = first
        while last < end, near[last].col / lanes == group { last += 1 }
        try recompute(near[first..<last], from: lanes * group, count: lanes, area, tile, strip)
        first = last
      }
    }
  }

  /// The same for pairs of one row among `count` columns.
  private func recompute(
    _ pairs: ArraySlice<NearPair>, from start: Int, count: Int, _ area: TileArea, _ tile: TileMemory<Element>,
    _ strip: StripMemory<Double>
  ) throws(NumericError) {
    guard let products, let row = pairs.first?.row else { return }
    let (gaps, theta) = (strip.gapElements(0), strip.theta(0))
    let padded = (count + double.kernels.lanes - 1) / double.kernels.lanes * double.kernels.lanes
    gaps.update(repeating: 1, count: padded)
    theta?.update(repeating: 0, count: padded)
    for pair in pairs { gaps[pair.col - start] = products.exactGap(area, pair) }
    try double.run(strip, row: area.row + row, column: area.column + start, count: count)
    if output.nngp != nil {
      double.kernels.layers.covariance(
        StripArguments(
          gap: UnsafeMutableRawPointer(gaps), theta: nil, count: count, rowArrays: double.rowOutput,
          colArrays: double.colOutput, row: area.row + row, column: area.column + start, parameters: noNumbers))
    }
    for pair in pairs {
      if output.nngp != nil { tile.gaps[row * tile.width + pair.col] = Element(gaps[pair.col - start]) }
      if let theta { tile.thetas[row * tile.thetaWidth + pair.col] = Element(theta[pair.col - start]) }
    }
  }

  /// The NTKs of a tile off the diagonal are computed in the result itself: no copy.
  private func place<Work: RowElement>(_ tile: TileMemory<Work>, _ area: TileArea) -> Bool {
    let isOnDiagonal = isSymmetric && area.row == area.column
    return tile.placeThetas(in: output.ntk, area, allowed: !isOnDiagonal && double.planes == 1)
  }

  private func write<Work: RowElement>(_ tile: TileMemory<Work>, _ area: TileArea, isPlaced: Bool) throws(NumericError) {
    // Where inputs meet themselves their own NTKs, which bound all others, were checked.
    if output.ntk != nil, !isSymmetric {
      try ResultRange.check(tile.thetas, tile.thetaWidth, area, isTangent: double.planes == 2, in: Element.self)
    }
    write(TileView(values: tile.gaps, width: tile.width, isTangent: double.planes == 2), area, output.nngp, output.mirroredNNGP)
    write(
      TileView(values: tile.thetas, width: tile.thetaWidth, isTangent: double.planes == 2), area, output.ntk,
      output.mirroredNTK, isPlaced: isPlaced)
  }

  private func write<Work: RowElement>(
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
