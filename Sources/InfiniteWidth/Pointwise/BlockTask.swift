import NumericCore
import VectorKernelProduct
import VectorKernelTypes
import VectorKernels

/// One pair of output blocks: its program, the two sides prepared for it, and how the plan wants it computed.
struct BlockTask<Element: RowElement> {
  let source: PairSource<Element>
  let program: PointwiseProgram
  let plan: PairPlan
  let row: RowSide
  let col: RowSide
  let users: UserDuals
  let fields: KernelFields
  let isOnDiagonal: Bool
  let wantsTangent: Bool

  /// The program bound to two sides, on strips of `Work`.
  func program<Work: RowElement>(
    of type: Work.Type, row: RowSide, col: RowSide
  ) throws(NumericError) -> PairProgram<Work> {
    let table = KernelTable.current
    let isFloat = Work.self == Float.self
    return try PairProgram<Work>(
      program, plan.reaches, row: row, col: col,
      kernels: isFloat ? table.float32 : wantsTangent ? table.tangent : table.float64, users: users,
      profile: isFloat ? plan.floatProfile : plan.profile, fields: fields,
      startsFromZero: source.given == nil && !wantsTangent)
  }

  /// The kernels with themselves of the rows' inputs that stand among the columns too (`all`: of all rows); nil where there are none.
  /// `pairs`: the program bound to rows and columns.
  func diagonal(_ pairs: PairProgram<Double>, all: Bool, wantsNTK: Bool) throws(NumericError) -> Diagonal? {
    guard isOnDiagonal, let shift = source.shift else { return nil }
    let inputs = all ? 0..<source.rows : max(0, -shift)..<max(0, -shift, min(source.rows, source.cols - shift))
    guard !inputs.isEmpty else { return nil }
    let own = row === col ? pairs : try program(of: Double.self, row: row, col: row)
    let diagonal = try Diagonal(
      own, side: row, inputs: inputs, output: program.rowOutput, given: source.given,
      wantsNTK: wantsNTK)
    try diagonal.checkRange(of: Element.self)
    return diagonal
  }
}
