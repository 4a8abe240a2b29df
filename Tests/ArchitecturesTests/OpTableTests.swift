import Activations
import Architectures
import NumericCore
import TestSupport
import Testing

@Suite struct OpTableTests {
  @Test func aSerialNetworkDecodes() throws {
    var table = OpTable()
    table.add(4, integers: [8, 1, 1, 1], reals: [1.5, 0.1])
    table.add(100, reals: [0, 1])
    table.add(4, integers: [1, 0, 1, 1], reals: [1, 0])
    table.add(1, arity: 3)
    let node = try OpTableDecoder.decode(table)
    guard case .serial(let layers) = node else {
      Issue.record("not serial: \(node)")
      return
    }
    #expect(layers.count == 3)
    #expect(layers[1] == .activation(.made("ABRelu", 0, 1)))
    #expect(node.denseLayers.map(\.index) == [0, 1])
    #expect(node.denseLayers[0].hasBias && node.denseLayers[0].biasStd == 0.1)
    #expect(!node.denseLayers[1].hasBias)
  }

  @Test func windowsHaveOneOrTwoAxes() throws {
    #expect(
      try single(11, [3, 1, 1, 1, 2, 1, 5, 4, 2, 1], [1.5, 0.5])
        == .convolution(
          ConvolutionLayer(
            dense: DenseLayer(index: -1, outDim: 3, weightStd: 1.5, biasStd: 0.5, hasBias: true),
            window: SlidingWindow(lengths: [5, 4], strides: [2, 1], padding: .same))))
    #expect(
      try single(12, [1, 0, 1, 2, 3, 2])
        == .pool(PoolingLayer(window: SlidingWindow(lengths: [3], strides: [2], padding: .circular), isMean: true)))
  }

  /// Every entry of the catalogue decodes from its code and the numbers of its parameters.
  @Test func everyActivationDecodes() throws {
    for activation in Catalogue.entries.flatMap(\.samples) {
      var (integers, reals): ([Int64], [Double]) = ([], [])
      for (i, value) in activation.values.enumerated() {
        switch activation.entry.parameters[min(i, activation.entry.parameters.count - 1)].domain {
        case .integer, .flag, .function: integers.append(Int64(value))
        case .real, .list: reals.append(value)
        }
      }
      #expect(try single(activation.entry.code, integers, reals) == .activation(activation))
    }
  }

  @Test func malformedLayersAreErrors() {
    let bad: [(Int32, [Int64], [Double])] = [
      (77, [], []), (4, [0, 0, 1, 1], [1, 0]), (4, [1, 0, 1, 1], [.nan, 0]), (4, [1, 0, 0, 1], [1, 0]), (4, [1, 0, 1, 1], [1]),
      (4, [1, 0, 1], [1, 0]), (4, [1, 0, 1, 1, 1], [1, 0]), (5, [], []), (8, [7], []), (9, [], [-1]), (10, [0], [0]),
      (11, [3, 0, 1, 1, 3, 0, 1, 1, 1, 1], [1, 0]), (12, [1, 0, 1, 0, 0, 1], []), (12, [1, 0, 1, 9, 2, 1], []),
      (12, [1, 0, 1, 0, .max, 1], []), (112, [], []), (113, [21], []), (114, [], []), (115, [-1, 0], [1e-8]),
      (100, [], [0, 1, 2]), (109, [1], []), (.min, [], []), (.max, [], []), (-1, [], []),
    ]
    for (kind, integers, reals) in bad {
      #expect(throws: NumericError.self, "\(kind) \(integers) \(reals)") { try single(kind, integers, reals) }
    }
  }

  @Test func malformedTreesAreErrors() {
    let bad: [[OpRecord]] = [
      [], [OpRecord(kind: 1, arity: 1)], [OpRecord(kind: 1, arity: -1)], [OpRecord(kind: 3), OpRecord(kind: 3)],
      [OpRecord(kind: 3, arity: 1)], [OpRecord(kind: .min, arity: .min)], [OpRecord(kind: 3, integers: (1, 0))],
      [OpRecord(kind: 3, reals: (.max, .max))], [OpRecord(kind: 5, integers: (-1, 1))],
    ]
    for records in bad {
      #expect(throws: NumericError.self, "\(records)") { try OpTableDecoder.decode(OpTable(records: records)) }
    }
  }

  @Test func nestingIsBounded() {
    var table = OpTable(records: [OpRecord(kind: 3)])
    for _ in 0..<OpTableDecoder.maxDepth { table.add(1, arity: 1) }
    #expect(throws: NumericError.self) { try OpTableDecoder.decode(table) }
    table.records.removeLast()
    #expect(throws: Never.self) { try OpTableDecoder.decode(table) }
  }

  /// Random tables, most of them nonsense: each gives a tree or an error.
  @Test func randomTablesNeverTrap() {
    let stream = PhiloxStream(key: (2024, 11))
    var words = [UInt64](repeating: 0, count: 400_000)
    stream.fillRaw(&words, count: words.count)
    var next = words.makeIterator()
    let kinds = Array(1...16) + Catalogue.entries.map(\.code) + [99, 114, 126]
    let reals: [Double] = [0, 1, -1, 0.5, 1e300, -1e300, .nan, .infinity, 1e-300]
    let integers: [Int64] = [0, 1, 2, 3, -1, 64, 65, .max, .min, 1 << 40]
    let counts: [Int64] = [0, 0, 1, 1, 2, 3, 4, -1, .max, .min]
    func pick<T>(_ all: [T]) -> T { all[Int((next.next() ?? 0) % UInt64(all.count))] }
    var decoded = 0
    for _ in 0..<20_000 {
      let records = (0..<Int((next.next() ?? 0) % 5)).map { _ in
        OpRecord(
          kind: pick(kinds), arity: pick([0, 0, 0, 1, 2, 3, -1, .max]), integers: (pick(counts), pick(counts)),
          reals: (pick(counts), pick(counts)))
      }
      let table = OpTable(
        records: records, integers: (0..<5).map { _ in pick(integers) }, reals: (0..<5).map { _ in pick(reals) })
      if (try? OpTableDecoder.decode(table)) != nil { decoded += 1 }
    }
    #expect(decoded > 0)
  }

  private func single(_ kind: Int32, _ integers: [Int64], _ reals: [Double] = []) throws -> LayerNode {
    var table = OpTable()
    table.add(kind, integers: integers, reals: reals)
    return try OpTableDecoder.decode(table)
  }
}
