/// Inner products of rows, c[i, j] = a_i . b_j, each summed in one order: k ascending, in blocks of `productBlock`. So an entry has the
/// same bits wherever it stands, however many rows and columns are asked for, and c[i, j] those of c[j, i].
///
/// `a` and `b` have `leadingA` and `leadingB` numbers from row to row, `c` has `leadingC`; columns of c up to the next multiple of 16
/// (float64: 8) are written too. `packed` is room for `productBlock` times that many numbers.
public func rowProducts(
  _ a: UnsafePointer<Double>, _ leadingA: Int, _ rows: Int, _ b: UnsafePointer<Double>, _ leadingB: Int, _ columns: Int,
  _ dimension: Int, _ c: UnsafeMutablePointer<Double>, _ leadingC: Int, _ packed: UnsafeMutablePointer<Double>
) {
  let side = Side(base: b, leading: leadingB, columns: columns)
  products(WideDoubles.self, EightDoubles.self, a, leadingA, rows, side, dimension, c, leadingC, packed)
}

/// The same in float32.
public func rowProducts(
  _ a: UnsafePointer<Float>, _ leadingA: Int, _ rows: Int, _ b: UnsafePointer<Float>, _ leadingB: Int, _ columns: Int,
  _ dimension: Int, _ c: UnsafeMutablePointer<Float>, _ leadingC: Int, _ packed: UnsafeMutablePointer<Float>
) {
  let side = Side(base: b, leading: leadingB, columns: columns)
  products(WideFloats.self, SixteenFloats.self, a, leadingA, rows, side, dimension, c, leadingC, packed)
}

/// How many products are summed before the sum goes to memory: a panel of b of this length stays in the first-level cache.
public var productBlock: Int { 128 }

/// The rows of b.
private struct Side<Element> {
  let base: UnsafePointer<Element>
  let leading: Int
  let columns: Int
}

@inline(__always)
private func products<Wide: ProductLanes, Narrow: ProductLanes>(
  _ wide: Wide.Type, _ narrow: Narrow.Type, _ a: UnsafePointer<Wide.Element>, _ leadingA: Int, _ rows: Int,
  _ b: Side<Wide.Element>, _ dimension: Int, _ c: UnsafeMutablePointer<Wide.Element>, _ leadingC: Int,
  _ packed: UnsafeMutablePointer<Wide.Element>
) where Wide.Element == Narrow.Element {
  var first = 0
  repeat {
    let length = min(productBlock, dimension &- first)
    var column = 0
    while column < b.columns {
      let isWide = b.columns &- column >= Wide.columns
      let width = isWide ? Wide.columns : Narrow.columns
      pack(b, column, width, first, length, packed)
      var row = 0
      while row < rows {
        let at = (a + (row &* leadingA &+ first), c + (row &* leadingC &+ column))
        let count = min(6, rows &- row)
        if isWide {
          sixRows(Wide.self, at.0, leadingA, count, packed, length, at.1, leadingC, adds: first > 0)
        } else {
          sixRows(Narrow.self, at.0, leadingA, count, packed, length, at.1, leadingC, adds: first > 0)
        }
        row = row &+ 6
      }
      column = column &+ width
    }
    first = first &+ productBlock
  } while first < dimension
}

/// Numbers k of a block of `width` rows of b, k by k; zeros beyond the last row.
@inline(__always)
private func pack<Element: BinaryFloatingPoint>(
  _ b: Side<Element>, _ column: Int, _ width: Int, _ first: Int, _ length: Int, _ packed: UnsafeMutablePointer<Element>
) {
  let present = min(width, b.columns &- column)
  let from = b.base + (column &* b.leading &+ first)
  // Four rows at a time: a line of the target is visited a few times only.
  var j = 0
  while j &+ 4 <= present {
    let (p, q, r, s) = (
      from + j &* b.leading, from + (j &+ 1) &* b.leading, from + (j &+ 2) &* b.leading, from + (j &+ 3) &* b.leading
    )
    for k in 0..<length {
      let to = packed + (k &* width &+ j)
      (to[0], to[1], to[2], to[3]) = (p[k], q[k], r[k], s[k])
    }
    j = j &+ 4
  }
  while j < width {
    let row = from + j &* b.leading
    for k in 0..<length { packed[k &* width &+ j] = j < present ? row[k] : 0 }
    j = j &+ 1
  }
}

/// Products of up to six rows with one panel; missing rows repeat the last one, so that there is one loop.
@inline(__always)
private func sixRows<Lanes: ProductLanes>(
  _ lanes: Lanes.Type, _ a: UnsafePointer<Lanes.Element>, _ leading: Int, _ count: Int, _ packed: UnsafePointer<Lanes.Element>,
  _ length: Int, _ c: UnsafeMutablePointer<Lanes.Element>, _ leadingC: Int, adds: Bool
) {
  func row(_ i: Int) -> UnsafePointer<Lanes.Element> { a + min(i, count &- 1) &* leading }
  let (a0, a1, a2, a3, a4, a5) = (row(0), row(1), row(2), row(3), row(4), row(5))
  var (c0, c1, c2, c3, c4, c5) = (Lanes(), Lanes(), Lanes(), Lanes(), Lanes(), Lanes())
  var panel = packed
  for k in 0..<length {
    let b = Lanes.load(panel)
    c0 = c0.multiplyAdd(a0[k], b)
    c1 = c1.multiplyAdd(a1[k], b)
    c2 = c2.multiplyAdd(a2[k], b)
    c3 = c3.multiplyAdd(a3[k], b)
    c4 = c4.multiplyAdd(a4[k], b)
    c5 = c5.multiplyAdd(a5[k], b)
    panel += Lanes.columns
  }
  func keep(_ sum: Lanes, _ i: Int) {
    guard i < count else { return }
    let to = c + i &* leadingC
    (adds ? Lanes.load(UnsafePointer(to)) + sum : sum).store(to)
  }
  keep(c0, 0)
  keep(c1, 1)
  keep(c2, 2)
  keep(c3, 3)
  keep(c4, 4)
  keep(c5, 5)
}
