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

  /// Block b belongs to counter + b + 1, a number of 256 bits: the block after the last one before a carry is the first after it.
  @Test func countersCarry() throws {
    let key: (UInt64, UInt64) = (7, 0)
    let carries: [((UInt64, UInt64, UInt64, UInt64), (UInt64, UInt64, UInt64, UInt64))] = [
      ((.max, 3, 5, 6), (0, 4, 5, 6)), ((.max, .max, 5, 6), (0, 0, 6, 6)), ((.max, .max, .max, 6), (0, 0, 0, 7)),
      ((.max, .max, .max, .max), (0, 0, 0, 0)),
    ]
    for (before, after) in carries {
      #expect(PhiloxStream(key: key, counter: before).block(1) == PhiloxStream(key: key, counter: after).block(0))
    }
    // numpy.random.Philox(key=[7, 0], counter=[2**64 - 1] * 2 + [5, 6]).random_raw(4), NumPy 2.4.
    let numPys: [UInt64] = [3766033928128124636, 8144964524907188928, 13109251115938795786, 4039596716667738710]
    let block = PhiloxStream(key: key, counter: (.max, .max, 5, 6)).block(0)
    #expect([block.0, block.1, block.2, block.3] == numPys)
  }

  @Test func uniformNumbersAreNeverZero() {
    #expect(PhiloxStream.uniform(0) == 0x1p-53 && PhiloxStream.uniform(.max) == 1)
    #expect(PhiloxStream.uniform(1 << 63) == 0.5 + 0x1p-53)
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
