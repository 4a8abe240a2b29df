import COpenBLAS
import NumericCore

/// What the iterative solvers share: the systems, and rounds of iterations that each begin at the true residuals.
///
/// The residual that a short recursion carries drifts from the true one. So a round ends when the recursion has met the tolerance; then
/// the residuals are computed anew, and what misses the tolerance goes into another round, as long as that halves it.
struct ResidualRounds {
  let op: any SymmetricOperator
  let b: StridedMatrix<Double>
  let x: StridedMatrix<Double>
  /// Residuals of all right-hand sides, row by row: where a round begins.
  let r: StridedMatrix<Double>
  let request: SolveRequest
  private let room: Workspace<Double>

  /// How a round ended: which right-hand sides met a direction that the method cannot use, and whether iterations are left.
  struct End {
    var broken: Set<Int> = []
    var isAtLimit = false
  }

  /// Systems with x = 0, after a check of the request.
  init(
    _ op: any SymmetricOperator, _ b: StridedMatrix<Double>, _ x: StridedMatrix<Double>, _ request: SolveRequest,
    vectors: Int, _ context: CallContext
  ) throws(NumericError) {
    try request.check(op, b, x)
    let (count, n) = (b.rows, op.dimension)
    try requireInt32(n, "solve")
    try context.reserve(
      checkedProduct(8 * vectors, count).flatMap { checkedProduct($0, n) },
      for: "\(vectors) vectors for each of \(count) right-hand sides", instead: "Solve for fewer at a time.")
    room = try Workspace<Double>(count * n)
    (self.op, self.b, self.x, self.request) = (op, b, x, request)
    r = StridedMatrix(room.pointer, rows: count, cols: n)
    BLASThreads.useOne()
  }

  /// Runs rounds until every right-hand side is done or does not get better.
  func run(
    context: CallContext, _ round: (_ columns: [Int]) throws(NumericError) -> End
  ) throws(NumericError) -> (status: SolveStatus, residuals: [Double]) {
    for i in 0..<x.rows { (x.base + i * x.rowStride).update(repeating: 0, count: x.cols) }
    b.copy(to: r)
    var residuals = (0..<b.rows).map { cblas_dnrm2(Int32(b.cols), b.base + $0 * b.rowStride, 1) > 0 ? 1.0 : 0 }
    var statuses = [SolveStatus](repeating: .converged, count: b.rows)
    var open = residuals.indices.filter { residuals[$0] > 0 }
    while !open.isEmpty {
      let before = residuals
      let end = try round(open)
      residuals = try relativeResiduals(op, b, x, into: r, context: context.reporting(nil))
      try context.checkpoint(0.99)
      for i in open { statuses[i] = status(residuals[i], end.broken.contains(i), end.isAtLimit) }
      open = open.filter { statuses[$0] == .stalled && residuals[$0] < 0.5 * before[$0] }
    }
    return (statuses.max { $0.rawValue < $1.rawValue } ?? .converged, residuals)
  }

  private func status(_ residual: Double, _ isBroken: Bool, _ isAtLimit: Bool) -> SolveStatus {
    if residual <= request.tolerance { return .converged }
    return isBroken ? .notPositiveDefinite : isAtLimit ? .iterationLimit : .stalled
  }
}

/// Progress of an iteration in digits: how much of the way from 1 to the tolerance the slowest right-hand side has come.
struct DigitProgress {
  private let pacer: Pacer
  private let tolerance: Double
  private var done = 0.0

  init(_ context: CallContext, tolerance: Double) { (pacer, self.tolerance) = (Pacer(context), tolerance) }

  /// The context of the next product.
  var step: CallContext { pacer.step(done, done) }

  /// Reports, where that is due, that the largest relative residual is `worst` now.
  mutating func report(_ worst: Double) throws(NumericError) {
    let digits = logarithm(max(worst, tolerance)) / logarithm(tolerance)
    done = max(done, min(0.98, digits))
    try pacer.checkpoint(done)
  }
}
