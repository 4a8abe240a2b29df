import CNTKSwift
import NumericCore
import Synchronization
import TrainingRegimes

/// The training runs that callers hold, by number; one call at a time works on a run.
private enum BottleneckTable {
  private final class Entry: @unchecked Sendable {
    let run: Bottleneck
    var isBusy = false
    init(_ run: Bottleneck) { self.run = run }
  }
  private static let table = Mutex<(next: Int64, runs: [Int64: Entry])>((next: 1, runs: [:]))

  static func insert(_ run: Bottleneck) -> Int64 {
    let entry = Entry(run)
    return table.withLock { table in
      let handle = table.next
      table.next += 1
      table.runs[handle] = entry
      return handle
    }
  }

  static func remove(_ handle: Int64) throws(NumericError) {
    guard table.withLock({ $0.runs.removeValue(forKey: handle) }) != nil else { throw unknown(handle) }
  }

  static func use(_ handle: Int64, _ body: (Bottleneck) throws(NumericError) -> Void) throws(NumericError) {
    guard let entry = table.withLock({ $0.runs[handle] }) else { throw unknown(handle) }
    let isFree = table.withLock { _ in
      defer { entry.isBusy = true }
      return !entry.isBusy
    }
    guard isFree else { throw .invalid("[Bottleneck] one call at a time may use a run. Received a second one.") }
    defer { table.withLock { _ in entry.isBusy = false } }
    try body(entry.run)
  }

  private static func unknown(_ handle: Int64) -> NumericError {
    .invalid("[Bottleneck] needs a handle that ntk_bottleneck_create returned and that was not destroyed. Received \(handle).")
  }
}

@_cdecl("ntk_bottleneck_create") @implementation
public func ntk_bottleneck_create(
  _ outer: UnsafePointer<ntk_outer>!, _ inner: UnsafePointer<ntk_matrix>!, _ positions: UnsafePointer<ntk_matrix>!,
  _ targets: UnsafePointer<ntk_matrix>!, _ options: UnsafePointer<ntk_bottleneck_options>!,
  _ handle: UnsafeMutablePointer<Int64>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "Bottleneck"
    let (network, wishes) = (try pointee(outer, op, "outer"), try pointee(options, op, "options"))
    guard let handle else { throw .invalid("[Bottleneck] room for a handle is required. Received a null pointer.") }
    var chosen = BottleneckOptions()
    chosen.learningRate = wishes.learning_rate
    chosen.compression = wishes.compression
    chosen.flowTolerance = wishes.flow_tolerance
    chosen.divergence = wishes.divergence
    let run = try Bottleneck(
      outer: try ArchitectureTable.node(network.architecture), inner: try view(inner, op, "inner"),
      positions: try view(positions, op, "positions"), targets: try view(targets, op, "targets"), start: try network.begin(),
      options: chosen, context: try context(call))
    handle.pointee = BottleneckTable.insert(run)
  }
}

@_cdecl("ntk_bottleneck_destroy") @implementation
public func ntk_bottleneck_destroy(_ handle: Int64, _ error: UnsafeMutablePointer<ntk_error>!) -> Int32 {
  guarded(error) { () throws(NumericError) in try BottleneckTable.remove(handle) }
}

@_cdecl("ntk_bottleneck_descend") @implementation
public func ntk_bottleneck_descend(
  _ handle: Int64, _ steps: Int64, _ interval: Int64, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard steps >= 0, steps <= 1 << 40, interval >= 1 else {
      throw .invalid("[Bottleneck] steps must be at least 0 and the interval at least 1. Received \(steps), \(interval).")
    }
    let context = try context(call)
    try BottleneckTable.use(handle) { (run) throws(NumericError) in
      try run.descend(Int(steps), recordingEvery: Int(interval), context: context)
    }
  }
}

@_cdecl("ntk_bottleneck_flow") @implementation
public func ntk_bottleneck_flow(
  _ handle: Int64, _ times: UnsafePointer<Double>!, _ count: Int64, _ every_step: Int32, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let ascending = try ascendingTimes(times, count)
    let context = try context(call)
    try BottleneckTable.use(handle) { (run) throws(NumericError) in
      try run.flow(to: ascending, recordingSteps: every_step != 0, context: context)
    }
  }
}

@_cdecl("ntk_bottleneck_complete") @implementation
public func ntk_bottleneck_complete(
  _ handle: Int64, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let context = try context(call)
    try BottleneckTable.use(handle) { (run) throws(NumericError) in try run.complete(context: context) }
  }
}

@_cdecl("ntk_bottleneck_describe") @implementation
public func ntk_bottleneck_describe(
  _ handle: Int64, _ info: UnsafeMutablePointer<ntk_bottleneck_info>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard let info else { throw .invalid("[Bottleneck] needs room for its description. Received a null pointer.") }
    try BottleneckTable.use(handle) { (run) throws(NumericError) in
      let state = run.state
      info.pointee = ntk_bottleneck_info(
        steps: Int64(run.steps), losses: Int64(run.records.losses.count), states: Int64(run.records.steps.count),
        anchors: Int64(state.anchors.count / run.units), time: run.time,
        compression_error: state.compressionError)
    }
  }
}

