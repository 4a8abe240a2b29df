import CNTKSwift
import NumericCore
import Spectra

@_cdecl("ntk_angle_rule") @implementation
public func ntk_angle_rule(
  _ angles: UnsafePointer<ntk_matrix>!, _ weights: UnsafePointer<ntk_matrix>!, _ cosines: UnsafePointer<ntk_matrix>!,
  _ sines: UnsafePointer<ntk_matrix>!, _ packed: UnsafePointer<ntk_matrix>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "angle_rule"
    let count = try view(angles, op, "angles").rows
    guard count >= 1, count <= 100_000 else { throw .invalid("[angle_rule] needs 1 to 100000 nodes. Received \(count).") }
    let (a, w) = (try numbers(angles, count, op, "angles"), try numbers(weights, count, op, "weights"))
    let (c, s) = (try numbers(cosines, count, op, "cosines"), try numbers(sines, count, op, "sines"))
    let halves = try numbers(packed, 4 * ((count + 1) / 2), op, "packed")
    let rule = try AngleRule(count: count)
    for (i, number) in rule.packed.enumerated() { halves[i] = number }
    for i in 0..<count {
      (a[i], w[i]) = (rule.angle(i), rule.weight(i))
      (c[i], s[i]) = rule.point(i)
    }
  }
}

@_cdecl("ntk_zonal_spectrum") @implementation
public func ntk_zonal_spectrum(
  _ values: UnsafePointer<ntk_matrix>!, _ packed: UnsafePointer<ntk_matrix>!, _ dimension: Int64,
  _ eigenvalues: UnsafePointer<ntk_matrix>!, _ norms: UnsafePointer<ntk_matrix>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "sphere_spectrum"
    let kernel = try view(values, op, "values")
    guard let rule = AngleRule(count: kernel.rows, packed: try list(packed, op, "packed")) else {
      throw .invalid("[sphere_spectrum] needs the packed rule of \(kernel.rows) nodes. Received another.")
    }
    let frequencies = try view(eigenvalues, op, "eigenvalues").rows
    let out = try numbers(eigenvalues, frequencies, op, "eigenvalues")
    let sizes = try numbers(norms, frequencies, op, "norms")
    let spectrum = try zonalSpectrum(
      kernel, rule: rule, dimension: Int(dimension), frequencies: frequencies, context: try context(call))
    for k in 0..<frequencies { (out[k], sizes[k]) = (spectrum.eigenvalues[k], spectrum.termNorms[k]) }
  }
}

@_cdecl("ntk_legendre_polynomials") @implementation
public func ntk_legendre_polynomials(
  _ dimension: Int64, _ angles: UnsafePointer<ntk_matrix>!, _ out: UnsafePointer<ntk_matrix>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let given = try view(angles, "legendre", "angles")
    let at = try numbers(angles, given.rows, "legendre", "angles")
    let result = try view(out, "legendre", "out")
    guard dimension >= 2, dimension <= 1 << 40 else {
      throw .invalid("[legendre] dimension must be 2 or more. Received \(dimension).")
    }
    guard result.cols == given.rows, (0..<given.rows).allSatisfy({ at[$0] >= 0 && at[$0] <= .pi }) else {
      throw .invalid("[legendre] angles must be between 0 and pi, one per column of the result. Received others.")
    }
    try legendrePolynomials(dimension: Int(dimension), angles: at, into: result)
  }
}

@_cdecl("ntk_endpoint_expansion") @implementation
public func ntk_endpoint_expansion(
  _ values: UnsafePointer<ntk_matrix>!, _ scales: UnsafePointer<ntk_matrix>!, _ coefficients: UnsafePointer<ntk_matrix>!,
  _ errors: UnsafePointer<ntk_matrix>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "endpoint_expansion"
    let (b, e) = (try numbers(coefficients, 4, op, "coefficients"), try numbers(errors, 4, op, "errors"))
    let found = try endpointExpansion(try view(values, op, "values"), scales: try list(scales, op, "scales"))
    for i in 0..<4 { (b[i], e[i]) = (found.coefficients[i], found.errors[i]) }
  }
}

@_cdecl("ntk_frequency_energies") @implementation
public func ntk_frequency_energies(
  _ points: UnsafePointer<ntk_matrix>!, _ values: UnsafePointer<ntk_matrix>!, _ energies: UnsafePointer<ntk_matrix>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "frequency_energies"
    let count = try view(energies, op, "energies").rows
    let out = try numbers(energies, count, op, "energies")
    let found = try frequencyEnergies(
      points: try view(points, op, "points"), values: try list(values, op, "values"), frequencies: count,
      context: try context(call))
    for k in 0..<count { out[k] = found[k] }
  }
}

@_cdecl("ntk_learning_curve") @implementation
public func ntk_learning_curve(
  _ eigenvalues: UnsafePointer<ntk_matrix>!, _ multiplicities: UnsafePointer<ntk_matrix>!, _ energies: UnsafePointer<ntk_matrix>!,
  _ tail_trace: Double, _ tail_energy: Double, _ samples: UnsafePointer<ntk_matrix>!, _ ridge: Double, _ noise: Double,
  _ ridges: UnsafePointer<ntk_matrix>!, _ errors: UnsafePointer<ntk_matrix>!, _ learned: UnsafePointer<ntk_matrix>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let op = "learning_curve"
    let values = try list(eigenvalues, op, "eigenvalues")
    let (counts, shares) = (try list(multiplicities, op, "multiplicities"), try list(energies, op, "energies"))
    let sizes = try list(samples, op, "samples")
    guard counts.count == values.count, shares.count == values.count,
      [values, counts, shares, sizes, [tail_trace, tail_energy, ridge, noise]].joined().allSatisfy({ $0 >= 0 && $0.isFinite })
    else { throw .invalid("[learning_curve] needs finite numbers, 0 or more, three per level. Received others.") }
    let (kappas, losses) = (try numbers(ridges, sizes.count, op, "ridges"), try numbers(errors, sizes.count, op, "errors"))
    let shown = try view(learned, op, "learned")
    guard shown.rows == sizes.count, shown.cols == values.count else {
      throw .invalid(
        "[learning_curve] learned must be (\(sizes.count), \(values.count)). Received (\(shown.rows), \(shown.cols)).")
    }
    let target = SpectralTarget(
      eigenvalues: values, multiplicities: counts, energies: shares, tailTrace: tail_trace, tailEnergy: tail_energy)
    for (i, n) in sizes.enumerated() {
      let found = try learningPrediction(target, samples: n, ridge: ridge, noise: noise)
      (kappas[i], losses[i]) = (found.effectiveRidge, found.error)
      for k in values.indices { shown[i, k] = found.learned[k] }
    }
  }
}

// MARK: - Arguments

/// The memory of a contiguous column of `count` numbers.
private func numbers(
  _ m: UnsafePointer<ntk_matrix>?, _ count: Int, _ operation: String, _ name: String
) throws(NumericError) -> UnsafeMutablePointer<Double> {
  try column(try view(m, operation, name), Int64(count), operation, name)
}

/// A column as an array.
private func list(_ m: UnsafePointer<ntk_matrix>?, _ operation: String, _ name: String) throws(NumericError) -> [Double] {
  let view = try view(m, operation, name)
  guard view.cols == 1 else { throw .invalid("[\(operation)] \(name) needs one column. Received \(view.cols).") }
  return (0..<view.rows).map { view[$0, 0] }
}
