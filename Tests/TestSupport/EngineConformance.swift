import Architectures
import InfiniteWidth
import NumericCore
import VectorKernelProduct

/// What every engine must do, whatever networks it is for. Each check returns sentences about what failed, none where all is well.
public struct EngineConformance<Engine: KernelEngine> {
  let engine: Engine
  let rows: Int
  let width: Int
  let x: [Double]
  let blocks: Int

  /// - Parameter x: `rows` different inputs of `width` numbers.
  public init(_ engine: Engine, _ x: [Double], rows: Int) throws(NumericError) {
    self.engine = engine
    self.rows = rows
    self.x = x
    width = x.count / max(rows, 1)
    blocks = try engine.outputBlocks(inputWidth: width)
  }

  /// All checks.
  public func failures() throws(NumericError) -> [String] {
    let plan = try plan()
    let whole = try block(0..<rows, nil, plan)
    var all = symmetry(whole)
    all += try transposition(plan)
    all += try cuts(whole, plan)
    all += try threads(whole, plan)
    all += diagonal(whole, plan)
    all += try single(whole)
    all += try bytes(plan)
    all += cancellation(plan)
    all += memory(plan)
    return all
  }

  // MARK: one kernel

  private typealias Kernels = (nngp: [Double], ntk: [Double], diagonal: [Double])

  private func plan() throws(NumericError) -> KernelPlan {
    try part(0..<rows) { (x) throws(NumericError) in
      try engine.plan(for: InputPair(x), KernelFields(nngp: true, ntk: true), context: CallContext())
    }
  }

  private func part<Result>(
    _ range: Range<Int>, _ body: (Inputs<Double>) throws(NumericError) -> Result
  ) throws(NumericError) -> Result {
    let copy = try Workspace<Double>(max(1, range.count * width))
    for k in 0..<(range.count * width) { copy.pointer[k] = x[range.lowerBound * width + k] }
    let result = try body(.rows(StridedMatrix(copy.pointer, rows: range.count, cols: width)))
    withExtendedLifetime(copy) {}
    return result
  }

  /// The kernels of some rows against others (nil: the same); the diagonal only for the latter.
  private func block(
    _ first: Range<Int>, _ second: Range<Int>?, _ plan: KernelPlan?, _ context: CallContext = CallContext()
  ) throws(NumericError) -> Kernels {
    let count = (first.count * blocks, (second ?? first).count * blocks)
    let (nngp, ntk) = (try Workspace<Double>(count.0 * count.1), try Workspace<Double>(count.0 * count.1))
    let diagonal = try Workspace<Double>(count.0)
    let output = KernelOutput(
      nngp: StridedMatrix(nngp.pointer, rows: count.0, cols: count.1),
      ntk: StridedMatrix(ntk.pointer, rows: count.0, cols: count.1),
      ntkDiagonal: second == nil ? StridedMatrix(diagonal.pointer, rows: count.0, cols: 1) : nil)
    try part(first) { (x1) throws(NumericError) in
      guard let second else {
        _ = try engine.compute(InputPair(x1), plan: plan, into: output, context: context)
        return
      }
      try part(second) { (x2) throws(NumericError) in
        let pair = InputPair(x1, x2, places: (first.lowerBound, second.lowerBound))
        _ = try engine.compute(pair, plan: plan, into: output, context: context)
      }
    }
    return (Array(nngp.buffer), Array(ntk.buffer), second == nil ? Array(diagonal.buffer) : [])
  }

  // MARK: the checks

  private func symmetry(_ whole: Kernels) -> [String] {
    let n = rows * blocks
    let isSymmetric = (0..<n).allSatisfy { i in
      (0..<i).allSatisfy { whole.nngp[i * n + $0] == whole.nngp[$0 * n + i] && whole.ntk[i * n + $0] == whole.ntk[$0 * n + i] }
    }
    return isSymmetric ? [] : ["a kernel of inputs with themselves is symmetric to the bit"]
  }

  private func transposition(_ plan: KernelPlan) throws(NumericError) -> [String] {
    let (first, second) = (0..<(rows / 3), (rows / 3)..<rows)
    let (a, b) = (try block(first, second, plan), try block(second, first, plan))
    let (m, n) = (first.count * blocks, second.count * blocks)
    let isTransposed = (0..<m).allSatisfy { i in
      (0..<n).allSatisfy { a.nngp[i * n + $0] == b.nngp[$0 * m + i] && a.ntk[i * n + $0] == b.ntk[$0 * m + i] }
    }
    return isTransposed ? [] : ["K(X, Y) is the transpose of K(Y, X) to the bit"]
  }

  /// Entry (block i, input r; block j, input c) of a kernel of `shape` inputs.
  private func at(_ i: Int, _ r: Int, _ j: Int, _ c: Int, _ shape: (Int, Int)) -> Int {
    (i * shape.0 + r) * shape.1 * blocks + j * shape.1 + c
  }

