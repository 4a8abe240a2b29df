import NumericCore

// A plan as bytes: a mark, a version, the fields in order as little-endian 64-bit words, and a checksum over all of it.

extension KernelPlan {
  private static let mark = Array("NTKPLAN2".utf8)

  /// The plan as bytes that any process can read.
  public var bytes: [UInt8] {
    var out = WordWriter(bytes: KernelPlan.mark)
    out.put(network)
    out.put(width)
    out.put(elementSize)
    out.put((fields.nngp ? 1 : 0) + (fields.ntk ? 2 : 0))
    switch content {
    case .pointwise(let plan):
      out.put(0)
      plan.write(to: &out)
    }
    var sum = Fingerprint()
    sum.add(out.bytes)
    out.put(sum.value)
    return out.bytes
  }

  /// The plan that `bytes` hold; throws where they are damaged, of another version, or nothing of the kind.
  public init(bytes: [UInt8]) throws(NumericError) {
    let body = Array(bytes.dropLast(8))
    var sum = Fingerprint()
    sum.add(body)
    var last = WordReader(bytes: bytes, at: body.count)
    guard bytes.count > 16, body.starts(with: KernelPlan.mark), try last.word() == sum.value else {
      throw .invalid(
        "[kernel_plan] needs the bytes of a plan of this version, whole. Received \(bytes.count) bytes that are not.")
    }
    var reader = WordReader(bytes: body, at: KernelPlan.mark.count)
    network = try reader.word()
    width = try reader.count(upTo: Int(Int32.max))
    elementSize = try reader.count(upTo: 8)
    let wanted = try reader.count(upTo: 3)
    fields = KernelFields(nngp: wanted & 1 != 0, ntk: wanted & 2 != 0)
    guard elementSize == 4 || elementSize == 8, try reader.word() == 0 else { throw WordReader.damaged }
    content = .pointwise(try PointwisePlan(from: &reader))
    guard reader.isAtEnd else { throw WordReader.damaged }
  }
}

extension PointwisePlan {
  fileprivate func write(to out: inout WordWriter) {
    out.put(deviations)
    out.put(series.count)
    for list in series {
      out.put(list.count)
      for one in list {
        out.put(one.terms)
        out.put(one.deviations)
        out.put(one.missed)
      }
    }
    out.put(pairs.count)
    for pair in pairs {
      out.put(pair.isWide ? 1 : 0)
      out.put(pair.reaches.count)
      for reach in pair.reaches { out.put(reach.rawValue) }
      for profile in [pair.profile, pair.floatProfile] { out.put(profile) }
    }
  }

  fileprivate init(from reader: inout WordReader) throws(NumericError) {
    deviations = try reader.range()
    let blocks = try reader.count(upTo: 4096)
    for _ in 0..<blocks {
      var list: [SeriesPlan] = []
      for _ in 0..<(try reader.count(upTo: 1 << 20)) {
        let terms = try reader.count(upTo: 1 << 16)
        let (deviations, missed) = (try reader.range(), try reader.number())
        guard terms >= 1 else { throw WordReader.damaged }
        list.append(SeriesPlan(terms: terms, deviations: deviations, missed: missed))
      }
      series.append(list)
    }
    guard try reader.count(upTo: 1 << 24) == blocks * blocks else { throw WordReader.damaged }
    for _ in 0..<(blocks * blocks) {
      let isWide = try reader.count(upTo: 1) == 1
      var reaches: [ReLUReach] = []
      for _ in 0..<(try reader.count(upTo: 1 << 20)) {
        guard let reach = ReLUReach(rawValue: try reader.count(upTo: 255)) else { throw WordReader.damaged }
        reaches.append(reach)
      }
      pairs.append(PairPlan(reaches: reaches, profile: try reader.profile(), floatProfile: try reader.profile(), isWide: isWide))
    }
  }
}

/// Writes 64-bit words.
struct WordWriter {
  var bytes: [UInt8]

  mutating func put(_ word: UInt64) {
    for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
  }

  mutating func put(_ number: Int) { put(UInt64(bitPattern: Int64(number))) }
  mutating func put(_ number: Double) { put(number.bitPattern) }

  mutating func put(_ range: NumberRange) {
    put(range.least)
    put(range.largest)
  }

  mutating func put(_ numbers: [Double]?) {
    put(numbers?.count ?? -1)
    for x in numbers ?? [] { put(x) }
  }

  mutating func put(_ profile: AngularProfile?) {
    guard let profile else { return put(0) }
    put(profile.needsEqualLengths ? 2 : 1)
    put(profile.ntk)
    put(profile.correlation)
    for x in [profile.ntkWhenEqual, profile.correlationWhenEqual, profile.outputDeviation] { put(x) }
  }
}

/// Reads them again, and throws where they end early or say what no plan says.
struct WordReader {
  let bytes: [UInt8]
  var at: Int

  static let damaged = NumericError.invalid("[kernel_plan] needs the bytes of a plan, unchanged. Received damaged ones.")

  var isAtEnd: Bool { at == bytes.count }

  mutating func word() throws(NumericError) -> UInt64 {
    guard at >= 0, bytes.count - at >= 8 else { throw WordReader.damaged }
    defer { at += 8 }
    return (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[at + $1]) << UInt64(8 * $1) }
  }

  mutating func count(upTo most: Int) throws(NumericError) -> Int {
    let count = Int64(bitPattern: try word())
    guard count >= 0, count <= Int64(most) else { throw WordReader.damaged }
    return Int(count)
  }

  mutating func number() throws(NumericError) -> Double {
    let number = Double(bitPattern: try word())
    guard number.isFinite else { throw WordReader.damaged }
    return number
  }

  mutating func range() throws(NumericError) -> NumberRange {
    NumberRange(least: try number(), largest: try number())
  }

  /// Coefficients of a profile come in fours.
  private mutating func coefficients() throws(NumericError) -> [Double]? {
    let count = Int64(bitPattern: try word())
    if count == -1 { return nil }
    guard count >= 4, count <= 1024, count % 4 == 0 else { throw WordReader.damaged }
    var all: [Double] = []
    for _ in 0..<count { all.append(try number()) }
    return all
  }

  mutating func profile() throws(NumericError) -> AngularProfile? {
    let kind = try count(upTo: 2)
    guard kind > 0 else { return nil }
    let (ntk, correlation) = (try coefficients(), try coefficients())
    let (ntkWhenEqual, correlationWhenEqual, deviation) = (try number(), try number(), try number())
    guard deviation > 0 else { throw WordReader.damaged }
    return AngularProfile(
      ntk: ntk, correlation: correlation, ntkWhenEqual: ntkWhenEqual, correlationWhenEqual: correlationWhenEqual,
      outputDeviation: deviation, needsEqualLengths: kind == 2)
  }
}
