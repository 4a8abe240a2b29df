import Architectures
import CNTKSwift
import LinearAlgebra
import NumericCore
import TrainingRegimes
import VectorKernelRandom

@_cdecl("ntk_two_layer_predict") @implementation
public func ntk_two_layer_predict(
  _ network: UnsafePointer<ntk_two_layer>!, _ offset: Double, _ inputs: UnsafePointer<ntk_matrix>!,
  _ out: UnsafePointer<ntk_matrix>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "predict"
    try predict(
      try TwoLayerNetwork(try pointee(network, op, "network"), as: Double.self), offset: offset, on: try view(inputs, op, "X"),
      into: try view(out, op, "out"), context: try context(call))
  }
}

@_cdecl("ntk_two_layer_ridge") @implementation
public func ntk_two_layer_ridge(
  _ network: UnsafePointer<ntk_two_layer>!, _ inputs: UnsafePointer<ntk_matrix>!, _ targets: UnsafePointer<ntk_matrix>!,
  _ ridge: Double, _ flags: Int32, _ offset: UnsafeMutablePointer<Double>!, _ jitter: UnsafeMutablePointer<Double>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "fit"
    let problem = try TwoLayerRidge(
      inputs: try view(inputs, op, "X"), targets: try view(targets, op, "y"), ridge: ridge,
      usesOutputs: flags & Int32(NTK_RIDGE_OUTPUTS) != 0, fitsOffset: flags & Int32(NTK_RIDGE_OFFSET) != 0)
    let found = try problem.solve(
      into: try TwoLayerNetwork(try pointee(network, op, "network"), as: Double.self), context: try context(call))
    offset?.pointee = found.offset
    jitter?.pointee = found.jitter
  }
}

@_cdecl("ntk_two_layer_curvature") @implementation
public func ntk_two_layer_curvature(
  _ network: UnsafePointer<ntk_two_layer>!, _ inputs: UnsafePointer<ntk_matrix>!, _ trains_weights: Int32,
  _ trains_outputs: Int32,
  _ value: UnsafeMutablePointer<Double>!, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "learning_rate"
    let curvature = try batchCurvature(
      of: try TwoLayerNetwork(try pointee(network, op, "network"), as: Double.self), on: try view(inputs, op, "X"),
      trainsWeights: trains_weights != 0, trainsOutputs: trains_outputs != 0, context: try context(call))
    value?.pointee = curvature
  }
}

@_cdecl("ntk_two_layer_sgd") @implementation
public func ntk_two_layer_sgd(
  _ network: UnsafePointer<ntk_two_layer>!, _ offset: UnsafeMutablePointer<Double>!, _ sgd: UnsafePointer<ntk_sgd>!,
  _ record: UnsafeMutablePointer<ntk_training_record>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "train"
    guard let offset else { throw .invalid("[train] the offset is required. Received a null pointer.") }
    let (given, request) = (try pointee(network, op, "network"), try pointee(sgd, op, "sgd"))
    let (training, context) = (try TwoLayerSGD(request), try context(call))
    let source = try Source(request, dimension: Int(given.weights.cols), context)
    try recording(record, steps: request.steps, op, singleSteps: false) { (journal) throws(NumericError) in
      if given.weights.dtype == Int32(NTK_FLOAT32.rawValue) {
        let network = try TwoLayerNetwork(given, as: Float.self)
        try training.run(network, offset: offset, on: source.samples, record: &journal, context: context)
      } else {
        let network = try TwoLayerNetwork(given, as: Double.self)
        try training.run(network, offset: offset, on: source.samples, record: &journal, context: context)
      }
    }
    withExtendedLifetime(source) {}
  }
}

@_cdecl("ntk_normal_strips") @implementation
public func ntk_normal_strips(
  _ key: UInt64, _ stream: UInt64, _ first: Int64, _ out: UnsafeMutablePointer<Float>!, _ strips: Int64,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard let out, strips >= 0, strips <= 1 << 40, first >= 0 else {
      throw .invalid("[normal_strips] needs room and a count of at least 0. Received \(strips) strips from \(first).")
    }
    NormalStream(key: key).fill(out, strips: Int(strips), stream: stream, first: Int(first))
  }
}

@_cdecl("ntk_philox32_raw") @implementation
public func ntk_philox32_raw(
  _ key: UInt64, _ stream: UInt64, _ first: UInt64, _ out: UnsafeMutablePointer<UInt32>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard let out else { throw .invalid("[philox32] room for 32 words is required. Received a null pointer.") }
    NormalStream(key: key).fillWords(out, stream: stream, first: first)
  }
}

// MARK: - Arguments

extension TwoLayerNetwork where Element: BLASReal {
  /// The network that a caller describes.
  fileprivate init(_ given: ntk_two_layer, as type: Element.Type) throws(NumericError) {
    guard case .activation(let activation) = try ArchitectureTable.node(given.activation) else {
      throw .invalid("[two_layer] the activation must be a single nonlinearity. Received another layer.")
    }
    let user = UserScalars(function: given.function, context: given.function_context)
    try self.init(
      weights: try matrixView(given.weights, "weights", as: type), outputs: try matrixView(given.outputs, "outputs", as: type),
      tangents: try optionalMatrixView(given.tangents, "tangents", as: type), activation: activation, userFunction: user.evaluate)
  }
}

extension TwoLayerSGD {
  /// The run that a caller describes.
  fileprivate init(_ given: ntk_sgd) throws(NumericError) {
    let pieces: StridedMatrix<Double> = try matrixView(given.schedule, "schedule")
    guard pieces.cols == 2, pieces.rows <= 1 << 20 else {
      throw .invalid("[train] the schedule must have two columns. Received (\(pieces.rows), \(pieces.cols)).")
    }
    var schedule: [(step: Int, rate: Double)] = []
    for i in 0..<pieces.rows {
      guard let step = Int(exactly: pieces[i, 0]) else {
        throw .invalid("[train] the steps of a schedule must be whole numbers. Received \(pieces[i, 0]).")
      }
      schedule.append((step, pieces[i, 1]))
    }
    try self.init(
      rates: Rates(
        weights: given.weight_rate, tangents: given.tangent_rate, outputs: given.output_rate, offset: given.offset_rate),
      sharesOutputs: given.shares_outputs != 0, batch: Int(given.batch), firstStep: Int(given.first_step),
      steps: Int(given.steps), schedule: schedule, key: given.seed)
  }
}

/// The samples of a run, with the factors of a mixture in memory of their own.
private final class Source {
  let samples: SampleSource
  private let factors: [Workspace<Double>]

  init(_ given: ntk_sgd, dimension d: Int, _ context: CallContext) throws(NumericError) {
    if given.source == Int32(NTK_FIXED_SAMPLES.rawValue) {
      let inputs: StridedMatrix<Double> = try matrixView(given.inputs, "X")
      let targets: StridedMatrix<Double> = try matrixView(given.targets, "y")
      guard inputs.rows > 0, inputs.cols == d, targets.rows == inputs.rows, targets.cols == 1 else {
        throw .invalid(
          "[train] X must have \(d) columns and y as many rows as X. Received (\(inputs.rows), \(inputs.cols)) and "
            + "(\(targets.rows), \(targets.cols)).")
      }
      (samples, factors) = (.data(inputs: inputs, targets: targets), [])
      return
    }
    let task = try QuadraticTask(given.task)
    guard task.dimension == d else {
      throw .invalid("[train] the target must have the dimension \(d) of the weights. Received \(task.dimension).")
    }
    (samples, factors) = try task.samples(context)
  }
}
