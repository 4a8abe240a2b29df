import LinearAlgebra
import NumericCore
import Testing

/// An operator with a draft.
private struct Drafted: SymmetricOperator {
  let exact: ProductOperator
  let rough: ProductOperator?

  var dimension: Int { exact.dimension }
  func multiply(
    _ vectors: StridedMatrix<Double>, into products: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    try exact.multiply(vectors, into: products, context: context)
  }
  func draft(for tolerance: Double) -> (any SymmetricOperator)? { rough }
}

@Suite struct LanczosTests {
  /// The product with a matrix, and all its eigenvalues (ascending) by LAPACK.
  private func problem(_ k: Dense) throws -> (ProductOperator, [Double]) {
    let n = k.rows
    let values = try Workspace<Double>(n)
    try symmetricEigen(k.view, values: values.pointer, context: CallContext())
    let product = ProductOperator(dimension: n) { (x, y, _) throws(NumericError) in
      for i in 0..<n { y[i] = (0..<n).reduce(0) { $0 + k[i, $1] * x[$1] } }
    }
    return (product, Array(values.buffer))
  }

  private func random(_ n: Int, seed: UInt64 = 3) throws -> Dense {
    let a = try Dense.random(n, n, seed: seed)
    return try Dense(n, n) { a[$0, $1] + a[$1, $0] }
  }

