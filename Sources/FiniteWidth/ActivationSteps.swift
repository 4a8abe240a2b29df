import Activations
import Architectures
import NumericCore

/// Nonlinearities, unit by unit, and dropout, which is linear.
extension Tape {
  func activate(_ activation: Activation, _ step: Step, _ index: Int, _ part: Int) throws(NumericError) -> Tensor? {
    guard part != 0 else { return try activate(activation, step, index) }
    let terms = slopeTerms(index, step.inputs[0], part, shift: 0)
    guard !terms.isEmpty else { return nil }
    let out = try new(step.shape)
    var total = ProductSum(out.pointer, out.count, adding: false)
    for term in terms { total.add(term) }
    return out
  }

  /// The value, and all derivatives that later parts need.
  private func activate(_ activation: Activation, _ step: Step, _ index: Int) throws(NumericError) -> Tensor? {
    guard let x = values[step.inputs[0]][0] else { return nil }
    let out = try new(step.shape)
    for order in 1..<max(1, slopeOrder + 1) { slopes[index][order] = try new(step.shape) }
    let targets = [out.pointer] + slopes[index].dropFirst().compactMap { $0?.pointer }
    if let function = activation.userFunction {
      guard slopeOrder <= 1 else {
        throw .invalid("[network] second derivatives need ready-made nonlinearities. Received a function of the caller.")
      }
      guard let userFunction else { throw .invalid("[network] needs the caller's functions. Received none.") }
      for (what, target) in targets.enumerated() { try userFunction(function, what, x.pointer, target, x.count) }
      return out
    }
    guard let function = activation.function else {
      throw .invalid("[\(activation.name)] is a kernel without a finite network. Received a call that needs the network.")
    }
    function.evaluate(x.pointer, x.count, into: targets)
    return out
  }

  func activateBackward(_ step: Step, _ index: Int, _ part: Int) throws(NumericError) {
    var terms: [[UnsafeMutablePointer<Double>]] = []
    Jets.forEachSplit(part) { a, b in
      guard let above = cotangents[index][a] else { return }
      for term in slopeTerms(index, step.inputs[0], b, shift: 1) { terms.append([above.pointer] + term) }
    }
    try addCotangent(to: step.inputs[0], part, terms)
  }

  /// Part `part` of the derivative of order `shift` at the jet of value `input`: sum over partitions of slope times the blocks' parts.
  private func slopeTerms(_ index: Int, _ input: Int, _ part: Int, shift: Int) -> [[UnsafeMutablePointer<Double>]] {
    Jets.partitions(part).compactMap { blocks in
      let order = blocks.count + shift
      guard order < slopes[index].count, let slope = slopes[index][order] else { return nil }
      let factors = blocks.compactMap { values[input][$0]?.pointer }
      return factors.count == blocks.count ? [slope.pointer] + factors : nil
    }
  }

  // MARK: Dropout

  func dropout(_ rate: Double, _ stream: Int, _ step: Step, _ index: Int, _ part: Int) throws(NumericError) -> Tensor? {
    guard let x = values[step.inputs[0]][part] else { return nil }
    if slopes[index][0] == nil { slopes[index][0] = try mask(rate, stream, step.shape) }
    let out = try new(step.shape)
    guard let mask = slopes[index][0] else { return nil }
    for i in 0..<out.count { out.pointer[i] = x.pointer[i] * mask.pointer[i] }
    return out
  }

  func dropoutBackward(_ step: Step, _ index: Int, _ part: Int) throws(NumericError) {
    guard let above = cotangents[index][part], let mask = slopes[index][0] else { return }
    try addCotangent(to: step.inputs[0], part, [[above.pointer, mask.pointer]])
  }

  /// 1 / rate with probability `rate`, else zero.
  ///
  /// Unit (row, column) of Dropout layer `stream` uses word row * columns + column of its own Philox stream, with the row counted over all
  /// inputs, so chunks and threads do not matter.
  private func mask(_ rate: Double, _ stream: Int, _ shape: Signal) throws(NumericError) -> Tensor {
    let out = try new(shape)
    let words = PhiloxStream(key: seed, counter: (0, 0, UInt64(stream), 0))
    var block: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var loaded = UInt64.max
    for r in 0..<out.rows {
      let globalRow = r / rows &* allRows &+ firstRow &+ r % rows
      let target = out.row(r)
      for c in 0..<out.cols {
        let unit = UInt64(globalRow) &* UInt64(out.cols) &+ UInt64(c)
        if unit / 4 != loaded {
          loaded = unit / 4
          block = words.block(loaded)
        }
        target[c] = PhiloxStream.uniform(Tape.word(unit % 4, of: block)) <= rate ? 1 / rate : 0
      }
    }
    return out
  }

  private static func word(_ i: UInt64, of words: (UInt64, UInt64, UInt64, UInt64)) -> UInt64 {
    switch i {
    case 0: words.0
    case 1: words.1
    case 2: words.2
    default: words.3
    }
  }
}
