/// How far gaps reach where a polynomial is used: the smaller, the fewer terms.
enum GapReach {
  /// Up to 1.
  case whole
  /// Up to 0.7.
  case wide
  /// Up to 0.45.
  case narrow
  /// Up to 0.32.
  case tight
}

/// t / sin t as a polynomial in the gap 1 - cos t: about one unit in the last place.
///
/// Truncated Chebyshev series of (t / sin t - 1) / gap, so that the value at 0 is exactly 1. The coefficients are read from memory,
/// where each stands once per lane: an operand of its multiplication, no broadcast and no register.
struct AngleRatio<L: Lanes> {
  private let coefficients: UnsafeRawPointer
  private let degree: Int

  @inline(__always) init(_ reach: GapReach) { (coefficients, degree) = L.angleRatio(reach) }
  @inline(__always) func callAsFunction(_ gap: L) -> L { L.angleRatio(gap, coefficients, degree: degree) }
}

/// asin(sqrt(z)) / sqrt(z) as a polynomial in z, for z in [0, 1/2]: about one unit in the last place.
struct ArcsineRatio<L: Lanes> {
  private let coefficients: UnsafeRawPointer
  private let degree: Int

  @inline(__always) init() { (coefficients, degree) = L.arcsineRatio() }
  @inline(__always) func callAsFunction(_ z: L) -> L { L.arcsineRatio(z, coefficients, degree: degree) }
}

extension DoubleLanes {
  @inline(__always) static func arcsineRatio() -> (UnsafeRawPointer, degree: Int) { (AngleTables.float64Arcsine, 17) }
  @inline(__always) static func arcsineRatio(_ z: DoubleLanes, _ c: UnsafeRawPointer, degree: Int) -> DoubleLanes {
    polynomial(z, c, degree: degree)
  }
  @inline(__always) static func angleRatio(_ reach: GapReach) -> (UnsafeRawPointer, degree: Int) {
    switch reach {
    case .whole: (AngleTables.float64Whole, 20)
    case .wide: (AngleTables.float64Wide, 16)
    case .narrow: (AngleTables.float64Narrow, 13)
    case .tight: (AngleTables.float64Tight, 11)
    }
  }
  @inline(__always) static func angleRatio(_ gap: DoubleLanes, _ c: UnsafeRawPointer, degree: Int) -> DoubleLanes {
    polynomial(gap, c, degree: degree)
  }
}

extension FloatLanes {
  @inline(__always) static func arcsineRatio() -> (UnsafeRawPointer, degree: Int) { (AngleTables.float32Arcsine, 7) }
  @inline(__always) static func arcsineRatio(_ z: FloatLanes, _ c: UnsafeRawPointer, degree: Int) -> FloatLanes {
    polynomial(z, c, degree: degree)
  }
  @inline(__always) static func angleRatio(_ reach: GapReach) -> (UnsafeRawPointer, degree: Int) {
    switch reach {
    case .whole: (AngleTables.float32Whole, 9)
    case .wide: (AngleTables.float32Wide, 7)
    case .narrow: (AngleTables.float32Narrow, 6)
    case .tight: (AngleTables.float32Tight, 5)
    }
  }
  @inline(__always) static func angleRatio(_ gap: FloatLanes, _ c: UnsafeRawPointer, degree: Int) -> FloatLanes {
    polynomial(gap, c, degree: degree)
  }
}

/// c0 + c1 x + ... from coefficients in memory, lowest first; even and odd powers apart, two chains that run side by side.
@inline(__always)
func polynomial<L: Lanes>(_ x: L, _ c: UnsafeRawPointer, degree: Int) -> L {
  let x2 = x * x
  var high = L.coefficient(c, index: degree)
  var low = L.coefficient(c, index: degree &- 1)
  var k = degree &- 2
  while k > 0 {
    high = L.fma(x2, high, .coefficient(c, index: k))
    low = L.fma(x2, low, .coefficient(c, index: k &- 1))
    k = k &- 2
  }
  // `high` holds the powers of the degree's parity, down to 0 or 1.
  return k == 0 ? L.fma(x, low, L.fma(x2, high, .coefficient(c, index: 0))) : L.fma(x, high, low)
}

private enum AngleTables {
  // Degree 20, relative error 1.1e-16.
  nonisolated(unsafe) static let float64Whole: UnsafeRawPointer = constants(
    [
      1, 0.33333333333333323786, 0.13333333333340859261, 0.057142857133007077073, 0.025396825907843781654,
      0.011543997545483203581, 0.0053282391776731100258, 0.0024838076286979697231, 0.0011902843904208329149,
      0.0004395054656192323004, 0.00075091082592749123002, -0.0014458774101586917791, 0.0039610864856870798199,
      -0.0074413698698642830381, 0.011042347067442745183, -0.012437210916886224172, 0.010552391369060498496,
      -0.0065133231210785674448, 0.002775972086864068942, -0.00073224934412764864062, 0.000091465706542978946593,
    ] as [Double])

