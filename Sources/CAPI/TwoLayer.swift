import CNTKSwift
import NumericCore
import TrainingRegimes

@_cdecl("ntk_quadratic_form") @implementation
public func ntk_quadratic_form(
  _ weights: UnsafePointer<ntk_matrix>!, _ outputs: UnsafePointer<ntk_matrix>!, _ tangents: UnsafePointer<ntk_matrix>!,
  _ out: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "quadratic_form"
    let (w, result) = (try view(weights, op, "weights"), try view(out, op, "out"))
    let outputs = try optionalMatrixView(try pointee(outputs, op, "outputs"), "outputs")
    let tangents = try optionalMatrixView(try pointee(tangents, op, "tangents"), "tangents")
    if let outputs {
      try quadraticForm(weights: w, outputs: outputs, into: result, context: try context(call))
    } else {
      for i in 0..<result.rows { for j in 0..<result.cols { result[i, j] = 0 } }
    }
    if let tangents { try addTangentForm(weights: w, tangents: tangents, to: result, context: try context(call)) }
  }
}

@_cdecl("ntk_quadratic_risk") @implementation
public func ntk_quadratic_risk(
  _ task: UnsafePointer<ntk_quadratic_task>!, _ form: UnsafePointer<ntk_matrix>!, _ offset: Double,
  _ risk: UnsafeMutablePointer<Double>!, _ variance: UnsafeMutablePointer<Double>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "quadratic_risk"
    let given = try QuadraticTask(try pointee(task, op, "task"))
    let value = try given.risk(of: try view(form, op, "form"), offset: offset, context: try context(call))
    risk?.pointee = value
    variance?.pointee = given.variance
  }
}

@_cdecl("ntk_quadratic_fit") @implementation
public func ntk_quadratic_fit(
  _ task: UnsafePointer<ntk_quadratic_task>!, _ regime: Int32, _ weights: UnsafePointer<ntk_matrix>!,
  _ coefficients: UnsafePointer<ntk_matrix>!, _ offset: UnsafeMutablePointer<Double>!, _ jitter: UnsafeMutablePointer<Double>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "quadratic_fit"
    let given = try QuadraticTask(try pointee(task, op, "task"))
    let (w, result) = (try view(weights, op, "weights"), try view(coefficients, op, "coefficients"))
    let context = try context(call)
    jitter?.pointee = 0
    switch try Regime(op, regime) {
    case .randomFeatures:
      let fit = try fitRandomFeatures(to: given, weights: w, outputs: result, context: context)
      offset?.pointee = fit.offset
      jitter?.pointee = fit.jitter
    case .neuralTangent:
      offset?.pointee = try fitNeuralTangent(to: given, weights: w, tangents: result, context: context).offset
    case .fullyTrained:
      offset?.pointee = try fitFullyTrained(to: given, weights: w, outputs: result, context: context)
    }
  }
}

@_cdecl("ntk_lazy_limit") @implementation
public func ntk_lazy_limit(
  _ regime: Int32, _ spectrum: UnsafePointer<ntk_matrix>!, _ rho: Double, _ risk: UnsafeMutablePointer<Double>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let value = try TargetSpectrum(try eigenvalues(spectrum)).limit(try Regime("lazy_limit", regime), rho: rho)
    risk?.pointee = value
  }
}

@_cdecl("ntk_mean_tangent_risk") @implementation
public func ntk_mean_tangent_risk(
  _ spectrum: UnsafePointer<ntk_matrix>!, _ width: Int64, _ risk: UnsafeMutablePointer<Double>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard width >= 0 else { throw .invalid("[mean_tangent_risk] width must be at least 0. Received \(width).") }
    let value = try TargetSpectrum(try eigenvalues(spectrum)).meanTangentRisk(width: Int(width))
    risk?.pointee = value
  }
}

// MARK: - Arguments

extension Regime {
  /// The regime that a caller means by its number.
  init(_ operation: String, _ number: Int32) throws(NumericError) {
    guard let regime = Regime(rawValue: number) else {
      throw .invalid("[\(operation)] the regime must be 0 (RF), 1 (NT) or 2 (NN). Received \(number).")
    }
    self = regime
  }
}

extension QuadraticTask {
  /// The task that a caller describes.
  init(_ given: ntk_quadratic_task) throws(NumericError) {
    let first: StridedMatrix<Double> = try matrixView(given.first, "the first matrix of the task")
    switch given.kind {
    case 0: self = .function(form: first, offset: given.offset)
    case 1: self = .mixture(covariance: first, difference: try matrixView(given.second, "the second matrix of the task"))
    default: throw .invalid("[quadratic_task] kind must be 0 (function) or 1 (mixture). Received \(given.kind).")
    }
  }
}

private func eigenvalues(_ spectrum: UnsafePointer<ntk_matrix>?) throws(NumericError) -> [Double] {
  let column = try view(spectrum, "lazy_limit", "spectrum")
  guard column.cols == 1 else {
    throw .invalid("[lazy_limit] the spectrum must be one column. Received (\(column.rows), \(column.cols)).")
  }
  return (0..<column.rows).map { column[$0, 0] }
}
