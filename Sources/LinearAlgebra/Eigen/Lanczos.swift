import COpenBLAS
import NumericCore

/// What `lanczosEigen` is asked for.
public struct LanczosRequest: Sendable {
  /// Which end of the spectrum.
  public enum End: Int32, Sendable {
    /// The algebraically largest values, descending.
    case largest = 0
    /// The algebraically smallest values, ascending.
    case smallest = 1
    /// The values of largest magnitude, descending in it.
    case magnitude = 2
  }

  /// Which end of the spectrum is wanted.
  public var end = End.largest
  /// How many eigenvalues.
  public var count: Int
  /// Largest error of a value relative to it; of the residual norm ||A x - value x||, where `refinesVectors`.
  public var tolerance = 1e-10
  /// Vectors to the same tolerance too: the error of a value is the square of its vector's, so vectors take longer.
  public var refinesVectors = false
  /// Looks, after convergence, for further copies of multiple eigenvalues: one more round of products from a new random direction.
  public var findsMultiples = false
  /// Most basis vectors between restarts; 0: 2 count + 20, at least 60.
  public var subspace = 0
  /// Products with the operator before giving up; 0: 20 times the subspace, at least 2000.
  public var mostProducts = 0
  /// Seed of the random directions.
  public var seed: UInt64 = 0
  /// Residuals below this, relative to the operator's norm, are rounding errors of the products: more products do not help.
  var noise = 0.0

  /// A request for `count` eigenvalues with the defaults above.
  public init(count: Int) { self.count = count }
}

/// What `lanczosEigen` found.
public struct LanczosResult: Sendable {
  /// Eigenvalues, in the order that `LanczosRequest.End` names.
  public let values: [Double]
  /// ||A x - value x|| of each.
  public let residuals: [Double]
  /// Products with the operator, drafts included.
  public var products: Int
}

/// Eigenvalues at one end of the spectrum of a symmetric operator that is known by its products only, and their eigenvectors.
///
/// Lanczos with full reorthogonalisation and thick restarts (Wu & Simon, SIAM J. Matrix Anal. Appl. 22, 2000). A value counts as found
/// when its residual r, or r^2 over its distance to the others, is below the tolerance (Parlett, The Symmetric Eigenvalue Problem, 1998,
/// theorems 4.5.1 and 11.7.1); the distance is an estimate that is trusted once it stays (see `RitzPairs.error`). Row i of `vectors` (count x n, contiguous rows) becomes the eigenvector of value i. Besides the products,
/// O(n subspace) operations per step and `subspace` + 1 vectors of memory. Bits do not depend on the threads, where the product's do not.
/// Where the operator has a draft for the tolerance, the vectors are found with it and checked with the operator itself (see `LanczosDraft`).
/// It begins at `start`, at the operator's own promising start, or at a random vector.
/// - Throws: `invalidArgument` for a count out of 1...n, an asymmetric or infinite product; `notConverged`; what the product throws.
public func lanczosEigen(
  _ op: any SymmetricOperator, _ request: LanczosRequest, start given: UnsafePointer<Double>? = nil,
  vectors: StridedMatrix<Double>? = nil, context: CallContext
) throws(NumericError) -> LanczosResult {
  let n = op.dimension
  guard request.count >= 1, request.count <= n else {
    throw .invalid("[lanczos] count must be between 1 and the dimension, \(n). Received \(request.count).")
  }
  guard request.tolerance > 0, request.tolerance < 1 else {
    throw .invalid("[lanczos] tolerance must be between 0 and 1. Received \(request.tolerance).")
  }
  if let vectors {
    guard vectors.rows == request.count, vectors.cols == n, n == 1 || (vectors.colStride == 1 && vectors.rowStride >= n) else {
      throw .invalid(
        "[lanczos] the eigenvectors need a (\(request.count), \(n)) matrix with contiguous rows. "
          + "Received (\(vectors.rows), \(vectors.cols)).")
    }
  }
  let promising = given == nil ? try op.promisingStart(seed: request.seed) : nil
  defer { withExtendedLifetime(promising) {} }
  let start = given ?? promising.map { UnsafePointer($0.pointer) }
  guard LanczosDraft.serves(request, n), let draft = op.draft(for: request.tolerance) else {
    return try LanczosIteration(n, request, context).run(start, vectors, op)
  }
  let drafted = try LanczosDraft(dimension: n, request: request, context: context).run(start, vectors, draft: draft, exact: op)
  if let result = drafted.result { return result }
  var result = try LanczosIteration(n, request, context)
    .run(drafted.start.map { UnsafePointer($0.pointer) } ?? start, vectors, op)
  withExtendedLifetime(drafted.start) {}
  result.products += drafted.products
  return result
}

/// Nodes and weights of the Gauss rule for the spectral measure of a symmetric operator at the unit vector along `start`: the sum of
/// weight_i f(node_i) approximates v f(A) v.
///
/// `steps` products; exact for polynomials f of degree below 2 steps. Averaged over random starts it gives the density of eigenvalues
/// (stochastic Lanczos quadrature: Golub & Welsch, Math. Comp. 23, 1969). A nil start is random.
/// - Returns: fewer nodes than steps, where the start lies in an invariant subspace.
public func lanczosQuadrature(
  _ op: any SymmetricOperator, steps: Int, start: UnsafePointer<Double>? = nil, seed: UInt64 = 0, context: CallContext
) throws(NumericError) -> (nodes: [Double], weights: [Double]) {
  let n = op.dimension
  guard n >= 1, steps >= 1 else { throw .invalid("[lanczos] needs a dimension and steps of 1 or more. Received \(n), \(steps).") }
  let most = min(steps, n)
  let space = try LanczosSpace(dimension: n, capacity: most, seed: seed, context: context.forBLAS)
  space.begin(start)
  let pacer = Pacer(context)
  while space.size < most {
    let done = Double(space.size) / Double(most)
    try space.step(context: pacer.step(done, done), op)
    try pacer.checkpoint(done)
    if space.coupling == 0 { break }
  }
  let pairs = try space.ritz(context: context)
  let nodes = (0..<pairs.count).map { pairs.values[$0] }
  return (nodes, (0..<pairs.count).map { pairs.coordinates[$0, 0] * pairs.coordinates[$0, 0] })
}

