import COpenBLAS
import NumericCore

/// Memory of the caller's that keeps panels of a `TiledOperator` from one product to the next.
public struct PanelStore {
  /// Room for the panels, one after the other.
  public let numbers: UnsafeMutableBufferPointer<Double>
  /// How many panels are there already.
  public let filled: UnsafeMutablePointer<Int64>

  /// A store of which the first `filled` panels are valid.
  public init(_ numbers: UnsafeMutableBufferPointer<Double>, filled: UnsafeMutablePointer<Int64>) {
    (self.numbers, self.filled) = (numbers, filled)
  }
}

/// A symmetric matrix whose blocks are computed when they are needed, and kept where there is room: the matrix itself is never made.
///
/// Only the panels on and above the diagonal are computed or kept, each used for its rows and, transposed, for its columns. Beside the
/// store one panel (at most 64 MiB) is in memory. The bits of a product do not depend on the store nor on the threads.
public struct TiledOperator: SymmetricOperator {
  private let source: any BlockSource
  private let panels: Panels
  private let store: PanelStore?
  private let stored: Int

  /// The matrix of `source`; panels are kept in `store` where one is given.
  public init(_ source: any BlockSource, store: PanelStore? = nil, context: CallContext) throws(NumericError) {
    guard source.dimension >= 1 else { throw .invalid("[operator] needs at least one row. Received \(source.dimension).") }
    try requireInt32(source.dimension, "operator")
    (self.source, self.store, panels) = (source, store, Panels(dimension: source.dimension))
    stored = store.map { [panels] in panels.fitting($0.numbers.count) } ?? 0
    guard stored < panels.count else { return }
    try context.reserve(
      checkedProduct(8 * panels.side, source.dimension), for: "a panel of \(panels.side) rows of a matrix of \(source.dimension)",
      instead: "Raise the limit.")
  }

  /// Rows and columns.
  public var dimension: Int { source.dimension }

  /// One pass over the panels.
  public func multiply(
    _ vectors: StridedMatrix<Double>, into products: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    try requireBlocks(vectors, products)
    let step = try PanelProduct(vectors, products, panels)
    for i in 0..<vectors.rows { (products.base + i * products.rowStride).update(repeating: 0, count: dimension) }
    BLASThreads.useOne()
    try forEachPanel(context) { (rows, panel, context) throws(NumericError) in try step.add(rows, panel, context.forBLAS) }
  }

  /// Runs of neighbouring rows are computed together.
  public func rows(_ indices: [Int], into out: StridedMatrix<Double>, context: CallContext) throws(NumericError) {
    let pacer = Pacer(context)
    var first = 0
    while first < indices.count {
      var last = first + 1
      while last < indices.count, indices[last] == indices[last - 1] + 1, last - first < panels.side { last += 1 }
      let (low, high) = (Double(first) / Double(indices.count), Double(last) / Double(indices.count))
      try source.fill(
        indices[first]..<indices[last - 1] + 1, 0..<dimension, into: out.rows(first, last - first), context: pacer.step(low, high)
      )
      first = last
      try pacer.checkpoint(high)
    }
  }

  /// The diagonal of the source.
  public func diagonal(into out: UnsafeMutablePointer<Double>, context: CallContext) throws(NumericError) {
    try source.diagonal(into: out, context: context)
  }

  /// Panel by panel, and mirrored.
  public func matrix(into out: StridedMatrix<Double>, context: CallContext) throws(NumericError) {
    let n = dimension
    try forEachPanel(context) { (rows, panel, _) throws(NumericError) in
      let target = out.base + rows.lowerBound * out.rowStride + rows.lowerBound
      panel.copy(to: StridedMatrix(target, rows: rows.count, cols: n - rows.lowerBound, rowStride: out.rowStride, colStride: 1))
    }
    try mirrorLower(out.transposed, context: context)
  }

  /// Calls `body` with the rows of each panel and the panel, from the store or computed; fills the store on the way.
  private func forEachPanel(
    _ context: CallContext, _ body: (Range<Int>, StridedMatrix<Double>, CallContext) throws(NumericError) -> Void
  ) throws(NumericError) {
    let n = dimension
    let scratch = stored < panels.count ? try Workspace<Double>(panels.side * n) : nil
    let pacer = Pacer(context)
    for i in 0..<panels.count {
      let rows = panels.rows(i)
      let width = n - rows.lowerBound
      let (low, high) = (Double(i) / Double(panels.count), Double(i + 1) / Double(panels.count))
      let share = pacer.step(low, high)
      if i < stored, let store, let base = store.numbers.baseAddress, let offset = panels.numbers(in: i) {
        let panel = StridedMatrix(base + offset, rows: rows.count, cols: width)
        if store.filled.pointee <= i {
          try source.fill(rows, rows.lowerBound..<n, into: panel, context: share)
          store.filled.pointee = Int64(i + 1)
        }
        try body(rows, panel, share)
      } else if let scratch {
        let panel = StridedMatrix(scratch.pointer, rows: rows.count, cols: width)
        try source.fill(rows, rows.lowerBound..<n, into: panel, context: share)
        try body(rows, panel, share)
      }
      try pacer.checkpoint(high)
    }
  }
}
