import LinearAlgebra
import NumericCore
import Spectra
import TestSupport
import Testing

/// Gradients in memory that a test owns: `rows` of `cols` numbers that depend on a seed.
private final class Gradients {
  let room: Workspace<Double>
  let rows: Int, cols: Int

  init(_ rows: Int, _ cols: Int, _ value: (Int, Int) -> Double) throws {
    (room, self.rows, self.cols) = (try Workspace(rows * cols), rows, cols)
    for i in 0..<rows { for j in 0..<cols { room[i * cols + j] = value(i, j) } }
  }

  /// Normal numbers about a common mean, the first coordinates larger than the last.
  convenience init(_ rows: Int, _ cols: Int, seed: UInt64) throws {
    let draws = try Workspace<Double>(rows * cols)
    try PhiloxStream(key: (seed, 0)).fillNormal(draws.pointer, count: rows * cols)
    try self.init(rows, cols) { i, j in draws[i * cols + j] * 3 / Double(j + 1) + 0.4 * Double(j % 3) }
  }

  subscript(_ i: Int, _ j: Int) -> Double { room[i * cols + j] }
  var view: StridedMatrix<Double> { StridedMatrix(room.pointer, rows: rows, cols: cols) }

  /// <g_i, g_j>, term by term.
  func gram() throws -> Gradients {
    try Gradients(rows, rows) { i, j in (0..<cols).reduce(0) { $0 + self[i, $1] * self[j, $1] } }
  }

  var mean: [Double] { (0..<cols).map { j in (0..<rows).reduce(0) { $0 + self[$1, j] } / Double(rows) } }

  /// mean (g_i - m)(g_i - m)^T as a dense matrix of cols x cols, m the mean gradient or zero.
  func covariance(isCentred: Bool) throws -> Gradients {
    let m = isCentred ? mean : [Double](repeating: 0, count: cols)
    return try Gradients(cols, cols) { a, b in
      (0..<rows).reduce(0) { $0 + (self[$1, a] - m[a]) * (self[$1, b] - m[b]) } / Double(rows)
    }
  }

  /// Eigenvalues of a symmetric matrix, descending, with their vectors as rows.
  func eigen() throws -> (values: [Double], vectors: [[Double]]) {
    let (values, vectors) = (try Workspace<Double>(rows), try Workspace<Double>(rows * rows))
    defer { withExtendedLifetime(self) {} }
    try symmetricEigen(
      view, values: values.pointer, vectors: StridedMatrix(vectors.pointer, rows: rows, cols: rows), context: CallContext())
    let order = (0..<rows).reversed()
    return (order.map { values[$0] }, order.map { k in (0..<rows).map { vectors[k * rows + $0] } })
  }
}

/// What the Gram matrix of gradients says.
private func covariance(_ gram: Gradients, top: Int = 5, isWhole: Bool = true) throws -> GradientCovariance {
  defer { withExtendedLifetime(gram) {} }
  return try GradientCovariance(gram: gram.view, top: top, isWhole: isWhole, context: CallContext())
}

/// The covariance of gradients by their Gram matrix, against the dense matrix of parameters times parameters.
@Suite struct GradientCovarianceTests {
  private let context = CallContext()

