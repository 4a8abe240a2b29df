import COpenBLAS
import NumericCore

/// Which system a Cholesky factor L solves.
public enum FactorSystem: Int32, Sendable {
  /// L L^T x = b
  case whole = 0
  /// L x = b
  case forward = 1
  /// L^T x = b
  case backward = 2
}

/// Solves with a Cholesky factor (row-major, lower) in place: b <- x. b has contiguous rows, one column per right-hand side.
///
/// Blocked, tiles of b in parallel. O(n^2 m) for m right-hand sides.
public func solve(
  _ system: FactorSystem, _ l: StridedMatrix<Double>, _ b: StridedMatrix<Double>, context: CallContext
) throws(NumericError) {
  guard l.rows == l.cols, b.rows == l.rows else {
    throw .invalid(
      "[solve] needs a square factor and as many rows of right-hand sides. Received (\(l.rows), \(l.cols)) and (\(b.rows), \(b.cols))."
    )
  }
  guard b.rows > 0, b.cols > 0 else { return }
  guard let (ldl, lIsTransposed) = l.blasLayout, !lIsTransposed || l.rows == 1, let (ldb, bIsTransposed) = b.blasLayout,
    !bIsTransposed || b.rows == 1
  else { throw .invalid("[solve] needs a factor and right-hand sides with contiguous rows.") }
  try requireInt32(max(l.rows, b.cols), "solve")
  BLASThreads.useOne()
  let solver = FactorSolver(l: l.base, ldl: Int32(ldl), b: b.base, ldb: Int32(ldb), n: l.rows, columns: b.cols)
  switch system {
  case .forward: try solver.forward(context)
  case .backward: try solver.backward(context)
  case .whole:
    try solver.forward(context.part(0, 0.5))
    try solver.backward(context.part(0.5, 1))
  }
}

/// Block substitution on tiles of the right-hand sides.
private struct FactorSolver: @unchecked Sendable {
  let l: UnsafeMutablePointer<Double>
  let ldl: Int32
  let b: UnsafeMutablePointer<Double>
  let ldb: Int32
  let n: Int
  let columns: Int

  private var block: Int { 256 }
  private var tileCols: Int { 256 }
  private var tileRows: Int { 512 }

  func forward(_ context: CallContext) throws(NumericError) {
    let pacer = Pacer(context)
    for k in stride(from: 0, to: n, by: block) {
      let width = min(block, n - k)
      let step = pacer.step(Double(k) / Double(n), Double(k + width) / Double(n))
      try solveDiagonal(k, width, transposed: false, step)
      try eliminate(from: k, width, rows: k + width, n, transposed: false, step)
    }
  }

  func backward(_ context: CallContext) throws(NumericError) {
    let pacer = Pacer(context)
    for k in stride(from: (n - 1) / block * block, through: 0, by: -block) {
      let width = min(block, n - k)
      let step = pacer.step(1 - Double(k + width) / Double(n), 1 - Double(k) / Double(n))
      try solveDiagonal(k, width, transposed: true, step)
      try eliminate(from: k, width, rows: 0, k, transposed: true, step)
    }
  }

  private func solveDiagonal(_ k: Int, _ width: Int, transposed: Bool, _ context: CallContext) throws(NumericError) {
    try runTasks((columns + tileCols - 1) / tileCols, context: context) { (task, _) throws(NumericError) in
      let j = task * tileCols
      cblas_dtrsm(
        BLAS_ROW_MAJOR, BLAS_LEFT, BLAS_LOWER, transposed ? BLAS_TRANS : BLAS_NO_TRANS, BLAS_NON_UNIT, Int32(width),
        Int32(min(tileCols, columns - j)), 1, l + k * Int(ldl) + k, ldl, b + k * Int(ldb) + j, ldb)
    }
  }

  /// b[first..<last] -= (L or L^T)[first..<last, k...] b[k...]
  private func eliminate(
    from k: Int, _ width: Int, rows first: Int, _ last: Int, transposed: Bool, _ context: CallContext
  ) throws(NumericError) {
    guard first < last else { return }
    let (across, down) = ((columns + tileCols - 1) / tileCols, (last - first + tileRows - 1) / tileRows)
    try runTasks(across * down, context: context) { (task, _) throws(NumericError) in
      let (i, j) = (first + task / across * tileRows, task % across * tileCols)
      let (m, c) = (min(tileRows, last - i), min(tileCols, columns - j))
      let left = transposed ? l + k * Int(ldl) + i : l + i * Int(ldl) + k
      Double.gemm(
        transposed, false, Int32(m), Int32(c), Int32(width), -1, left, ldl, b + k * Int(ldb) + j, ldb, 1, b + i * Int(ldb) + j,
        ldb)
    }
  }
}
