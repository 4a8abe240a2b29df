import LinearAlgebra
import NumericCore
import Synchronization

/// What one pass over the neurons does to the weights, before it computes the outputs anew.
struct AutoencoderChange {
  /// Step size of gradient descent with the residual of the previous pass; 0 leaves the weights alone.
  var rate = 0.0
  /// Keep a copy of the weights first.
  var saves = false
  /// Take the copy back first.
  var restores = false
  /// Average the weights with the copy afterwards.
  var averages = false
}

/// The state of training: hidden activations, residuals, and how a pass over the neurons is shared out.
///
/// One step couples the neurons only through the n x d outputs. So a pass takes a block of neurons that fits the cache, updates its weights
/// with the residual of the step before, and at once computes what the new weights add to the outputs: weights and activations
/// travel through memory once per step, beside the five matrix products. Blocks are added up in fixed chunks, in order: the bits do not
/// depend on the number of threads.
final class AutoencoderState: @unchecked Sendable {
  let network: Autoencoder
  /// relu(<w_r, x_i>), m x n.
  private let hidden: Workspace<Double>
  /// u_i - x_i, n x d.
  let residual: Workspace<Double>
  private let partial: Workspace<Double>
  private let rowLoss: Workspace<Double>
  private let back: Workspace<Double>
  private let saved: Workspace<Double>?
  private let trainsDecoder: Bool
  private let plan: Plan

  /// How the neurons are divided: blocks stay in the cache, chunks are what a thread takes.
  struct Plan {
    let blockRows: Int
    let chunkRows: Int
    let chunks: Int
    let threads: Int

    init(_ network: Autoencoder, threads: Int) {
      let (m, n, d) = (network.width, network.count, network.dimension)
      // Activations and signals of a block beside its weights: about 256 KiB.
      blockRows = min(m, max(16, min(1024, 32_768 / (2 * (n + d)) / 8 * 8)))
      let blocks = (m + blockRows - 1) / blockRows
      // Each chunk has outputs of its own: at most 32 MiB of them, beyond two.
      let most = max(2, min(64, (4 << 20) / max(1, n * d)))
      let perChunk = (blocks + most - 1) / most
      chunkRows = perChunk * blockRows
      chunks = (m + chunkRows - 1) / chunkRows
      let isSmall = Double(m) * Double(n) * Double(d) < 200_000
      self.threads = isSmall ? 1 : min(threads, chunks, BLASThreads.maximumCallers)
    }
  }

  init(_ network: Autoencoder, trainsDecoder: Bool, saves: Bool, context: CallContext) throws(NumericError) {
    self.network = network
    self.trainsDecoder = trainsDecoder
    let (m, n, d) = (network.width, network.count, network.dimension)
    let outputs = checkedProduct(n, d)
    let hiddenCount = checkedProduct(m, n)
    let copyCount = saves ? checkedProduct(m, network.isTied ? d : 2 * d) : 0
    guard let outputs, let hiddenCount, let copyCount else {
      throw NumericError(.outOfMemory, "[autoencoder] \(m) neurons on \(n) inputs of length \(d) do not fit any address space.")
    }
    plan = Plan(network, threads: context.threads)
    let partials = checkedProduct(outputs, plan.chunks + 1)
    let signals = checkedProduct(plan.threads, plan.blockRows * n)
    let total = [partials, signals, copyCount, n].reduce(hiddenCount) { (sum: Int?, part: Int?) in
      guard let sum, let part else { return nil }
      return checkedSum(sum, part)
    }
    try context.reserve(
      total.flatMap { checkedProduct($0, 8) }, for: "training an autoencoder of \(m) neurons on \(n) inputs",
      instead: "Use fewer neurons or inputs, or a larger memory limit.")
    hidden = try Workspace(hiddenCount)
    residual = try Workspace(outputs)
    partial = try Workspace(outputs * plan.chunks)
    rowLoss = try Workspace(n)
    back = try Workspace(plan.threads * plan.blockRows * n)
    saved = saves ? try Workspace(copyCount) : nil
  }

  /// Passes over the neurons until `decide` returns nil. It is called on the calling thread after each pass, with the loss.
  func drive(_ decide: (Double) throws(NumericError) -> AutoencoderChange?) throws(NumericError) {
    BLASThreads.useOne()
    let desk = Desk()
    runTeam(of: plan.threads) { team, member in
      while let change = desk.change {
        while let chunk = desk.take(plan.chunks) { pass(chunk, member, change) }
        team.wait()
        collect(member, team.size)
        team.wait()
        if member == 0 { desk.settle { () throws(NumericError) in try decide(loss) } }
        team.wait()
      }
    }
    if let failure = desk.failure { throw failure }
  }

  /// What the members of the team share.
  private final class Desk: @unchecked Sendable {
    private(set) var change: AutoencoderChange? = AutoencoderChange()
    private(set) var failure: NumericError?
    private let next = Atomic<Int>(0)

    func take(_ count: Int) -> Int? {
      let chunk = next.add(1, ordering: .relaxed).oldValue
      return chunk < count ? chunk : nil
    }

    func settle(_ decide: () throws(NumericError) -> AutoencoderChange?) {
      next.store(0, ordering: .relaxed)
      do { change = try decide() } catch {
        failure = error
        change = nil
      }
    }
  }

  // MARK: - One pass

