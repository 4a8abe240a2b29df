import CNTKSwift
import LinearAlgebra
import NumericCore

@_cdecl("ntk_lanczos") @implementation
public func ntk_lanczos(
  _ request: UnsafePointer<ntk_lanczos_request>!, _ product: ntk_operator!, _ product_context: UnsafeMutableRawPointer!,
  _ values: UnsafePointer<ntk_matrix>!, _ residuals: UnsafePointer<ntk_matrix>!, _ vectors: UnsafePointer<ntk_matrix>!,
  _ products: UnsafeMutablePointer<Int64>!, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let given = try pointee(request, "lanczos", "request")
    let wishes = try LanczosRequest(given)
    let values = try column(view(values, "lanczos", "values"), given.count, "lanczos", "values")
    let residuals = try column(view(residuals, "lanczos", "residuals"), given.count, "lanczos", "residuals")
    let room: StridedMatrix<Double>? =
      try vectors.map { (m) throws(NumericError) in try optionalMatrixView(m.pointee, "vectors") } ?? nil
    let found = try lanczosEigen(
      dimension: Int(given.dimension), wishes, start: given.start, vectors: room, context: try context(call),
      product: try operatorProduct(product, product_context, given.dimension))
    for (i, value) in found.values.enumerated() { values[i] = value }
    for (i, residual) in found.residuals.enumerated() { residuals[i] = residual }
    products?.pointee = Int64(found.products)
  }
}

@_cdecl("ntk_lanczos_quadrature") @implementation
public func ntk_lanczos_quadrature(
  _ request: UnsafePointer<ntk_lanczos_request>!, _ product: ntk_operator!, _ product_context: UnsafeMutableRawPointer!,
  _ nodes: UnsafePointer<ntk_matrix>!, _ weights: UnsafePointer<ntk_matrix>!, _ found: UnsafeMutablePointer<Int64>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let given = try pointee(request, "lanczos", "request")
    let nodes = try column(view(nodes, "lanczos", "nodes"), given.count, "lanczos", "nodes")
    let weights = try column(view(weights, "lanczos", "weights"), given.count, "lanczos", "weights")
    let rule = try lanczosQuadrature(
      dimension: Int(given.dimension), steps: Int(given.count), start: given.start, seed: given.seed, context: try context(call),
      product: try operatorProduct(product, product_context, given.dimension))
    for (i, node) in rule.nodes.enumerated() { nodes[i] = node }
    for (i, weight) in rule.weights.enumerated() { weights[i] = weight }
    found?.pointee = Int64(rule.nodes.count)
  }
}

/// A caller's operator as the core calls it.
func operatorProduct(
  _ product: ntk_operator?, _ context: UnsafeMutableRawPointer?, _ dimension: Int64
) throws(NumericError) -> OperatorProduct {
  guard let product else { throw .invalid("[lanczos] an operator is required. Received a null pointer.") }
  return { (x, y, _) throws(NumericError) in
    guard product(context, x, y, dimension) == 0 else {
      throw NumericError(.callbackFailed, "[lanczos] the operator must return its product. It reported a failure.")
    }
  }
}

extension LanczosRequest {
  init(_ r: ntk_lanczos_request) throws(NumericError) {
    guard let end = End(rawValue: r.end) else { throw .invalid("[lanczos] end must be 0, 1 or 2. Received \(r.end).") }
    guard r.subspace >= 0, r.subspace <= Int64(Int32.max), r.most_products >= 0 else {
      throw .invalid("[lanczos] subspace and most_products must be 0 or more. Received \(r.subspace), \(r.most_products).")
    }
    self.init(count: Int(r.count))
    (self.end, tolerance, refinesVectors) = (end, r.tolerance, r.refines_vectors != 0)
    (findsMultiples, subspace, seed) = (r.finds_multiples != 0, Int(r.subspace), r.seed)
    mostProducts = Int(r.most_products)
  }
}
