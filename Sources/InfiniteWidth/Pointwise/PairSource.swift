import NumericCore
import VectorKernelProduct

/// Inputs of one side, prepared: their rows (none where a kernel was given), deviations, and for each output block the arrays that
/// pairs read.
public final class PointwiseSide<Element: RowElement>: @unchecked Sendable {
  let inputs: InputRows<Element>?
  let deviations: Workspace<Double>
  let count: Int
  /// By output block; filled once by `PointwiseKernel`, as the following.
  var rowSides: [RowSide] = []
  /// The steps for each pair of output blocks, row by row.
  var programs: [PointwiseProgram] = []
  /// Whether the plan was made from these inputs: then it surely covers them.
  var isOfPlan = false

  init(_ inputs: InputRows<Element>) {
    (self.inputs, deviations, count) = (inputs, inputs.deviations, inputs.count)
  }

  /// The side of a given kernel.
  init(variances: [Double], name: String) throws(NumericError) {
    deviations = try Workspace<Double>(max(1, variances.count))
    (inputs, count) = (nil, variances.count)
    for (i, q) in variances.enumerated() {
      guard q.isFinite, q >= 0 else {
        throw .invalid("[kernel] \(name) must hold finite variances >= 0. Received \(q) at [\(i)].", index: (i, -1))
      }
      deviations.pointer[i] = q.squareRoot()
    }
  }
}

/// Two sides, and which of their inputs are the same.
struct PairSource<Element: RowElement>: Sendable {
  let row: PointwiseSide<Element>
  let col: PointwiseSide<Element>
  /// Whether both sides are one.
  let isSame: Bool
  /// Row i and column i + shift are the same input; nil where no two are known to be.
  let shift: Int?
  var given: GivenKernel<Element>?

  var rows: Int { row.count }
  var cols: Int { col.count }
}
