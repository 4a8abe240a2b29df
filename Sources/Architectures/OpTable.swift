import NumericCore

/// One record of an op table: the flat form in which a layer tree crosses the C ABI (`ntk_op`).
public struct OpRecord: Sendable {
  /// What the layer is: an `ntk_op_kind`, or the code of an activation.
  public var kind: Int32
  /// Children that stand before it.
  public var arity: Int32
  /// Its part of the pool of integers: where it starts, and how many.
  public var integers: (first: Int64, count: Int64)
  /// Its part of the pool of real numbers.
  public var reals: (first: Int64, count: Int64)

  /// A record with the given fields.
  public init(
    kind: Int32, arity: Int32 = 0, integers: (first: Int64, count: Int64) = (0, 0), reals: (first: Int64, count: Int64) = (0, 0)
  ) {
    self.kind = kind
    self.arity = arity
    self.integers = integers
    self.reals = reals
  }
}

/// A network in flat form: records in postfix order, and the two pools of numbers that they take parts of.
public struct OpTable: Sendable {
  /// Children, then their node.
  public var records: [OpRecord]
  /// Whole numbers of all records.
  public var integers: [Int64]
  /// Real numbers of all records.
  public var reals: [Double]

  /// A table with the given parts.
  public init(records: [OpRecord] = [], integers: [Int64] = [], reals: [Double] = []) {
    self.records = records
    self.integers = integers
    self.reals = reals
  }

  /// Appends a record with numbers of its own.
  public mutating func add(_ kind: Int32, arity: Int32 = 0, integers: [Int64] = [], reals: [Double] = []) {
    records.append(
      OpRecord(
        kind: kind, arity: arity, integers: (Int64(self.integers.count), Int64(integers.count)),
        reals: (Int64(self.reals.count), Int64(reals.count))))
    self.integers += integers
    self.reals += reals
  }
}

/// Reads the numbers of one record in order. Every number is there, or reading it is an error.
struct OpCursor {
  let kind: Int32
  /// Place of the record in its table.
  let position: Int
  private var integers: ArraySlice<Int64>
  private var reals: ArraySlice<Double>

  /// At the first numbers of a record; throws where its parts are not in the pools.
  init(_ table: OpTable, at position: Int) throws(NumericError) {
    let record = table.records[position]
    kind = record.kind
    self.position = position
    integers = try OpCursor.part(table.integers, record.integers, "integers", position)
    reals = try OpCursor.part(table.reals, record.reals, "reals", position)
  }

  private static func part<Number>(
    _ pool: [Number], _ part: (first: Int64, count: Int64), _ name: String, _ position: Int
  ) throws(NumericError) -> ArraySlice<Number> {
    guard part.first >= 0, part.count >= 0, part.first <= Int64(pool.count), part.count <= Int64(pool.count) - part.first else {
      throw .invalid(
        "[architecture] layer \(position) needs its \(name) in the table. Received \(part.count) from \(part.first) of \(pool.count)."
      )
    }
    return pool[Int(part.first)..<Int(part.first + part.count)]
  }

  /// The next integer.
  mutating func integer() throws(NumericError) -> Int64 {
    guard let next = integers.popFirst() else { throw missing("integers") }
    return next
  }

  /// The next real number.
  mutating func real() throws(NumericError) -> Double {
    guard let next = reals.popFirst() else { throw missing("real numbers") }
    return next
  }

  /// All real numbers that are left.
  mutating func remainingReals() -> [Double] {
    defer { reals = [] }
    return Array(reals)
  }

  /// Throws where numbers are left that no layer asked for.
  func finish() throws(NumericError) {
    guard integers.isEmpty, reals.isEmpty else {
      throw .invalid(
        "[architecture] layer \(position) has numbers that its kind \(kind) does not take. Received \(integers.count) integers and "
          + "\(reals.count) real numbers too many.")
    }
  }

  private func missing(_ what: String) -> NumericError {
    .invalid("[architecture] layer \(position) needs more \(what) for its kind \(kind). Received too few.")
  }
}
