import Architectures
import NumericCore

/// Sums, products and concatenations of branches, and pooling.
extension Tape {
  func sum(_ step: Step, _ part: Int) throws(NumericError) -> Tensor? {
    let terms = step.inputs.compactMap { values[$0][part] }
    guard !terms.isEmpty else { return nil }
    let out = try new(step.shape)
    var total = ProductSum(out.pointer, out.count, adding: false)
    for term in terms { total.add([term.pointer]) }
    return out
  }

  func sumBackward(_ step: Step, _ index: Int, _ part: Int) throws(NumericError) {
    guard let above = cotangents[index][part] else { return }
    for input in step.inputs { try addCotangent(to: input, part, [[above.pointer]]) }
  }

  func product(_ step: Step, _ part: Int) throws(NumericError) -> Tensor? {
    let terms = productTerms(step.inputs, part)
    guard !terms.isEmpty else { return nil }
    let out = try new(step.shape)
    var total = ProductSum(out.pointer, out.count, adding: false)
    for term in terms { total.add(term) }
    return out
  }

  func productBackward(_ step: Step, _ index: Int, _ part: Int) throws(NumericError) {
    for (position, input) in step.inputs.enumerated() {
      var others = step.inputs
      others.remove(at: position)
      var terms: [[UnsafeMutablePointer<Double>]] = []
      Jets.forEachSplit(part) { a, b in
        guard let above = cotangents[index][a] else { return }
        for term in productTerms(others, b) { terms.append([above.pointer] + term) }
      }
      try addCotangent(to: input, part, terms)
    }
  }

  private func productTerms(_ inputs: [Int], _ part: Int) -> [[UnsafeMutablePointer<Double>]] {
    guard !inputs.isEmpty else { return part == 0 ? [[]] : [] }
    return Jets.assignments(part, to: inputs.count).compactMap { sets in
      let factors = zip(inputs, sets).compactMap { values[$0][$1]?.pointer }
      return factors.count == inputs.count ? factors : nil
    }
  }

  /// Adds sums of products to part `part` of the cotangent of value `index`.
  func addCotangent(to index: Int, _ part: Int, _ terms: [[UnsafeMutablePointer<Double>]]) throws(NumericError) {
    guard !terms.isEmpty else { return }
    let (target, adding) = try cotangent(of: index, part)
    var total = ProductSum(target.pointer, target.count, adding: adding)
    total.add(terms)
  }

  // MARK: Concatenation

  func concatenate(_ axis: ConcatAxis, _ step: Step, _ part: Int) throws(NumericError) -> Tensor? {
    guard step.inputs.contains(where: { values[$0][part] != nil }) else { return nil }
    let out = try new(step.shape, zeroed: true)
    forEachRun(axis, step) { input, source, target, count in
      if let value = values[input][part] { (out.pointer + target).update(from: value.pointer + source, count: count) }
    }
    return out
  }

  func concatenateBackward(_ axis: ConcatAxis, _ step: Step, _ index: Int, _ part: Int) throws(NumericError) {
    guard let above = cotangents[index][part] else { return }
    for input in step.inputs {
      let (target, adding) = try cotangent(of: input, part)
      if !adding { target.pointer.update(repeating: 0, count: target.count) }
    }
    forEachRun(axis, step) { input, source, target, count in
      guard let sum = cotangents[input][part] else { return }
      for i in 0..<count { sum.pointer[source &+ i] += above.pointer[target &+ i] }
    }
  }

  /// Calls `body(input, place in it, place in the result, count)` for every run of numbers that stay together.
  private func forEachRun(_ axis: ConcatAxis, _ step: Step, _ body: (Int, Int, Int, Int) -> Void) {
    var start = 0
    for input in step.inputs {
      let shape = plan.steps[input].shape
      switch axis {
      case .batch:
        let count = rowCount(shape) &* shape.size
        body(input, 0, start, count)
        start &+= count
      case .channel:
        for i in 0..<rowCount(shape) &* shape.positions {
          body(input, i &* shape.channels, i &* step.shape.channels &+ start, shape.channels)
        }
        start &+= shape.channels
      }
    }
  }

  // MARK: Pooling

  func pool(_ pooling: Pooling, _ step: Step, _ part: Int) throws(NumericError) -> Tensor? {
    guard let x = values[step.inputs[0]][part] else { return nil }
    let out = try new(step.shape, zeroed: true)
    let channels = step.shape.channels
    for r in 0..<x.rows {
      if r & 15 == 0 { try checkCancelled() }
      let (source, target) = (x.row(r), out.row(r))
      pooling.geometry.forEachPlace { (output, _, position) in
        let (from, to, factor) = (source + position &* channels, target + output &* channels, pooling.factors[output])
        for c in 0..<channels { to[c] += factor * from[c] }
      }
    }
    return out
  }

  func poolBackward(_ pooling: Pooling, _ step: Step, _ index: Int, _ part: Int) throws(NumericError) {
    guard let above = cotangents[index][part] else { return }
    let (target, adding) = try cotangent(of: step.inputs[0], part)
    if !adding { target.pointer.update(repeating: 0, count: target.count) }
    let channels = step.shape.channels
    for r in 0..<above.rows {
      if r & 15 == 0 { try checkCancelled() }
      let (source, sum) = (above.row(r), target.row(r))
      pooling.geometry.forEachPlace { (output, _, position) in
        let (from, to, factor) = (source + output &* channels, sum + position &* channels, pooling.factors[output])
        for c in 0..<channels { to[c] += factor * from[c] }
      }
    }
  }
}
