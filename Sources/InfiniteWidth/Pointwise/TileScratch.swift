import CVectorSeeds
import VectorKernelProduct
import NumericCore

/// Which part of a result a tile is.
struct TileArea {
  let row: Int
  let column: Int
  let rows: Int
  let cols: Int
}

/// One tile: gaps (at last covariances) and NTKs, row-major, `width` elements apart.
final class TileMemory<Work: RowElement> {
  let gaps: UnsafeMutablePointer<Work>
  let width: Int
  /// Where the NTKs stand, `thetaWidth` elements from row to row: own memory, or the result itself.
  private(set) var thetas: UnsafeMutablePointer<Work>
  private(set) var thetaWidth: Int
  private let ownThetas: UnsafeMutablePointer<Work>
  let strip: StripMemory<Work>
  /// Smallest gap of the row that was made last.
  var smallest = 1.0
  private let room: Workspace<Work>

  init(_ plan: TilePlan, slots: Int, planes: Int, wantsTheta: Bool) throws(NumericError) {
    width = plan.tileCols * planes
    room = try Workspace<Work>(plan.tileRows * width * (wantsTheta ? 2 : 1), zeroed: true)
    gaps = room.pointer
    ownThetas = room.pointer + (wantsTheta ? plan.tileRows * width : 0)
    (thetas, thetaWidth) = (ownThetas, width)
    strip = try StripMemory<Work>(slots: slots, width: plan.tileCols, planes: planes, wantsTheta: wantsTheta)
  }

  /// NTKs go straight into `result` where its layout allows (rows of whole vectors, nothing to mirror within the tile).
  /// Returns whether they do.
  func placeThetas<Element: RowElement>(in result: StridedMatrix<Element>?, _ area: TileArea, allowed: Bool) -> Bool {
    guard allowed, Element.self == Work.self, let result, result.colStride == 1, area.cols % 32 == 0 else {
      (thetas, thetaWidth) = (ownThetas, width)
      return false
    }
    let place = result.base + area.row * result.rowStride + area.column
    thetas = UnsafeMutableRawPointer(place).assumingMemoryBound(to: Work.self)
    thetaWidth = result.rowStride
    return true
  }

  /// Asks for row `r` of NTKs that stand in the result: first writes to it would wait for memory, line by line.
  func prefetchThetas(_ r: Int, _ area: TileArea) {
    guard r < area.rows, thetas != ownThetas else { return }
    let row = UnsafeRawPointer(thetas + r * thetaWidth)
    for offset in stride(from: 0, to: area.cols * MemoryLayout<Work>.size, by: 64) { ntk_prefetch(row + offset) }
  }
}

/// What one worker thread keeps from tile to tile. float64 memory for float32 inputs is made when first needed.
final class TileScratch<Element: RowElement>: @unchecked Sendable {
  let plan: TilePlan
  let slots: Int
  let planes: Int
  let wantsTheta: Bool
  private var ownTile: TileMemory<Element>?
  private var doubleMemory: TileMemory<Double>?
  private var patchMemory: StripMemory<Double>?
  /// Room for a part of the columns' inputs while they are multiplied.
  let packed: Workspace<Element>

  init(
    _ plan: TilePlan, slots: Int, planes: Int, dimension: Int, wantsTheta: Bool
  ) throws(NumericError) {
    packed = try Workspace<Element>(RowProducts.room(dimension: dimension))
    self.plan = plan
    self.slots = slots
    self.planes = planes
    self.wantsTheta = wantsTheta
  }

  /// The tile in element type `Work`.
  func tile<Work: RowElement>(of type: Work.Type) throws(NumericError) -> TileMemory<Work> {
    if Work.self == Double.self {
      let made =
        if let doubleMemory { doubleMemory } else {
          try TileMemory<Double>(plan, slots: slots, planes: planes, wantsTheta: wantsTheta)
        }
      doubleMemory = made
      return unsafeDowncast(made, to: TileMemory<Work>.self)
    }
    let made =
      if let ownTile { ownTile } else { try TileMemory<Element>(plan, slots: slots, planes: planes, wantsTheta: wantsTheta) }
    ownTile = made
    return unsafeDowncast(made, to: TileMemory<Work>.self)
  }

  /// A strip for the pairs of one row that pass through the network in float64.
  func patch() throws(NumericError) -> StripMemory<Double> {
    let made =
      if let patchMemory { patchMemory } else {
        try StripMemory<Double>(slots: slots, width: plan.tileCols, planes: 1, wantsTheta: wantsTheta)
      }
    patchMemory = made
    return made
  }
}
