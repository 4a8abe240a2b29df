import Dynamics
import LinearAlgebra
import NumericCore

/// The neural tangent hierarchy cut at order p: gradient flow on the loss 1/(2n) sum (f - y)^2 as an ordinary differential equation of
/// outputs and kernels (Huang & Yau, arXiv:1909.08156, equations 2.7 to 2.11),
///
///     df(x)/dt = -1/n sum_b K2(x, b) r_b,     dK_r(x, ..)/dt = -1/n sum_b K_{r+1}(x, .., b) r_b,     r = f - y,
///
/// with K_p kept as it is at the start. p = 2 is the frozen NTK. The first index x of a kernel runs over all inputs (those trained on come
/// first, others follow passively), the others over the training inputs, the last one fastest.
public struct TruncatedHierarchy {
  let start: UnsafePointer<Double>
  let targets: UnsafePointer<Double>
  let inputs: Int
  let train: Int
  /// K2, .., Kp
  let kernels: [UnsafePointer<Double>]

  /// A hierarchy of `inputs` outputs `start`, of which the first `train` are trained towards `targets`.
  public init(
    start: UnsafePointer<Double>, targets: UnsafePointer<Double>, inputs: Int, train: Int, kernels: [UnsafePointer<Double>]
  ) throws(NumericError) {
    guard train >= 1, inputs >= train, !kernels.isEmpty, kernels.count <= 63 else {
      throw .invalid(
        "[truncated_hierarchy] needs at least one kernel, and at least as many inputs as the 1 or more that are trained on. "
          + "Received \(kernels.count) kernels, \(inputs) inputs, \(train) of them trained on.")
    }
    (self.start, self.targets, self.inputs, self.train, self.kernels) = (start, targets, inputs, train, kernels)
  }

  /// Writes the outputs at `times` (ascending, from 0 on) into the rows of `outputs`, and K2 into those of `ntk`.
  ///
  /// Dormand and Prince's method; each step's error of outputs and of each kernel is below `tolerance` times its largest entry so far.
  /// - Throws: `notConverged` where the truncated equations leave every bound, as odd orders may.
  public func solve(
    times: [Double], tolerance: Double, outputs: StridedMatrix<Double>, ntk: StridedMatrix<Double>?, context: CallContext
  ) throws(NumericError) {
    let length = try blockLength()
    let blocks = max(1, kernels.count)
    try context.reserve(
      checkedProduct(length, blocks * 80), for: "the hierarchy of order \(kernels.count + 1) at \(inputs) inputs",
      instead: "Use a lower order or fewer inputs.")
    let state = try Workspace<Double>(length * blocks, zeroed: true)
    state.pointer.update(from: start, count: inputs)
    for (i, kernel) in kernels.dropLast().enumerated() {
      (state.pointer + (i + 1) * length).update(from: kernel, count: count(i + 1))
    }
    let residual = try Workspace<Double>(train)
    BLASThreads.useOne()
    let solver = try VectorFlow(
      state: state.pointer, blocks: blocks, length: length, tolerance: tolerance, operation: "truncated_hierarchy"
    ) { (state, slope) throws(NumericError) in derivative(state, slope, residual.pointer, length) }
    let last = max(times.last ?? 0, 1e-300)
    for (row, time) in times.enumerated() {
      while solver.time < time {
        try context.checkpoint(solver.time / last)
        try solver.advance(to: time)
      }
      for i in 0..<inputs { outputs[row, i] = state[i] }
      guard let ntk else { continue }
      let k2 = kernels.count > 1 ? UnsafePointer(state.pointer + length) : kernels[0]
      for i in 0..<count(1) { ntk[row, i] = k2[i] }
    }
  }

  /// Numbers of K_{r+1}: one index for all inputs, r for those trained on.
  private func count(_ r: Int) -> Int { (0..<r).reduce(inputs) { product, _ in product &* train } }

  /// The largest part of the state: outputs, or the highest kernel that moves.
  private func blockLength() throws(NumericError) -> Int {
    var (length, largest): (Int?, Int?) = (inputs, inputs)
    for _ in kernels {
      largest = length
      length = length.flatMap { checkedProduct($0, train) }
    }
    guard let length, length <= Int(Int32.max), let largest else {
      throw NumericError(
        .outOfMemory, "[truncated_hierarchy] kernels of order \(kernels.count + 1) at \(inputs) inputs are too large.",
        bytes: .max)
    }
    return largest
  }

  private func derivative(
    _ state: UnsafeMutablePointer<Double>, _ slope: UnsafeMutablePointer<Double>, _ residual: UnsafeMutablePointer<Double>,
    _ length: Int
  ) {
    for b in 0..<train { residual[b] = (targets[b] - state[b]) / Double(train) }
    for block in 0..<kernels.count {
      let kernel = block + 1 < kernels.count ? UnsafePointer(state + (block + 1) * length) : kernels[block]
      let (rows, target) = (count(block), slope + block * length)
      Double.gemm(
        false, false, Int32(rows), 1, Int32(train), 1, kernel, Int32(train), residual, 1, 0, target, 1)
      (target + rows).update(repeating: 0, count: length - rows)
    }
  }
}
