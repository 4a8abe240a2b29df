import Activations
import Architectures
import InfiniteWidth
import NumericCore
import TestSupport
import Testing
import VectorKernelProduct

@Suite struct EngineTests {
  static let relu = Activation.made("ABRelu", 0, 1)
  static let erf = Activation.made("Erf", 1, 1, 0)
  static let tanh = Activation.made("Tanh")

  static func network(_ activations: [Activation], bias: Double = 0.2) -> LayerNode {
    let dense = LayerNode.dense(DenseLayer(outDim: 4, weightStd: 1.3, biasStd: bias, hasBias: bias > 0))
    return .serial(activations.flatMap { [dense, .activation($0)] } + [dense])
  }

  static func inputs(_ rows: Int, _ width: Int) throws -> [Double] {
    var x = [Double](repeating: 0, count: rows * width)
    try PhiloxStream(key: (5, 2)).fillNormal(&x, count: x.count)
    for k in 0..<width { (x[(rows - 1) * width + k], x[width + k]) = (x[k], -2 * x[k]) }
    return x
  }

  @Test(arguments: [[relu, relu], [erf, tanh], [.made("Gelu", 0)], [.made("Snake", 0.7), erf]])
  func pointwise(_ activations: [Activation]) throws {
    for (rows, width) in [(30, 3), (205, 40)] {
      let engine = try PointwiseKernel(Self.network(activations))
      let failures = try EngineConformance(engine, Self.inputs(rows, width), rows: rows).failures()
      #expect(failures.isEmpty, "\(activations), \(rows) rows: \(failures)")
    }
    try Self.checkAgainstFiniteNetworks(Self.network(activations))
  }

  static func checkAgainstFiniteNetworks(_ network: LayerNode) throws {
    let failures = try EngineConformance(PointwiseKernel(network), inputs(5, 3), rows: 5).finiteNetworkFailures()
    #expect(failures.isEmpty, "\(network): \(failures)")
  }

  @Test func pointwiseWithBranchesAndDropout() throws {
    let dense = LayerNode.dense(DenseLayer(outDim: 4, weightStd: 1.1, biasStd: 0.3, hasBias: true))
    let joined = LayerNode.serial([
      .fanOut(num: 2), .parallel([Self.network([Self.relu]), Self.network([Self.tanh])]), .fanInConcat(.batch),
    ])
    let dropped = LayerNode.serial([dense, .activation(Self.erf), .dropout(rate: 0.7, training: true), dense])
    for network in [joined, dropped] {
      let failures = try EngineConformance(PointwiseKernel(network), Self.inputs(70, 5), rows: 70).failures()
      #expect(failures.isEmpty, "\(failures)")
      try Self.checkAgainstFiniteNetworks(network)
    }
  }

  @Test func thePlannerSaysWhyNoEngineFits() throws {
    let pool = LayerNode.globalPool(isMean: true)
    #expect(throws: NumericError.self) { try Planner.engine(for: .serial([.identity, pool])) }
    #expect(try Planner.engine(for: Self.network([Self.relu])) is PointwiseKernel)
  }

  /// Every entry by itself, as one row and one column, has the bits that it has in a product with ragged edges.
  @Test func productsOfRowsDoNotDependOnTheirPlace() throws {
    for width in [1, 2, 7, 8, 127, 128, 129, 300] {
      try Self.checkProducts(width, of: Double.self)
      try Self.checkProducts(width, of: Float.self)
    }
  }

  static func checkProducts<Element: RowElement>(_ width: Int, of type: Element.Type) throws {
    let (rows, cols, leading) = (23, 75, 80)
    let x = try inputs(cols, width).map { Element($0) }
    let (all, one) = (try Workspace<Element>(rows * leading), try Workspace<Element>(64))
    let packed = try Workspace<Element>(RowProducts.room(dimension: width))
    x.withUnsafeBufferPointer { x in
      let base = x.baseAddress!
      Element.rowProducts(base, width, rows, base, width, cols, width, all.pointer, leading, packed.pointer)
      for i in 0..<rows {
        for j in 0..<cols {
          Element.rowProducts(base + j * width, width, 1, base + i * width, width, 1, width, one.pointer, 16, packed.pointer)
          #expect(one.pointer[0] == all.pointer[i * leading + j])
        }
        // A sum of `width` products, in whatever order, is off by at most `width` roundings of the sum of their sizes.
        var (expected, size) = (0.0, 0.0)
        for k in 0..<width {
          let product = Double(base[i * width + k]) * Double(base[k])
          (expected, size) = (expected + product, size + abs(product))
        }
        #expect(abs(Double(all.pointer[i * leading]) - expected) <= Double(width) * size * Double(Element.ulpOfOne))
      }
    }
  }

  @Test func distancesOfRows() throws {
    for width in [1, 7, 8, 9, 40] {
      let x = try Self.inputs(3, width)
      var expected = 0.0
      for k in 0..<width {
        let sum = 2 * x[k] + 0.5 * x[width + k]
        expected += sum * sum
      }
      x.withUnsafeBufferPointer { x in
        let found = Double.squaredDistance(x.baseAddress!, 2, x.baseAddress! + width, -0.5, width)
        #expect(abs(found - expected) <= 1e-13 * max(1, expected))
      }
    }
  }

  @Test func arraysOfAnyRankAreRows() throws {
    var numbers = (0..<48).map(Double.init)
    numbers.withUnsafeMutableBufferPointer { numbers in
      let base = numbers.baseAddress!
      #expect(StridedArray(base, shape: [2, 3, 4], strides: [12, 4, 1]).rows?.cols == 12)
      #expect(StridedArray(base, shape: [2, 3, 1], strides: [12, 4, 77]).rows?.colStride == 4)
      let turned = StridedArray(base, shape: [2, 3, 4], strides: [12, 1, 3])
      #expect(turned.rows == nil)
      var entry = [Double](repeating: 0, count: 12)
      turned.copyEntry(1, to: &entry)
      #expect(entry == [12, 15, 18, 21, 13, 16, 19, 22, 14, 17, 20, 23])
    }
  }
}
