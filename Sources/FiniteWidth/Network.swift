import Architectures
import LinearAlgebra
import NumericCore

/// A network with finitely many units: outputs, their derivatives by the parameters, and losses.
///
/// Rows go through all layers in chunks, so memory does not grow with their number, and sums over rows are taken in an order that does not
/// depend on the number of threads. Parameters are one flat vector (see `NetworkPlan.parameters`).
public struct Network: @unchecked Sendable {
  /// Steps, shapes and places of weights.
  public let plan: NetworkPlan
  let userFunction: UserScalarFunction?
  /// Key of the random stream that Dropout in train mode draws from.
  public var seed: (UInt64, UInt64)

  /// The network of a layer tree for inputs of a shape.
  public init(
    _ layers: LayerNode, input: GridShape, seed: (UInt64, UInt64) = (0, 0), userFunction: UserScalarFunction? = nil
  ) throws(NumericError) {
    plan = try NetworkPlan(layers, input: input)
    self.seed = seed
    self.userFunction = userFunction
  }

  /// Writes the outputs for the rows of `x` into `out` (as many rows per input as the network has blocks, block after block).
  /// - Throws: `invalidArgument` where shapes do not fit, `overflow` where an output is not finite.
  public func forward(
    _ x: StridedMatrix<Double>, parameters: UnsafePointer<Double>, into out: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    try derivatives(x, parameters: parameters, along: [], into: [(0, out)], context: context)
  }

  /// Writes directional derivatives of the outputs: of part `set`, the mixed derivative along the directions in the bit mask `set`.
  ///
  /// Part 0 is the output; with one direction v part 1 is J v; with v twice part 3 is the second derivative along v. At most three
  /// directions.
  public func derivatives(
    _ x: StridedMatrix<Double>, parameters: UnsafePointer<Double>, along directions: [UnsafePointer<Double>],
    into outputs: [(set: Int, out: StridedMatrix<Double>)], context: CallContext
  ) throws(NumericError) {
    guard directions.count <= Jets.maxSlopeOrder else {
      throw .invalid("[jvp] needs at most \(Jets.maxSlopeOrder) directions. Received \(directions.count).")
    }
    for (set, out) in outputs {
      guard set >= 0, set < 1 << directions.count else {
        throw .invalid("[jvp] a derivative needs its directions. Received \(set).")
      }
      try check(x, out)
    }
    guard x.rows > 0 else { return }
    let jet = ParameterJet(parts: Network.parts(parameters, directions))
    let wanted = outputs.map(\.set)
    let highest = wanted.max() ?? 0
    try forEachChunk(x.rows, order: directions.count, backward: false, context: context) { (rows, pool, _) throws(NumericError) in
      let tape = Tape(
        self, parameters: jet, pool: pool, rows: rows, allRows: x.rows, order: directions.count, backward: false)
      try tape.setInput(x)
      for part in 0...highest where wanted.contains(where: { part & ~$0 == 0 }) { try tape.forward(part) }
      for (set, out) in outputs { try store(tape.output(set), rows, x.rows, into: out) }
    }
  }

  /// gradient = sum over rows of J^T cotangent: the derivative of the scalar <cotangent, f> by the parameters.
  public func pullBack(
    _ x: StridedMatrix<Double>, parameters: UnsafePointer<Double>, cotangents: StridedMatrix<Double>,
    into gradient: UnsafeMutablePointer<Double>, context: CallContext
  ) throws(NumericError) {
    try check(x, cotangents)
    let jet = ParameterJet(parts: [parameters])
    try sumOverRows(x.rows, order: 0, into: gradient, context: context) { (rows, pool, sum, _) throws(NumericError) in
      let tape = Tape(self, parameters: jet, pool: pool, rows: rows, allRows: x.rows, order: 0, backward: true)
      try tape.setInput(x)
      try tape.forward(0)
      tape.setOutputCotangent(try tape.rowsOfOutput(cotangents))
      try tape.backward(0, gradient: GradientJet(parts: [sum]))
    }
  }

