import LinearAlgebra
import NumericCore
import Synchronization

/// The arrays of a training run, and the work of one block of units in each phase of a step.
///
/// Phase 0 evaluates blocks of units on the batch and makes the next batch; phase 1 updates blocks of units. The blocks do not depend on
/// the number of threads and their contributions are added in order, so neither does the result.
final class SGDState<Element: BLASReal>: @unchecked Sendable {
  /// The constant c.
  private(set) var offset: Double
  /// Number of the current step.
  var step = 0
  private let sgd: TwoLayerSGD
  private let network: TwoLayerNetwork<Element>
  private let maker: BatchMaker<Element>
  private let unit: UnitFunction
  private let failure = Mutex<NumericError?>(nil)
  private let (batch, width, dimension, blocks): (Int, Int, Int, Int)
  /// Two batches: the current one and the next.
  private let (inputs, targets): (Workspace<Element>, Workspace<Element>)
  /// s(z), s'(z) and the linear parts u = <g, x>, each N x batch.
  private let (values, slopes, linear): (Workspace<Element>, Workspace<Element>, Workspace<Element>)
  /// What each block adds to the outputs of the batch, and to the sums of its features.
  private let (parts, features): (Workspace<Element>, Workspace<Element>)
  private let residual: Workspace<Element>
  private let room: Workspace<Double>
  private var outputStep: Element = 0
  private var (weightRate, tangentRate, outputRate): (Element, Element, Element) = (0, 0, 0)

  init(
    _ sgd: TwoLayerSGD, _ network: TwoLayerNetwork<Element>, _ maker: BatchMaker<Element>, offset: Double, _ context: CallContext
  ) throws(NumericError) {
    (self.sgd, self.network, self.maker, self.offset) = (sgd, network, maker, offset)
    unit = try network.unitFunction()
    (batch, width, dimension) = (maker.batch, network.weights.rows, network.weights.cols)
    blocks = max(1, min(32, (width + 64) / 128))
    let (units, samples) = (checkedProduct(width, batch), checkedProduct(batch, dimension))
    let numbers = units.flatMap { checkedProduct($0, 9) }.flatMap { u in samples.flatMap { checkedSum(u, 2 * $0) } }
    try context.reserve(
      numbers.flatMap { checkedProduct($0, MemoryLayout<Element>.stride) }, for: "training with batches of \(batch)",
      instead: "Use a smaller batch or width.")
    inputs = try Workspace<Element>(2, batch, dimension)
    targets = try Workspace<Element>(2, batch)
    values = try Workspace<Element>(width, batch)
    slopes = try Workspace<Element>(width, batch)
    linear = try Workspace<Element>(network.tangents == nil ? 0 : width, batch)
    parts = try Workspace<Element>(blocks, batch)
    features = try Workspace<Element>(blocks, batch)
    residual = try Workspace<Element>(batch)
    room = try Workspace<Double>(unit.isSimple ? 0 : 3, width, batch)
  }

  /// Tasks of the two phases.
  var taskCounts: (Int, Int) { (blocks + maker.chunks, blocks) }

  /// Makes a chunk of batch `t`.
  func fill(_ t: Int, _ chunk: Int) {
    maker.fill(t, chunk: chunk, x: batchInputs(t), y: targets.pointer + (t & 1) * batch)
  }

  /// One task of a phase.
  func work(_ phase: Int, _ task: Int) {
    if phase == 1 { return update(task) }
    guard task < blocks else { return fill(step + 1, task - blocks) }
    do throws(NumericError) {
      try evaluate(task)
    } catch {
      failure.withLock { if $0 == nil { $0 = error } }
    }
  }

