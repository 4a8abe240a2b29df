import CNTKSwift
import Dynamics
import NumericCore

/// Runs `body` with the caller's record, which is right afterwards also where it throws.
func recording(
  _ given: UnsafeMutablePointer<ntk_training_record>?, steps: Int64, _ operation: String, singleSteps: Bool = true,
  _ body: (inout TrainingRecord) throws(NumericError) -> Void
) throws(NumericError) {
  guard let given else { throw .invalid("[\(operation)] a record is required. Received a null pointer.") }
  guard steps >= 0, steps < 1 << 48 else {
    throw .invalid("[\(operation)] steps must be in 0..<2^48. Received \(steps).")
  }
  let window = given.pointee.window
  guard window >= 1, !singleSteps || window == 1 else {
    throw .invalid(
      "[\(operation)] the windows of the record must be \(singleSteps ? "1 step" : "at least 1 step"). Received \(window).")
  }
  guard let loss = given.pointee.loss, given.pointee.room > (steps / window) + (steps % window > 0 ? 1 : 0) else {
    throw .invalid("[\(operation)] the record needs room for one entry more than its windows. Received \(given.pointee.room).")
  }
  let first = given.pointee.first
  var record = TrainingRecord(
    loss: loss, rate: given.pointee.rate, gradientNorm: given.pointee.gradient_norm, time: given.pointee.time,
    window: Int(window),
    first: first.isNaN ? nil : first)
  defer {
    given.pointee.steps = Int64(record.steps)
    given.pointee.first = record.first ?? .nan
    given.pointee.count = Int64(record.count)
    given.pointee.outcome = Int32(record.outcome.rawValue)
  }
  try body(&record)
}
