import CNTKSwift
import NumericCore
import TrainingRegimes

@_cdecl("ntk_autoencoder_train") @implementation
public func ntk_autoencoder_train(
  _ network: UnsafePointer<ntk_autoencoder>!, _ training: UnsafePointer<ntk_autoencoder_training>!,
  _ record: UnsafeMutablePointer<ntk_training_record>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "autoencoder_train"
    let given = try pointee(training, op, "training")
    let (network, context) = (try autoencoder(network, op), try context(call))
    try recording(record, steps: given.steps, op) { (journal) throws(NumericError) in
      let wish = AutoencoderTraining(
        trainsDecoder: given.trains_decoder != 0, rate: given.rate, steps: Int(given.steps),
        flowTolerance: given.is_flow != 0 ? given.tolerance : nil)
      try train(network, wish, record: &journal, context: context)
    }
  }
}

@_cdecl("ntk_autoencoder_outputs") @implementation
public func ntk_autoencoder_outputs(
  _ network: UnsafePointer<ntk_autoencoder>!, _ outputs: UnsafePointer<ntk_matrix>!, _ hidden: UnsafePointer<ntk_matrix>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    try autoencoderOutputs(
      try autoencoder(network, "autoencoder_outputs"), outputs: try present(outputs, "outputs"),
      hidden: try present(hidden, "hidden"), context: try context(call))
  }
}

@_cdecl("ntk_autoencoder_kernel") @implementation
public func ntk_autoencoder_kernel(
  _ network: UnsafePointer<ntk_autoencoder>!, _ layers: Int32, _ out: UnsafePointer<ntk_matrix>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "autoencoder_kernel"
    guard let chosen = AutoencoderLayers(rawValue: layers) else {
      throw .invalid("[\(op)] layers must be 1, 2 or 3. Received \(layers).")
    }
    try autoencoderKernel(
      try autoencoder(network, op), layers: chosen, out: try view(out, op, "out"), context: try context(call))
  }
}

@_cdecl("ntk_autoencoder_limits") @implementation
public func ntk_autoencoder_limits(
  _ x: UnsafePointer<ntk_matrix>!, _ y: UnsafePointer<ntk_matrix>!, _ encoder: UnsafePointer<ntk_matrix>!,
  _ decoder: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "autoencoder_limits"
    try autoencoderLimits(
      try view(x, op, "x"), try view(y, op, "y"), encoder: try present(encoder, "encoder"),
      decoder: try present(decoder, "decoder"), context: try context(call))
  }
}

@_cdecl("ntk_autoencoder_tied_limit") @implementation
public func ntk_autoencoder_tied_limit(
  _ x: UnsafePointer<ntk_matrix>!, _ y: UnsafePointer<ntk_matrix>!, _ out: UnsafePointer<ntk_matrix>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "autoencoder_tied_limit"
    let (left, right) = (try view(x, op, "x"), try view(y, op, "y"))
    try tiedAutoencoderLimit(left, right, out: try view(out, op, "out"), context: try context(call))
  }
}

@_cdecl("ntk_autoencoder_movement") @implementation
public func ntk_autoencoder_movement(
  _ network: UnsafePointer<ntk_autoencoder>!, _ start: UnsafePointer<ntk_autoencoder>!,
  _ result: UnsafeMutablePointer<ntk_autoencoder_movement_result>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "autoencoder_movement"
    let (now, then) = (try autoencoder(network, op), try autoencoder(start, op))
    guard now.count == then.count, now.dimension == then.dimension else {
      throw .invalid("[\(op)] both networks need the same inputs. Received \(now.count) and \(then.count).")
    }
    let movement = try autoencoderMovement(now, from: then, context: try context(call))
    result?.pointee = ntk_autoencoder_movement_result(
      encoder: movement.encoder, decoder: movement.decoder, largest_neuron: movement.largestNeuron, flipped: movement.flipped)
  }
}

@_cdecl("ntk_predicted_loss") @implementation
public func ntk_predicted_loss(
  _ values: UnsafePointer<ntk_matrix>!, _ vectors: UnsafePointer<ntk_matrix>!, _ residual: UnsafePointer<ntk_matrix>!,
  _ spread: UnsafePointer<ntk_matrix>!, _ rate: Double, _ is_flow: Int32, _ steps: Int64, _ loss: UnsafeMutablePointer<Double>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "predicted_loss"
    guard let loss else { throw .invalid("[\(op)] room for the losses is required. Received a null pointer.") }
    guard steps >= 0, steps < Int64(Int.max / 16) else {
      throw .invalid("[\(op)] steps must be 0 or more. Received \(steps).")
    }
    let rows = try view(vectors, op, "vectors")
    let numbers = try column(try view(values, op, "values"), Int64(rows.rows), op, "values")
    try predictedLoss(
      values: Array(UnsafeBufferPointer(start: numbers, count: rows.rows)), vectors: rows,
      residual: try view(residual, op, "residual"), spread: try present(spread, "spread"), rate: rate, isFlow: is_flow != 0,
      steps: Int(steps), loss: loss, context: try context(call))
  }
}

// MARK: - Arguments

private func autoencoder(_ given: UnsafePointer<ntk_autoencoder>?, _ operation: String) throws(NumericError) -> Autoencoder {
  let network = try pointee(given, operation, "network")
  return try Autoencoder(
    inputs: try matrixView(network.x, "x"), encoder: try matrixView(network.encoder, "encoder"),
    decoder: try optionalMatrixView(network.decoder, "decoder"), scale: network.scale)
}

private func present(_ m: UnsafePointer<ntk_matrix>?, _ name: String) throws(NumericError) -> StridedMatrix<Double>? {
  guard let m else { return nil }
  return try optionalMatrixView(m.pointee, name)
}
