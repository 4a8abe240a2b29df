import VectorKernelTypes

/// A dual given as a table: Chebyshev polynomials in the logarithms of the two deviations and in
///   y = 2 asinh(S t) / asinh(S pi / 2) - 1, t the acute angle between the inputs, S the largest deviation.
///
/// f = e + o, an even and an odd part. At acute angles rho' = (P_e - gap R_e) + (P_o - gap R_o) with P the inner products of vectors that
/// each depend on one side alone (their value at t = 0), and Td = d_i d_j (D_o + D_e); at obtuse angles the parts that are odd in rho, of o
/// and D_e, change sign.
///
/// Arrays: d, vectors of e, vectors of o, Chebyshev polynomials of the side's deviation (`columns`); then the epilogue's.
/// Parameters from 16 on: S, 2 / asinh(S pi / 2), features of e, features of o, columns, whether e and o are there; then for each column
/// of the one side how many polynomials in y it has; then for each of R_e, D_e, R_o, D_o that are there, for each column of the other
/// side the coefficients of all columns.
@inline(__always)
func tableStrip<L: Lanes>(_ type: L.Type, _ arguments: borrowing StripArguments) {
  let p = arguments.parameters + 16
  let counts = TableCounts(p)
  let affine = Affine<L>(arguments, arraysBefore: 1 &+ arguments.terms, parametersBefore: 8)
  let wantsSlope = arguments.theta != nil
  let coefficients = UnsafeMutablePointer<L>.allocate(capacity: Swift.max(1, 4 &* counts.terms))
  defer { coefficients.deallocate() }
  contract(arguments, counts, wantsSlope, into: coefficients)
  let table = TableReader<L>(arguments, counts, UnsafePointer(coefficients))
  let first = arguments.column / L.lanes
  for k in 0..<((arguments.count &+ L.lanes &- 1) / L.lanes) {
    let g = L.load(arguments.gap, vector: k)
    let (correlation, slope, isEqual) = table.pair(g, first &+ k, wantsSlope)
    affine.finish(gap: gap(ofCorrelation: correlation, equalInputs: isEqual), slope: slope, vector: k, column: first &+ k)
  }
}

/// How large the parts of a table are.
private struct TableCounts {
  let even: Int
  let odd: Int
  let columns: Int
  let hasEven: Bool
  let hasOdd: Bool
  /// Polynomials in y of each column, and of all together.
  let lengths: UnsafePointer<Double>
  let terms: Int
  let data: UnsafePointer<Double>

  @inline(__always) init(_ p: UnsafePointer<Double>) {
    (even, odd, columns) = (Int(p[2]), Int(p[3]), Int(p[4]))
    (hasEven, hasOdd) = (p[5] > 0, p[6] > 0)
    lengths = p + 7
    var sum = 0
    for q in 0..<columns { sum = sum &+ Int(lengths[q]) }
    terms = sum
    data = lengths + columns
  }
}

/// The polynomials in y of one input against each column: sums over the Chebyshev polynomials of the row's deviation.
/// Table t (R_e, D_e, R_o, D_o) stands at element t of each group of four.
@inline(__always)
private func contract<L: Lanes>(
  _ arguments: borrowing StripArguments, _ counts: TableCounts, _ wantsSlope: Bool, into target: UnsafeMutablePointer<L>
) {
  let firstArray = 1 &+ counts.even &+ counts.odd
  var data = counts.data
  for table in 0..<4 {
    if table < 2 ? !counts.hasEven : !counts.hasOdd { continue }
    let isNeeded = wantsSlope || table & 1 == 0
    for m in 0..<(isNeeded ? counts.terms : 0) { target[4 &* m &+ table] = .zero }
    for row in 0..<(isNeeded ? counts.columns : 0) {
      let factor = L.splat(arguments.rowArrays[firstArray &+ row], index: arguments.row)
      let line = data + row &* counts.terms
      for m in 0..<counts.terms { target[4 &* m &+ table] = L.fma(factor, L(line[m]), target[4 &* m &+ table]) }
    }
    data += counts.columns &* counts.terms
  }
}