  /// Fewer gradients than parameters, as many, and more.
  @Test(arguments: [(6, 9), (7, 7), (12, 4)], [1, 2, 5])
  func agreesWithTheDenseMatrix(_ shape: (Int, Int), _ top: Int) throws {
    let g = try Gradients(shape.0, shape.1, seed: 5)
    let found = try covariance(g.gram(), top: top)
    let (values, vectors) = try g.covariance(isCentred: true).eigen()
    let uncentred = try g.covariance(isCentred: false).eigen().values
    let rank = min(shape.0 - 1, shape.1)
    #expect(found.eigenvalues.count == shape.0 - 1)
    for k in 0..<found.eigenvalues.count {
      #expect(abs(found.eigenvalues[k] - (k < rank ? values[k] : 0)) < 1e-12 * values[0], "eigenvalue \(k)")
    }
    #expect(relativeError(found.largestUncentred, uncentred[0]) < 1e-12)
    #expect(relativeError(found.trace, values.reduce(0, +)) < 1e-12)
    #expect(relativeError(found.traceUncentred, uncentred.reduce(0, +)) < 1e-12)
    let (mean, kept) = (g.mean, vectors.prefix(min(top, rank)))
    let square = { (v: [Double]) in v.reduce(0) { $0 + $1 * $1 } }
    let projected = { (v: [Double]) in
      kept.reduce(0.0) { sum, e in
        let product = zip(e, v).map(*).reduce(0, +)
        return sum + product * product
      }
    }
    #expect(relativeError(found.meanNorm, square(mean).squareRoot()) < 1e-12)
    #expect(relativeError(found.meanShare, projected(mean) / square(mean)) < 1e-10)
    let ratios = (0..<g.rows).map { i -> Double in
      let row = (0..<g.cols).map { g[i, $0] }
      return (square(row) / projected(row)).squareRoot()
    }
    #expect(relativeError(found.normRatio, ratios.reduce(0, +) / Double(g.rows)) < 1e-9)
  }

