import CNTKSwift
import KernelMethods
import NumericCore

@_cdecl("ntk_posterior_covariance") @implementation
public func ntk_posterior_covariance(
  _ factor: UnsafePointer<ntk_matrix>!, _ k_test_train: UnsafePointer<ntk_matrix>!, _ k_test_test: UnsafePointer<ntk_matrix>!,
  _ out: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "posterior_covariance"
    let (l, cross) = (try view(factor, op, "factor"), try view(k_test_train, op, "k_test_train"))
    let (prior, result) = (try view(k_test_test, op, "k_test_test"), try view(out, op, "out"))
    if prior.cols == 1, result.cols == 1, cross.rows != 1 {
      try posteriorVariance(factor: l, cross: cross, prior: prior, out: result, context: try context(call))
    } else {
      try posteriorCovariance(factor: l, cross: cross, prior: prior, out: result, context: try context(call))
    }
  }
}

@_cdecl("ntk_ensemble_covariance") @implementation
public func ntk_ensemble_covariance(
  _ factor: UnsafePointer<ntk_matrix>!, _ kernels: UnsafePointer<ntk_ensemble_kernels>!, _ out: UnsafePointer<ntk_matrix>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "ensemble_covariance"
    let given = try EnsembleKernels(try pointee(kernels, op, "kernels"), isNTK: true)
    try ensembleCovariance(
      factor: try view(factor, op, "factor"), kernels: given, out: try view(out, op, "out"), context: try context(call))
  }
}

@_cdecl("ntk_log_marginal_likelihood") @implementation
public func ntk_log_marginal_likelihood(
  _ factor: UnsafePointer<ntk_matrix>!, _ targets: UnsafePointer<ntk_matrix>!, _ solution: UnsafePointer<ntk_matrix>!,
  _ sensitivity: UnsafePointer<ntk_matrix>!, _ value: UnsafeMutablePointer<Double>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "log_marginal_likelihood"
    let (l, x) = (try view(factor, op, "factor"), try view(solution, op, "solution"))
    let likelihood = try logMarginalLikelihood(factor: l, targets: try view(targets, op, "targets"), solution: x)
    value?.pointee = likelihood
    if let sensitivity, sensitivity.pointee.data != nil {
      try likelihoodSensitivity(factor: l, solution: x, out: try view(sensitivity, op, "sensitivity"), context: try context(call))
    }
  }
}

@_cdecl("ntk_inner_product") @implementation
public func ntk_inner_product(
  _ a: UnsafePointer<ntk_matrix>!, _ b: UnsafePointer<ntk_matrix>!, _ value: UnsafeMutablePointer<Double>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let sum = try innerProduct(try view(a, "inner_product", "a"), try view(b, "inner_product", "b"))
    value?.pointee = sum
  }
}

@_cdecl("ntk_sample_posterior") @implementation
public func ntk_sample_posterior(
  _ mean: UnsafePointer<ntk_matrix>!, _ covariance: UnsafePointer<ntk_matrix>!, _ key: UnsafePointer<UInt64>!,
  _ counter: UnsafePointer<UInt64>!, _ samples: Int64, _ out: UnsafePointer<ntk_matrix>!, _ jitter: UnsafeMutablePointer<Double>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "sample_posterior"
    guard let key, let counter else {
      throw .invalid("[sample_posterior] a key and a counter are required. Received a null pointer.")
    }
    let stream = PhiloxStream(key: (key[0], key[1]), counter: (counter[0], counter[1], counter[2], counter[3]))
    let added = try samplePosterior(
      mean: try view(mean, op, "mean"), covariance: try view(covariance, op, "covariance"), stream: stream, samples: Int(samples),
      out: try view(out, op, "out"), context: try context(call))
    jitter?.pointee = added
  }
}

extension EnsembleKernels {
  /// The NNGP ensemble needs the test-train kernel of the network and the test-test NNGP only.
  init(_ k: ntk_ensemble_kernels, isNTK: Bool) throws(NumericError) {
    let cross: StridedMatrix<Double> = try matrixView(k.ntk_test_train, "the test-train kernel")
    let test: StridedMatrix<Double> = try matrixView(k.nngp_test_test, "the test-test NNGP")
    guard isNTK else {
      self.init(ntkCross: cross, nngpTrain: cross, nngpCross: cross, nngpTest: test)
      return
    }
    self.init(
      ntkCross: cross, nngpTrain: try matrixView(k.nngp_train_train, "the train-train NNGP"),
      nngpCross: try matrixView(k.nngp_test_train, "the test-train NNGP"), nngpTest: test)
  }
}
