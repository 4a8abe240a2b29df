import NumericCore

/// One record of an op table: the flat form in which a layer tree crosses the C ABI (`ntk_op`).
public struct OpRecord: Sendable {
  /// What the layer is; the numbers of `ntk_op_kind`.
  public var kind: Int32
  /// Children that stand before it.
  public var arity: Int32
  /// Integer parameters.
  public var integers: (Int64, Int64, Int64, Int64)
  /// Real parameters.
  public var reals: (Double, Double, Double, Double, Double, Double)

  /// A record with the given fields.
  public init(
    kind: Int32, arity: Int32 = 0, integers: (Int64, Int64, Int64, Int64) = (0, 0, 0, 0),
    reals: (Double, Double, Double, Double, Double, Double) = (0, 0, 0, 0, 0, 0)
  ) {
    self.kind = kind
    self.arity = arity
    self.integers = integers
    self.reals = reals
  }
}

/// Turns op tables into layer trees. Any table, also a hostile one, gives a tree or an error.
public struct OpTableDecoder {
  /// Limits that keep every later recursion and allocation small.
  public static let maxRecords = 1_000_000
  /// Deepest nesting.
  public static let maxDepth = 200

  private let coefficients: [Double]
  private var denseCount = 0

  /// The tree of `records` (postfix order: children, then their node).
  public static func decode(_ records: [OpRecord], coefficients: [Double]) throws(NumericError) -> LayerNode {
    guard !records.isEmpty, records.count <= maxRecords else {
      throw .invalid("[architecture] needs 1 to \(maxRecords) layers. Received \(records.count).")
    }
    var decoder = OpTableDecoder(coefficients: coefficients)
    var stack: [(node: LayerNode, depth: Int)] = []
    for (position, record) in records.enumerated() {
      try decoder.push(record, at: position, onto: &stack)
    }
    guard stack.count == 1, let root = stack.last else {
      throw .invalid("[architecture] the table must describe one network. Received \(stack.count) separate ones.")
    }
    return root.node
  }

  private init(coefficients: [Double]) { self.coefficients = coefficients }

  private mutating func push(
    _ record: OpRecord, at position: Int, onto stack: inout [(node: LayerNode, depth: Int)]
  ) throws(NumericError) {
    let arity = Int(record.arity)
    guard record.kind == 1 || record.kind == 2 else {
      guard arity == 0 else { throw .invalid("[architecture] layer \(position) takes no children. Received arity \(arity).") }
      stack.append((try leaf(record, at: position), 1))
      return
    }
    guard arity >= 0, arity <= stack.count else {
      throw .invalid(
        "[architecture] layer \(position) needs its children before it. Received arity \(arity) after \(stack.count).")
    }
    let children = stack.suffix(arity)
    let depth = (children.map(\.depth).max() ?? 0) + 1
    guard depth <= OpTableDecoder.maxDepth else {
      throw .invalid("[architecture] nesting must not be deeper than \(OpTableDecoder.maxDepth). Received \(depth).")
    }
    let nodes = children.map(\.node)
    stack.removeLast(arity)
    stack.append((record.kind == 1 ? .serial(nodes) : .parallel(nodes), depth))
  }

  private mutating func leaf(_ record: OpRecord, at position: Int) throws(NumericError) -> LayerNode {
    switch record.kind {
    case 3: return .identity
    case 4: return .dense(try dense(record, at: position))
    case 5:
      guard record.integers.0 >= 1, record.integers.0 <= 100_000 else {
        throw .invalid("[FanOut] num must be a positive integer (at most 100000). Received \(record.integers.0).")
      }
      return .fanOut(num: Int(record.integers.0))
    case 6: return .fanInSum
    case 7: return .fanInProd
    case 8:
      guard let axis = ConcatAxis(rawValue: Int(record.integers.0)) else {
        throw .invalid("[FanInConcat] axis must be 0 (batch) or 1 (channel) for flat inputs. Received \(record.integers.0).")
      }
      return .fanInConcat(axis)
    case 9:
      let epsilon = record.reals.0
      guard epsilon.isFinite, epsilon >= 0 else {
        throw .invalid("[LayerNorm] eps must be a finite number >= 0. Received \(epsilon).")
      }
      return .layerNorm(epsilon: epsilon)
    case 10:
      let rate = record.reals.0
      guard rate > 0, rate <= 1 else { throw .invalid("[Dropout] rate must be in (0, 1]. Received \(rate).") }
      return .dropout(rate: rate, training: record.integers.0 != 0)
    case 11: return .convolution(try SpatialDecoder.convolution(record, at: position))
    case 12: return .pool(try SpatialDecoder.pooling(record))
    case 13: return .globalPool(isMean: record.integers.0 != 0)
    case 14: return .flatten
    case 15:
      let epsilon = record.reals.0
      guard epsilon.isFinite, epsilon >= 0 else {
        throw .invalid("[BatchNorm] eps must be a finite number >= 0. Received \(epsilon).")
      }
      return .batchNorm(epsilon: epsilon, isAffine: record.integers.0 != 0)
    default: return .activation(try ActivationDecoder.decode(record, coefficients: coefficients, at: position))
    }
  }

  private mutating func dense(_ record: OpRecord, at position: Int) throws(NumericError) -> DenseLayer {
    defer { denseCount += 1 }
    let (outDim, flags, s0, s1) = record.integers
    return try OpTableDecoder.linear("Dense", denseCount, outDim, flags, (s0, s1), record.reals)
  }

  /// What Dense and convolutions share, checked.
  static func linear(
    _ name: String, _ index: Int, _ outDim: Int64, _ flags: Int64, _ s: (Int64, Int64),
    _ reals: (Double, Double, Double, Double, Double, Double)
  ) throws(NumericError) -> DenseLayer {
    guard outDim >= 1, outDim <= 1 << 40 else {
      throw .invalid("[\(name)] out_dim must be a positive integer. Received \(outDim).")
    }
    guard flags >= 0, flags < 8 else { throw .invalid("[\(name)] flags must be in 0...7. Received \(flags).") }
    guard s.0 >= 1, s.1 >= 1, s.0 <= 1 << 40, s.1 <= 1 << 40 else {
      throw .invalid("[\(name)] s must be two positive integers. Received (\(s.0), \(s.1)).")
    }
    // A standard layer stands for outDim * s[1] units, and later layers for sums of them.
    guard flags & 2 == 0 || checkedProduct(Int(outDim), Int(s.1)) ?? .max <= 1 << 52 else {
      throw .invalid("[\(name)] out_dim times s[1] must be at most 2^52. Received \(outDim) and \(s.1).")
    }
    let (weightStd, biasStd) = (reals.0, reals.1)
    guard weightStd.isFinite, weightStd >= 0 else {
      throw .invalid("[\(name)] W_std must be a finite number >= 0. Received \(weightStd).")
    }
    guard biasStd.isFinite, biasStd >= 0 else {
      throw .invalid("[\(name)] b_std must be a finite number >= 0 or None. Received \(biasStd).")
    }
    return DenseLayer(
      index: index, outDim: Int(outDim), weightStd: weightStd, biasStd: flags & 1 != 0 ? biasStd : 0, hasBias: flags & 1 != 0,
      isStandard: flags & 2 != 0, isFrozen: flags & 4 != 0, inputScale: Int(s.0), outputScale: Int(s.1))
  }
}
