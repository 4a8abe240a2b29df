import LinearAlgebra
import NumericCore

/// What Hessian products in single precision need beside the tapes of all chunks.
///
/// Only matrix products are taken in single precision. Their operands are copied: parameters, values and cotangents once, what depends on the
/// direction once per product. The gradients of weight matrices are summed in single precision over the chunks of a group, and in double
/// precision over groups.
final class SinglePass {
  /// The operands of each group's chunks.
  let operands: [[SingleProducts]]
  private let plan: NetworkPlan
  private let parameters: SingleParameters
  private let sums: [SingleSums]
  private let source: UnsafePointer<Double>
  private let isMatrix: [Bool]

  /// For `chunks` chunks in each group, at the parameters `source`, which it keeps.
  init(_ plan: NetworkPlan, _ chunks: [Int], _ source: UnsafePointer<Double>) {
    let parameters = SingleParameters()
    let sums = chunks.map { _ in SingleSums(plan) }
    operands = zip(chunks, sums).map { (count, sum) in (0..<count).map { _ in SingleProducts(plan, parameters, sum) } }
    (self.plan, self.parameters, self.sums, self.source) = (plan, parameters, sums, source)
    var matrices = [Bool](repeating: false, count: plan.parameters.count)
    for case .linear(let operation) in plan.steps.map(\.operation) { matrices[operation.weight] = true }
    isMatrix = matrices
  }

  /// Takes the direction of the next product.
  func begin(_ v: UnsafePointer<Double>) throws(NumericError) {
    if !parameters.isSet(0) { try parameters.set(0, source, plan.parameterCount) }
    try parameters.set(1, v, plan.parameterCount)
    for sum in sums { try sum.begin() }
  }

  /// Sets to zero what group `group` adds to in double precision.
  func clear(_ group: Int, _ part: UnsafeMutablePointer<Double>) {
    for (slot, place) in plan.parameters.enumerated() where !isMatrix[slot] {
      (part + place.offset).update(repeating: 0, count: place.count)
    }
  }

  /// product = the sum over the groups.
  func gather(_ parts: UnsafePointer<Double>, into product: UnsafeMutablePointer<Double>) {
    product.update(repeating: 0, count: plan.parameterCount)
    for (group, sum) in sums.enumerated() {
      let part = parts + group &* plan.parameterCount
      for (slot, place) in plan.parameters.enumerated() {
        let range = place.offset..<place.offset &+ place.count
        if !isMatrix[slot] {
          for i in range { product[i] += part[i] }
        } else if let numbers = sum.numbers(slot) {
          for i in range { product[i] += Double(numbers[i]) }
        }
      }
    }
  }
}

/// Parameters and direction in single precision.
final class SingleParameters {
  private var parts: [Workspace<Float>?] = [nil, nil]

  func isSet(_ part: Int) -> Bool { parts[part] != nil }

  /// Copies part `part`.
  func set(_ part: Int, _ source: UnsafePointer<Double>, _ count: Int) throws(NumericError) {
    let target: Workspace<Float>
    if let present = parts[part] { target = present } else { target = try Workspace(count) }
    for i in 0..<count { target.pointer[i] = Float(source[i]) }
    parts[part] = target
  }

  /// Part `part` from number `offset` on; nil where it is not set.
  func from(_ offset: Int, _ part: Int) -> UnsafePointer<Float>? { parts[part].map { UnsafePointer($0.pointer + offset) } }
}

/// Gradients of the weight matrices of one group of inputs, in single precision.
final class SingleSums {
  private var room: Workspace<Float>?
  private let count: Int
  private var isWritten: [Bool]

  init(_ plan: NetworkPlan) {
    count = plan.parameterCount
    isWritten = [Bool](repeating: false, count: plan.parameters.count)
  }

  func begin() throws(NumericError) {
    if room == nil { room = try Workspace(count) }
    for i in isWritten.indices { isWritten[i] = false }
  }