struct LanczosIteration {
  let request: LanczosRequest
  let space: LanczosSpace
  let context: CallContext
  let pacer: Pacer
  let mostProducts: Int

  init(_ n: Int, _ request: LanczosRequest, _ context: CallContext) throws(NumericError) {
    self.request = request
    let automatic = max(checkedProduct(2, request.count).map { $0 &+ 20 } ?? n, 60)
    let subspace = min(n, request.subspace == 0 ? automatic : max(request.subspace, request.count &+ 2))
    mostProducts = request.mostProducts > 0 ? request.mostProducts : max(2000, 20 &* subspace)
    self.context = context.forBLAS
    pacer = Pacer(context)
    space = try LanczosSpace(dimension: n, capacity: subspace, seed: request.seed, context: self.context)
  }

  func run(
    _ start: UnsafePointer<Double>?, _ vectors: StridedMatrix<Double>?, _ op: any SymmetricOperator
  ) throws(NumericError) -> LanczosResult {
    let (pairs, order) = try run(start, op)
    return try result(pairs, order, vectors)
  }

  /// The pairs of a space that holds what is wanted, and their places, the wanted ones first.
  func run(_ start: UnsafePointer<Double>?, _ op: any SymmetricOperator) throws(NumericError) -> (RitzPairs, [Int]) {
    space.begin(start)
    var confirmed: [Double]?
    while true {
      let (pairs, isFound) = try fill(looksEarly: confirmed == nil, op)
      let order = order(pairs)
      let best = order.prefix(request.count).map { pairs.values[$0] }
      if isFound {
        if !request.findsMultiples || space.isExhausted || agrees(best, confirmed) { return (pairs, order) }
        confirmed = best
      }
      guard isFound || space.products < mostProducts else { throw notConverged(pairs, order) }
      let kept = isFound ? request.count : min(request.count + (space.size - request.count) / 2, space.size - 1)
      let (coordinates, owner) = try pairs.rows(Array(order.prefix(kept)))
      let values = order.prefix(kept).map { pairs.values[$0] }
      try withExtendedLifetime(owner) { () throws(NumericError) in try space.restart(values, coordinates, isFresh: isFound) }
    }
  }

  /// Steps until the space is full, or until the wanted values are there.
  private func fill(looksEarly: Bool, _ op: any SymmetricOperator) throws(NumericError) -> (RitzPairs, Bool) {
    var sinceLook = 0
    while space.size < space.capacity {
      let done = min(1, Double(space.products) / Double(mostProducts))
      try space.step(context: pacer.step(done, done), op)
      try pacer.checkpoint(done)
      sinceLook += 1
      // A look costs a small eigendecomposition; it is worth it after some per cent more steps.
      guard looksEarly, space.size > request.count, sinceLook > space.size / 16 else { continue }
      sinceLook = 0
      let pairs = try space.ritz(context: context)
      if isFound(pairs) { return (pairs, true) }
    }
    let pairs = try space.ritz(context: context)
    return (pairs, space.isExhausted || isFound(pairs))
  }

  private func isFound(_ pairs: RitzPairs) -> Bool {
    guard pairs.count >= request.count else { return false }
    let norm = max(abs(pairs.values[0]), abs(pairs.values[pairs.count - 1]))
    return order(pairs).prefix(request.count).allSatisfy { i in
      let error = request.refinesVectors ? pairs.residuals[i] : pairs.error(i)
      return error <= max(request.tolerance * abs(pairs.values[i]), 1e-15 * norm) || pairs.residuals[i] <= request.noise * norm
    }
  }

  /// Places of the Ritz values, the wanted ones first.
  private func order(_ pairs: RitzPairs) -> [Int] {
    (0..<pairs.count).sorted { request.end.precedes(pairs.values[$0], pairs.values[$1]) }
  }

  private func agrees(_ values: [Double], _ others: [Double]?) -> Bool {
    guard let others, let norm = values.map(abs).max() else { return false }
    return zip(values, others).allSatisfy { abs($0 - $1) <= max(4 * request.tolerance * abs($0), 1e-14 * norm) }
  }

  func result(
    _ pairs: RitzPairs, _ order: [Int], _ vectors: StridedMatrix<Double>?
  ) throws(NumericError) -> LanczosResult {
    let wanted = Array(order.prefix(request.count))
    if let vectors {
      let (coordinates, owner) = try pairs.rows(wanted)
      withExtendedLifetime(owner) { space.expand(coordinates, into: vectors) }
    }
    return LanczosResult(
      values: wanted.map { pairs.values[$0] }, residuals: wanted.map { pairs.residuals[$0] }, products: space.products)
  }

  private func notConverged(_ pairs: RitzPairs, _ order: [Int]) -> NumericError {
    let worst = order.prefix(request.count).map { pairs.error($0) }.max() ?? 0
    return NumericError(
      .notConverged,
      "[lanczos] \(request.count) eigenvalues to a relative error of \(request.tolerance) need more than \(space.products) products. "
        + "The largest error is now \(worst). Raise the tolerance, the subspace or most_products.", value: worst)
  }
}