  @Test(arguments: [1, 2, 3, 40, 200], [LanczosRequest.End.largest, .smallest, .magnitude])
  func agreesWithLAPACK(_ n: Int, _ end: LanczosRequest.End) throws {
    let k = try random(n)
    let (product, all) = try problem(k)
    var request = LanczosRequest(count: min(n, 5))
    request.end = end
    request.refinesVectors = true
    let vectors = try Dense(request.count, n)
    let found = try lanczosEigen(product, request, vectors: vectors.view, context: CallContext())
    let wanted: [Double] =
      switch end {
      case .largest: Array(all.reversed())
      case .smallest: all
      case .magnitude: all.sorted { abs($0) > abs($1) }
      }
    let scale = abs(all[0]) + abs(all[n - 1])
    for i in 0..<request.count { #expect(abs(found.values[i] - wanted[i]) < 1e-11 * scale) }
    // ||A x - value x|| as the result states it, and orthonormal vectors.
    let image = try Workspace<Double>(n)
    for i in 0..<request.count {
      let x = vectors.view.base + i * n
      try product.multiply(x, into: image.pointer, context: CallContext())
      let residual = (0..<n).reduce(0) { $0 + (image[$1] - found.values[i] * x[$1]) * (image[$1] - found.values[i] * x[$1]) }
      #expect(residual.squareRoot() < 1e-9 * scale)
      for j in 0...i {
        let inner = (0..<n).reduce(0) { $0 + x[$1] * vectors[j, $1] }
        #expect(abs(inner - (i == j ? 1 : 0)) < 1e-12)
      }
    }
  }

  /// A small subspace has to restart many times.
  @Test func restarts() throws {
    let n = 300
    // Eigenvalues 1, 2, ..., n: relative gaps of 1 / 300.
    let k = try Dense(n, n) { $0 == $1 ? Double($0 + 1) : 0 }
    let (product, _) = try problem(k)
    var request = LanczosRequest(count: 4)
    request.subspace = 14
    let found = try lanczosEigen(product, request, context: CallContext())
    for i in 0..<4 { #expect(abs(found.values[i] - Double(n - i)) < 1e-8) }
    #expect(found.products > 3 * 14)
    request.mostProducts = 15
    #expect { try lanczosEigen(product, request, context: CallContext()) } throws: {
      ($0 as? NumericError)?.kind == .notConverged
    }
  }

  @Test func findsCopiesOfMultipleValues() throws {
    let n = 150
    // 5 three times, 4 twice, the rest below 1.
    let k = try Dense(n, n) { i, j in i != j ? 0 : i < 3 ? 5 : i < 5 ? 4 : Double(i) / Double(n) }
    let (product, _) = try problem(k)
    var request = LanczosRequest(count: 5)
    request.findsMultiples = true
    let found = try lanczosEigen(product, request, context: CallContext())
    for (value, expected) in zip(found.values, [5, 5, 5, 4, 4] as [Double]) { #expect(abs(value - expected) < 1e-9) }
  }

  @Test(arguments: [0.0, 3.0]) func multiplesOfTheIdentity(_ value: Double) throws {
    let n = 80
    let product = ProductOperator(dimension: n) { (x, y, _) throws(NumericError) in for i in 0..<n { y[i] = value * x[i] } }
    let found = try lanczosEigen(product, LanczosRequest(count: 7), context: CallContext())
    for v in found.values { #expect(abs(v - value) < 1e-12) }
  }

  /// The rule integrates polynomials of degree below 2 steps exactly: v A^p v.
  @Test func quadratureIsExactForPolynomials() throws {
    let n = 30
    let k = try random(n)
    let (product, _) = try problem(k)
    let start = try Dense.random(1, n)
    let norm = start.elements.reduce(0) { $0 + $1 * $1 }
    let (nodes, weights) = try lanczosQuadrature(product, steps: 4, start: start.view.base, context: CallContext())
    #expect(nodes.count == 4)
    var power = start.elements
    let image = try Workspace<Double>(n)
    for p in 0..<8 {
      let expected = zip(start.elements, power).reduce(0) { $0 + $1.0 * $1.1 } / norm
      let sum = zip(nodes, weights).reduce(0) { total, rule in total + rule.1 * (0..<p).reduce(1) { x, _ in x * rule.0 } }
      #expect(abs(sum - expected) < 1e-11 * max(1, abs(expected)) * 100)
      power.withUnsafeBufferPointer { try? product.multiply($0.baseAddress!, into: image.pointer, context: CallContext()) }
      power = Array(image.buffer)
    }
  }

  /// A diagonal operator, and the same with numbers rounded to single precision.
  private func diagonal(_ values: [Double]) -> (exact: ProductOperator, draft: ProductOperator) {
    let n = values.count
    let product = ProductOperator(dimension: n) { (x, y, _) throws(NumericError) in
      for i in values.indices { y[i] = values[i] * x[i] }
    }
    let rounded = ProductOperator(dimension: n) { (x, y, _) throws(NumericError) in
      for i in values.indices { y[i] = Double(Float(values[i]) * Float(x[i])) }
    }
    return (product, rounded)
  }

  /// With a draft values are as accurate as without one.
  @Test(arguments: [0.3, 0.1], [1, 3]) func draftsAreChecked(_ gap: Double, _ count: Int) throws {
    let n = 600
    let top: [Double] = (0..<6).map { 2 - gap * Double($0) }
    let values: [Double] = top + (6..<n).map { Double($0) / Double(n) - 0.5 }
    let (exact, draft) = diagonal(values)
    let sorted = values.sorted(by: >)
    for tolerance in [1e-2, 1e-6, 1e-8] {
      for end in [LanczosRequest.End.largest, .magnitude] {
        var request = LanczosRequest(count: count)
        (request.tolerance, request.end) = (tolerance, end)
        let vectors = try Dense(count, n)
        let found = try lanczosEigen(Drafted(exact: exact, rough: draft), request, vectors: vectors.view, context: CallContext())
        for i in 0..<count {
          #expect(abs(found.values[i] - sorted[i]) <= tolerance * sorted[i])
          let norm = (0..<n).reduce(0) { $0 + vectors[i, $1] * vectors[i, $1] }
          #expect(abs(norm - 1) < 1e-6)
        }
      }
    }
  }

  /// Drafts of another operator, of no symmetric one, and with NaN: only the exact products count.
  @Test func drafts() throws {
    let n = 300
    let values = (0..<n).map { Double($0) / 10 }
    let (exact, _) = diagonal(values)
    let (other, _) = diagonal(values.reversed())
    let skew = ProductOperator(dimension: n) { (x, y, _) throws(NumericError) in for i in 0..<n { y[i] = i > 0 ? x[i - 1] : 0 } }
    let broken = ProductOperator(dimension: n) { (_, y, _) throws(NumericError) in for i in 0..<n { y[i] = .nan } }
    let zero = ProductOperator(dimension: n) { (_, y, _) throws(NumericError) in for i in 0..<n { y[i] = 0 } }
    var request = LanczosRequest(count: 2)
    request.tolerance = 1e-7
    let drafts: [ProductOperator?] = [other, skew, broken, zero]
    for draft in drafts {
      let found = try lanczosEigen(Drafted(exact: exact, rough: draft), request, context: CallContext())
      #expect(abs(found.values[0] - values[n - 1]) < 1e-6 && abs(found.values[1] - values[n - 2]) < 1e-6)
    }
    let cancelling = ProductOperator(dimension: n) { (_, _, _) throws(NumericError) in throw .cancelled }
    #expect {
      try lanczosEigen(Drafted(exact: exact, rough: cancelling), request, context: CallContext())
    } throws: {
      ($0 as? NumericError)?.kind == .cancelled
    }
  }

  /// A start beside the second vector: its residual is small there before the first one shows.
  @Test(arguments: 1...12) func doesNotStopAtTheSecondValue(_ seed: Int) throws {
    let n = 1000
    let top: [Double] = (0..<8).map { 1 - 0.12 * Double($0) }
    let values: [Double] = top + (8..<n).map { 0.05 * Double($0) / Double(n) }
    let (exact, draft) = diagonal(values)
    let noise = try Dense.random(1, n, seed: UInt64(seed))
    let start = try Dense(1, n) { (_, i) -> Double in
      if i < 2 { return i == 1 ? 1 : 0.2 }
      return 0.01 * noise[0, i]
    }
    var request = LanczosRequest(count: 1)
    request.tolerance = 1e-2
    let drafts: [ProductOperator?] = [nil, draft]
    for draft in drafts {
      let found = try lanczosEigen(Drafted(exact: exact, rough: draft), request, start: start.view.base, context: CallContext())
      #expect(abs(found.values[0] - 1) <= 1e-2)
    }
  }

  @Test func badOperatorsAndRequestsAreErrors() throws {
    let n = 20
    let k = try Dense.random(n, n)
    let product = ProductOperator(dimension: n) { (x, y, _) throws(NumericError) in
      for i in 0..<n { y[i] = (0..<n).reduce(0) { $0 + k[i, $1] * x[$1] } }
    }
    #expect { try lanczosEigen(product, LanczosRequest(count: 2), context: CallContext()) } throws: {
      ($0 as? NumericError)?.message.contains("symmetric") == true
    }
    let infinite = ProductOperator(dimension: n) { (_, y, _) throws(NumericError) in for i in 0..<n { y[i] = .infinity } }
    #expect { try lanczosEigen(infinite, LanczosRequest(count: 2), context: CallContext()) } throws: {
      ($0 as? NumericError)?.message.contains("finite") == true
    }
    for count in [0, -1, 21] {
      #expect(throws: NumericError.self) {
        try lanczosEigen(infinite, LanczosRequest(count: count), context: CallContext())
      }
    }
    #expect {
      try lanczosEigen(infinite, LanczosRequest(count: 2), context: CallContext(memoryLimit: 100))
    } throws: {
      ($0 as? NumericError)?.kind == .outOfMemory
    }
    let cancelling = ProductOperator(dimension: n) { (_, _, _) throws(NumericError) in throw .cancelled }
    #expect { try lanczosEigen(cancelling, LanczosRequest(count: 2), context: CallContext()) } throws: {
      ($0 as? NumericError)?.kind == .cancelled
    }
  }
}
