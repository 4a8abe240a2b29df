import NumericCore

/// Solves by the Cholesky factorisation of the whole matrix, with the jitter ladder: exact, O(n^3 / 3), n^2 numbers of memory.
public struct CholeskySolver: LinearSolver {
  /// Its name in the table.
  public let name = "cholesky"
  /// What it is.
  public let summary = "Factors the whole matrix: exact, for positive definite matrices that fit into memory."

  /// The solver.
  public init() {}

  /// Solutions of a positive definite system.
  /// - Throws: `notPositiveDefinite` with the pivot and the largest jitter tried; `outOfMemory` where n^2 numbers are too many.
  public func solve(
    _ op: any SymmetricOperator, _ b: StridedMatrix<Double>, into x: StridedMatrix<Double>, _ request: SolveRequest,
    context: CallContext
  ) throws(NumericError) -> SolveResult {
    try request.check(op, b, x)
    let (n, count) = (op.dimension, b.rows)
    try context.reserve(
      checkedProduct(n, n).flatMap { square in checkedProduct(n, 2 * count).flatMap { checkedSum(square, $0) } }
        .flatMap { checkedProduct($0, 8) },
      for: "a \(n) x \(n) matrix to be factored", instead: "Use method \"cg\", which needs products with it only.")
    let report = try factorAndSolve(op, b, into: x, context)
    let room = try Workspace<Double>(n * count)
    let residuals = try relativeResiduals(
      op, b, x, into: StridedMatrix(room.pointer, rows: count, cols: n), context: context.part(0.9, 1))
    let isExact = residuals.allSatisfy { $0 <= request.tolerance }
    return SolveResult(status: isExact ? .converged : .stalled, residuals: residuals, iterations: 0, jitter: report.jitter)
  }

  private func factorAndSolve(
    _ op: any SymmetricOperator, _ b: StridedMatrix<Double>, into x: StridedMatrix<Double>, _ context: CallContext
  ) throws(NumericError) -> FactorReport {
    let n = op.dimension
    let room = try Workspace<Double>(n * n)
    let columns = try Workspace<Double>(n * b.rows)
    let factor = StridedMatrix(room.pointer, rows: n, cols: n)
    let right = StridedMatrix(columns.pointer, rows: n, cols: b.rows)
    try op.matrix(into: factor, context: context.part(0, 0.3))
    for i in 0..<n where !factor[i, i].isFinite { throw .notFinite }
    let report = try cholesky(factor, into: factor, context: context.part(0.3, 0.8))
    b.transposed.copy(to: right)
    try LinearAlgebra.solve(.whole, factor, right, context: context.part(0.8, 0.9))
    right.transposed.copy(to: x)
    for i in 0..<x.rows { for j in 0..<n where !x[i, j].isFinite { throw .overflow } }
    return report
  }
}

extension NumericError {
  /// A solution that left the range of numbers.
  fileprivate static let overflow = NumericError(
    .overflow, "[solve] the solution must be finite. Received a system whose solution overflows; rescale the matrix or b.")
}
