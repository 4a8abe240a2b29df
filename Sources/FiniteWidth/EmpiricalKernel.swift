import LinearAlgebra
import NumericCore

/// How the outputs of two inputs are paired in an empirical kernel: each output is (kept, shared) for numbers kept in both inputs
/// separately, and shared ones that are equal in both, either summed over or kept once.
public struct OutputPairing: Sendable {
  /// Outputs by [kept][diagonal][traced].
  public var outputs: [[[Int]]]

  /// `outputs[f][d][t]` is the number of an output: f is kept for each input, d once for both, and t is averaged over.
  public init(outputs: [[[Int]]]) { self.outputs = outputs }

  /// Kept separately.
  public var kept: Int { outputs.count }
  /// Kept once.
  public var diagonal: Int { outputs.first?.count ?? 0 }
  /// Averaged over.
  public var traced: Int { outputs.first?.first?.count ?? 0 }
  /// Numbers per pair of inputs.
  public var count: Int { kept &* kept &* diagonal }
}

/// The NTK of a finite network: inner products of the gradients of its outputs by the parameters.
///
/// Layer-wise contraction of layer inputs and backpropagated signals. With n inputs and P weights: O(n P) per output for the signals, then
/// O(n^2 (inputs + units)) per layer and pair of outputs; memory O(n units). Frozen layers do not count.
public struct EmpiricalKernel {
  private static let tile = 128

  let network: Network
  let parameters: UnsafePointer<Double>

  /// The kernel of `network` with these parameters.
  public init(_ network: Network, parameters: UnsafePointer<Double>) throws(NumericError) {
    guard !network.plan.couplesBatch, network.plan.outputShape.blocks == 1 else {
      throw .invalid(
        "[empirical] needs a network that treats its inputs one by one. Received one with BatchNorm or a concatenation along the batch."
      )
    }
    self.network = network
    self.parameters = parameters
  }

  /// out[i][j][f][f'][d] = mean over t of the product of the gradients of outputs (f, d, t) at x1[i] and (f', d, t) at x2[j] (nil: x1).
  public func ntk(
    _ x1: StridedMatrix<Double>, _ x2: StridedMatrix<Double>?, pairing: OutputPairing, into out: UnsafeMutablePointer<Double>,
    context: CallContext
  ) throws(NumericError) {
    try checkWidth(x1)
    if let x2 { try checkWidth(x2) }
    let size = network.plan.outputShape.size
    for number in pairing.outputs.joined().joined() where number < 0 || number >= size {
      throw .invalid("[empirical] outputs must be in 0..<\(size). Received \(number).")
    }
    // One pass for each d: selected outputs are (f, t).
    for d in 0..<pairing.diagonal {
      let selected = pairing.outputs.flatMap { $0[d] }
      let pairs = (0..<pairing.kept * pairing.kept).map { ff in
        (0..<pairing.traced).map { t in
          (a: ff / pairing.kept * pairing.traced + t, b: ff % pairing.kept * pairing.traced + t)
        }
      }
      let low = Double(d) / Double(pairing.diagonal)
      try blocks(
        x1, x2, .outputs(selected), context: context.part(low, low + 1 / Double(pairing.diagonal))
      ) { (products, i, j, tile) throws(NumericError) in
        for (ff, terms) in pairs.enumerated() {
          tile.pointer.update(repeating: 0, count: tile.count)
          try products.add(terms, to: tile)
          let cols = x2?.rows ?? x1.rows
          let share = 1 / Double(max(1, pairing.traced))
          for r in 0..<tile.rows {
            for c in 0..<tile.cols {
              let value = share * tile.row(r)[c]
              guard x2 != nil || i &+ r <= j &+ c else { continue }
              let forth = ((i &+ r) &* cols &+ j &+ c) &* pairing.kept &* pairing.kept &* pairing.diagonal
              out[forth &+ ff &* pairing.diagonal &+ d] = value
              guard x2 == nil else { continue }
              // The mirrored entry has the outputs the other way round.
              let back = ((j &+ c) &* cols &+ i &+ r) &* pairing.kept &* pairing.kept &* pairing.diagonal
              let swapped = ff % pairing.kept &* pairing.kept &+ ff / pairing.kept
              out[back &+ swapped &* pairing.diagonal &+ d] = value
            }
          }
        }
      }
    }
  }

  /// gram[i, j] = product of the gradients of the scalars <combination1[i], f(x1[i])> and <combination2[j], f(x2[j])>.
  public func gradientGram(
    _ x1: StridedMatrix<Double>, _ combination1: StridedMatrix<Double>, _ x2: (StridedMatrix<Double>, StridedMatrix<Double>)?,
    into gram: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    try network.check(x1, combination1)
    if let x2 { try network.check(x2.0, x2.1) }
    guard gram.rows == x1.rows, gram.cols == x2?.0.rows ?? x1.rows else {
      throw .invalid(
        "[gradient_gram] needs a result of \(x1.rows) x \(x2?.0.rows ?? x1.rows). Received \(gram.rows) x \(gram.cols).")
    }
    try fill(x1, x2?.0, .combination(combination1), x2.map { .combination($0.1) }, into: gram, context: context)
  }

