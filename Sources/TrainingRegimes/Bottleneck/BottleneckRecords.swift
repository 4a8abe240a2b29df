import NumericCore

/// What training leaves behind: the loss at every step, and whole states at some.
public struct BottleneckRecords {
  /// mean (F - y)^2 / 2 on the training points after each step, the start included.
  public var losses: [Double] = []
  /// The times of `losses`.
  public var lossTimes: [Double] = []
  /// Step number of each recorded state.
  public var steps: [Int] = []
  /// Time of each recorded state.
  public var times: [Double] = []
  /// F at all points (N x outputs), state after state.
  public var values: [Double] = []
  /// z at all points (N x units), state after state.
  public var positions: [Double] = []
  /// grad f at all points (N x outputs units), state after state.
  public var gradients: [Double] = []
  /// How many states already have f_0 in their test values, see `Bottleneck.complete`.
  var completed = 0
}

extension Bottleneck {
  /// Appends the present state. Test values still lack f_0.
  func recordState(_ context: CallContext) throws(NumericError) {
    guard records.steps.last != steps || records.steps.isEmpty else { return }
    let (n, all, k, c) = (trainCount, pointCount, units, outputs)
    let held = records.values.count + records.positions.count + records.gradients.count + 2 * all * (c + k + c * k)
    try context.reserve(checkedProduct(2 * held, 8), for: "the recorded states", instead: "Record fewer states.")
    let m = all - n
    let room = try Workspace<Double>(m * c * (1 + k), zeroed: true)
    let test = StridedMatrix(room.pointer, rows: m, cols: c)
    let testGradients = StridedMatrix(room.pointer + m * c, rows: m, cols: c * k)
    if m > 0 {
      let set = try PointSet(outer, capacity: m)
      try set.append(rows(positions, from: n), rows: m)
      try learned.addValues(at: set, values: test, gradients: testGradients, context: context)
    }
    records.steps.append(steps)
    records.times.append(time)
    records.values += elements(current.values) + elements(test)
    records.gradients += elements(current.gradients) + elements(testGradients)
    records.positions += elements(positions)
  }

  /// Records the present state, and adds f_0 to the test values of all states that still lack it: all at once at the end, so that a
  /// caller's function is not asked for them during training.
  public func complete(context: CallContext) throws(NumericError) {
    if !records.losses.isEmpty && !hasDiverged { try recordState(context) }
    let (n, all, k, c) = (trainCount, pointCount, units, outputs)
    let m = all - n
    guard m > 0 else { return }
    let room = try Workspace<Double>(m * c * (1 + k) + m * k)
    let values = StridedMatrix(room.pointer, rows: m, cols: c)
    let gradients = StridedMatrix(room.pointer + m * c, rows: m, cols: c * k)
    let z = StridedMatrix(room.pointer + m * c * (1 + k), rows: m, cols: k)
    let set = try PointSet(outer, capacity: m)
    while records.completed < records.steps.count {
      let s = records.completed
      for i in 0..<m { for d in 0..<k { z[i, d] = records.positions[(s * all + n + i) * k + d] } }
      set.removeAll()
      try set.append(z, rows: m)
      try initial.evaluate(set, values: values, gradients: gradients, context: context)
      for i in 0..<m * c { records.values[(s * all + n) * c + i] += values.base[i] }
      for i in 0..<m * c * k { records.gradients[(s * all + n) * c * k + i] += gradients.base[i] }
      records.completed += 1
    }
  }

  private func rows(_ m: StridedMatrix<Double>, from first: Int) -> StridedMatrix<Double> {
    StridedMatrix(m.base + first * m.cols, rows: m.rows - first, cols: m.cols)
  }

  /// The elements of a contiguous matrix.
  private func elements(_ m: StridedMatrix<Double>) -> UnsafeBufferPointer<Double> {
    UnsafeBufferPointer(start: m.base, count: m.rows * m.cols)
  }
}

/// `a + b` for elements, as an array.
private func + (a: UnsafeBufferPointer<Double>, b: UnsafeBufferPointer<Double>) -> [Double] { Array(a) + Array(b) }

/// What is needed to evaluate the trained network at further points.
public struct BottleneckState {
  /// Positions y_a of the learned function (M x units), row after row.
  public var anchors: [Double] = []
  /// Their weights (M x outputs).
  public var weights: [Double] = []
  /// z_t(x) = z_0(x) - Kg(x, X) drive; n x units.
  public var drive: [Double] = []
  /// Bound on what compression took from f_t at the present training points.
  public var compressionError = 0.0
}

extension Bottleneck {
  /// The present state, for `evaluate`.
  public var state: BottleneckState {
    var state = BottleneckState()
    state.anchors = coordinates(learned.anchors)
    for a in 0..<learned.count { for o in 0..<outputs { state.weights.append(learned.weight(a, o)) } }
    state.drive = Array(elements(drive))
    if learned.dropped > 0, let strip = try? KernelStrip() {
      for i in 0..<current.points.count {
        strip.compute(.ntk, current.points, i, current.points, i, 1)
        state.compressionError = max(state.compressionError, learned.dropped * strip.value[0].squareRoot())
      }
    }
    return state
  }

  private func coordinates(_ set: PointSet) -> [Double] {
    var rows: [Double] = []
    for i in 0..<set.count { for d in 0..<units { rows.append(set.coordinate(d)[i]) } }
    return rows
  }
}
