import CNTKSwift
import FiniteWidth
import InfiniteWidth
import LinearAlgebra
import NumericCore
import Spectra

@_cdecl("ntk_operator_store_size") @implementation
public func ntk_operator_store_size(
  _ dimension: Int64, _ bytes: Int64, _ numbers: UnsafeMutablePointer<Int64>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let panels = Panels(dimension: Int(try checkedDimension(dimension)))
    guard let numbers, bytes >= 0 else { throw .invalid("[operator] bytes must be 0 or more. Received \(bytes).") }
    numbers.pointee = Int64(panels.numbers(in: panels.fitting(Int(bytes) / 8)) ?? 0)
  }
}

@_cdecl("ntk_operator_multiply") @implementation
public func ntk_operator_multiply(
  _ op: UnsafePointer<ntk_symmetric_operator>!, _ vectors: UnsafePointer<ntk_matrix>!, _ products: UnsafePointer<ntk_matrix>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let how = try context(call)
    let op = try symmetricOperator(op, how)
    try op.multiply(
      try view(vectors, "multiply", "vectors"), into: try view(products, "multiply", "products"), context: how)
  }
}

@_cdecl("ntk_operator_rows") @implementation
public func ntk_operator_rows(
  _ op: UnsafePointer<ntk_symmetric_operator>!, _ indices: UnsafePointer<Int64>!, _ out: UnsafePointer<ntk_matrix>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let how = try context(call)
    let (op, out) = (try symmetricOperator(op, how), try view(out, "rows", "out"))
    try op.requireBlocks(out, out)
    guard let indices else { throw .invalid("[rows] indices are required. Received a null pointer.") }
    let wanted = (0..<out.rows).map { Int(indices[$0]) }
    for index in wanted where index < 0 || index >= op.dimension {
      throw .invalid("[rows] indices must be between 0 and \(op.dimension - 1). Received \(index).")
    }
    try op.rows(wanted, into: out, context: how)
  }
}

@_cdecl("ntk_operator_diagonal") @implementation
public func ntk_operator_diagonal(
  _ op: UnsafePointer<ntk_symmetric_operator>!, _ out: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let how = try context(call)
    let op = try symmetricOperator(op, how)
    try op.diagonal(
      into: try column(view(out, "diagonal", "out"), Int64(op.dimension), "diagonal", "out"), context: how)
  }
}

@_cdecl("ntk_operator_eigen") @implementation
public func ntk_operator_eigen(
  _ op: UnsafePointer<ntk_symmetric_operator>!, _ request: UnsafePointer<ntk_lanczos_request>!,
  _ values: UnsafePointer<ntk_matrix>!, _ residuals: UnsafePointer<ntk_matrix>!, _ vectors: UnsafePointer<ntk_matrix>!,
  _ products: UnsafeMutablePointer<Int64>!, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let how = try context(call)
    let given = try pointee(request, "eigenvalues", "request")
    let op = try symmetricOperator(op, how, wantsStart: given.start == nil)
    let wishes = try LanczosRequest(given)
    let values = try column(view(values, "eigenvalues", "values"), given.count, "eigenvalues", "values")
    let residuals = try column(view(residuals, "eigenvalues", "residuals"), given.count, "eigenvalues", "residuals")
    let room: StridedMatrix<Double>? =
      try vectors.map { (m) throws(NumericError) in try optionalMatrixView(m.pointee, "vectors") } ?? nil
    let found = try lanczosEigen(op, wishes, start: given.start, vectors: room, context: how)
    for (i, value) in found.values.enumerated() { values[i] = value }
    for (i, residual) in found.residuals.enumerated() { residuals[i] = residual }
    products?.pointee = Int64(found.products)
  }
}

@_cdecl("ntk_operator_trace") @implementation
public func ntk_operator_trace(
  _ op: UnsafePointer<ntk_symmetric_operator>!, _ seed: UInt64, _ samples: UnsafePointer<ntk_matrix>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let how = try context(call)
    let out = try view(samples, "trace", "samples")
    let target = try column(out, Int64(out.rows), "trace", "samples")
    let found = try StochasticEstimates(try symmetricOperator(op, how), seed: seed, context: how).traceSamples(probes: out.rows)
    for (i, value) in found.enumerated() { target[i] = value }
  }
}

@_cdecl("ntk_operator_density") @implementation
public func ntk_operator_density(
  _ op: UnsafePointer<ntk_symmetric_operator>!, _ seed: UInt64, _ nodes: UnsafePointer<ntk_matrix>!,
  _ weights: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let how = try context(call)
    let (x, w) = (try view(nodes, "spectral_density", "nodes"), try view(weights, "spectral_density", "weights"))
    try StochasticEstimates(try symmetricOperator(op, how), seed: seed, context: how)
      .density(probes: x.rows, steps: x.cols, nodes: x, weights: w)
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