  /// The loss of the outputs at the rows of `x`, and (where `gradient` is given) its derivative by the parameters.
  public func loss(
    _ loss: OutputLoss, _ x: StridedMatrix<Double>, targets: StridedMatrix<Double>, parameters: UnsafePointer<Double>,
    gradient: UnsafeMutablePointer<Double>? = nil, context: CallContext
  ) throws(NumericError) -> Double {
    try check(x, targets)
    let jet = ParameterJet(parts: [parameters])
    return try sumOverRows(x.rows, order: 0, into: gradient, context: context) { (rows, pool, sum, value) throws(NumericError) in
      let tape = Tape(self, parameters: jet, pool: pool, rows: rows, allRows: x.rows, order: 0, backward: sum != nil)
      try tape.setInput(x)
      try tape.forward(0)
      value += try loss.value(tape, targets)
      guard sum != nil else { return }
      tape.setOutputCotangent(try loss.cotangent(tape, targets, part: 0))
      try tape.backward(0, gradient: GradientJet(parts: [sum]))
    }
  }

  // MARK: Shapes and chunks

  /// The parts of a jet of parameters along `directions`.
  static func parts(_ parameters: UnsafePointer<Double>, _ directions: [UnsafePointer<Double>]) -> [UnsafePointer<Double>?] {
    var parts = [UnsafePointer<Double>?](repeating: nil, count: 1 << directions.count)
    parts[0] = parameters
    for (i, direction) in directions.enumerated() { parts[1 << i] = direction }
    return parts
  }

  func check(_ x: StridedMatrix<Double>, _ out: StridedMatrix<Double>) throws(NumericError) {
    guard x.cols == plan.inputShape.size else {
      throw .invalid("[network] x must have \(plan.inputShape.size) numbers per row. Received \(x.cols).")
    }
    let shape = plan.outputShape
    guard let rows = checkedProduct(shape.blocks, x.rows), out.rows == rows, out.cols == shape.size else {
      throw .invalid(
        "[network] outputs, targets and cotangents must have \(shape.blocks) x \(x.rows) rows and \(shape.size) columns. "
          + "Received \(out.rows) x \(out.cols).")
    }
  }

  /// Rows of one chunk: about four megabytes of values, so that they stay in the cache.
  func chunkRows(_ rows: Int) -> Int {
    guard !plan.couplesBatch else { return rows }
    return max(1, min(256, 524_288 / max(1, plan.totalSize)))
  }

  /// The same for values that are kept: `rows` cut into equal chunks of at most twice that size, as taller matrix products are faster.
  func evenChunkRows(_ rows: Int) -> Int {
    let chunks = (max(1, rows) - 1) / (2 &* chunkRows(rows)) + 1
    return (max(1, rows) - 1) / chunks + 1
  }

  /// Throws where chunks of `rows` would not fit in the memory of the call.
  func reserve(_ rows: Int, order: Int, backward: Bool, threads: Int, context: CallContext) throws(NumericError) {
    guard let numbers = checkedProduct(plan.totalSize, rows), numbers <= Int(Int32.max) else {
      throw .invalid(
        "[network] needs at most \(Int32.max) numbers in a batch's values. Received \(rows) rows of \(plan.totalSize).")
    }
    let arrays = ((backward ? 2 : 1) << order) + order + (backward ? 1 : 0)
    let bytes = checkedProduct(plan.totalSize &* 8 &* arrays, rows).flatMap { checkedProduct($0, threads) }
    try context.reserve(
      bytes, for: "a chunk of \(rows) inputs on its way through the layers", instead: "Use fewer threads or a narrower network.")
  }

