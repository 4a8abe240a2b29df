import NumericCore
import Testing

@Suite struct PhiloxTests {
  /// numpy.random.Philox(key=[1, 2], counter=[3, 4, 5, 6]).random_raw(5), NumPy 2.4.
  @Test func rawWordsEqualNumPys() throws {
    let expected: [UInt64] = [
      9255149540171158142, 2043208287545267464, 15009128581364441760, 15455447760629209550, 47206410336271039,
    ]
    var words = [UInt64](repeating: 0, count: 5)
    try PhiloxStream(key: (1, 2), counter: (3, 4, 5, 6)).fillRaw(&words, count: 5)
    #expect(words == expected)
  }

  @Test func counterCarriesLikeNumPys() throws {
    let stream = PhiloxStream(key: (7, 0), counter: (.max, .max, 0, 0))
    var words = [UInt64](repeating: 0, count: 4)
    try stream.fillRaw(&words, count: 4)
    var next = [UInt64](repeating: 0, count: 4)
    try PhiloxStream(key: (7, 0), counter: (.max, .max, 0, 0)).fillRaw(&next, count: 4)
    #expect(words == next)
    // Counter 2^128 - 1 plus one is 2^128: the third word carries.
    let carried = PhiloxStream(key: (7, 0), counter: (.max, .max, .max, 0)).block(0)
    let direct = PhiloxStream(key: (7, 0), counter: (.max, .max, .max, .max)).block(0)
    #expect(carried != direct)
  }

  @Test func normalNumbersHaveUnitMoments() throws {
    let count = 100_000
    var z = [Double](repeating: 0, count: count)
    try PhiloxStream(key: (42, 0)).fillNormal(&z, count: count)
    let mean = z.reduce(0, +) / Double(count)
    let variance = z.reduce(0) { $0 + $1 * $1 } / Double(count)
    let fourth = z.reduce(0) { $0 + $1 * $1 * $1 * $1 } / Double(count)
    // Four standard errors: 1/sqrt(n), sqrt(2/n), sqrt(96/n).
    #expect(abs(mean) < 4 / Double(count).squareRoot())
    #expect(abs(variance - 1) < 4 * (2 / Double(count)).squareRoot())
    #expect(abs(fourth - 3) < 4 * (96 / Double(count)).squareRoot())
  }

  @Test func aShortRequestIsAPrefixOfALongOne() throws {
    let stream = PhiloxStream(key: (5, 6))
    var (short, long) = ([Double](repeating: 0, count: 7), [Double](repeating: 0, count: 64))
    try stream.fillNormal(&short, count: 7)
    try stream.fillNormal(&long, count: 64)
    #expect(short == Array(long.prefix(7)))
  }
}