  private func cuts(_ whole: Kernels, _ plan: KernelPlan) throws(NumericError) -> [String] {
    let edges = [0, 1, rows / 4, rows / 2 + 1, rows]
    for (a, b) in zip(edges, edges.dropFirst()) {
      for (c, d) in zip(edges, edges.dropFirst()) {
        let part = try block(a..<b, c..<d, plan)
        for i in 0..<blocks {
          for j in 0..<blocks {
            for r in a..<b {
              for s in c..<d {
                let (w, p) = (at(i, r, j, s, (rows, rows)), at(i, r - a, j, s - c, (b - a, d - c)))
                guard whole.nngp[w] == part.nngp[p], whole.ntk[w] == part.ntk[p] else {
                  return ["with one plan block [\(a)..<\(b), \(c)..<\(d)] has the bits of the whole; [\(r), \(s)] has not"]
                }
              }
            }
          }
        }
      }
    }
    return []
  }

  private func threads(_ whole: Kernels, _ plan: KernelPlan) throws(NumericError) -> [String] {
    for threads in [2, 7] {
      let again = try block(0..<rows, nil, plan, CallContext(threads: threads))
      guard again == whole else { return ["\(threads) threads give the bits of one"] }
    }
    return []
  }

  private func diagonal(_ whole: Kernels, _ plan: KernelPlan) -> [String] {
    let n = rows * blocks
    let isExact = (0..<n).allSatisfy { whole.ntk[$0 * n + $0] == whole.diagonal[$0] }
    // k(x, x') <= sqrt(k(x, x) k(x', x')), up to rounding.
    let isBounded = (0..<n).allSatisfy { i in
      (0..<n).allSatisfy { j in
        whole.nngp[i * n + j].magnitude
          <= (1 + 1e-12) * (whole.nngp[i * n + i] * whole.nngp[j * n + j]).squareRoot()
      }
    }
    var failures: [String] = []
    if !isExact { failures.append("the diagonal alone is that of the kernel to the bit") }
    if !isBounded { failures.append("no covariance is over the geometric mean of the variances") }
    if !isPositive(whole.ntk, n) { failures.append("no eigenvalue is below zero by more than rounding") }
    return failures
  }

  /// Whether the Cholesky factorisation of K + 1e-12 trace(K) goes through.
  private func isPositive(_ k: [Double], _ n: Int) -> Bool {
    var l = k
    let trace = (0..<n).reduce(0.0) { $0 + k[$1 * n + $1] }
    for j in 0..<n {
      var pivot = l[j * n + j] + 1e-12 * trace
      for m in 0..<j { pivot -= l[j * n + m] * l[j * n + m] }
      guard pivot > 0 else { return false }
      l[j * n + j] = pivot.squareRoot()
      for i in (j + 1)..<max(n, j + 1) {
        var sum = l[i * n + j]
        for m in 0..<j { sum -= l[i * n + m] * l[j * n + m] }
        l[i * n + j] = sum / l[j * n + j]
      }
    }
    return true
  }

  private func single(_ whole: Kernels) throws(NumericError) -> [String] {
    let n = rows * blocks
    let (input, ntk) = (try Workspace<Float>(max(1, x.count)), try Workspace<Float>(n * n))
    for (k, value) in x.enumerated() { input.pointer[k] = Float(value) }
    let output = KernelOutput<Float>(ntk: StridedMatrix(ntk.pointer, rows: n, cols: n))
    let pair = InputPair(Inputs.rows(StridedMatrix(input.pointer, rows: rows, cols: width)))
    _ = try engine.compute(pair, into: output, context: CallContext())
    let largest = (0..<n).reduce(0) { max($0, whole.ntk[$1 * n + $1]) }
    // Also the inputs were rounded to float32.
    let isClose = (0..<(n * n)).allSatisfy { abs(Double(ntk.pointer[$0]) - whole.ntk[$0]) <= 2e-5 * largest }
    return isClose ? [] : ["float32 is close to float64"]
  }

  private func bytes(_ plan: KernelPlan) throws(NumericError) -> [String] {
    try KernelPlan(bytes: plan.bytes) == plan ? [] : ["a plan is the same after it was bytes"]
  }

  private func cancellation(_ plan: KernelPlan) -> [String] {
    // Reports come every 50 ms at most: a short computation may end before the first.
    let stopping = CallContext(threads: 1) { _ in false }
    do {
      _ = try block(0..<rows, nil, plan, stopping)
      return []
    } catch { return error.kind == .cancelled ? [] : ["a call that is asked to stop says so: \(error.message)"] }
  }

  private func memory(_ plan: KernelPlan) -> [String] {
    do {
      _ = try block(0..<rows, nil, plan, CallContext(memoryLimit: 1))
      return ["a memory limit of one byte is refused"]
    } catch { return error.kind == .outOfMemory ? [] : ["a memory limit of one byte is refused as such: \(error.message)"] }
  }
}
