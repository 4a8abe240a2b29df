import COpenBLAS
import NumericCore

/// What a solver is asked for.
public struct SolveRequest: Sendable {
  /// Largest ||b - A x|| / ||b|| of every right-hand side.
  public var tolerance = 1e-8
  /// Most iterations; 0: ten for each row, at least 100.
  public var mostIterations = 0

  /// A request with the defaults above.
  public init() {}

  /// Most iterations for n rows.
  func iterations(_ n: Int) -> Int { mostIterations > 0 ? mostIterations : max(100, checkedProduct(10, n) ?? n) }
}

/// How a solver ended.
public enum SolveStatus: Int32, Sendable {
  /// Every residual is within the tolerance.
  case converged = 0
  /// The iterations that were allowed did not suffice.
  case iterationLimit = 1
  /// Rounding, or the part of b that A does not reach, keeps a residual above the tolerance.
  case stalled = 2
  /// The method needs a positive definite matrix, and met a direction with x A x <= 0.
  case notPositiveDefinite = 3
}

/// What a solver found beside the solution.
public struct SolveResult: Sendable {
  /// The worst of the right-hand sides.
  public var status: SolveStatus
  /// ||b - A x|| / ||b|| of each right-hand side, by a product with A at the end (0 where b is 0).
  public var residuals: [Double]
  /// Blocks of products with A, without the last one; 0 for a direct method.
  public var iterations: Int
  /// Added to the diagonal because the matrix was singular to working precision.
  public var jitter = 0.0
}

/// A way to solve A x = b for a symmetric operator A. A solver is one file and one row of `SolverTable`.
public protocol LinearSolver: Sendable {
  /// Its name in `SolverTable`.
  var name: String { get }
  /// What it is and when it is right, in one line.
  var summary: String { get }

  /// Writes the solution for each row of `b` into the same row of `x` (contiguous rows of `op.dimension` numbers); x is always finite.
  ///
  /// A system that cannot be solved to the tolerance gives the nearest that was found, and a status that says why; only where there is
  /// nothing to give (a factorisation that breaks down) is it an error.
  func solve(
    _ op: any SymmetricOperator, _ b: StridedMatrix<Double>, into x: StridedMatrix<Double>, _ request: SolveRequest,
    context: CallContext
  ) throws(NumericError) -> SolveResult
}

extension SolveRequest {
  /// Throws unless the request makes sense and b is finite.
  func check(_ op: any SymmetricOperator, _ b: StridedMatrix<Double>, _ x: StridedMatrix<Double>) throws(NumericError) {
    guard tolerance > 0, tolerance < 1, mostIterations >= 0 else {
      throw .invalid(
        "[solve] needs a tolerance between 0 and 1 and 0 or more iterations. Received \(tolerance), \(mostIterations).")
    }
    try op.requireBlocks(b, x)
    for i in 0..<b.rows {
      for j in 0..<b.cols where !b[i, j].isFinite {
        throw .invalid("[solve] b must be finite. Received \(b[i, j]) at [\(j), \(i)].", index: (j, i))
      }
    }
  }
}

/// r = b - A x, and ||r|| / ||b|| of each row, with room for one block of vectors.
func relativeResiduals(
  _ op: any SymmetricOperator, _ b: StridedMatrix<Double>, _ x: StridedMatrix<Double>, into r: StridedMatrix<Double>,
  context: CallContext
) throws(NumericError) -> [Double] {
  try op.multiply(x, into: r, context: context)
  let n = Int32(op.dimension)
  var found: [Double] = []
  for i in 0..<b.rows {
    let (row, right) = (r.base + i * r.rowStride, b.base + i * b.rowStride)
    for j in 0..<b.cols { row[j] = right[j] - row[j] }
    let (error, size) = (cblas_dnrm2(n, row, 1), cblas_dnrm2(n, right, 1))
    guard error.isFinite else { throw .notFinite }
    found.append(size > 0 ? error / size : 0)
  }
  return found
}

extension NumericError {
  /// A product that is not finite.
  static let notFinite = NumericError.invalid("[solve] the operator must return finite numbers. Received NaN or infinity.")
}
