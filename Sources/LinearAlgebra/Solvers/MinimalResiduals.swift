import COpenBLAS
import NumericCore

/// MINRES (Paige & Saunders, SIAM Journal on Numerical Analysis 12, 1975): the smallest residual in the Krylov space, for any symmetric operator.
///
/// Unlike conjugate gradients it takes indefinite and singular ones; where A does not reach all of b, x is a least-squares solution (and
/// the status says that its residual misses the tolerance). Blocks and rounds as in `ConjugateGradients`; 6 n numbers per right-hand side.
public struct MinimalResiduals: LinearSolver {
  /// Its name in the table.
  public let name = "minres"
  /// What it is.
  public let summary = "MINRES: products only, for symmetric operators that need not be positive definite."

  /// The solver.
  public init() {}

  /// Solutions of a symmetric system.
  public func solve(
    _ op: any SymmetricOperator, _ b: StridedMatrix<Double>, into x: StridedMatrix<Double>, _ request: SolveRequest,
    context: CallContext
  ) throws(NumericError) -> SolveResult {
    let rounds = try ResidualRounds(op, b, x, request, vectors: 6, context)
    let run = try MinimalResidualRun(rounds, context.forBLAS)
    let found = try rounds.run(context: context.forBLAS) { (columns) throws(NumericError) in try run.iterate(columns) }
    return SolveResult(status: found.status, residuals: found.residuals, iterations: run.iterations)
  }
}

/// The vectors of one call.
private final class MinimalResidualRun {
  private let rounds: ResidualRounds
  private let n: Int
  private let mostIterations: Int
  /// Lanczos vectors and their products, by place among those at work; the last Lanczos vector and two directions, by right-hand side.
  private let (v, image, last, w, before):
    (
      StridedMatrix<Double>, StridedMatrix<Double>, StridedMatrix<Double>, StridedMatrix<Double>, StridedMatrix<Double>
    )
  private let room: Workspace<Double>
  private var progress: DigitProgress
  private(set) var iterations = 0

  init(_ rounds: ResidualRounds, _ context: CallContext) throws(NumericError) {
    let (count, n) = (rounds.b.rows, rounds.op.dimension)
    let room = try Workspace<Double>(5 * count * n)
    let block = { (k: Int) in StridedMatrix(room.pointer + k * count * n, rows: count, cols: n) }
    (v, image, last, w, before) = (block(0), block(1), block(2), block(3), block(4))
    (self.rounds, self.n, self.room, mostIterations) = (rounds, n, room, rounds.request.iterations(n))
    progress = DigitProgress(context, tolerance: rounds.request.tolerance)
  }

  /// The QR factorisation of the tridiagonal matrix so far, of one right-hand side.
  private struct Rotation {
    var (cosine, sine, deltaBar, epsilon) = (-1.0, 0.0, 0.0, 0.0)
    /// The norm of the residual, and where it is small enough.
    var (residual, limit) = (0.0, 0.0)
    /// What couples the Lanczos vector to the one before, and the sum of all squares so far: A's norm from below.
    var (coupling, squares) = (0.0, 0.0)
  }

  /// Iterates on some right-hand sides until each has its residual, by the recursion, or does not get better.
  func iterate(_ columns: [Int]) throws(NumericError) -> ResidualRounds.End {
    var active = columns
    var states = columns.enumerated().map { begin($1, $0) }
    while !active.isEmpty, iterations < mostIterations {
      try rounds.op.multiply(v.rows(0, active.count), into: image.rows(0, active.count), context: progress.step)
      iterations += 1
      var kept = 0
      for (place, i) in active.enumerated() {
        guard try step(i, place, &states[place]) else { continue }
        if kept < place { row(v, kept).update(from: row(v, place), count: n) }
        (active[kept], states[kept]) = (i, states[place])
        kept += 1
      }
      active.removeLast(active.count - kept)
      let worst = zip(active, states).map { $1.residual * 0.5 * rounds.request.tolerance / $1.limit }.max()
      try progress.report(worst ?? rounds.request.tolerance)
    }
    return ResidualRounds.End(isAtLimit: iterations >= mostIterations)
  }

  /// The start of a round: the Lanczos vector along the residual.
  private func begin(_ i: Int, _ place: Int) -> Rotation {
    for vector in [last, w, before] { row(vector, i).update(repeating: 0, count: n) }
    var state = Rotation()
    state.residual = norm(row(rounds.r, i))
    state.limit = 0.5 * rounds.request.tolerance * norm(row(rounds.b, i))
    scale(row(rounds.r, i), by: 1 / state.residual, into: row(v, place))
    return state
  }

  /// One step of right-hand side i, whose Lanczos vector is row `place` of v; false where it was the last one.
  private func step(_ i: Int, _ place: Int, _ s: inout Rotation) throws(NumericError) -> Bool {
    let (current, next) = (row(v, place), row(image, place))
    cblas_daxpy(Int32(n), -s.coupling, row(last, i), 1, next, 1)
    let alpha = cblas_ddot(Int32(n), current, 1, next, 1)
    cblas_daxpy(Int32(n), -alpha, current, 1, next, 1)
    let beta = norm(next)
    guard alpha.isFinite, beta.isFinite else { throw .notFinite }
    s.squares += alpha * alpha + beta * beta + s.coupling * s.coupling
    let size = s.squares.squareRoot()
    let (epsilon, delta) = (s.epsilon, s.cosine * s.deltaBar + s.sine * alpha)
    let gammaBar = s.sine * s.deltaBar - s.cosine * alpha
    (s.epsilon, s.deltaBar) = (s.sine * beta, -s.cosine * beta)
    let gamma = (gammaBar * gammaBar + beta * beta).squareRoot()
    // ||A r|| / (||A|| ||r||): the residual is what A does not reach.
    let slope = (gammaBar * gammaBar + s.deltaBar * s.deltaBar).squareRoot()
    guard gamma > 1e-15 * size, slope > 1e-13 * size else { return false }
    (s.cosine, s.sine) = (gammaBar / gamma, beta / gamma)
    let (direction, older) = (row(w, i), row(before, i))
    for k in 0..<n {
      let new = (current[k] - epsilon * older[k] - delta * direction[k]) / gamma
      (older[k], direction[k]) = (direction[k], new)
    }
    cblas_daxpy(Int32(n), s.cosine * s.residual, direction, 1, row(rounds.x, i), 1)
    s.residual *= s.sine
    guard s.residual > s.limit, beta > 1e-15 * size else { return false }
    row(last, i).update(from: current, count: n)
    scale(next, by: 1 / beta, into: current)
    s.coupling = beta
    return true
  }

  private func row(_ m: StridedMatrix<Double>, _ i: Int) -> UnsafeMutablePointer<Double> { m.base + i * m.rowStride }
  private func norm(_ v: UnsafePointer<Double>) -> Double { cblas_dnrm2(Int32(n), v, 1) }
  private func scale(_ x: UnsafePointer<Double>, by factor: Double, into y: UnsafeMutablePointer<Double>) {
    for k in 0..<n { y[k] = factor * x[k] }
  }
}
