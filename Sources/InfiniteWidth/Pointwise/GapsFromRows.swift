import VectorKernelProduct
import NumericCore
import VectorKernelTypes
import VectorKernels

/// A pair of a tile whose inputs are nearly parallel (or opposite).
struct NearPair {
  var row: Int
  var col: Int
  var isNegative: Bool
}

/// Signed gaps of a tile of pairs of rows: one matrix product, then vector by vector.
final class GapsFromRows<Element: RowElement>: @unchecked Sendable {
  private let a: InputRows<Element>
  private let b: InputRows<Element>
  private let table: KernelTable
  private let hasZeroPairs: Bool
  // Pointers to the inverse lengths, as the strip kernels take them: float64 rows, columns, then Element's.
  private let pointers: Workspace<UnsafeRawPointer>

  init(_ a: InputRows<Element>, _ b: InputRows<Element>, _ table: KernelTable) throws(NumericError) {
    self.a = a
    self.b = b
    self.table = table
    hasZeroPairs = a.hasZeroRow && b.hasZeroRow
    pointers = try Workspace<UnsafeRawPointer>(4)
    pointers.pointer[0] = UnsafeRawPointer(a.inverseLengths.pointer)
    pointers.pointer[1] = UnsafeRawPointer(b.inverseLengths.pointer)
    pointers.pointer[2] = UnsafeRawPointer(a.inverseLengthElements.pointer)
    pointers.pointer[3] = UnsafeRawPointer(b.inverseLengthElements.pointer)
  }

  /// Inner products of a tile; `Work` is the inputs' own type.
  func fillProducts<Work: RowElement>(_ area: TileArea, _ tile: TileMemory<Work>, _ scratch: TileScratch<Element>) {
    Element.rowProducts(
      a.base + area.row * a.leading, a.leading, area.rows, b.base + area.column * b.leading, b.leading, area.cols, a.dimension,
      UnsafeMutableRawPointer(tile.gaps).assumingMemoryBound(to: Element.self), tile.width, scratch.packed.pointer)
  }

  /// Turns row r of the products into signed gaps; remembers the smallest in `smallest`.
  func gapsFromProducts<Work: RowElement>(_ area: TileArea, _ r: Int, _ tile: TileMemory<Work>) {
    let isDouble = Work.self == Double.self
    let first = isDouble ? 0 : 2
    withUnsafeMutablePointer(to: &tile.smallest) { smallest in
      let arguments = StripArguments(
        gap: UnsafeMutableRawPointer(tile.gaps + r * tile.width), theta: nil, count: area.cols,
        rowArrays: pointers.pointer + first, colArrays: pointers.pointer + first + 1, row: area.row + r, column: area.column,
        parameters: UnsafePointer(a.inverseLengths.pointer), smallest: smallest)
      (isDouble ? table.float64 : table.float32).layers.gapFromProduct(arguments)
    }
  }

  /// Appends the pairs of row r whose gap is below `limit`, and pairs of two rows of zeros.
  func collect<Work: RowElement>(
    _ area: TileArea, _ r: Int, _ tile: TileMemory<Work>, below limit: Double, skipDiagonal: Bool, into near: inout [NearPair]
  ) {
    let isZero = hasZeroPairs && a.inverseLengths.pointer[area.row + r] == 0
    guard tile.smallest < limit || isZero else { return }
    let gaps = tile.gaps + r * tile.width
    let bound = Work(limit)
    for c in 0..<area.cols where abs(gaps[c]) < bound || (isZero && b.inverseLengths.pointer[area.column + c] == 0) {
      if skipDiagonal, area.row + r >= area.column + c { continue }
      near.append(NearPair(row: r, col: c, isNegative: gaps[c].sign == .minus))
    }
  }

  /// The gap of a pair from the difference of its unit rows.
  func exactGap(_ area: TileArea, _ pair: NearPair) -> Double {
    a.gap(area.row + pair.row, b, area.column + pair.col, negative: pair.isNegative)
  }
}
