import Activations
import NumericCore
import TestSupport
import Testing

/// What the entries of the catalogue say, against the functions themselves.
@Suite struct CatalogueTests {
  static let samples = Catalogue.entries.flatMap(\.samples)
  /// Off the points where a sum of them could vanish by chance.
  static let points = [0.13, 0.71, 1.37, 2.9]

  @Test func codesAndNamesAreUnique() {
    let entries = Catalogue.entries
    #expect(Set(entries.map(\.code)).count == entries.count)
    #expect(Set(entries.map(\.name)).count == entries.count)
    for entry in entries {
      #expect(entry.code >= 100 && !entry.name.isEmpty && !entry.source.isEmpty)
      #expect(Catalogue.entry(code: entry.code) === entry && Catalogue.entry(named: entry.name) === entry)
      // Descriptions that cross the C ABI have room for this.
      #expect(
        entry.parameters.count <= 8 && entry.name.utf8.count < 32 && entry.parameters.allSatisfy { $0.name.utf8.count < 32 })
    }
    #expect(Catalogue.entry(code: 99) == nil && Catalogue.entry(named: "gelu") == nil)
  }

  @Test(arguments: samples) func jetsAreDerivatives(activation: Activation) {
    guard let function = activation.function else { return }
    let h = 1e-4
    for x in Self.points.flatMap({ [$0, -$0] }) {
      let (jet, above, below) = (function.jet(x), function.jet(x + h), function.jet(x - h))
      for order in 0..<3 {
        let difference = (above[order] - below[order]) / (2 * h)
        #expect(abs(difference - jet[order + 1]) <= 1e-6 * (1 + abs(jet[order + 1])), "\(activation) at \(x), order \(order)")
      }
    }
  }

  @Test(arguments: samples) func arraysHoldWhatPointsHave(activation: Activation) throws {
    guard let function = activation.function else { return }
    let x = Self.points
    let jets = x.map { function.jet($0) }
    for orders in 1...4 {
      let out = try Workspace<Double>(orders * x.count)
      function.evaluate(x, x.count, into: (0..<orders).map { out.pointer + $0 * x.count })
      for order in 0..<orders { for i in x.indices { #expect(out[order * x.count + i] == jets[i][order]) } }
    }
    // In place.
    let both = try Workspace<Double>(2 * x.count)
    for i in x.indices { both[i] = x[i] }
    function.evaluate(both.pointer, x.count, into: [both.pointer, both.pointer + x.count])
    for i in x.indices { #expect(both[i] == jets[i][0] && both[x.count + i] == jets[i][1]) }
  }

  @Test(arguments: samples) func parityIsThatOfTheFunction(activation: Activation) {
    guard let function = activation.function else { return }
    let isOdd = Self.points.allSatisfy { close(function.jet(-$0)[0], -function.jet($0)[0]) }
    let isEven = Self.points.allSatisfy { close(function.jet(-$0)[0], function.jet($0)[0]) }
    #expect(activation.parity == (isOdd ? .odd : isEven ? .even : .none), "\(activation)")
  }

  @Test(arguments: samples) func homogeneityIsThatOfTheFunction(activation: Activation) {
    guard let function = activation.function else { return }
    let scales: (Double) -> Bool = { d in
      Self.points.flatMap { [$0, -$0] }.allSatisfy { x in
        [0.5, 2].allSatisfy { c in close(function.jet(c * x)[0], realPower(c, d) * function.jet(x)[0]) }
      }
    }
    if let degree = activation.homogeneity {
      #expect(scales(degree), "\(activation)")
    } else {
      for degree in 0...5 { #expect(!scales(Double(degree)), "\(activation) has degree \(degree)") }
    }
  }

  /// A kink shows in the first three derivatives of every sample.
  @Test(arguments: samples) func kinksAreKnown(activation: Activation) {
    guard let function = activation.function else {
      #expect(!activation.isSmooth && activation.smoothDual == .none)
      return
    }
    let (above, below) = (function.jet(1e-9), function.jet(-1e-9))
    let jumps = (0..<4).contains { abs(above[$0] - below[$0]) > 1e-6 }
    #expect(activation.isSmooth == !jumps, "\(activation)")
    if !activation.isSmooth { #expect(activation.smoothDual == .none) }
  }

  @Test func wrongValuesAreErrors() {
    let wrong: [(String, [Double])] = [
      ("ABRelu", [1]), ("ABRelu", [.nan, 1]), ("ABRelu", [1, .infinity]), ("Sign", [1]), ("Rbf", [-1]), ("ExpNormalized", [0]),
      ("Hermite", []), ("Hermite", [65]), ("Hermite", [-1]), ("Hermite", [1.5]), ("Hermite", [.nan]), ("Hermite", [9.3e18]),
      ("RectifiedMonomial", [21]), ("Gelu", [2]), ("Tanh", [0]), ("Tanh", [1]), ("Tanh", [.nan]), ("Polynomial", []),
      ("Polynomial", [Double](repeating: 1, count: 66)), ("Polynomial", [1, .nan]), ("Elementwise", [-1]),
      ("Elementwise", [1e7]), ("ElementwiseNumerical", [0, 513]), ("Relu", []),
    ]
    for (name, values) in wrong {
      #expect(throws: NumericError.self, "\(name)\(values)") { try Activation(name, values) }
    }
    #expect { try Activation("Rbf", [-1]) } throws: {
      ($0 as? NumericError)?.message == "[Rbf] gamma must be a finite number >= 0. Received -1.0."
    }
    #expect { try Activation("Tanh", [2]) } throws: {
      ($0 as? NumericError)?.message == "[Tanh] tol must be in (0, 1). Received 2.0."
    }
  }

  @Test(arguments: [
    (Activation.made("ABRelu", 0, 1), "Relu()"), (.made("ABRelu", 0.25, 1), "LeakyRelu(0.25)"), (.made("ABRelu", -1, 1), "Abs()"),
    (.made("ABRelu", 2, 3), "ABRelu(2.0, 3.0)"), (.made("Erf", 1, 2, 0), "Erf(b=2.0)"),
    (.made("Gelu", 1), "Gelu(approximate=True)"),
    (.made("Tanh"), "Tanh()"), (.made("Elu", 0.5), "Elu(alpha=0.5)"), (.made("Polynomial", 0, 1), "Polynomial([0.0, 1.0])"),
    (.made("Hermite", 3), "Hermite(3)"), (.made("Elementwise", 0), "a kernel function of your own"),
  ]) func messagesNameActivationsAsUsersWriteThem(activation: Activation, text: String) {
    #expect("\(activation)" == text)
  }
}

private func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-14 * (1 + abs(a)) }

/// c^d for whole d >= 0.
private func realPower(_ c: Double, _ d: Double) -> Double { (0..<Int(d)).reduce(1.0) { p, _ in p * c } }
