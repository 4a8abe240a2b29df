import COpenBLAS
import NumericCore

/// Conjugate gradients (Hestenes & Stiefel, J. Res. Natl. Bur. Stand. 49, 1952) for positive definite operators: products only.
///
/// All right-hand sides share one block of products per iteration; each has its own steps, and leaves the block when it is done (see
/// `ResidualRounds`). 3 n numbers of memory per right-hand side.
public struct ConjugateGradients: LinearSolver {
  /// Its name in the table.
  public let name = "cg"
  /// What it is.
  public let summary = "Conjugate gradients: products only, for positive definite operators of any size."

  /// The solver.
  public init() {}

  /// Solutions of a positive definite system.
  public func solve(
    _ op: any SymmetricOperator, _ b: StridedMatrix<Double>, into x: StridedMatrix<Double>, _ request: SolveRequest,
    context: CallContext
  ) throws(NumericError) -> SolveResult {
    let rounds = try ResidualRounds(op, b, x, request, vectors: 3, context)
    let run = try ConjugateGradientRun(rounds, context.forBLAS)
    let found = try rounds.run(context: context.forBLAS) { (columns) throws(NumericError) in try run.iterate(columns) }
    return SolveResult(status: found.status, residuals: found.residuals, iterations: run.iterations)
  }
}

/// The vectors of one call.
private final class ConjugateGradientRun {
  private let rounds: ResidualRounds
  private let n: Int32
  private let mostIterations: Int
  /// Directions and their products; row k belongs to the k-th right-hand side that is still at work.
  private let (p, q): (StridedMatrix<Double>, StridedMatrix<Double>)
  private let room: Workspace<Double>
  private var progress: DigitProgress
  private(set) var iterations = 0

  init(_ rounds: ResidualRounds, _ context: CallContext) throws(NumericError) {
    let (count, n) = (rounds.b.rows, rounds.op.dimension)
    room = try Workspace<Double>(2 * count * n)
    p = StridedMatrix(room.pointer, rows: count, cols: n)
    q = StridedMatrix(room.pointer + count * n, rows: count, cols: n)
    (self.rounds, self.n, mostIterations) = (rounds, Int32(n), rounds.request.iterations(n))
    progress = DigitProgress(context, tolerance: rounds.request.tolerance)
  }

  /// Iterates on some right-hand sides until each has its residual, by the recursion, or breaks down.
  func iterate(_ columns: [Int]) throws(NumericError) -> ResidualRounds.End {
    var (active, broken) = (columns, Set<Int>())
    var squares = columns.map { square(row(rounds.r, $0)) }
    for (place, i) in active.enumerated() { row(p, place).update(from: row(rounds.r, i), count: Int(n)) }
    while !active.isEmpty, iterations < mostIterations {
      try rounds.op.multiply(p.rows(0, active.count), into: q.rows(0, active.count), context: progress.step)
      iterations += 1
      var kept = 0
      for (place, i) in active.enumerated() {
        let outcome = try step(i, place, &squares[place])
        if outcome == .broken { broken.insert(i) }
        guard outcome == .open else { continue }
        // Those that stay close up, in the order that they have.
        if kept < place { row(p, kept).update(from: row(p, place), count: Int(n)) }
        (active[kept], squares[kept]) = (i, squares[place])
        kept += 1
      }
      active.removeLast(active.count - kept)
      try progress.report(zip(active, squares).map { $1.squareRoot() / norm($0) }.max() ?? rounds.request.tolerance)
    }
    return ResidualRounds.End(broken: broken, isAtLimit: iterations >= mostIterations)
  }

  private enum Outcome { case open, done, broken }

  /// One step of right-hand side i, whose direction is row `place` of p.
  private func step(_ i: Int, _ place: Int, _ square: inout Double) throws(NumericError) -> Outcome {
    let (direction, image, residual) = (row(p, place), row(q, place), row(rounds.r, i))
    let curvature = cblas_ddot(n, direction, 1, image, 1)
    guard curvature.isFinite else { throw .notFinite }
    let length = square / curvature
    guard curvature > 0, length.isFinite, square > 0 else { return square > 0 ? .broken : .done }
    cblas_daxpy(n, length, direction, 1, row(rounds.x, i), 1)
    cblas_daxpy(n, -length, image, 1, residual, 1)
    let next = self.square(residual)
    guard next.isFinite else { throw .notFinite }
    let ratio = next / square
    square = next
    if next.squareRoot() <= 0.5 * rounds.request.tolerance * norm(i) { return .done }
    for k in 0..<Int(n) { direction[k] = residual[k] + ratio * direction[k] }
    return .open
  }

  private func row(_ m: StridedMatrix<Double>, _ i: Int) -> UnsafeMutablePointer<Double> { m.base + i * m.rowStride }
  private func square(_ v: UnsafePointer<Double>) -> Double { cblas_ddot(n, v, 1, v, 1) }
  private func norm(_ i: Int) -> Double { cblas_dnrm2(n, row(rounds.b, i), 1) }
}
