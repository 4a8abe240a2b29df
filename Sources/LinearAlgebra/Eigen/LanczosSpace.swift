import COpenBLAS
import NumericCore

/// An orthonormal basis that grows by one product with the operator at a time, and the operator's projection V A V^T on it.
///
/// Every new vector is orthogonalised twice against all others, so the basis stays orthonormal to rounding, and the projection is
/// that of the operator itself, also after a restart.
final class LanczosSpace {
  let n: Int
  /// Most vectors of which the product is known; the vector after the last of them is the next direction.
  let capacity: Int
  /// Vectors whose product with the operator is known.
  private(set) var size = 0
  /// Products so far.
  private(set) var products = 0
  /// How strongly the space is coupled to its next direction; 0 where it is invariant under the operator.
  private(set) var coupling = 0.0
  /// Row i is basis vector i.
  private let basis: Workspace<Double>
  private let projection: StridedMatrix<Double>
  private let room: Workspace<Double>
  private let coefficients: Workspace<Double>
  /// Vectors that the last restart kept.
  private var restarted = 0
  private var scale = 0.0
  /// The Ritz values at the last two looks, and after how many products that was.
  private var looks: [(products: Int, values: [Double])] = []
  private var draws: UInt64 = 0
  private let seed: UInt64

  init(dimension n: Int, capacity: Int, seed: UInt64, context: CallContext) throws(NumericError) {
    try requireInt32(n, "lanczos")
    let numbers = checkedProduct(capacity, 2 * capacity).flatMap { square in
      checkedProduct(n, capacity + 1).flatMap { checkedSum($0, square) }
    }
    try context.reserve(
      numbers.flatMap { checkedProduct($0, 8) }, for: "a Lanczos basis of \(capacity + 1) vectors of \(n) numbers",
      instead: "Ask for fewer eigenvalues or a smaller subspace.")
    (self.n, self.capacity, self.seed) = (n, capacity, seed)
    basis = try Workspace((capacity + 1) * n)
    room = try Workspace(capacity * capacity, zeroed: true)
    coefficients = try Workspace(2 * (capacity + 1))
    projection = StridedMatrix(room.pointer, rows: capacity, cols: capacity)
    BLASThreads.useOne()
  }

  /// No direction is left: the basis spans everything.
  var isExhausted: Bool { size == n }

  /// The first direction: `start`, or a random one where it is nil or zero.
  func begin(_ start: UnsafePointer<Double>?) {
    if let start { basis.pointer.update(from: start, count: n) }
    if start == nil || normalize(0) == 0 { drawDirection(0) }
  }

  /// Multiplies the next direction, orthogonalises the product, and makes it the direction after that.
  func step(context: CallContext, _ op: any SymmetricOperator) throws(NumericError) {
    let (j, before) = (size, coupling)
    let w = basis.pointer + (j + 1) * n
    try op.multiply(basis.pointer + j * n, into: w, context: context)
    products += 1
    let norm = cblas_dnrm2(Int32(n), w, 1)
    guard norm.isFinite else {
      throw .invalid("[lanczos] the operator must return finite numbers. Received NaN or infinity in product \(products).")
    }
    scale = max(scale, norm)
    orthogonalize(j + 1, against: j + 1)
    for i in 0...j { (projection[i, j], projection[j, i]) = (coefficients[i], coefficients[i]) }
    // Right after a restart the new column is coupled to all kept vectors; from then on to the one before it, as that was to it.
    if j > restarted, abs(coefficients[j - 1] - before) > 1e-3 * scale {
      throw .invalid("[lanczos] the operator must be symmetric. Received one for which x A y differs from y A x.")
    }
    size = j + 1
    coupling = isExhausted ? 0 : normalize(j + 1)
    if coupling <= 4e-16 * Double(n).squareRoot() * scale {
      coupling = 0
      if !isExhausted { drawDirection(j + 1) }
    }
  }

