import LinearAlgebra
import NumericCore

/// The NNGP or NTK of a network on the rows of a data matrix, block by block.
public struct KernelSource: BlockSource {
  /// Which kernel.
  public enum Kernel: Int, Sendable {
    case nngp = 0
    case ntk = 1
  }

  private let kernel: PointwiseKernel
  private let name: Kernel
  private let x: StridedMatrix<Double>

  /// The kernel `name` between the rows of `x`, which are read while the source lives.
  /// - Throws: `invalidArgument` for a network with several outputs per input.
  public init(_ kernel: PointwiseKernel, _ name: Kernel, _ x: StridedMatrix<Double>) throws(NumericError) {
    guard kernel.blocks == 1 else {
      throw .invalid(
        "[operator] the network must give one output per input (FanInConcat along the batch does not). Received one that gives "
          + "\(kernel.blocks).")
    }
    (self.kernel, self.name, self.x) = (kernel, name, x)
  }

  /// Rows of the data.
  public var dimension: Int { x.rows }

  /// Columns that are rows of the block too are computed as pairs of the same inputs: exact on the diagonal.
  public func fill(
    _ rows: Range<Int>, _ columns: Range<Int>, into out: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    let shared = rows.clamped(to: columns)
    guard shared == rows else { return try fill(rows, columns, columns.lowerBound, out, context) }
    let total = Double(max(1, columns.count))
    for part in [columns.lowerBound..<rows.lowerBound, rows, rows.upperBound..<columns.upperBound] where !part.isEmpty {
      let (low, high) = (part.lowerBound - columns.lowerBound, part.upperBound - columns.lowerBound)
      try fill(rows, part, columns.lowerBound, out, context.part(Double(low) / total, Double(high) / total))
    }
  }

  /// The variances for the NNGP; for the NTK small blocks along the diagonal.
  public func diagonal(into out: UnsafeMutablePointer<Double>, context: CallContext) throws(NumericError) {
    guard name == .nngp else { return try diagonalByBlocks(into: out, context: context) }
    try kernel.compute(
      .rows(x, nil), into: KernelOutput(variances1: StridedMatrix(out, rows: x.rows, cols: 1)), context: context)
  }

  private func fill(
    _ rows: Range<Int>, _ columns: Range<Int>, _ first: Int, _ out: StridedMatrix<Double>, _ context: CallContext
  ) throws(NumericError) {
    let target = StridedMatrix(
      out.base + (columns.lowerBound - first), rows: rows.count, cols: columns.count, rowStride: out.rowStride, colStride: 1)
    let right = rows == columns ? nil : x.rows(columns.lowerBound, columns.count)
    let output = name == .nngp ? KernelOutput(nngp: target) : KernelOutput(ntk: target)
    try kernel.compute(.rows(x.rows(rows.lowerBound, rows.count), right), into: output, context: context)
  }
}