  // Degree 16, relative error 4.3e-17.
  nonisolated(unsafe) static let float64Wide: UnsafeRawPointer = constants(
    [
      1, 0.33333333333333326751, 0.13333333333338089369, 0.057142857137160293671, 0.025396825666088429679,
      0.011544004875669821648, 0.0053281049087228358152, 0.0024854297983715811338, 0.001176607066786921233,
      0.0005230846543810852677, 0.00037121772701183171279, -0.00014218122632360413716, 0.00054567010138531955669,
      -0.00059136807964355765877, 0.00055193970335053285691, -0.00028145996759626145086, 0.000078907761655065277735,
    ] as [Double])

  // Degree 13, relative error 4.0e-17.
  nonisolated(unsafe) static let float64Narrow: UnsafeRawPointer = constants(
    [
      1, 0.33333333333333339873, 0.13333333333328466375, 0.057142857148849187562, 0.025396825107538738543,
      0.01154401878210890032, 0.00532789790790021628, 0.0024874212020804998393, 0.0011636384842620626217,
      0.00058179901333980873876, 0.00018404275784290331494, 0.00027884168429420366977, -0.00011872326736735208634,
      0.00013751961678116160804,
    ] as [Double])

  // Degree 11, relative error 8.0e-17.
  nonisolated(unsafe) static let float64Tight: UnsafeRawPointer = constants(
    [
      1, 0.3333333333333336012, 0.1333333333331323108, 0.05714285716775673157, 0.02539682419633682229, 0.01154404114701131278,
      0.00532758110143270175, 0.002490171144425514113, 0.001148761585993854891, 0.0006304697101413910978,
      0.00009974396192621962813, 0.0003108891899622875587,
    ] as [Double])

  // Degree 9, relative error 3.3e-8.
  nonisolated(unsafe) static let float32Whole: UnsafeRawPointer = constants(
    [
      1, 0.33333336959, 0.13332765008, 0.057288432369, 0.023975467888, 0.0183957566, -0.012814554202, 0.029655125008,
      -0.020842956005, 0.0084779849874,
    ] as [Float])

  // Degree 7, relative error 3.8e-8.
  nonisolated(unsafe) static let float32Wide: UnsafeRawPointer = constants(
    [
      1, 0.33333338363, 0.13332648714, 0.05729367479, 0.024167719332, 0.016203950217, -0.0033317757341, 0.0095693095677,
    ] as [Float])

  // Degree 6, relative error 1.0e-8.
  nonisolated(unsafe) static let float32Narrow: UnsafeRawPointer = constants(
    [
      1, 0.33333331185, 0.13333670112, 0.057057970426, 0.026168840907, 0.0084542948071, 0.010651005368,
    ] as [Float])

  // Degree 5, relative error 1.6e-8.
  nonisolated(unsafe) static let float32Tight: UnsafeRawPointer = constants(
    [1, 0.33333338747, 0.13332501838, 0.057345491131, 0.023696958214, 0.017125005696] as [Float])

  // Chebyshev fits of (ratio - 1) / z. 17 terms: error 4e-16 at z = 1/2.
  nonisolated(unsafe) static let float64Arcsine: UnsafeRawPointer = constants(
    [
      1, 0.1666666666666671058, 0.07499999999949282671, 0.04464285723983625745, 0.03038193712905003139, 0.02237244847141770579,
      0.01734584743591421482, 0.01407336263992776102, 0.01037471749504594341, 0.01888750254467092015, -0.04321921537313774329,
      0.2223482272515229376, -0.6539078548835734208, 1.484909738243966945, -2.351887223359218034, 2.547814395162930084,
      -1.675148499441473914, 0.526430877834694224,
    ] as [Double])

  // Seven terms: error 6e-8 at z = 1/2.
  nonisolated(unsafe) static let float32Arcsine: UnsafeRawPointer = constants(
    [
      1, 0.1666667358, 0.07498651663, 0.04506449316, 0.02554884319, 0.04787879048, -0.04761474777, 0.08429820193,
    ] as [Float])

  private static func constants<Element>(_ values: [Element]) -> UnsafeRawPointer {
    let lanes = 64 / MemoryLayout<Element>.stride
    let room = UnsafeMutableRawPointer.allocate(byteCount: 64 * values.count, alignment: 64)
    let table = room.bindMemory(to: Element.self, capacity: values.count * lanes)
    for (i, x) in values.enumerated() { (table + i * lanes).initialize(repeating: x, count: lanes) }
    return UnsafeRawPointer(room)
  }
}
