import LinearAlgebra
import NumericCore

/// Outputs of a two-layer network on n inputs (n x d) into `out` (n x 1), blocks of inputs in parallel. O(n N d).
public func predict(
  _ network: TwoLayerNetwork<Double>, offset: Double, on inputs: StridedMatrix<Double>, into out: StridedMatrix<Double>,
  context: CallContext
) throws(NumericError) {
  let (n, width, d) = (inputs.rows, network.weights.rows, network.weights.cols)
  try inputs.requireSize(n, d, "predict", "X")
  try out.requireSize(n, 1, "predict", "the result")
  let unit = try network.unitFunction()
  let rows = max(1, min(256, max(16, (1 << 18) / width), n))
  let workers = context.forBLAS.threads
  let scratch = try OwnedMatrix(workers, width * rows * 6 + rows * d, for: "predicting with \(width) units", context)
  try BLASThreads.useOne()
  try runTasks((n + rows - 1) / rows, context: context.forBLAS) { (task, worker) throws(NumericError) in
    let (from, count) = (task * rows, min(rows, n - task * rows))
    let base = scratch.view.base + worker * scratch.view.cols
    let (value, slope, linear, room, x) = (
      base, base + width * rows, base + 2 * width * rows, base + 3 * width * rows, base + 6 * width * rows
    )
    for i in 0..<count { for j in 0..<d { x[i * d + j] = inputs[from + i, j] } }
    hiddenProducts(network.weights, x, count, into: slope)
    try unit.evaluate(slope, width * count, value: value, slope: slope, room: room)
    for b in 0..<count { out[from + b, 0] = offset }
    for i in 0..<width {
      let a = network.outputs[i, 0]
      for b in 0..<count { out[from + b, 0] += a * value[i * count + b] }
    }
    guard let tangents = network.tangents else { return }
    hiddenProducts(tangents, x, count, into: linear)
    for i in 0..<width { for b in 0..<count { out[from + b, 0] += slope[i * count + b] * linear[i * count + b] } }
  }
}

/// out (N x count) = m x^T for `count` contiguous rows x; one thread.
func hiddenProducts(_ m: StridedMatrix<Double>, _ x: UnsafePointer<Double>, _ count: Int, into out: UnsafeMutablePointer<Double>)
{
  Double.gemm(
    false, true, Int32(m.rows), Int32(count), Int32(m.cols), 1, m.base, Int32(m.cols), x, Int32(m.cols), 0, out, Int32(count))
}
