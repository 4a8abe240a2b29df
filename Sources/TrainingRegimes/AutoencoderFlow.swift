import Dynamics
import NumericCore

/// Gradient flow by Heun's method with adaptive steps: two steps of gradient descent, averaged with the start.
///
/// theta' = (theta + E(E(theta))) / 2 with E one Euler step is of second order; its distance to E(theta), on the outputs, is the local error
/// of the first-order method, and what the step size is chosen by. Steps end on multiples of `interval`, where losses are recorded.
struct AutoencoderFlow {
  private enum Phase { case ready, first, second, restored }

  private let state: AutoencoderState
  private let interval: Double
  private let tolerance: Double
  private let trial: Workspace<Double>
  private var phase = Phase.ready
  /// Of the present interval, so that no step depends on how many were before.
  private var control: StepControl
  /// The step that is tried.
  private var step = 0.0

  init(_ state: AutoencoderState, interval: Double, tolerance: Double) throws(NumericError) {
    self.state = state
    self.interval = interval
    let x = state.network.inputs.base
    var squares = 0.0
    for k in 0..<state.residual.count { squares += x[k] * x[k] }
    self.tolerance = tolerance * max(squares.squareRoot(), 1e-300)
    trial = try Workspace(state.residual.count)
    control = AutoencoderFlow.control(interval, step: interval)
  }

  /// The local error goes like the square of the step; steps of less than 1e-12 intervals are below rounding.
  private static func control(_ interval: Double, step: Double) -> StepControl {
    StepControl(step: step, order: 2, shortest: 100 * interval, operation: "autoencoder")
  }

  /// What to do after a pass with this loss; nil where training is over.
  mutating func next(_ loss: Double, _ journal: inout AutoencoderJournal) throws(NumericError) -> AutoencoderChange? {
    switch phase {
    case .ready: return try journal.record(loss) ? begin() : nil
    case .restored: return begin()
    case .first:
      trial.pointer.update(from: state.residual.pointer, count: trial.count)
      phase = .second
      return AutoencoderChange(rate: step, averages: true)
    case .second: return try finish(loss, &journal)
    }
  }

  private mutating func begin() -> AutoencoderChange {
    step = control.proposal(to: interval)
    phase = .first
    return AutoencoderChange(rate: step, saves: true)
  }

  private mutating func finish(_ loss: Double, _ journal: inout AutoencoderJournal) throws(NumericError) -> AutoencoderChange? {
    var square = 0.0
    for k in 0..<trial.count {
      let difference = state.residual[k] - trial[k]
      square += difference * difference
    }
    guard try control.accepts(step, to: interval, error: square.squareRoot() / tolerance) else {
      phase = .restored
      return AutoencoderChange(restores: true)
    }
    guard control.time >= interval else { return begin() }
    control = AutoencoderFlow.control(interval, step: control.step)
    return try journal.record(loss) ? begin() : nil
  }
}
