import Dynamics
import NumericCore

/// Steps that are taken as a whole or not at all: a cancellation may come anywhere inside.
extension Bottleneck {
  /// What a step changes, as it was before.
  private struct Before {
    let (steps, time, records, learned): (Int, Double, BottleneckRecords.Mark, LearnedFunction.Mark)
    let control: StepControl?
    let (positions, drive): ([Double], [Double])
  }

  /// Runs `body`, and puts back the state that it found where it is cancelled.
  func wholeStep(_ body: () throws(NumericError) -> Void) throws(NumericError) {
    let before = Before(
      steps: steps, time: time, records: records.mark, learned: learned.mark, control: control,
      positions: Array(elements(positions)), drive: Array(elements(drive)))
    try kept.take(current)
    do { try body() } catch {
      if error.kind == .cancelled { try putBack(before) }
      throw error
    }
  }

  private func putBack(_ before: Before) throws(NumericError) {
    (steps, time, control) = (before.steps, before.time, before.control)
    records.goBack(to: before.records)
    learned.goBack(to: before.learned)
    copy(before.positions, to: positions.base)
    copy(before.drive, to: drive.base)
    try current.take(kept)
  }

  private func copy(_ numbers: [Double], to target: UnsafeMutablePointer<Double>) {
    numbers.withUnsafeBufferPointer { source in
      if let first = source.baseAddress { target.update(from: first, count: source.count) }
    }
  }
}

extension LearnedFunction {
  /// A place to go back to.
  struct Mark {
    let count: Int
    let dropped: Double
    let whitened: [Double]
  }

  /// The function as it is now.
  var mark: Mark { Mark(count: count, dropped: dropped, whitened: basis?.components ?? []) }

  /// Becomes the function of a mark again.
  func goBack(to mark: Mark) {
    anchors.shorten(to: mark.count)
    dropped = mark.dropped
    basis?.components = mark.whitened
  }
}

extension BottleneckRecords {
  /// A place to go back to.
  struct Mark {
    let losses, states, values, positions, gradients: Int
  }

  /// What is recorded now.
  var mark: Mark {
    Mark(
      losses: losses.count, states: steps.count, values: values.count, positions: positions.count, gradients: gradients.count)
  }

  /// Forgets what was recorded since.
  mutating func goBack(to mark: Mark) {
    losses.removeLast(losses.count - mark.losses)
    lossTimes.removeLast(lossTimes.count - mark.losses)
    steps.removeLast(steps.count - mark.states)
    times.removeLast(times.count - mark.states)
    values.removeLast(values.count - mark.values)
    positions.removeLast(positions.count - mark.positions)
    gradients.removeLast(gradients.count - mark.gradients)
  }
}
