import CNTKSwift
import FiniteWidth
import LinearAlgebra
import NumericCore
import Spectra

@_cdecl("ntk_network_gradient_covariance") @implementation
public func ntk_network_gradient_covariance(
  _ network: UnsafePointer<ntk_network>!, _ loss: Int32, _ x: UnsafePointer<ntk_matrix>!, _ targets: UnsafePointer<ntk_matrix>!,
  _ batch: Int64, _ top: Int64, _ eigenvalues: UnsafePointer<ntk_matrix>!,
  _ result: UnsafeMutablePointer<ntk_gradient_covariance>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "gradient_covariance"
    let (given, how) = (try CallersNetwork(network), try context(call))
    let (x, y) = (try view(x, op, "x"), try view(targets, op, "targets"))
    guard batch >= 0 else { throw .invalid("[gradient_covariance] batch must be 1 or more, or None. Received \(batch).") }
    let count = batch == 0 ? x.rows : x.rows / Int(batch)
    guard count >= 2 else {
      throw .invalid(
        "[gradient_covariance] needs at least 2 gradients. Received \(x.rows) inputs in batches of \(max(1, batch)).")
    }
    try how.reserve(
      checkedProduct(count, 32).flatMap { checkedProduct($0, count) }, for: "the Gram matrix of \(count) gradients",
      instead: "Measure on fewer inputs or larger batches.")
    let room = try Workspace<Double>(count * count)
    let gram = StridedMatrix(room.pointer, rows: count, cols: count)
    if batch == 0 {
      try EmpiricalKernel(given.network, parameters: given.parameters).lossGradientGram(
        try outputLoss(loss, of: given.network), x, targets: y, into: gram, context: how)
    } else {
      let parameters = given.network.plan.parameterCount
      try how.reserve(
        checkedProduct(count, 8).flatMap { checkedProduct($0, parameters) }, for: "the gradients of \(count) mini-batches",
        instead: "Measure on fewer inputs or larger batches.")
      let rows = try Workspace<Double>(count * parameters)
      let gradients = StridedMatrix(rows.pointer, rows: count, cols: parameters)
      try given.network.batchGradients(
        try outputLoss(loss, of: given.network), x, targets: y, parameters: given.parameters, batch: Int(batch), into: gradients,
        context: how)
      try multiplySelf(gradients, into: gram, context: how)
    }
    try measure(gram, top, eigenvalues, result, how)
  }
}

@_cdecl("ntk_gradient_covariance_of") @implementation
public func ntk_gradient_covariance_of(
  _ gradients: UnsafePointer<ntk_matrix>!, _ isGram: Int32, _ top: Int64, _ eigenvalues: UnsafePointer<ntk_matrix>!,
  _ result: UnsafeMutablePointer<ntk_gradient_covariance>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let (given, how) = (try pointee(gradients, "gradient_covariance", "gradients"), try context(call))
    if isGram != 0 {
      try measure(try matrixView(given, "gram"), top, eigenvalues, result, how)
      return
    }
    guard let count = Int(exactly: given.rows), count >= 0,
      let bytes = checkedProduct(count, count).flatMap({ checkedProduct($0, 32) })
    else { throw .invalid("[gradient_covariance] gradients must have 2 or more rows. Received \(given.rows).") }
    try how.reserve(bytes, for: "the Gram matrix of \(count) gradients", instead: "Give fewer gradients.")
    let room = try Workspace<Double>(count * count)
    let gram = StridedMatrix(room.pointer, rows: count, cols: count)
    if given.dtype == Int32(NTK_FLOAT32.rawValue) {
      try gramOfRows(try matrixView(given, "gradients", as: Float.self), into: gram, context: how)
    } else {
      try gramOfRows(try matrixView(given, "gradients", as: Double.self), into: gram, context: how)
    }
    try measure(gram, top, eigenvalues, result, how)
  }
}