  /// Throws what the caller's nonlinearity threw in phase 0.
  func checkUnits() throws(NumericError) {
    if unit.isSimple { return }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  /// Between the phases: the loss of the batch and its derivative by the outputs, times the learning rate; c moves.
  func residuals(_ rate: Double) -> Double {
    let y = targets.pointer + (step & 1) * batch
    let c = Element(offset)
    var (loss, total, features) = (0.0, 0.0, 0.0)
    for b in 0..<batch {
      var (sum, feature) = (c, Element(0))
      for k in 0..<blocks {
        sum += parts[k * batch + b]
        feature += self.features[k * batch + b]
      }
      let r = y[b] - sum
      residual.pointer[b] = r
      loss += Double(r) * Double(r)
      total += Double(r)
      features += Double(r) * Double(feature)
    }
    let scale = 2 * rate / Double(batch)
    offset += scale * sgd.rates.offset * total
    outputStep = Element(scale * sgd.rates.outputs * features)
    (weightRate, tangentRate) = (Element(scale * sgd.rates.weights), Element(scale * sgd.rates.tangents))
    outputRate = Element(scale * sgd.rates.outputs)
    return loss / Double(batch)
  }

  private func batchInputs(_ t: Int) -> UnsafeMutablePointer<Element> { inputs.pointer + (t & 1) * batch * dimension }

  /// First unit and number of units of a block.
  private func range(_ block: Int) -> (Int, Int) {
    let from = width * block / blocks
    return (from, width * (block + 1) / blocks - from)
  }

  /// z = W x^T for the units of a block, s(z), s'(z), and their part of the outputs.
  private func evaluate(_ block: Int) throws(NumericError) {
    let (from, count) = range(block)
    let x = batchInputs(step)
    let (value, slope) = (values.pointer + from * batch, slopes.pointer + from * batch)
    product(network.weights, from, count, x, slope)
    try unit.evaluate(
      slope, count * batch, value: value, slope: slope, room: unit.isSimple ? room.pointer : room.pointer + 3 * from * batch)
    let (part, feature) = (parts.pointer + block * batch, features.pointer + block * batch)
    part.update(repeating: 0, count: batch)
    feature.update(repeating: 0, count: batch)
    for i in 0..<count {
      let (a, row) = (network.outputs.base[from + i], value + i * batch)
      for b in 0..<batch {
        part[b] += a * row[b]
        feature[b] += row[b]
      }
    }
    guard let tangents = network.tangents else { return }
    let u = linear.pointer + from * batch
    product(tangents, from, count, x, u)
    for i in 0..<count {
      let (row, s) = (u + i * batch, slope + i * batch)
      for b in 0..<batch { part[b] += row[b] * s[b] }
    }
  }

  /// out (units x batch) = rows of m times the batch.
  private func product(
    _ m: StridedMatrix<Element>, _ from: Int, _ count: Int, _ x: UnsafePointer<Element>, _ out: UnsafeMutablePointer<Element>
  ) {
    Element.gemm(
      false, true, Int32(count), Int32(batch), Int32(dimension), 1, m.base + from * dimension, Int32(dimension), x,
      Int32(dimension), 0,
      out, Int32(batch))
  }

  /// One descent step of the units of a block.
  private func update(_ block: Int) {
    let (from, count) = range(block)
    let r = residual.pointer
    let trainsHidden = weightRate > 0 || (tangentRate > 0 && network.tangents != nil)
    if trainsHidden {
      for i in 0..<count {
        let s = slopes.pointer + (from + i) * batch
        // d f / d w_i = a_i s'(z_i) x; d f / d g_i = s'(z_i) x.
        let factor = weightRate > 0 ? weightRate * network.outputs.base[from + i] : tangentRate
        for b in 0..<batch { s[b] = factor * s[b] * r[b] }
      }
      let target = (weightRate > 0 ? network.weights : (network.tangents ?? network.weights)).base + from * dimension
      Element.gemm(
        false, false, Int32(count), Int32(dimension), Int32(batch), 1, slopes.pointer + from * batch, Int32(batch),
        batchInputs(step),
        Int32(dimension), 1, target, Int32(dimension))
    }
    guard outputRate > 0 else { return }
    for i in 0..<count {
      let change = sgd.sharesOutputs ? outputStep : outputRate * dot(r, values.pointer + (from + i) * batch, batch)
      network.outputs.base[from + i] += change
    }
  }
}