  /// gram[i, j] = product of the gradients of the losses of inputs i and j, each by itself: the mean of these losses is `loss`.
  ///
  /// The gradients are never formed: memory grows with inputs times units, not with inputs times parameters.
  public func lossGradientGram(
    _ loss: OutputLoss, _ x: StridedMatrix<Double>, targets: StridedMatrix<Double>, into gram: StridedMatrix<Double>,
    context: CallContext
  ) throws(NumericError) {
    try network.check(x, targets)
    guard gram.rows == x.rows, gram.cols == x.rows else {
      throw .invalid("[gradient_gram] needs a result of \(x.rows) x \(x.rows). Received \(gram.rows) x \(gram.cols).")
    }
    try fill(x, nil, .sampleLoss(loss, targets: targets), nil, into: gram, context: context)
  }

  private func fill(
    _ x1: StridedMatrix<Double>, _ x2: StridedMatrix<Double>?, _ selection1: OutputSelection, _ selection2: OutputSelection?,
    into gram: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    try blocks(x1, x2, selection1, selection2, context: context) { (products, i, j, tile) throws(NumericError) in
      tile.pointer.update(repeating: 0, count: tile.count)
      try products.add([(a: 0, b: 0)], to: tile)
      for r in 0..<tile.rows {
        for c in 0..<tile.cols {
          guard x2 != nil || i &+ r <= j &+ c else { continue }
          gram[i &+ r, j &+ c] = tile.row(r)[c]
          if x2 == nil { gram[j &+ c, i &+ r] = tile.row(r)[c] }
        }
      }
    }
  }

  private func checkWidth(_ x: StridedMatrix<Double>) throws(NumericError) {
    guard x.cols == network.plan.inputShape.size else {
      throw .invalid("[empirical] inputs must have \(network.plan.inputShape.size) numbers per row. Received \(x.cols).")
    }
  }

  /// Calls `body(products, first row, first column, room for the tile)` for all tiles; only those on and above the diagonal where x2 is nil.
  ///
  /// Signals are kept for as many inputs as half of the memory allows, and computed anew for each pair of such blocks.
  private func blocks(
    _ x1: StridedMatrix<Double>, _ x2: StridedMatrix<Double>?, _ selection1: OutputSelection,
    _ selection2: OutputSelection? = nil, context: CallContext,
    _ body: (GradientProducts, Int, Int, Tensor) throws(NumericError) -> Void
  ) throws(NumericError) {
    let cols = x2?.rows ?? x1.rows
    guard x1.rows > 0, cols > 0 else { return }
    let perRow = LayerSignals.bytes(network.plan, outputs: selection1.count)
    let size = max(1, min(max(x1.rows, cols), context.memoryLimit / 4 / max(1, perRow ?? .max)))
    try context.reserve(
      perRow.flatMap { checkedProduct($0, 2 * min(size, EmpiricalKernel.tile)) },
      for: "layer signals of \(min(size, EmpiricalKernel.tile)) inputs",
      instead: "Trace or split the outputs.")
    let (down, across) = ((x1.rows - 1) / size + 1, (cols - 1) / size + 1)
    let all = x2 == nil ? down * (down + 1) / 2 : down * across
    var done = 0
    for i in 0..<down {
      let rows = i * size..<min(x1.rows, (i + 1) * size)
      let left = try LayerSignals(network, x1, rows: rows, parameters: parameters, selection: selection1, context: quiet(context))
      for j in (x2 == nil ? i : 0)..<across {
        let range = j * size..<min(cols, (j + 1) * size)
        let right =
          x2 == nil && i == j
          ? left
          : try LayerSignals(
            network, x2 ?? x1, rows: range, parameters: parameters, selection: selection2 ?? selection1, context: quiet(context))
        let part = context.part(Double(done) / Double(all), Double(done + 1) / Double(all))
        try tiles(left, right, isDiagonal: x2 == nil && i == j, first: (rows.lowerBound, range.lowerBound), context: part, body)
        done += 1
      }
    }
  }

  /// Cancellation goes on working while signals are computed; progress is counted in tiles.
  private func quiet(_ context: CallContext) -> CallContext {
    guard let report = context.report else { return context }
    return context.reporting { _ in report(0) }
  }

  private func tiles(
    _ left: LayerSignals, _ right: LayerSignals, isDiagonal: Bool, first: (Int, Int), context: CallContext,
    _ body: (GradientProducts, Int, Int, Tensor) throws(NumericError) -> Void
  ) throws(NumericError) {
    let tile = EmpiricalKernel.tile
    let (down, across) = ((left.rows - 1) / tile + 1, (right.rows - 1) / tile + 1)
    try BLASThreads.useOne()
    try runTasks(down * across, context: context.forBLAS) { (task, _) throws(NumericError) in
      let (i, j) = (task / across, task % across)
      guard !isDiagonal || j >= i else { return }
      let rows = i * tile..<min(left.rows, (i + 1) * tile)
      let cols = j * tile..<min(right.rows, (j + 1) * tile)
      let room = try TensorPool().take(rows: rows.count, cols: cols.count)
      let products = GradientProducts(network.plan, left, right, rows: rows, cols: cols)
      try body(products, first.0 + rows.lowerBound, first.1 + cols.lowerBound, room)
    }
  }
}
