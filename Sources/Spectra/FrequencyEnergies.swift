import LinearAlgebra
import NumericCore

/// Estimates of the energies that a function has in the frequencies 0 ... `frequencies` - 1, from its values at random points of S^(d-1).
///
/// Energy k is the mean square of the function's projection on the harmonics of degree k; the estimate is
/// N(d, k) times the mean of y_i y_j P_k(x_i . x_j) over pairs i != j: unbiased for independent uniform points, so it may be negative.
/// `points` (n x d) are unit vectors, `values` n numbers. O(n^2 (d + frequencies) / 2).
/// - Throws: `invalidArgument` for fewer than 2 points.
public func frequencyEnergies(
  points: StridedMatrix<Double>, values: [Double], frequencies: Int, context: CallContext
) throws(NumericError) -> [Double] {
  let (n, d) = (points.rows, points.cols)
  guard n >= 2, values.count == n, d >= 2, frequencies >= 1 else {
    throw .invalid(
      "[frequency_energies] needs 2 points or more on a sphere and one value each. Received (\(n), \(d)), \(values.count).")
  }
  let tile = 64
  let tasks = (n + tile - 1) / tile
  try context.reserve(
    checkedProduct(tasks + 4 * context.threads, 8 * (frequencies + tile * n)), for: "the energies of \(frequencies) frequencies",
    instead: "Use fewer points.")
  let sums = try Workspace<Double>(tasks, frequencies, zeroed: true)
  let threads = min(context.threads, tasks)
  let room = try Workspace<Double>(threads, tile + 2, n)
  let steps = (0..<frequencies).map { LegendreStep(degree: max($0, 1), dimension: d) }
  try runTasks(tasks, context: context.forBLAS) { (task, worker) throws(NumericError) in
    let first = task * tile
    let rows = min(tile, n - first)
    let own = room.pointer + worker * (tile + 2) * n
    let products = StridedMatrix(own, rows: rows, cols: n)
    let block = StridedMatrix(
      points.base + first * points.rowStride, rows: rows, cols: d, rowStride: points.rowStride, colStride: points.colStride)
    try multiply(block, points.transposed, into: products, context: CallContext())
    for i in 0..<rows {
      try addRow(
        products, i, first + i, values, steps, own + tile * n, own + (tile + 1) * n, sums.pointer + task * frequencies)
    }
  }
  return (0..<frequencies).map { k in
    var total = CompensatedSum()
    for task in 0..<tasks { total += sums[task * frequencies + k] }
    return harmonicCount(degree: k, dimension: d) * 2 * total.value / (Double(n) * Double(n - 1))
  }
}

/// Adds y_i y_j P_k(x_i . x_j) over the points j after i.
private func addRow(
  _ products: StridedMatrix<Double>, _ row: Int, _ i: Int, _ y: [Double], _ steps: [LegendreStep],
  _ value: UnsafeMutablePointer<Double>, _ difference: UnsafeMutablePointer<Double>, _ sums: UnsafeMutablePointer<Double>
) throws(NumericError) {
  let n = y.count
  for j in i + 1..<max(n, i + 1) { (value[j], difference[j]) = (1, 0) }
  for (k, step) in steps.enumerated() {
    var sum = 0.0
    try checkCancelled()
    for j in i + 1..<max(n, i + 1) {
      if k > 0 { step.advance(&value[j], &difference[j], 1 - products[row, j]) }
      sum += y[j] * value[j]
    }
    sums[k] += y[i] * sum
  }
}
