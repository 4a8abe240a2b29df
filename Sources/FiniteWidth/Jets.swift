import NumericCore

/// Arithmetic of directional derivatives.
///
/// A *jet* of order k holds a value and its mixed derivatives along k directions: 2^k parts, numbered by the set (bit mask) of directions
/// that are differentiated. Part 0 is the value, part 1 the derivative along direction 0, part 3 the second derivative along both. With
/// nilpotent e_i (e_i^2 = 0) a jet is x + x_1 e_1 + x_2 e_2 + x_12 e_1 e_2, and every rule below is what that algebra gives.
enum Jets {
  /// Derivatives that nonlinearities know: a forward pass along k directions needs k of them, a backward pass one more.
  static let maxSlopeOrder = 3

  /// Calls `body(a, b)` for all pairs of disjoint sets with union `set`: the terms of part `set` of a product.
  @inline(__always)
  static func forEachSplit(
    _ set: Int, _ body: (_ a: Int, _ b: Int) throws(NumericError) -> Void
  ) throws(NumericError) {
    var a = set
    while true {
      try body(a, set & ~a)
      if a == 0 { return }
      a = (a &- 1) & set
    }
  }

  /// The same for a body that does not fail.
  @inline(__always)
  static func forEachSplit(_ set: Int, _ body: (_ a: Int, _ b: Int) -> Void) {
    var a = set
    while true {
      body(a, set & ~a)
      if a == 0 { return }
      a = (a &- 1) & set
    }
  }

  /// All partitions of `set` into non-empty blocks: the terms of part `set` of a function of a jet (Faa di Bruno).
  static func partitions(_ set: Int) -> [[Int]] {
    guard set != 0 else { return [[]] }
    let lowest = set & -set
    var result: [[Int]] = []
    forEachSplit(set & ~lowest) { rest, others in
      for partition in partitions(others) { result.append([lowest | rest] + partition) }
    }
    return result
  }

  /// All ways to hand the directions of `set` to `count` factors: the terms of part `set` of a product of many.
  static func assignments(_ set: Int, to count: Int) -> [[Int]] {
    guard count > 1 else { return [[set]] }
    var result: [[Int]] = []
    forEachSplit(set) { a, b in
      for rest in assignments(b, to: count - 1) { result.append([a] + rest) }
    }
    return result
  }
}

/// Sums of products of arrays, number by number.
struct ProductSum {
  private let out: UnsafeMutablePointer<Double>
  private let count: Int
  private var isEmpty: Bool

  /// A sum that starts at zero, or at what `out` holds.
  init(_ out: UnsafeMutablePointer<Double>, _ count: Int, adding: Bool) {
    self.out = out
    self.count = count
    isEmpty = !adding
  }

  /// Adds the sum of the products of each of `terms`.
  mutating func add(_ terms: [[UnsafeMutablePointer<Double>]]) {
    // The cotangent of an activation in a Hessian-vector product: one pass instead of two.
    if isEmpty, terms.count == 2, terms[0].count == 2, terms[1].count == 3 {
      let (a, b, c, d, e) = (terms[0][0], terms[0][1], terms[1][0], terms[1][1], terms[1][2])
      for i in 0..<count { out[i] = a[i] * b[i] + c[i] * d[i] * e[i] }
      isEmpty = false
      return
    }
    for term in terms { add(term) }
  }

  /// Adds the product of `factors`.
  mutating func add(_ factors: [UnsafeMutablePointer<Double>]) {
    switch factors.count {
    case 0: return
    case 1: addOne(factors[0])
    case 2: addTwo(factors[0], factors[1])
    case 3: addThree(factors[0], factors[1], factors[2])
    default: addMany(factors)
    }
    isEmpty = false
  }

  /// Sets the sum to zero if nothing was added.
  func finish() { if isEmpty { out.update(repeating: 0, count: count) } }

  private func addOne(_ a: UnsafeMutablePointer<Double>) {
    if isEmpty { out.update(from: a, count: count) } else { for i in 0..<count { out[i] += a[i] } }
  }

  private func addTwo(_ a: UnsafeMutablePointer<Double>, _ b: UnsafeMutablePointer<Double>) {
    if isEmpty {
      for i in 0..<count { out[i] = a[i] * b[i] }
    } else {
      for i in 0..<count { out[i] += a[i] * b[i] }
    }
  }

  private func addThree(
    _ a: UnsafeMutablePointer<Double>, _ b: UnsafeMutablePointer<Double>, _ c: UnsafeMutablePointer<Double>
  ) {
    if isEmpty {
      for i in 0..<count { out[i] = a[i] * b[i] * c[i] }
    } else {
      for i in 0..<count { out[i] += a[i] * b[i] * c[i] }
    }
  }

  private func addMany(_ factors: [UnsafeMutablePointer<Double>]) {
    for i in 0..<count {
      var product = 1.0
      for factor in factors { product *= factor[i] }
      out[i] = isEmpty ? product : out[i] + product
    }
  }
}
