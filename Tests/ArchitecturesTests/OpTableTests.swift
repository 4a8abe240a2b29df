import Architectures
import NumericCore
import Testing

@Suite struct OpTableTests {
  @Test func aSerialNetworkDecodes() throws {
    let table = [
      OpRecord(kind: 4, integers: (8, 1, 1, 1), reals: (1.5, 0.1, 0, 0, 0, 0)), OpRecord(kind: 100, reals: (0, 1, 0, 0, 0, 0)),
      OpRecord(kind: 4, integers: (1, 0, 1, 1), reals: (1, 0, 0, 0, 0, 0)), OpRecord(kind: 1, arity: 3),
    ]
    let node = try OpTableDecoder.decode(table, coefficients: [])
    guard case .serial(let layers) = node else {
      Issue.record("not serial: \(node)")
      return
    }
    #expect(layers.count == 3)
    #expect(layers[1] == .activation(.abRelu(a: 0, b: 1)))
    #expect(node.denseLayers.map(\.index) == [0, 1])
    #expect(node.denseLayers[0].hasBias && node.denseLayers[0].biasStd == 0.1)
    #expect(!node.denseLayers[1].hasBias)
  }

  @Test func malformedTablesAreErrors() {
    let nan = Double.nan
    let bad: [[OpRecord]] = [
      [], [OpRecord(kind: 77)], [OpRecord(kind: 1, arity: 1)], [OpRecord(kind: 1, arity: -1)],
      [OpRecord(kind: 3), OpRecord(kind: 3)],
      [OpRecord(kind: 3, arity: 1)], [OpRecord(kind: 4, integers: (0, 0, 1, 1), reals: (1, 0, 0, 0, 0, 0))],
      [OpRecord(kind: 4, integers: (1, 0, 1, 1), reals: (nan, 0, 0, 0, 0, 0))],
      [OpRecord(kind: 4, integers: (1, 0, 0, 1), reals: (1, 0, 0, 0, 0, 0))], [OpRecord(kind: 5)],
      [OpRecord(kind: 8, integers: (7, 0, 0, 0))], [OpRecord(kind: 9, reals: (-1, 0, 0, 0, 0, 0))], [OpRecord(kind: 10)],
      [OpRecord(kind: 112, integers: (0, 3, 0, 0))], [OpRecord(kind: 112, integers: (.max, 3, 0, 0))],
      [OpRecord(kind: 113, integers: (21, 0, 0, 0))], [OpRecord(kind: 114, integers: (99, 0, 0, 0))],
      [OpRecord(kind: 115, integers: (-1, 0, 0, 0))], [OpRecord(kind: .min, arity: .min)],
    ]
    for table in bad {
      #expect(throws: NumericError.self, "\(table)") { try OpTableDecoder.decode(table, coefficients: [1, 2]) }
    }
  }

  @Test func nestingIsBounded() {
    var table = [OpRecord(kind: 3)]
    for _ in 0..<OpTableDecoder.maxDepth { table.append(OpRecord(kind: 1, arity: 1)) }
    #expect(throws: NumericError.self) { try OpTableDecoder.decode(table, coefficients: []) }
    #expect(throws: Never.self) { try OpTableDecoder.decode(Array(table.dropLast()), coefficients: []) }
  }

  /// Random tables, most of them nonsense: each gives a tree or an error.
  @Test func randomTablesNeverTrap() throws {
    let stream = PhiloxStream(key: (2024, 11))
    var words = [UInt64](repeating: 0, count: 400_000)
    try stream.fillRaw(&words, count: words.count)
    var next = words.makeIterator()
    let kinds: [Int32] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] + Array(100...118)
    let reals: [Double] = [0, 1, -1, 0.5, 1e300, -1e300, .nan, .infinity, 1e-300]
    let integers: [Int64] = [0, 1, 2, 3, -1, 64, 65, .max, .min, 1 << 40]
    func pick<T>(_ all: [T]) -> T { all[Int((next.next() ?? 0) % UInt64(all.count))] }
    var decoded = 0
    for _ in 0..<10_000 {
      let table = (0..<Int((next.next() ?? 0) % 8)).map { _ in
        OpRecord(
          kind: pick(kinds), arity: pick([0, 0, 0, 1, 2, 3, -1, .max]),
          integers: (pick(integers), pick(integers), pick(integers), pick(integers)),
          reals: (pick(reals), pick(reals), pick(reals), 0, 0, 0))
      }
      if (try? OpTableDecoder.decode(table, coefficients: [1, 2, 3])) != nil { decoded += 1 }
    }
    #expect(decoded > 0)
  }

  @Test(arguments: [
    (Activation.abRelu(a: 0, b: 1), "Relu()"), (.abRelu(a: 0.25, b: 1), "LeakyRelu(0.25)"),
    (.abRelu(a: 2, b: 3), "ABRelu(2.0, 3.0)"),
    (.erf(a: 1, b: 2, c: 0), "Erf(b=2.0)"), (.named(.tanh, parameter: 0, tolerance: 1e-8), "Tanh()"),
    (.named(.elu, parameter: 0.5, tolerance: 1e-8), "Elu(alpha=0.5)"), (.polynomial([0, 1]), "Polynomial([0.0, 1.0])"),
  ]) func messagesNameActivationsAsUsersWriteThem(activation: Activation, text: String) {
    #expect("\(activation)" == text)
  }
}
