import VectorKernelProduct
import NumericCore

/// The inputs of one side: contiguous rows, their lengths, and exact gaps of nearly parallel pairs.
///
/// Rows far from unit scale are copied with a power of two taken out, so that products neither overflow nor vanish.
final class InputRows<Element: RowElement>: @unchecked Sendable {
  let count: Int
  let dimension: Int
  /// Contiguous rows, `leading` elements apart.
  let base: UnsafePointer<Element>
  let leading: Int
  /// 1 / |row| of the rows behind `base`, in float64 and in the strip's type; 0 for rows of zeros. Padded.
  let inverseLengths: Workspace<Double>
  let inverseLengthElements: Workspace<Element>
  /// Standard deviation |x| / sqrt(d) of each original row.
  let deviations: Workspace<Double>
  let hasZeroRow: Bool
  private let copy: Workspace<Element>?

  init(_ inputs: Inputs<Element>, name: String, context: CallContext) throws(NumericError) {
    let (x, own) = try InputRows.matrix(inputs, name, context)
    count = x.rows
    dimension = x.cols
    let padded = (count + 63) / 32 * 32
    inverseLengths = try Workspace<Double>(padded, zeroed: true)
    inverseLengthElements = try Workspace<Element>(padded, zeroed: true)
    deviations = try Workspace<Double>(max(count, 1), zeroed: true)
    guard dimension >= 1, dimension <= Int(Int32.max) else {
      throw .invalid("[kernel] \(name) needs 1 to \(Int32.max) columns. Received \(dimension).")
    }
    var exponents = [Int](repeating: 0, count: count)
    var needsScaling = false
    var foundZero = false
    for i in 0..<count {
      let (length, exponent) = try InputRows.length(x, i, name)
      exponents[i] = exponent
      if exponent != 0 { needsScaling = true }
      if length == 0 { foundZero = true }
      inverseLengths.pointer[i] = length > 0 ? 1 / length : 0
      inverseLengthElements.pointer[i] = Element(inverseLengths.pointer[i])
      deviations.pointer[i] = Double(sign: .plus, exponent: exponent, significand: length) / Double(dimension).squareRoot()
    }
    hasZeroRow = foundZero
    if x.hasContiguousRows, !needsScaling {
      (base, leading, copy) = (UnsafePointer(x.base), x.rowStride, own)
      return
    }
    let room = try InputRows.room(count, dimension, name, context)
    defer { withExtendedLifetime(own) {} }
    for i in 0..<count {
      let factor = Element(sign: .plus, exponent: Element.Exponent(-exponents[i]), significand: 1)
      for k in 0..<dimension { room.pointer[i * dimension + k] = x[i, k] * factor }
    }
    (base, leading, copy) = (UnsafePointer(room.pointer), dimension, room)
  }

  /// The inputs as a matrix; with the memory behind it where their axes had to be copied into rows.
  private static func matrix(
    _ inputs: Inputs<Element>, _ name: String, _ context: CallContext
  ) throws(NumericError) -> (StridedMatrix<Element>, Workspace<Element>?) {
    switch inputs {
    case .arrays(let array):
      if let rows = array.rows { return (rows, nil) }
      let (count, dimension) = (inputs.count, array.countPerEntry)
      let room = try room(count, dimension, name, context)
      for i in 0..<count { array.copyEntry(i, to: room.pointer + i * dimension) }
      return (StridedMatrix(room.pointer, rows: count, cols: dimension), room)
    }
  }

  private static func room(
    _ count: Int, _ dimension: Int, _ name: String, _ context: CallContext
  ) throws(NumericError) -> Workspace<Element> {
    let bytes = checkedProduct(count, dimension).flatMap { checkedProduct($0, MemoryLayout<Element>.stride) }
    try context.reserve(bytes, for: "a contiguous copy of \(name)", instead: "Pass a C-contiguous array.")
    return try Workspace<Element>(count * dimension)
  }

  /// |row| divided by 2^exponent; the exponent is 0 unless the row is far from unit scale.
  private static func length(_ x: StridedMatrix<Element>, _ i: Int, _ name: String) throws(NumericError) -> (Double, Int) {
    var largest = 0.0
    var sum = 0.0
    for k in 0..<x.cols {
      let value = Double(x[i, k])
      guard value.isFinite else {
        throw .invalid("[kernel] \(name) must be finite. Received \(value) at [\(i), \(k)].", index: (i, k))
      }
      largest = max(largest, abs(value))
      sum += value * value
    }
    guard largest > 0 else { return (0, 0) }
    let limit = Element.self == Float.self ? 0x1p+20 : 0x1p+200
    if largest < limit, largest > 1 / limit { return (sum.squareRoot(), 0) }
    let exponent = Int(largest.exponent)
    sum = 0
    for k in 0..<x.cols {
      let value = Double(sign: .plus, exponent: -exponent, significand: Double(x[i, k]))
      sum += value * value
    }
    return (sum.squareRoot(), exponent)
  }

  /// The signed gap of row i and row j of `other` from the difference of the unit rows: exact where rho is near 1 or -1.
  func gap(_ i: Int, _ other: InputRows<Element>, _ j: Int, negative: Bool) -> Double {
    let (a, b) = (base + i * leading, other.base + j * other.leading)
    let (u, v) = (inverseLengths.pointer[i], other.inverseLengths.pointer[j])
    if u == 0 || v == 0 { return u == v ? 0 : 1 }
    let square = Element.squaredDistance(a, u, b, negative ? -v : v, dimension)
    let size = min(0.5 * square, 1)
    return negative ? -size : size
  }
}