  /// The sums, where parameter `slot` has one.
  func numbers(_ slot: Int) -> UnsafePointer<Float>? { isWritten[slot] ? room.map { UnsafePointer($0.pointer) } : nil }

  /// Where a product for parameter `slot` goes, and whether it is added to what is there.
  func target(_ slot: Int) -> (numbers: UnsafeMutablePointer<Float>, adding: Bool)? {
    defer { isWritten[slot] = true }
    return room.map { ($0.pointer, isWritten[slot]) }
  }
}

/// The operands of one chunk's matrix products in single precision: each is copied once and read by all products until it changes.
final class SingleProducts {
  let parameters: SingleParameters
  let sums: SingleSums
  /// Of each layer the values that it reads (as rows of windows for a convolution) and its cotangents, by part.
  private var values: [[SingleCopy]]
  private var cotangents: [[SingleCopy]]
  private var scratch: [Workspace<Float>?] = [nil, nil]

  init(_ plan: NetworkPlan, _ parameters: SingleParameters, _ sums: SingleSums) {
    (self.parameters, self.sums) = (parameters, sums)
    values = plan.steps.map { _ in [SingleCopy(), SingleCopy()] }
    cotangents = plan.steps.map { _ in [SingleCopy(), SingleCopy()] }
  }

  /// Forgets part `part` of all values, or of all cotangents.
  func forgetValues(part: Int) { for i in values.indices { values[i][part].current = nil } }
  func forgetCotangents(part: Int) { for i in cotangents.indices { cotangents[i][part].current = nil } }

  /// Part `part` of what layer `index` reads: `x` itself, or its windows as rows.
  func rows(_ index: Int, _ part: Int, _ x: Tensor, _ geometry: WindowGeometry?) throws(NumericError) -> UnsafePointer<Float> {
    guard let geometry else { return try values[index][part].of(x) }
    if let current = values[index][part].current { return current }
    let size = geometry.positions &* geometry.patchSize
    let target = try values[index][part].begin(x.rows &* size)
    let plain = try room(0, x.cols)
    for r in 0..<x.rows {
      let row = x.row(r)
      for i in 0..<x.cols { plain[i] = Float(row[i]) }
      geometry.lay(plain, into: target + r &* size)
    }
    return UnsafePointer(target)
  }

  /// Part `part` of the cotangents of layer `index`.
  func cotangent(_ index: Int, _ part: Int, _ above: Tensor) throws(NumericError) -> UnsafePointer<Float> {
    try cotangents[index][part].of(above)
  }

  /// Room for `count` numbers, number `which` of two.
  func room(_ which: Int, _ count: Int) throws(NumericError) -> UnsafeMutablePointer<Float> {
    if let present = scratch[which], present.count >= count { return present.pointer }
    let fresh = try Workspace<Float>(count)
    scratch[which] = fresh
    return fresh.pointer
  }
}

/// A tensor in single precision, in memory that is used again.
private struct SingleCopy {
  private var storage: Workspace<Float>?
  /// The numbers; nil where they have to be copied again.
  var current: UnsafePointer<Float>?

  /// Room for `count` numbers, which the caller sets.
  mutating func begin(_ count: Int) throws(NumericError) -> UnsafeMutablePointer<Float> {
    let room: Workspace<Float>
    if let storage, storage.count == count { room = storage } else { room = try Workspace(count) }
    (storage, current) = (room, UnsafePointer(room.pointer))
    return room.pointer
  }

  mutating func of(_ x: Tensor) throws(NumericError) -> UnsafePointer<Float> {
    if let current { return current }
    let (target, source) = (try begin(x.count), x.pointer)
    for i in 0..<x.count { target[i] = Float(source[i]) }
    return UnsafePointer(target)
  }
}

