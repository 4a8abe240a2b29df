import NumericCore

/// An autonomous system of ordinary differential equations for numbers in memory, followed by Dormand and Prince's method.
///
/// The state is `blocks` parts of equal length; the local error of each part stays below `tolerance` times the largest magnitude that the
/// part has had.
public final class VectorFlow: StagedFlow {
  /// (state, slope): writes the derivative at a state.
  public typealias Derivative = (UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>) throws(NumericError) -> Void

  /// What a later integration needs, beside the state, to go on with the same bits.
  public struct Checkpoint: Sendable {
    /// Where it is.
    public var time: Double
    /// The step that it would try next.
    public var step: Double
    /// Largest magnitude that each part has had.
    public var scales: [Double]

    /// A place on the way; see the properties.
    public init(time: Double, step: Double, scales: [Double]) { (self.time, self.step, self.scales) = (time, step, scales) }
  }

  private let blocks: Int
  private let length: Int
  private let tolerance: Double
  private let derivative: Derivative
  /// Seven slopes, the state at a stage and that at the end of the step, each `blocks * length` long.
  private let room: Workspace<Double>
  private let state: UnsafeMutablePointer<Double>
  private var control: StepControl
  private var scales: [Double]
  /// Accepted steps.
  public private(set) var steps = 0

  private var count: Int { blocks * length }
  private var stage: UnsafeMutablePointer<Double> { room.pointer + 7 * count }
  private var end: UnsafeMutablePointer<Double> { room.pointer + 8 * count }
  private func slopes(_ number: Int) -> UnsafeMutablePointer<Double> { room.pointer + number * count }

  /// Starts with the given state, which is advanced in place, at time 0 or where a checkpoint was.
  /// - Throws: `invalidArgument` where the first slope is not finite; what `derivative` throws.
  public init(
    state: UnsafeMutablePointer<Double>, blocks: Int = 1, length: Int, tolerance: Double, operation: String,
    from checkpoint: Checkpoint? = nil, derivative: @escaping Derivative
  ) throws(NumericError) {
    (self.state, self.blocks, self.length, self.tolerance, self.derivative) = (state, blocks, length, tolerance, derivative)
    guard let numbers = checkedProduct(blocks, length).flatMap({ checkedProduct($0, 9) }) else {
      throw NumericError(.outOfMemory, "[\(operation)] \(blocks) x \(length) numbers fit no address space.", bytes: .max)
    }
    room = try Workspace(numbers)
    scales = (0..<blocks).map { largestMagnitude(state + $0 * length, length) }
    control = StepControl(step: 0, operation: operation)
    try derivative(state, room.pointer)
    if let bad = (0..<count).first(where: { !room[$0].isFinite }) {
      throw .invalid(
        "[\(operation)] the loss needs a finite gradient at the start. Received \(room[bad]) at number \(bad % length).",
        index: (bad % length, -1))
    }
    control = StepControl(step: firstStep(), operation: operation)
    if let checkpoint, checkpoint.scales.count == blocks {
      scales = checkpoint.scales
      control = StepControl(time: checkpoint.time, step: checkpoint.step, operation: operation)
    }
  }

  /// Where the integration is.
  public var time: Double { control.time }
  /// For a later integration that goes on.
  public var checkpoint: Checkpoint { Checkpoint(time: control.time, step: control.step, scales: scales) }
  /// The derivative at the present state, part b.
  public func slope(_ b: Int) -> UnsafeMutablePointer<Double> { room.pointer + b * length }
  /// Part b of the present state.
  public func part(_ b: Int) -> UnsafeMutablePointer<Double> { state + b * length }
  /// Largest magnitude that part b has had.
  public func scale(_ b: Int) -> Double { scales[b] }

  /// Takes one accepted step, but not beyond `limit`.
  /// - Throws: `notConverged` where steps shrink below rounding; what `derivative` throws.
  public func advance(to limit: Double) throws(NumericError) { try DormandPrince.advance(self, &control, to: limit) }

  // MARK: - The stages of a step

  /// See `StagedFlow`.
  public func evaluate(_ number: Int, weights: [Double], step h: Double) throws(NumericError) -> Bool {
    let target = number == 6 ? end : stage
    for k in stride(from: 0, to: count & ~7, by: 8) { store(load(state + k) + h * sum8(weights, at: k), at: target + k) }
    for k in count & ~7..<count { target[k] = state[k] + h * sum(weights, at: k) }
    try derivative(target, slopes(number))
    return true
  }

  /// See `StagedFlow`.
  public func errorRatio(weights: [Double], step h: Double) throws(NumericError) -> Double {
    var worst = 0.0
    for b in 0..<blocks {
      let (first, last) = (b * length, (b + 1) * length)
      // `finite` stays 0 as long as errors and states are finite.
      var (errors, states, finite) = (SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero)
      for k in stride(from: first, to: first + length & ~7, by: 8) {
        let (error, value) = (magnitude(h * sum8(weights, at: k)), magnitude(load(end + k)))
        finite += 0 * error + 0 * value
        (errors, states) = (pointwiseMax(errors, error), pointwiseMax(states, value))
      }
      var (error, largest) = (errors.max(), states.max())
      for k in first + length & ~7..<last {
        let size = abs(h * sum(weights, at: k))
        guard size.isFinite, end[k].isFinite else { return .infinity }
        (error, largest) = (max(error, size), max(largest, abs(end[k])))
      }
      guard finite == .zero else { return .infinity }
      if error > 0 { worst = max(worst, error / (tolerance * max(scales[b], largest))) }
    }
    return worst
  }

  /// See `StagedFlow`.
  public func accept(weights: [Double], step: Double) {
    state.update(from: end, count: count)
    slopes(0).update(from: slopes(6), count: count)
    for b in 0..<blocks { scales[b] = max(scales[b], largestMagnitude(state + b * length, length)) }
    steps += 1
  }

  /// A first step that changes the state by about a hundredth (Hairer, Norsett & Wanner, section II.4, simplified).
  private func firstStep() -> Double {
    var h = Double.infinity
    for b in 0..<blocks {
      let speed = largestMagnitude(slope(b), length)
      if speed > 0, scales[b] > 0 { h = min(h, 0.01 * scales[b] / speed) }
    }
    return h.isFinite ? h : 1e-3
  }

  private func sum(_ weights: [Double], at k: Int) -> Double {
    var sum = 0.0
    for j in 0..<weights.count { sum += weights[j] * room[j * count + k] }
    return sum
  }

  /// `sum` for eight numbers from k on, in the same order.
  private func sum8(_ weights: [Double], at k: Int) -> SIMD8<Double> {
    var sum = SIMD8<Double>.zero
    for j in 0..<weights.count { sum += weights[j] * load(room.pointer + j * count + k) }
    return sum
  }
}

/// The largest magnitude of some numbers; NaN counts as none.
public func largestMagnitude(_ x: UnsafePointer<Double>, _ count: Int) -> Double {
  var largest = 0.0
  for i in 0..<count { largest = max(largest, abs(x[i])) }
  return largest
}

private func load(_ x: UnsafePointer<Double>) -> SIMD8<Double> { UnsafeRawPointer(x).loadUnaligned(as: SIMD8<Double>.self) }

private func store(_ value: SIMD8<Double>, at x: UnsafeMutablePointer<Double>) {
  UnsafeMutableRawPointer(x).storeBytes(of: value, as: SIMD8<Double>.self)
}

private func magnitude(_ x: SIMD8<Double>) -> SIMD8<Double> { x.replacing(with: -x, where: x .< 0) }
