import LinearAlgebra
import NumericCore
import TestSupport
import Testing

@Suite struct OperatorTests {
  /// Blocks of a formula, with a count of the elements that were asked for.
  final class Formula: BlockSource {
    let dimension: Int
    var computed = 0
    init(_ n: Int) { dimension = n }

    static func entry(_ i: Int, _ j: Int) -> Double {
      let sign = (i + j) % 3 == 0 ? -1.0 : 1.0
      return sign / Double(1 + abs(i - j)) + (i == j ? 2 : 0)
    }

    func fill(
      _ rows: Range<Int>, _ columns: Range<Int>, into out: StridedMatrix<Double>, context: CallContext
    ) throws(NumericError) {
      computed += rows.count * columns.count
      for i in rows { for j in columns { out[i - rows.lowerBound, j - columns.lowerBound] = Formula.entry(i, j) } }
      try context.checkpoint(1)
    }
  }

  private static let sizes = [1, 2, 31, 64, 65, 200]

  @Test(arguments: sizes) func products(_ n: Int) throws {
    let failures = try OperatorConformance.failures(
      of: {
        ProductOperator(dimension: n) { (x, y, _) throws(NumericError) in
          for i in 0..<n { y[i] = (0..<n).reduce(0) { $0 + Formula.entry(i, $1) * x[$1] } }
        }
      }, entry: Formula.entry)
    #expect(failures.isEmpty, "\(failures.prefix(3))")
  }

  @Test(arguments: sizes) func dense(_ n: Int) throws {
    let wide = try Dense(n, 2 * n) { i, j in Formula.entry(i, j / 2) }
    let straight = try Dense(n, n) { Formula.entry($0, $1) }
    // Rows, columns, and every other column of a wider matrix.
    let odd = StridedMatrix(wide.view.base, rows: n, cols: n, rowStride: 2 * n, colStride: 2)
    for view in [straight.view, straight.view.transposed, odd] {
      let failures = try OperatorConformance.failures(
        of: { try DenseOperator(view, context: CallContext()) }, entry: Formula.entry)
      #expect(failures.isEmpty, "\(failures.prefix(3))")
    }
    withExtendedLifetime((wide, straight)) {}
  }

  @Test(arguments: sizes) func shifted(_ n: Int) throws {
    let failures = try OperatorConformance.failures(
      of: { ShiftedOperator(try TiledOperator(Formula(n), context: CallContext()), by: 0.75) },
      entry: { Formula.entry($0, $1) + ($0 == $1 ? 0.75 : 0) })
    #expect(failures.isEmpty, "\(failures.prefix(3))")
    let shifts = (0..<n).map { 0.5 + 0.25 * Double($0 % 7) }
    let byRow = try OperatorConformance.failures(
      of: { try ShiftedOperator(try TiledOperator(Formula(n), context: CallContext()), by: shifts) },
      entry: { Formula.entry($0, $1) + ($0 == $1 ? shifts[$0] : 0) })
    #expect(byRow.isEmpty, "\(byRow.prefix(3))")
    let base = try TiledOperator(Formula(n), context: CallContext())
    for wrong in [shifts + [0], [], shifts.map { _ in Double.nan }] {
      #expect(throws: NumericError.self) { try ShiftedOperator(base, by: wrong) }
    }
  }

  @Test(arguments: [(1, 1), (2, 5), (40, 3), (3, 300)], [true, false])
  func covariance(_ shape: (count: Int, length: Int), _ isCentred: Bool) throws {
    let g = try Dense.random(shape.count, shape.length, seed: 11)
    let mean = { (j: Int) in
      isCentred ? (0..<shape.count).reduce(0) { $0 + g[$1, j] } / Double(shape.count) : 0
    }
    let means = (0..<shape.length).map(mean)
    let failures = try OperatorConformance.failures(
      of: { try CovarianceOperator(g.view, isCentred: isCentred) },
      entry: { i, j in
        (0..<shape.count).reduce(0) { $0 + (g[$1, i] - means[i]) * (g[$1, j] - means[j]) } / Double(shape.count)
      })
    #expect(failures.isEmpty, "\(failures.prefix(3))")
  }