  /// Replaces the basis by the Ritz vectors with the given values and coordinates (one per row), followed by the next direction, or by
  /// a random one where `isFresh`.
  func restart(_ values: [Double], _ coordinates: StridedMatrix<Double>, isFresh: Bool) throws(NumericError) {
    let (kept, next) = (coordinates.rows, size)
    let width = 512
    let block = try Workspace<Double>(kept * width)
    for first in stride(from: 0, to: n, by: width) {
      let columns = min(width, n - first)
      cblas_dgemm(
        BLAS_ROW_MAJOR, BLAS_NO_TRANS, BLAS_NO_TRANS, Int32(kept), Int32(columns), Int32(size), 1, coordinates.base,
        Int32(coordinates.rowStride), basis.pointer + first, Int32(n), 0, block.pointer, Int32(width))
      for i in 0..<kept { (basis.pointer + i * n + first).update(from: block.pointer + i * width, count: columns) }
    }
    (basis.pointer + kept * n).update(from: basis.pointer + next * n, count: n)
    for i in 0..<kept { for j in 0..<kept { projection[i, j] = i == j ? values[i] : 0 } }
    (size, restarted) = (kept, kept)
    if isFresh { drawDirection(kept) }
  }

  /// Eigenvalues of the projection, ascending, and its eigenvectors as rows.
  func ritz(context: CallContext) throws(NumericError) -> RitzPairs {
    var pairs = try RitzPairs(size)
    let corner = StridedMatrix(room.pointer, rows: size, cols: size, rowStride: capacity, colStride: 1)
    try symmetricEigen(
      corner, values: pairs.values.pointer, vectors: pairs.coordinates, context: CallContext(memoryLimit: context.memoryLimit))
    for i in 0..<size { pairs.residuals[i] = abs(coupling * pairs.coordinates[i, size - 1]) }
    if looks.last?.products == products { looks.removeLast() }
    if let before = looks.last { pairs.setMoves(since: before.values) }
    looks = looks.suffix(1) + [(products, Array(pairs.values.buffer))]
    return pairs
  }

  /// Writes the vectors with the given coordinates into the rows of `out`.
  func expand(_ coordinates: StridedMatrix<Double>, into out: StridedMatrix<Double>) {
    cblas_dgemm(
      BLAS_ROW_MAJOR, BLAS_NO_TRANS, BLAS_NO_TRANS, Int32(coordinates.rows), Int32(n), Int32(size), 1, coordinates.base,
      Int32(coordinates.rowStride), basis.pointer, Int32(n), 0, out.base, Int32(out.rowStride))
  }

  // MARK: - Ritz vectors after a restart

  /// x A x / x x and ||A x - value x|| / ||x|| of basis vector `i`, by one product.
  func quotient(_ i: Int, context: CallContext, _ op: any SymmetricOperator) throws(NumericError) -> (
    value: Double, residual: Double
  ) {
    let (x, image) = (basis.pointer + i * n, basis.pointer + (size + 1) * n)
    try op.multiply(x, into: image, context: context)
    products += 1
    let squared = cblas_ddot(Int32(n), x, 1, x, 1)
    let value = cblas_ddot(Int32(n), x, 1, image, 1) / squared
    cblas_daxpy(Int32(n), -value, x, 1, image, 1)
    return (value, cblas_dnrm2(Int32(n), image, 1) / squared.squareRoot())
  }

  /// Copies basis vectors into the rows of `vectors`.
  func copy(_ places: [Int], into vectors: StridedMatrix<Double>?) {
    guard let vectors else { return }
    for (i, place) in places.enumerated() {
      let (source, target) = (basis.pointer + place * n, vectors.base + i * vectors.rowStride)
      target.update(from: source, count: n)
    }
  }

  /// The sum of the first `count` basis vectors.
  func sum(_ count: Int) throws(NumericError) -> Workspace<Double> {
    let total = try Workspace<Double>(n, zeroed: true)
    for i in 0..<count { cblas_daxpy(Int32(n), 1, basis.pointer + i * n, 1, total.pointer, 1) }
    return total
  }

  // MARK: - Orthogonality

  /// Classical Gram-Schmidt of vector j against the first `count`, twice; the sums of both passes stay in `coefficients`.
  ///
  /// The basis is read three times instead of four: the first pass subtracts from a stretch of the vector what the second one then multiplies.
  private func orthogonalize(_ j: Int, against count: Int) {
    let (w, h) = (basis.pointer + j * n, coefficients.pointer)
    let again = h + capacity + 1
    for i in 0..<2 * (capacity + 1) { h[i] = 0 }
    forEachStretch { addProducts(count, $0, w, to: h) }
    forEachStretch {
      subtract(count, $0, h, from: w)
      addProducts(count, $0, w, to: again)
    }
    forEachStretch { subtract(count, $0, again, from: w) }
    for i in 0..<count { h[i] += again[i] }
  }

