import InfiniteWidth
import LinearAlgebra
import NumericCore

/// The NNGP or NTK of a network on the rows of a data matrix, block by block and by one plan: an element has the same bits in whatever
/// block it is computed.
public struct KernelSource: BlockSource {
  /// Which kernel.
  public enum Kernel: Int, Sendable {
    case nngp = 0
    case ntk = 1
  }

  private let engine: any KernelEngine
  private let name: Kernel
  private let x: StridedMatrix<Double>
  private let plan: KernelPlan

  /// The kernel `name` between the rows of `x`, which are read while the source lives.
  /// - Throws: `invalidArgument` for a network with several outputs per input, and whatever planning throws.
  public init(
    _ engine: any KernelEngine, _ name: Kernel, _ x: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    let blocks = try engine.outputBlocks(inputWidth: x.cols)
    guard blocks == 1 else {
      throw .invalid(
        "[operator] the network must give one output per input (FanInConcat along the batch does not). Received one that gives "
          + "\(blocks).")
    }
    (self.engine, self.name, self.x) = (engine, name, x)
    plan = try engine.plan(
      for: InputPair(.rows(x)), KernelFields(nngp: name == .nngp, ntk: name == .ntk), context: context.reporting(nil))
  }

  /// Rows of the data.
  public var dimension: Int { x.rows }

  /// Elements of pairs of the same row are exact, as on the diagonal of the whole.
  public func fill(
    _ rows: Range<Int>, _ columns: Range<Int>, into out: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    let right: Inputs<Double>? = rows == columns ? nil : .rows(x.rows(columns.lowerBound, columns.count))
    let pair = InputPair(.rows(x.rows(rows.lowerBound, rows.count)), right, places: (rows.lowerBound, columns.lowerBound))
    try engine.compute(
      pair, plan: plan, into: name == .nngp ? KernelOutput(nngp: out) : KernelOutput(ntk: out), context: context)
  }

  /// In O(n): variances, or the NTK of each input with itself.
  public func diagonal(into out: UnsafeMutablePointer<Double>, context: CallContext) throws(NumericError) {
    let column = StridedMatrix(out, rows: x.rows, cols: 1)
    let output = name == .nngp ? KernelOutput<Double>(variances1: column) : KernelOutput<Double>(ntkDiagonal: column)
    try engine.compute(InputPair(.rows(x)), plan: plan, into: output, context: context)
  }
}
