import NumericCore

/// Lanczos with products that are cheap but rounded to single precision, checked by one exact product for each eigenvector found.
///
/// The rounding of a draft turns a Ritz vector by about 1e-7 times the operator's norm over the gap; the exact Rayleigh quotient there is
/// wrong by the square of that only. Its exact residual says whether the tolerance is met. Where it is not, the vectors found are where the
/// exact iteration begins, so a draft costs time at worst and never accuracy. A tolerance a thousand times above the rounding needs no check.
public struct LanczosDraft {
  let dimension: Int
  let request: LanczosRequest
  let context: CallContext

  /// Relative to the operator's norm: residuals below it are rounding.
  static let noise = 1e-6

  /// Tolerances from which on the errors of a draft do not matter.
  public static let roughTolerance = 1e3 * noise

  /// Whether a draft can reach what is asked for.
  static func serves(_ request: LanczosRequest, _ dimension: Int) -> Bool {
    let least = request.refinesVectors ? 1e-5 : 1e-9
    return request.tolerance >= least && !request.findsMultiples && dimension >= max(200, 8 * request.count)
  }

  /// The result, or (nil) a place to begin at and the products that it took to get there.
  func run(
    _ start: UnsafePointer<Double>?, _ vectors: StridedMatrix<Double>?, draft: any SymmetricOperator, exact: any SymmetricOperator
  ) throws(NumericError) -> (result: LanczosResult?, start: Workspace<Double>?, products: Int) {
    var rough = request
    // Room for the draft's own errors, where they matter.
    let isFine = request.tolerance < LanczosDraft.roughTolerance
    (rough.tolerance, rough.noise) = (isFine ? request.tolerance / 2 : request.tolerance, LanczosDraft.noise)
    let iteration = try LanczosIteration(dimension, rough, context)
    let space = iteration.space
    do {
      let (pairs, order) = try iteration.run(start, draft)
      if isRough(pairs, order) { return (try iteration.result(pairs, order, vectors), nil, space.products) }
      let wanted = Array(order.prefix(request.count))
      let (coordinates, owner) = try pairs.rows(wanted)
      try withExtendedLifetime(owner) { () throws(NumericError) in
        try space.restart(wanted.map { pairs.values[$0] }, coordinates, isFresh: false)
      }
      let found = try check(pairs, wanted, space, exact)
      if let found { space.copy(found.order, into: vectors) }
      return (found?.result, found == nil ? try space.sum(request.count) : nil, space.products)
    } catch  where error.kind == .invalidArgument || error.kind == .notConverged {
      // Too large or too small for single precision, or too clustered: the exact products decide.
      return (nil, nil, space.products)
    }
  }

  /// Whether the tolerance is far above the rounding errors.
  private func isRough(_ pairs: RitzPairs, _ order: [Int]) -> Bool {
    let norm = max(abs(pairs.values[0]), abs(pairs.values[pairs.count - 1]))
    return order.prefix(request.count).allSatisfy { i in
      let allowed = request.tolerance * abs(pairs.values[i])
      return (request.refinesVectors ? pairs.residuals[i] : pairs.error(i)) <= allowed
        && allowed >= LanczosDraft.roughTolerance * norm && allowed > 0
    }
  }

  /// Values and residuals of the Ritz vectors that `space` begins with, by exact products; nil where they are not accurate enough.
  private func check(
    _ pairs: RitzPairs, _ wanted: [Int], _ space: LanczosSpace, _ exact: any SymmetricOperator
  ) throws(NumericError) -> (result: LanczosResult, order: [Int])? {
    var uncertainty = 0.0
    for (i, place) in wanted.enumerated() {
      let (value, residual) = try space.quotient(i, context: context, exact)
      guard value.isFinite, residual.isFinite else { return nil }
      (pairs.values[place], pairs.residuals[place]) = (value, residual)
      uncertainty = max(uncertainty, residual)
    }
    let isWanted = Set(wanted)
    for i in 0..<pairs.count where !isWanted.contains(i) { pairs.residuals[i] += uncertainty }
    for place in wanted {
      let error = request.refinesVectors ? pairs.residuals[place] : pairs.error(place)
      guard error <= request.tolerance * abs(pairs.values[place]) else { return nil }
    }
    // Values that nearly agree may have changed places.
    let order = wanted.indices.sorted { request.end.precedes(pairs.values[wanted[$0]], pairs.values[wanted[$1]]) }
    let result = LanczosResult(
      values: order.map { pairs.values[wanted[$0]] }, residuals: order.map { pairs.residuals[wanted[$0]] },
      products: space.products)
    return (result, order)
  }
}

extension LanczosRequest.End {
  /// Whether `a` is further out at this end than `b`.
  func precedes(_ a: Double, _ b: Double) -> Bool {
    switch self {
    case .largest: a > b
    case .smallest: a < b
    case .magnitude: abs(a) > abs(b)
    }
  }
}