/// Dense layers and convolutions as in `LinearSteps`, with matrix products in single precision: half the time, for products that are
/// checked afterwards.
extension Tape {
  /// Part `part` of the layer's product, added to `out` where that is given.
  func linear(
    _ single: SingleProducts, _ operation: LinearOperation, _ step: Step, _ index: Int, _ part: Int, into out: Tensor?
  ) throws(NumericError) -> Tensor? {
    let (x, slot) = (values[step.inputs[0]], plan.parameters[operation.weight])
    let count = rowCount(step.shape) &* step.shape.size
    let product = try single.room(1, count)
    var isEmpty = true
    try Jets.forEachSplit(part) { (a, b) throws(NumericError) in
      guard let weights = single.parameters.from(slot.offset, a), let input = x[b] else { return }
      let rows = try single.rows(index, b, input, operation.geometry)
      try Float.slicedGemm(
        false, false, count / slot.cols, slot.cols, slot.rows, Float(operation.scale), rows, slot.rows, weights, slot.cols,
        isEmpty ? 0 : 1, product, slot.cols)
      isEmpty = false
    }
    if isEmpty { return out }
    let target: Tensor
    if let out { target = out } else { target = try new(step.shape) }
    add(product, count, to: target.pointer, adding: out != nil)
    return target
  }

  /// The part of the backward pass that goes to the layer's input.
  func linearBackward(
    _ single: SingleProducts, _ operation: LinearOperation, _ step: Step, _ index: Int, _ part: Int
  ) throws(NumericError) {
    let (slot, input) = (plan.parameters[operation.weight], step.inputs[0])
    let rows = rowCount(step.shape) &* step.shape.size / slot.cols
    let product = try single.room(1, rows &* slot.rows)
    var isEmpty = true
    try Jets.forEachSplit(part) { (a, b) throws(NumericError) in
      guard let weights = single.parameters.from(slot.offset, a), let above = cotangents[index][b] else { return }
      let cotangent = try single.cotangent(index, b, above)
      try Float.slicedGemm(
        false, true, rows, slot.rows, slot.cols, Float(operation.scale), cotangent, slot.cols, weights, slot.cols,
        isEmpty ? 0 : 1,
        product, slot.rows)
      isEmpty = false
    }
    guard !isEmpty else { return }
    let (target, adding) = try cotangent(of: input, part)
    guard let geometry = operation.geometry else {
      add(product, target.count, to: target.pointer, adding: adding)
      return
    }
    let sum = try single.room(0, target.cols)
    for r in 0..<target.rows {
      sum.update(repeating: 0, count: target.cols)
      geometry.addBack(product + r &* geometry.positions &* geometry.patchSize, to: sum)
      add(sum, target.cols, to: target.row(r), adding: adding)
    }
  }

  /// Adds part `part` of the gradient by the layer's weights to the group's sums.
  func addWeightGradient(
    _ single: SingleProducts, _ operation: LinearOperation, _ step: Step, _ index: Int, _ part: Int
  ) throws(NumericError) {
    let (x, slot) = (values[step.inputs[0]], plan.parameters[operation.weight])
    try Jets.forEachSplit(part) { (a, b) throws(NumericError) in
      guard let input = x[a], let above = cotangents[index][b], let sum = single.sums.target(operation.weight) else { return }
      let rows = try single.rows(index, a, input, operation.geometry)
      let cotangent = try single.cotangent(index, b, above)
      try Float.slicedGemm(
        true, false, slot.rows, slot.cols, above.count / slot.cols, Float(operation.scale), rows, slot.rows, cotangent, slot.cols,
        sum.adding ? 1 : 0, sum.numbers + slot.offset, slot.cols)
    }
  }

  private func add(_ x: UnsafePointer<Float>, _ count: Int, to out: UnsafeMutablePointer<Double>, adding: Bool) {
    if adding {
      for i in 0..<count { out[i] += Double(x[i]) }
    } else {
      for i in 0..<count { out[i] = Double(x[i]) }
    }
  }
}