@_cdecl("ntk_bottleneck_read") @implementation
public func ntk_bottleneck_read(
  _ handle: Int64, _ out: UnsafePointer<ntk_bottleneck_arrays>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let arrays = try pointee(out, "Bottleneck", "out")
    try BottleneckTable.use(handle) { (run) throws(NumericError) in
      let (records, state) = (run.records, run.state)
      try write(records.lossTimes, arrays.loss_times, "loss_times")
      try write(records.losses, arrays.losses, "losses")
      try write(records.steps.map(Double.init), arrays.state_steps, "state_steps")
      try write(records.times, arrays.state_times, "state_times")
      try write(records.values, arrays.values, "values")
      try write(records.positions, arrays.z, "z")
      try write(records.gradients, arrays.gradients, "gradients")
      try write(state.anchors, arrays.anchors, "anchors")
      try write(state.weights, arrays.weights, "weights")
      try write(state.drive, arrays.drive, "drive")
    }
  }
}

@_cdecl("ntk_outer_evaluate") @implementation
public func ntk_outer_evaluate(
  _ outer: UnsafePointer<ntk_outer>!, _ z: UnsafePointer<ntk_matrix>!, _ anchors: UnsafePointer<ntk_matrix>!,
  _ weights: UnsafePointer<ntk_matrix>!, _ values: UnsafePointer<ntk_matrix>!, _ gradients: UnsafePointer<ntk_matrix>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "Bottleneck"
    let network = try pointee(outer, op, "outer")
    try evaluateOuterFunction(
      try ArchitectureTable.node(network.architecture), at: try view(z, op, "z"), anchors: try view(anchors, op, "anchors"),
      weights: try view(weights, op, "weights"), start: try network.begin(), values: try view(values, op, "values"),
      gradients: try view(gradients, op, "gradients"), context: try context(call))
  }
}

@_cdecl("ntk_input_gradient") @implementation
public func ntk_input_gradient(
  _ architecture: Int64, _ is_ntk: Int32, _ z1: UnsafePointer<ntk_matrix>!, _ z2: UnsafePointer<ntk_matrix>!,
  _ out: UnsafePointer<ntk_matrix>!, _ gradient: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "input_gradient"
    try inputGradient(
      try ArchitectureTable.node(architecture), isNTK: is_ntk != 0, try view(z1, op, "z1"), try view(z2, op, "z2"),
      into: try view(out, op, "out"), gradient: try view(gradient, op, "gradient"), context: try context(call))
  }
}

// MARK: - Arguments

extension ntk_outer {
  /// What f_0 is.
  fileprivate func begin() throws(NumericError) -> BottleneckStart {
    switch start {
    case Int32(NTK_START_ZERO.rawValue): return .zero
    case Int32(NTK_START_DRAW.rawValue):
      guard let width = Int(exactly: start_width) else {
        throw .invalid("[Bottleneck] start_width must be at least 1. Received another.")
      }
      return .draw(key: key, width: width)
    case Int32(NTK_START_WEIGHTS.rawValue):
      return .network(
        hidden: try matrixView(hidden, "hidden"), hiddenBias: try biases(hidden_bias),
        readout: try matrixView(readout, "readout"),
        outputBias: try biases(output_bias))
    case Int32(NTK_START_FUNCTION.rawValue):
      guard let function else { throw .invalid("[Bottleneck] an initial function is required. Received a null pointer.") }
      let owner = function_context
      return .function { function(owner, $0, Int64($1), $2, $3) == 0 }
    default: throw .invalid("[Bottleneck] the start must be an ntk_outer_start. Received \(start).")
    }
  }

  private func biases(_ m: ntk_matrix) throws(NumericError) -> [Double] {
    guard let view: StridedMatrix<Double> = try optionalMatrixView(m, "biases") else { return [] }
    guard view.cols == 1 else { throw .invalid("[Bottleneck] biases need one column. Received \(view.cols).") }
    return (0..<view.rows).map { view[$0, 0] }
  }
}

/// Times that ascend, none negative or NaN.
func ascendingTimes(_ times: UnsafePointer<Double>?, _ count: Int64) throws(NumericError) -> [Double] {
  guard count >= 0, count <= 1 << 32, times != nil || count == 0 else {
    throw .invalid("[Bottleneck] times are required. Received \(count) of them.")
  }
  let values = times.map { Array(UnsafeBufferPointer(start: $0, count: Int(count))) } ?? []
  for (i, t) in values.enumerated() where !(t >= (i > 0 ? values[i - 1] : 0)) || !t.isFinite {
    throw .invalid("[Bottleneck] times must be finite, at least 0, and ascend. Received \(t) at index \(i).", index: (i, -1))
  }
  return values
}

/// Copies numbers into a contiguous matrix of as many elements, if it is there.
private func write(_ numbers: [Double], _ m: ntk_matrix, _ name: String) throws(NumericError) {
  guard let target: StridedMatrix<Double> = try optionalMatrixView(m, name) else { return }
  guard target.rows * target.cols == numbers.count, target.hasContiguousRows, target.rows <= 1 || target.rowStride == target.cols
  else {
    throw .invalid(
      "[Bottleneck] \(name) must be contiguous with \(numbers.count) elements. Received (\(target.rows), \(target.cols)).")
  }
  numbers.withUnsafeBufferPointer { source in
    if let first = source.baseAddress { target.base.update(from: first, count: numbers.count) }
  }
}