  /// Calls `body(rows, pool, worker)` for all chunks, in parallel.
  func forEachChunk(
    _ rows: Int, order: Int, backward: Bool, context: CallContext,
    _ body: (Range<Int>, TensorPool, Int) throws(NumericError) -> Void
  ) throws(NumericError) {
    guard rows > 0 else { return }
    let size = chunkRows(rows)
    let chunks = (rows - 1) / size + 1
    let context = context.forBLAS
    let threads = min(context.threads, chunks)
    try reserve(min(size, rows), order: order, backward: backward, threads: threads, context: context)
    BLASThreads.useOne()
    let pools = (0..<threads).map { _ in TensorPool() }
    try runTasks(chunks, context: context) { (chunk, worker) throws(NumericError) in
      try body(chunk * size..<min(rows, (chunk + 1) * size), pools[worker], worker)
    }
  }

  /// Rows in groups whose sums are added in order, so that results do not depend on the number of threads.
  func groups(_ rows: Int) -> Int { plan.couplesBatch ? 1 : max(1, min(8, rows / 256)) }

  /// Sums what `body(rows, pool, sum, value)` adds over all chunks; returns the sum of the values. `total` receives the vectors' sum.
  @discardableResult
  func sumOverRows(
    _ rows: Int, order: Int, into total: UnsafeMutablePointer<Double>?, room: SumRoom = SumRoom(), context: CallContext,
    _ body: (Range<Int>, TensorPool, UnsafeMutablePointer<Double>?, inout Double) throws(NumericError) -> Void
  ) throws(NumericError) -> Double {
    let count = plan.parameterCount
    if let total { total.update(repeating: 0, count: count) }
    guard rows > 0 else { return 0 }
    let (groups, size) = (groups(rows), chunkRows(rows))
    let context = context.forBLAS
    try reserve(min(size, rows), order: order, backward: true, threads: min(groups, context.threads), context: context)
    BLASThreads.useOne()
    let sums = try room.zeros(total == nil ? 0 : (groups - 1) * count)
    let pools = room.pools(groups)
    let values = try Workspace<Double>(groups, zeroed: true)
    let perGroup = (rows - 1) / groups + 1
    try runTasks(groups, context: context) { (group, _) throws(NumericError) in
      let pool = pools[group]
      let end = min(rows, (group + 1) * perGroup)
      var first = min(rows, group * perGroup)
      while first < end {
        let next = min(end, first + size)
        let sum = total.map { group == 0 ? $0 : sums.pointer + (group - 1) * count }
        try body(first..<next, pool, sum, &values[group])
        first = next
      }
    }
    if let total {
      for group in 1..<max(1, groups) {
        let part = sums.pointer + (group - 1) * count
        for i in 0..<count { total[i] += part[i] }
      }
    }
    return (0..<groups).reduce(0) { $0 + values[$1] }
  }

  /// Copies a chunk's outputs to their places, checking that they are finite. A part that vanishes is absent.
  private func store(
    _ tensor: Tensor?, _ rows: Range<Int>, _ allRows: Int, into out: StridedMatrix<Double>
  ) throws(NumericError) {
    for block in 0..<plan.outputShape.blocks {
      for r in 0..<rows.count {
        let target = block &* allRows &+ rows.lowerBound &+ r
        let source = tensor?.row(block &* rows.count &+ r)
        for c in 0..<out.cols {
          let value = source?[c] ?? 0
          guard value.isFinite else {
            throw NumericError(
              .overflow, "[forward] outputs must be finite. Received \(value) at row \(target), column \(c).", index: (target, c))
          }
          out[target, c] = value
        }
      }
    }
  }
}

extension Tape {
  /// This chunk's rows of a matrix that has a row per output.
  func rowsOfOutput(_ matrix: StridedMatrix<Double>) throws(NumericError) -> Tensor {
    let tensor = try new(plan.outputShape)
    for r in 0..<tensor.rows {
      let source = r / rows &* allRows &+ firstRow &+ r % rows
      let target = tensor.row(r)
      for c in 0..<tensor.cols { target[c] = matrix[source, c] }
    }
    return tensor
  }
}
