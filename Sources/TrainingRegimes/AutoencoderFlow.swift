import NumericCore

/// Gradient flow by Heun's method with adaptive steps: two steps of gradient descent, averaged with the start.
///
/// theta' = (theta + E(E(theta))) / 2 with E one Euler step is of second order; its distance to E(theta), on the outputs, is the local error
/// of the first-order method, and what the step size is chosen by (Hairer, Norsett & Wanner, Solving Ordinary Differential Equations I,
/// section II.4). Steps end on multiples of `interval`, where losses are recorded.
struct AutoencoderFlow {
  private enum Phase { case ready, first, second, restored }

  private let state: AutoencoderState
  private let interval: Double
  private let tolerance: Double
  private let trial: Workspace<Double>
  private var phase = Phase.ready
  private var left: Double
  private var step: Double
  private var proposal: Double

  init(_ state: AutoencoderState, interval: Double, tolerance: Double) throws(NumericError) {
    self.state = state
    self.interval = interval
    let x = state.network.inputs.base
    var squares = 0.0
    for k in 0..<state.residual.count { squares += x[k] * x[k] }
    self.tolerance = tolerance * max(squares.squareRoot(), 1e-300)
    trial = try Workspace(state.residual.count)
    left = interval
    step = interval
    proposal = interval
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
    // The last two steps of an interval are made equal rather than one of them tiny.
    step = proposal >= left ? left : (proposal > 0.5 * left ? 0.5 * left : proposal)
    phase = .first
    return AutoencoderChange(rate: step, saves: true)
  }

  private mutating func finish(_ loss: Double, _ journal: inout AutoencoderJournal) throws(NumericError) -> AutoencoderChange? {
    var square = 0.0
    for k in 0..<trial.count {
      let difference = state.residual[k] - trial[k]
      square += difference * difference
    }
    let error = square.squareRoot() / tolerance
    // The local error goes like the square of the step; an error that is not a number asks for the smallest step.
    let factor = error > 0 ? 0.9 / error.squareRoot() : (error == 0 ? 4 : 0.1)
    proposal = step * min(4, max(0.1, factor))
    guard error <= 1 else {
      guard proposal > 1e-12 * interval else {
        throw NumericError(
          .notConverged, "[autoencoder] gradient flow needs steps that are not below rounding. Received one of \(proposal).")
      }
      phase = .restored
      return AutoencoderChange(restores: true)
    }
    left -= step
    guard left <= 1e-12 * interval else { return begin() }
    left = interval
    return try journal.record(loss) ? begin() : nil
  }
}