/// Evaluates a table for one row of pairs.
private struct TableReader<L: Lanes> {
  private let steepness: L
  private let scale: L
  private let counts: TableCounts
  private let coefficients: UnsafePointer<L>
  private let rowArrays: UnsafePointer<UnsafeRawPointer>
  private let colArrays: UnsafePointer<UnsafeRawPointer>
  private let row: Int
  private let ratio = AngleRatio<L>(.whole)

  @inline(__always) init(_ arguments: borrowing StripArguments, _ counts: TableCounts, _ coefficients: UnsafePointer<L>) {
    steepness = L(arguments.parameters[16])
    scale = L(arguments.parameters[17])
    self.counts = counts
    self.coefficients = coefficients
    (rowArrays, colArrays, row) = (arguments.rowArrays, arguments.colArrays, arguments.row)
  }

  /// The correlation after the layer, Td, and whether the inputs are equal.
  @inline(__always) func pair(_ g: L, _ at: Int, _ wantsSlope: Bool) -> (correlation: L, slope: L, isEqual: L.Mask) {
    let size = g.withoutSign()
    let (angle, _, _) = acuteAngle(size, ratio)
    let steep = steepness * angle
    let y = L.fma(scale, .logarithm(steep + L.fma(steep, steep, .one).squareRoot()), -.one)
    let even = counts.hasEven ? part(0, at, y, wantsSlope) : (L.zero, L.zero)
    let odd = counts.hasOdd ? part(2, at, y, wantsSlope) : (L.zero, L.zero)
    let evenEqual = product(1, counts.even, at)
    let oddEqual = product(1 &+ counts.even, counts.odd, at)
    let evenNow = L.fma(-size, even.0, evenEqual)
    let oddNow = L.fma(-size, odd.0, oddEqual)
    let (d, own) = (L.load(colArrays[0], vector: at), L.splat(rowArrays[0], index: row))
    let slope = (odd.1 + L.negated(even.1, like: g)) * (own * d)
    return (evenNow + L.negated(oddNow, like: g), slope, L.equalInputs(g, own, d))
  }

  /// R and D of a part at y.
  @inline(__always) private func part(_ table: Int, _ at: Int, _ y: L, _ wantsSlope: Bool) -> (L, L) {
    let firstArray = 1 &+ counts.even &+ counts.odd
    var (mean, slope) = (L.zero, L.zero)
    var end = 0
    for q in 0..<counts.columns {
      let start = end
      end = end &+ Int(counts.lengths[q])
      let (r, d) = polynomials(start, end, table, y, wantsSlope)
      let factor = L.load(colArrays[firstArray &+ q], vector: at)
      mean = L.fma(factor, r, mean)
      slope = L.fma(factor, d, slope)
    }
    return (mean, slope)
  }

  /// Both polynomials of a column by Clenshaw's recurrence: powers of y would have coefficients as large as 10^20.
  @inline(__always) private func polynomials(_ start: Int, _ end: Int, _ table: Int, _ y: L, _ wantsSlope: Bool) -> (L, L) {
    let twice = y + y
    var (r, olderR, d, olderD) = (L.zero, L.zero, L.zero, L.zero)
    var m = end &- 1
    while m > start {
      (r, olderR) = (L.fma(r, twice, coefficients[4 &* m &+ table] - olderR), r)
      if wantsSlope { (d, olderD) = (L.fma(d, twice, coefficients[4 &* m &+ table &+ 1] - olderD), d) }
      m = m &- 1
    }
    guard start < end else { return (r, d) }
    r = L.fma(r, y, coefficients[4 &* start &+ table] - olderR)
    if wantsSlope { d = L.fma(d, y, coefficients[4 &* start &+ table &+ 1] - olderD) }
    return (r, d)
  }

  /// The inner product of `count` arrays of either side from `start` on.
  @inline(__always) private func product(_ start: Int, _ count: Int, _ at: Int) -> L {
    var sum = L.zero
    for k in start..<(start &+ count) {
      sum = L.fma(L.splat(rowArrays[k], index: row), L.load(colArrays[k], vector: at), sum)
    }
    return sum
  }
}