  /// Stretches of which the basis stays in the cache.
  private func forEachStretch(_ body: (Range<Int>) -> Void) {
    for first in stride(from: 0, to: n, by: 2048) { body(first..<min(n, first + 2048)) }
  }

  /// Adds the inner products of a stretch of the first `count` vectors with that of `w`.
  private func addProducts(
    _ count: Int, _ stretch: Range<Int>, _ w: UnsafePointer<Double>, to h: UnsafeMutablePointer<Double>
  ) {
    cblas_dgemv(
      BLAS_ROW_MAJOR, BLAS_NO_TRANS, Int32(count), Int32(stretch.count), 1, basis.pointer + stretch.lowerBound, Int32(n),
      w + stretch.lowerBound, 1, 1, h, 1)
  }

  private func subtract(
    _ count: Int, _ stretch: Range<Int>, _ h: UnsafePointer<Double>, from w: UnsafeMutablePointer<Double>
  ) {
    cblas_dgemv(
      BLAS_ROW_MAJOR, BLAS_TRANS, Int32(count), Int32(stretch.count), -1, basis.pointer + stretch.lowerBound, Int32(n), h, 1, 1,
      w + stretch.lowerBound, 1)
  }

  @discardableResult private func normalize(_ j: Int) -> Double {
    let v = basis.pointer + j * n
    let norm = cblas_dnrm2(Int32(n), v, 1)
    if norm > 0 { for i in 0..<n { v[i] /= norm } }
    return norm
  }

  /// A random direction orthogonal to the first j vectors.
  private func drawDirection(_ j: Int) {
    for _ in 0..<3 {
      PhiloxStream(key: (0x6E74_6B73 ^ seed, draws)).fillNormal(basis.pointer + j * n, count: n)
      draws += 1
      normalize(j)
      if j == 0 { return }
      orthogonalize(j, against: j)
      if normalize(j) > 1e-8 { return }
    }
  }
}

/// Eigenpairs of a projection: ascending values, coordinates of the vectors as rows, norms of A x - value x.
struct RitzPairs {
  let values: Workspace<Double>
  let residuals: Workspace<Double>
  let coordinates: StridedMatrix<Double>
  /// How far each value has moved since the last look at a smaller space; infinite where that is not known.
  private(set) var moves: [Double]
  private let room: Workspace<Double>

  init(_ size: Int) throws(NumericError) {
    values = try Workspace(size)
    residuals = try Workspace(size)
    moves = [Double](repeating: .infinity, count: size)
    room = try Workspace(size * size)
    coordinates = StridedMatrix(room.pointer, rows: size, cols: size)
  }

  /// Size of the projection.
  var count: Int { values.count }

  /// The rows of `coordinates` at the given places, in that order.
  func rows(_ places: [Int]) throws(NumericError) -> (StridedMatrix<Double>, owner: Workspace<Double>) {
    let picked = try Workspace<Double>(places.count * count)
    for (i, place) in places.enumerated() {
      (picked.pointer + i * count).update(from: coordinates.base + place * count, count: count)
    }
    return (StridedMatrix(picked.pointer, rows: places.count, cols: count), picked)
  }

  /// An estimate of the error of value i: its residual r, or r^2 over the distance to the nearest other value, shortened by three times
  /// what that value moved since the last look. A distance that still shrinks would promise too much.
  func error(_ i: Int) -> Double {
    let r = residuals[i]
    var gap = Double.infinity
    for j in [i - 1, i + 1] where j >= 0 && j < count { gap = min(gap, abs(values[j] - values[i]) - 3 * moves[j]) }
    return gap > r && gap < .infinity ? r * r / gap : r
  }

  /// Compares with the values of a smaller space, counted from the nearer end.
  mutating func setMoves(since before: [Double]) {
    for i in 0..<count {
      let j = i < count / 2 ? i : i - (count - before.count)
      moves[i] = j >= 0 && j < before.count ? abs(values[i] - before[j]) : .infinity
    }
  }
}