  private func pass(_ chunk: Int, _ member: Int, _ change: AutoencoderChange) {
    let first = chunk * plan.chunkRows
    let end = min(first + plan.chunkRows, network.width)
    var row = first
    while row < end {
      let block = Block(row, min(plan.blockRows, end - row), self, member)
      if change.saves { copyWeights(block, back: false) }
      if change.restores { copyWeights(block, back: true) }
      if change.rate != 0 { descend(block, change.rate * network.scale) }
      if change.averages { averageWeights(block) }
      forward(block, chunk, isFirst: row == first)
      row += block.rows
    }
  }

  /// Addresses of what belongs to some consecutive neurons.
  private struct Block {
    let rows: Int
    let first: Int
    let encoder, decoder, hidden, back: UnsafeMutablePointer<Double>

    init(_ first: Int, _ rows: Int, _ state: AutoencoderState, _ member: Int) {
      let (n, d) = (state.network.count, state.network.dimension)
      self.first = first
      self.rows = rows
      encoder = state.network.encoder.base + first * d
      decoder = state.network.decoder.base + first * d
      hidden = state.hidden.pointer + first * n
      back = state.back.pointer + member * state.plan.blockRows * n
    }
  }

  /// Gradient descent on the weights of a block, with its activations and the residuals of the last pass.
  ///
  /// dL/dw_r = scale sum_i <a_r, R_i> 1(w_r x_i > 0) x_i and dL/da_r = scale sum_i relu(w_r x_i) R_i; tied: the sum of both.
  private func descend(_ block: Block, _ rate: Double) {
    let (n, d, rows) = (Int32(network.count), Int32(network.dimension), Int32(block.rows))
    Double.gemm(false, true, rows, n, d, 1, block.decoder, d, residual.pointer, d, 0, block.back, n)
    keep(block.back, where: block.hidden, block.rows * network.count)
    if trainsDecoder || network.isTied {
      Double.gemm(false, false, rows, d, n, -rate, block.hidden, n, residual.pointer, d, 1, block.decoder, d)
    }
    Double.gemm(false, false, rows, d, n, -rate, block.back, n, network.inputs.base, d, 1, block.encoder, d)
  }

  /// Activations of a block, and their part of the outputs.
  private func forward(_ block: Block, _ chunk: Int, isFirst: Bool) {
    let (n, d, rows) = (Int32(network.count), Int32(network.dimension), Int32(block.rows))
    Double.gemm(false, true, rows, n, d, 1, block.encoder, d, network.inputs.base, d, 0, block.hidden, n)
    keep(block.hidden, where: block.hidden, block.rows * network.count)
    let sum = partial.pointer + chunk * network.count * network.dimension
    Double.gemm(true, false, n, d, rows, 1, block.hidden, n, block.decoder, d, isFirst ? 0 : 1, sum, d)
  }

  // MARK: - Outputs

  /// Sum of squared residuals / 2.
  private var loss: Double {
    var sum = 0.0
    for i in 0..<network.count { sum += rowLoss[i] }
    return 0.5 * sum
  }

  /// Adds up the chunks for one member's share of the inputs.
  private func collect(_ member: Int, _ members: Int) {
    let (n, d) = (network.count, network.dimension)
    for i in n * member / members..<n * (member + 1) / members {
      let (row, x) = (residual.pointer + i * d, network.inputs.base + i * d)
      row.update(from: partial.pointer + i * d, count: d)
      for chunk in 1..<max(plan.chunks, 1) {
        let part = partial.pointer + chunk * n * d + i * d
        for k in 0..<d { row[k] += part[k] }
      }
      var square = 0.0
      for k in 0..<d {
        row[k] = network.scale * row[k] - x[k]
        square += row[k] * row[k]
      }
      rowLoss[i] = square
    }
  }

  // MARK: - Copies of the weights

  private func copies(_ block: Block) -> [(UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>)] {
    guard let saved else { return [] }
    let d = network.dimension
    let encoder = (block.encoder, saved.pointer + block.first * d)
    return network.isTied ? [encoder] : [encoder, (block.decoder, saved.pointer + (network.width + block.first) * d)]
  }

  private func copyWeights(_ block: Block, back: Bool) {
    for (weights, copy) in copies(block) {
      (back ? weights : copy).update(from: back ? copy : weights, count: block.rows * network.dimension)
    }
  }

  private func averageWeights(_ block: Block) {
    for (weights, copy) in copies(block) {
      for k in 0..<block.rows * network.dimension { weights[k] = 0.5 * (weights[k] + copy[k]) }
    }
  }
}

/// Zero in `x` where `sign` is not positive: eight numbers at a time, because the signs are hard to guess.
private func keep(_ x: UnsafeMutablePointer<Double>, where sign: UnsafePointer<Double>, _ count: Int) {
  for k in stride(from: 0, to: count & ~7, by: 8) {
    let (target, source) = (UnsafeMutableRawPointer(x + k), UnsafeRawPointer(sign + k))
    let isPositive = source.loadUnaligned(as: SIMD8<Double>.self) .> 0
    let values = target.loadUnaligned(as: SIMD8<Double>.self)
    target.storeBytes(of: SIMD8<Double>.zero.replacing(with: values, where: isPositive), as: SIMD8<Double>.self)
  }
  for k in count & ~7..<count { x[k] = sign[k] > 0 ? x[k] : 0 }
}
