import NumericCore
import VectorKernelProduct
import VectorKernelTypes
import VectorKernels

/// Both ends of the range: what is too small or too large for a kernel to be right in the type of its results.
///
/// Rows enter with a power of two taken out (`InputRows`), and what belongs to single inputs is held as deviations in float64, so
/// neither end is reached there. It is reached by products of two deviations.
enum ResultRange {
  /// Deviations whose products and reciprocals, four at a time, stay in the range of float32.
  private static var safeInFloat: ClosedRange<Double> { 0x1p-30...0x1p+30 }
  /// The least deviation before a nonlinearity with a scale: its square is used.
  private static var leastBeforeCurve: Double { 0x1p-500 }

  /// Whether a deviation of a side, after any of the steps, is so far from 1 that pairs need float64.
  static func leavesFloat(_ steps: [RowStep], _ side: RowSide) -> Bool {
    Set([0] + steps.map(\.output)).contains { id in
      let s = side.arrays[id].pointer
      return (0..<side.count).contains { s[side.at($0)] != 0 && !safeInFloat.contains(s[side.at($0)]) }
    }
  }

  /// Throws where a deviation that enters a nonlinearity is too small for its formula, though not 0.
  static func checkBefore(_ step: RowStep, _ side: RowSide, _ name: String) throws(NumericError) {
    let s = side.arrays[step.input].pointer
    for i in 0..<side.count where s[side.at(i)] > 0 && s[side.at(i)] < leastBeforeCurve {
      throw .invalid(
        "[kernel] the standard deviation before \(step.layer) must be 0 or at least \(leastBeforeCurve). "
          + "Received \(s[side.at(i)]) for \(name)[\(i)]: \(advice(s[side.at(i)]))", index: (i, -1))
    }
  }

  /// Throws where the largest entries of the wanted kernels are under the smallest normal number of `Element`: then no entry keeps
  /// its digits. Single small entries among larger ones are as exact as the kernel's rounding.
  static func check<Element: RowElement>(
    _ sides: [PointwiseSide<Element>], block: Int, _ plan: PairPlan, users: UserDuals, _ fields: KernelFields
  ) throws(NumericError) {
    var (variance, tangent, input) = (1.0, 1.0, 1.0)
    for side in [sides[0], sides[sides.count - 1]] {
      let program = side.programs[block * (side.rowSides.count + 1)]
      let s = side.rowSides[block].values(program.rowOutput)
      guard let top = s.indices.max(by: { s[$0] < s[$1] }), s[top] > 0 else { return }
      variance *= s[top]
      input = min(input, side.deviations.pointer[top])
    }
    let least = Double(Element.leastNormalMagnitude)
    guard variance < least else { return }
    if fields.ntk, !fields.nngp {
      for side in [sides[0], sides[sides.count - 1]] {
        tangent *= try largestTangent(side, block, plan, users: users, fields).squareRoot()
      }
    }
    guard fields.nngp || tangent < least else { return }
    let type = Element.self == Float.self ? "float32" : "float64"
    throw .invalid(
      "[kernel] the largest entries must be at least \(least), the least number that \(type) holds with all digits. "
        + "Received inputs that give \(fields.nngp ? variance : tangent): \(advice(input))")
  }

  /// The NTK of the input with the largest output with itself.
  private static func largestTangent<Element: RowElement>(
    _ side: PointwiseSide<Element>, _ block: Int, _ plan: PairPlan, users: UserDuals, _ fields: KernelFields
  ) throws(NumericError) -> Double {
    let program = side.programs[block * (side.rowSides.count + 1)]
    let rows = side.rowSides[block]
    let s = rows.values(program.rowOutput)
    guard let top = s.indices.max(by: { s[$0] < s[$1] }) else { return 0 }
    let pairs = try PairProgram<Double>(
      program, plan.reaches, row: rows, col: rows, kernels: KernelTable.current.float64, users: users, startsFromZero: true)
    let none: GivenKernel<Element>? = nil
    return try Diagonal(pairs, side: rows, inputs: top..<(top + 1), output: program.rowOutput, given: none, wantsNTK: true)
      .largestTheta
  }

  /// Throws where the NTKs of a tile cannot be held by the results' type.
  static func check<Work: RowElement, Element: RowElement>(
    _ thetas: UnsafeMutablePointer<Work>, _ width: Int, _ area: TileArea, isTangent: Bool, in type: Element.Type
  ) throws(NumericError) {
    let limit = Work(exactly: Element.greatestFiniteMagnitude) ?? Work.greatestFiniteMagnitude
    for r in 0..<area.rows {
      let row = thetas + r * width
      let count = isTangent ? 2 * ((area.cols + 7) & ~7) : area.cols
      guard !allFinite(row, count, limit) else { continue }
      for c in 0..<area.cols {
        let value = row[isTangent ? (c >> 3) * 16 + 8 + (c & 7) : c]
        guard !(abs(value) <= limit) else { continue }
        throw NumericError(
          .overflow,
          "[kernel] the NTK must stay finite in the result's type. "
            + "Received \(value) for x1[\(area.row + r)] and x2[\(area.column + c)]: scale the inputs down, or use float64.",
          index: (area.row + r, area.column + c))
      }
    }
  }

  /// Whether all numbers are at most `limit` in size; no branch per number, so that it runs by vectors.
  @inline(__always)
  private static func allFinite<Work: RowElement>(_ row: UnsafeMutablePointer<Work>, _ count: Int, _ limit: Work) -> Bool {
    var isOver = SIMD8<Int32>()
    var k = 0
    while k &+ 8 <= count {
      for lane in 0..<8 { isOver[lane] |= abs(row[k &+ lane]) <= limit ? 0 : 1 }
      k = k &+ 8
    }
    var rest: Int32 = 0
    while k < count {
      rest |= abs(row[k]) <= limit ? 0 : 1
      k = k &+ 1
    }
    return isOver.wrappedSum() == 0 && rest == 0
  }

  /// What to do about inputs of a deviation that is too small.
  private static func advice(_ deviation: Double) -> String {
    "multiply the inputs by 2^\(-Int(deviation.exponent)), or use inputs of another unit."
  }
}

extension RowStep {
  /// Whether it is a nonlinearity with a scale of its own.
  var curves: Bool {
    switch action {
    case .dual(_, _, _, homogeneity: nil), .series: true
    default: false
    }
  }
}
