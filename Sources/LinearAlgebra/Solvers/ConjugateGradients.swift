import COpenBLAS
import NumericCore

/// Conjugate gradients (Hestenes & Stiefel, J. Res. Natl. Bur. Stand. 49, 1952) for positive definite operators: products only.
///
/// All right-hand sides share one block of products per iteration; each has its own steps, and leaves the block when it is done. The
/// residual that the recursion carries drifts from the true one; so at the end it is computed anew, and where it misses the tolerance the
/// iteration starts again from there, as long as that halves it. 3 n numbers of memory per right-hand side.
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
    try request.check(op, b, x)
    let run = try ConjugateGradientRun(op, b, x, request, context)
    try run.solve()
    let status = run.statuses.max { $0.rawValue < $1.rawValue } ?? .converged
    return SolveResult(status: status, residuals: run.residuals, iterations: run.iterations)
  }
}

/// One call of the solver: vectors, and which of the right-hand sides are still at work.
private final class ConjugateGradientRun {
  private let op: any SymmetricOperator
  private let (b, x): (StridedMatrix<Double>, StridedMatrix<Double>)
  private let request: SolveRequest
  private let context: CallContext
  private let pacer: Pacer
  private let n: Int32
  private let mostIterations: Int
  private let (r, p, q): (StridedMatrix<Double>, StridedMatrix<Double>, StridedMatrix<Double>)
  private let room: Workspace<Double>
  private var progress = 0.0
  private(set) var iterations = 0
  private(set) var residuals: [Double]
  private(set) var statuses: [SolveStatus]

  init(
    _ op: any SymmetricOperator, _ b: StridedMatrix<Double>, _ x: StridedMatrix<Double>, _ request: SolveRequest,
    _ context: CallContext
  ) throws(NumericError) {
    let (count, n) = (b.rows, op.dimension)
    try requireInt32(n, "solve")
    try context.reserve(
      checkedProduct(24, count).flatMap { checkedProduct($0, n) }, for: "conjugate gradients for \(count) right-hand sides",
      instead: "Solve for fewer at a time.")
    let room = try Workspace<Double>(3 * count * n)
    let block = { (k: Int) in StridedMatrix(room.pointer + k * count * n, rows: count, cols: n) }
    (r, p, q, self.room) = (block(0), block(1), block(2), room)
    (self.op, self.b, self.x, self.request, self.context) = (op, b, x, request, context.forBLAS)
    (self.n, mostIterations, pacer) = (Int32(n), request.iterations(n), Pacer(context))
    residuals = [Double](repeating: 0, count: count)
    statuses = [SolveStatus](repeating: .converged, count: count)
    BLASThreads.useOne()
  }

  /// Rounds of iterations, each from the true residuals that the one before left.
  func solve() throws(NumericError) {
    for i in 0..<b.rows { row(x, i).update(repeating: 0, count: Int(n)) }
    b.copy(to: r)
    residuals = (0..<b.rows).map { norm(b, $0) > 0 ? 1 : 0 }
    var open = residuals.indices.filter { residuals[$0] > 0 }
    while !open.isEmpty {
      let before = residuals
      let broken = try iterate(open)
      residuals = try relativeResiduals(op, b, x, into: r, context: pacer.step(progress, progress))
      for i in open {
        let isDone = residuals[i] <= request.tolerance
        statuses[i] = isDone ? .converged : broken.contains(i) ? .notPositiveDefinite : iterations >= mostIterations ? .iterationLimit : .stalled
      }
      open = open.filter { statuses[$0] == .stalled && residuals[$0] < 0.5 * before[$0] }
    }
  }

  /// Iterates on some right-hand sides until each has its residual, by the recursion, or breaks down; returns those that broke down.
  private func iterate(_ columns: [Int]) throws(NumericError) -> Set<Int> {
    var (active, broken) = (columns, Set<Int>())
    var squares = columns.map { square(row(r, $0)) }
    for (place, i) in active.enumerated() { row(p, place).update(from: row(r, i), count: Int(n)) }
    while !active.isEmpty, iterations < mostIterations {
      try op.multiply(p.rows(0, active.count), into: q.rows(0, active.count), context: pacer.step(progress, progress))
      iterations += 1
      var kept = 0
      for (place, i) in active.enumerated() {
        let outcome = try step(i, place, &squares[place])
        if outcome == .broken { broken.insert(i) }
        guard outcome == .open else { continue }
        // Columns close up in the order that they have.
        if kept < place { row(p, kept).update(from: row(p, place), count: Int(n)) }
        (active[kept], squares[kept]) = (i, squares[place])
        kept += 1
      }
      active.removeLast(active.count - kept)
      try report(active, squares)
    }
    return broken
  }

  private enum Outcome { case open, done, broken }

  /// One step of right-hand side i, whose direction is row `place` of p.
  private func step(_ i: Int, _ place: Int, _ square: inout Double) throws(NumericError) -> Outcome {
    let (direction, image) = (row(p, place), row(q, place))
    let curvature = cblas_ddot(n, direction, 1, image, 1)
    guard curvature.isFinite else { throw .notFinite }
    let length = square / curvature
    guard curvature > 0, length.isFinite, square > 0 else { return square > 0 ? .broken : .done }
    cblas_daxpy(n, length, direction, 1, row(x, i), 1)
    cblas_daxpy(n, -length, image, 1, row(r, i), 1)
    let next = self.square(row(r, i))
    guard next.isFinite else { throw .notFinite }
    let ratio = next / square
    square = next
    if next.squareRoot() <= 0.5 * request.tolerance * norm(b, i) { return .done }
    let residual = row(r, i)
    for k in 0..<Int(n) { direction[k] = residual[k] + ratio * direction[k] }
    return .open
  }

  /// How much of the way from 1 to the tolerance the slowest has come, in digits.
  private func report(_ active: [Int], _ squares: [Double]) throws(NumericError) {
    let worst = zip(active, squares).map { $1.squareRoot() / norm(b, $0) }.max() ?? request.tolerance
    let digits = logarithm(max(worst, request.tolerance)) / logarithm(request.tolerance)
    progress = max(progress, min(0.99, digits))
    try pacer.checkpoint(progress)
  }

  private func row(_ m: StridedMatrix<Double>, _ i: Int) -> UnsafeMutablePointer<Double> { m.base + i * m.rowStride }
  private func square(_ v: UnsafePointer<Double>) -> Double { cblas_ddot(n, v, 1, v, 1) }
  private func norm(_ m: StridedMatrix<Double>, _ i: Int) -> Double { cblas_dnrm2(n, row(m, i), 1) }
}