  /// Above 200 gradients the largest eigenvalues come from Lanczos; Gram matrices may have any strides.
  @Test func manyGradientsAndOddStridesGiveTheSame() throws {
    let g = try Gradients(230, 12, seed: 6)
    let gram = try g.gram()
    let dense = try g.covariance(isCentred: true).eigen().values
    let whole = try covariance(gram)
    let spaced = try Gradients(230 * 2, 230 * 3) { i, j in i % 2 == 0 && j % 3 == 0 ? gram[i / 2, j / 3] : .nan }
    let wide = StridedMatrix(spaced.room.pointer, rows: 230, cols: 230, rowStride: 2 * 690, colStride: 3)
    for view in [gram.view, gram.view.transposed, wide] {
      let part = try GradientCovariance(gram: view, top: 3, isWhole: false, context: context)
      #expect(part.eigenvalues.count == 3)
      for k in 0..<3 { #expect(relativeError(part.eigenvalues[k], dense[k]) < 1e-9) }
      #expect(relativeError(part.largestUncentred, whole.largestUncentred) < 1e-9)
      #expect(relativeError(part.trace, whole.trace) < 1e-12)
    }
    for k in 0..<12 { #expect(relativeError(whole.eigenvalues[k], dense[k]) < 1e-9) }
    #expect(whole.eigenvalues.dropFirst(12).allSatisfy { $0 == 0 })
    withExtendedLifetime((gram, spaced)) {}
  }

  @Test func equalGradientsHaveNoCovariance() throws {
    let g = try Gradients(5, 3) { _, j in Double(j) - 0.5 }
    let found = try covariance(g.gram())
    #expect(found.eigenvalues == [0, 0, 0, 0])
    #expect(found.trace < 1e-15 && found.meanShare == 0 && found.normRatio.isNaN)
    #expect(relativeError(found.meanNorm, (0.25 + 0.25 + 2.25).squareRoot()) < 1e-14)
    #expect(relativeError(found.largestUncentred, 2.75) < 1e-14)
  }

  @Test func whatIsNoGramMatrixIsRefused() throws {
    let g = try Gradients(4, 4) { i, j in i == j ? 1 : 0 }
    for (rows, cols) in [(1, 1), (0, 0), (4, 3), (3, 4)] {
      let view = StridedMatrix(g.room.pointer, rows: rows, cols: cols)
      #expect(throws: NumericError.self) { try GradientCovariance(gram: view, context: context) }
    }
    #expect(throws: NumericError.self) { try covariance(g, top: 0) }
    withExtendedLifetime(g) {}
    for bad in [Double.nan, .infinity, -.infinity] {
      #expect(throws: NumericError.self) { try covariance(Gradients(4, 4) { i, j in i + j == 5 ? bad : 1 }) }
    }
  }

  /// Panels of 4096 columns: one, two, and a part of one, of either precision and any layout.
  @Test(arguments: [1, 4096, 5000]) func gramMatricesOfRows(_ cols: Int) throws {
    let g = try Gradients(3, cols, seed: 7)
    let single = try Workspace<Float>(3 * cols)
    for i in 0..<3 { for j in 0..<cols { single[j * 3 + i] = Float(g[i, j]) } }
    let across = StridedMatrix(single.pointer, rows: 3, cols: cols, rowStride: 1, colStride: 3)
    let out = try Gradients(3, 3) { _, _ in .nan }
    try gramOfRows(g.view, into: out.view, context: context)
    let expected = try g.gram()
    let floor = expected[0, 0]
    for i in 0..<3 { for j in 0..<3 { #expect(abs(out[i, j] - expected[i, j]) < 1e-13 * floor) } }
    try gramOfRows(across, into: out.view, context: context)
    for i in 0..<3 { for j in 0..<3 { #expect(abs(out[i, j] - expected[i, j]) < 1e-5 * floor) } }
    // Widened before they are multiplied: the products are those of the rounded numbers to double precision.
    let rounded = try Gradients(3, cols) { i, j in Double(Float(g[i, j])) }
    let products = try rounded.gram()
    for i in 0..<3 { for j in 0..<3 { #expect(abs(out[i, j] - products[i, j]) < 1e-13 * floor) } }
    #expect(throws: NumericError.self) { try gramOfRows(g.view, into: g.view, context: context) }
    let tight = CallContext(memoryLimit: 10)
    #expect { try gramOfRows(g.view, into: out.view, context: tight) } throws: { ($0 as? NumericError)?.kind == .outOfMemory }
    withExtendedLifetime((g, single, out)) {}
  }
}

/// The one-dimensional model of SGD, by enumeration of its batches.
@Suite struct BreakEvenTests {
  private let curvatures = [0.3, 2.5, 1.1, 0.9]

  private var moments: (mean: Double, variance: Double) {
    let mean = curvatures.reduce(0, +) / 4
    return (mean, curvatures.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4)
  }

  /// E (1 - eta H_batch)^2 over all batches of S out of four examples, drawn without replacement.
  @Test(arguments: [1, 2, 3, 4]) func factorIsTheMeanOverAllBatches(_ size: Int) throws {
    let rate = 0.7
    var (sum, count) = (0.0, 0)
    for chosen in 0..<16 where chosen.nonzeroBitCount == size {
      let batch = (0..<4).reduce(0.0) { chosen >> $1 & 1 == 1 ? $0 + curvatures[$1] / Double(size) : $0 }
      sum += (1 - rate * batch) * (1 - rate * batch)
      count += 1
    }
    let model = try BreakEvenModel(rate: rate, batch: size, examples: 4)
    let found = model.stabilityFactor(mean: moments.mean, variance: moments.variance)
    #expect(relativeError(found, sum / Double(count)) < 1e-14)
  }

  @Test func breakEvenIsWhereTheFactorIsOne() throws {
    let (alpha, psi) = (0.6, 0.8)
    for (batch, examples) in [(1, 10), (8, 500), (500, 500), (1, 1)] {
      let model = try BreakEvenModel(rate: 0.1, batch: batch, examples: examples)
      let curvature = try model.breakEvenCurvature(alpha: alpha, psi: psi)
      let factor = model.stabilityFactor(mean: curvature, variance: alpha * curvature / (psi * psi))
      #expect(abs(factor - 1) < 1e-13)
      if batch == examples { #expect(abs(curvature - 20) < 1e-13) }
    }
  }

  @Test func numbersWithoutAMeaningAreRefused() throws {
    for (rate, batch, examples) in [(0, 1, 2), (-1, 1, 2), (.nan, 1, 2), (.infinity, 1, 2), (1, 0, 2), (1, 3, 2), (1, -1, -1)]
      as [(Double, Int, Int)]
    {
      #expect(throws: NumericError.self) { try BreakEvenModel(rate: rate, batch: batch, examples: examples) }
    }
    let model = try BreakEvenModel(rate: 1, batch: 1, examples: Int.max)
    for (alpha, psi) in [(-1, 1), (.nan, 1), (.infinity, 1), (1, 0), (1, .nan), (1, .infinity)] as [(Double, Double)] {
      #expect(throws: NumericError.self) { try model.breakEvenCurvature(alpha: alpha, psi: psi) }
    }
  }
}