@_cdecl("ntk_network_sample_curvatures") @implementation
public func ntk_network_sample_curvatures(
  _ network: UnsafePointer<ntk_network>!, _ loss: Int32, _ x: UnsafePointer<ntk_matrix>!, _ targets: UnsafePointer<ntk_matrix>!,
  _ direction: UnsafePointer<ntk_matrix>!, _ out: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "sample_curvature"
    let given = try CallersNetwork(network)
    let x = try view(x, op, "x")
    try given.network.sampleCurvatures(
      try outputLoss(loss, of: given.network), x, targets: try view(targets, op, "targets"), parameters: given.parameters,
      along: try given.vector(try pointee(direction, op, "direction"), "direction"),
      into: try column(view(out, op, "out"), Int64(x.rows), op, "out"), context: try context(call))
  }
}

@_cdecl("ntk_network_step_to_raise") @implementation
public func ntk_network_step_to_raise(
  _ network: UnsafePointer<ntk_network>!, _ loss: Int32, _ x: UnsafePointer<ntk_matrix>!, _ targets: UnsafePointer<ntk_matrix>!,
  _ update: UnsafePointer<ntk_matrix>!, _ factor: Double, _ most: Double, _ alpha: UnsafeMutablePointer<Double>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "step_to_raise"
    guard factor > 1, factor.isFinite, most > 0, most.isFinite else {
      throw .invalid("[step_to_raise] factor must be above 1 and most above 0. Received \(factor), \(most).")
    }
    let given = try CallersNetwork(network)
    let found = try given.network.stepToRaise(
      try outputLoss(loss, of: given.network), by: factor, try view(x, op, "x"), targets: try view(targets, op, "targets"),
      parameters: given.parameters, update: try given.vector(try pointee(update, op, "update"), "update"), most: most,
      context: try context(call))
    alpha?.pointee = found
  }
}

@_cdecl("ntk_stability_factor") @implementation
public func ntk_stability_factor(
  _ rate: Double, _ batch: Int64, _ examples: Int64, _ mean: Double, _ variance: Double, _ factor: UnsafeMutablePointer<Double>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard mean.isFinite, variance.isFinite, variance >= 0 else {
      throw .invalid(
        "[stability_factor] curvatures must be finite, their variance 0 or more. Received a mean of \(mean) and a variance of "
          + "\(variance).")
    }
    factor?.pointee = try BreakEvenModel(rate: rate, batch: Int(batch), examples: Int(examples))
      .stabilityFactor(mean: mean, variance: variance)
  }
}

@_cdecl("ntk_break_even_curvature") @implementation
public func ntk_break_even_curvature(
  _ rate: Double, _ batch: Int64, _ examples: Int64, _ alpha: Double, _ psi: Double, _ curvature: UnsafeMutablePointer<Double>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    curvature?.pointee = try BreakEvenModel(rate: rate, batch: Int(batch), examples: Int(examples))
      .breakEvenCurvature(alpha: alpha, psi: psi)
  }
}

// MARK: - Arguments

/// Fills `result` and as many eigenvalues as there is room for: all L - 1, or the largest ones.
private func measure(
  _ gram: StridedMatrix<Double>, _ top: Int64, _ eigenvalues: UnsafePointer<ntk_matrix>?,
  _ result: UnsafeMutablePointer<ntk_gradient_covariance>?, _ context: CallContext
) throws(NumericError) {
  let op = "gradient_covariance"
  let room = try view(eigenvalues, op, "eigenvalues")
  guard top >= 1, top <= Int64(Int32.max), room.rows >= 1, room.rows <= max(1, gram.rows - 1) else {
    throw .invalid(
      "[gradient_covariance] top must be 1 or more, with 1 to \(gram.rows - 1) eigenvalues. Received \(top), \(room.rows).")
  }
  let out = try column(room, Int64(room.rows), op, "eigenvalues")
  let found = try GradientCovariance(
    gram: gram, top: max(Int(top), room.rows < gram.rows - 1 ? room.rows : 1), isWhole: room.rows == gram.rows - 1,
    context: context)
  for (i, value) in found.eigenvalues.prefix(room.rows).enumerated() { out[i] = value }
  result?.pointee = ntk_gradient_covariance(
    largest_uncentred: found.largestUncentred, trace: found.trace, trace_uncentred: found.traceUncentred,
    mean_norm: found.meanNorm,
    mean_share: found.meanShare, norm_ratio: found.normRatio)
}