  /// Without a store, with room for one panel, for some, for all: the same bits, and what is kept is not computed again.
  @Test(arguments: [1, 5, 64, 65, 300, 520]) func tiles(_ n: Int) throws {
    let panels = Panels(dimension: n)
    let x = try Dense.random(2, n)
    var bits: [[Double]] = []
    for kept in Set([0, 1, panels.count / 2, panels.count]).sorted() {
      let size = try #require(panels.numbers(in: kept))
      let room = try Workspace<Double>(size)
      var filled: Int64 = 0
      try withUnsafeMutablePointer(to: &filled) { filled in
        let source = Formula(n)
        let op = try TiledOperator(
          source, store: PanelStore(UnsafeMutableBufferPointer(start: room.pointer, count: size), filled: filled),
          context: CallContext())
        let y = try Dense(2, n)
        try op.multiply(x.view, into: y.view, context: CallContext(threads: 2))
        bits.append(y.elements)
        let once = source.computed
        #expect(once == panels.numbers(in: panels.count))
        try op.multiply(x.view, into: y.view, context: CallContext())
        #expect(source.computed - once == once - size)
        #expect(y.elements == bits[0])
        #expect(filled.pointee == kept)
        guard kept == panels.count / 2, n <= 300 else { return }
        let failures = try OperatorConformance.failures(of: { op }, entry: Formula.entry)
        #expect(failures.isEmpty, "\(failures.prefix(3))")
      }
    }
    for other in bits { #expect(other == bits[0]) }
  }

  @Test func panelsCoverTheUpperTriangle() throws {
    for n in [1, 5, 63, 64, 65, 511, 512, 4000, 9000, 100_000, Int(Int32.max)] {
      let panels = Panels(dimension: n)
      #expect(panels.side >= 1 && panels.rows(panels.count - 1).upperBound == n)
      #expect(panels.side <= 32 || 8 * panels.side * n <= 1 << 26)
      guard n <= 9000 else { continue }
      var total = 0
      for i in 0..<panels.count {
        #expect(panels.numbers(in: i) == total && panels.fitting(total) == i)
        total += panels.rows(i).count * (n - panels.rows(i).lowerBound)
      }
      #expect(panels.numbers(in: panels.count) == total && panels.fitting(total) == panels.count)
      #expect(panels.fitting(total - 1) == panels.count - 1 && panels.fitting(0) == 0)
    }
  }

  @Test func badOperatorsAndCancellationsAreErrors() throws {
    let wide = try Dense(2, 3)
    #expect(throws: NumericError.self) { try DenseOperator(wide.view, context: CallContext()) }
    let empty = StridedMatrix(wide.view.base, rows: 0, cols: 0)
    #expect(throws: NumericError.self) { try DenseOperator(empty, context: CallContext()) }
    #expect(throws: NumericError.self) { try CovarianceOperator(empty, isCentred: true) }
    #expect(throws: NumericError.self) { try TiledOperator(Formula(0), context: CallContext()) }
    #expect { try TiledOperator(Formula(2000), context: CallContext(memoryLimit: 1000)) } throws: {
      ($0 as? NumericError)?.kind == .outOfMemory
    }
    let op = try TiledOperator(Formula(4), context: CallContext())
    let (x, y) = (try Dense(2, 4), try Dense(2, 5))
    #expect(throws: NumericError.self) { try op.multiply(x.view, into: y.view, context: CallContext()) }
    #expect(throws: NumericError.self) { try op.multiply(y.view, into: y.view, context: CallContext()) }
    let product = ProductOperator(dimension: 4) { (_, _, _) throws(NumericError) in }
    #expect(throws: NumericError.cancelled) {
      try product.multiply(x.view, into: x.view, context: CallContext { _ in false })
    }
    let slow = ProductOperator(dimension: 4) { (_, _, context) throws(NumericError) in try context.checkpoint(0.5) }
    #expect(throws: NumericError.cancelled) {
      try ShiftedOperator(slow, by: 1).multiply(x.view, into: x.view, context: CallContext { _ in false })
    }
  }
}
