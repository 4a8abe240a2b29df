import Activations
import CNTKSwift
import NumericCore

/// Turns op tables into layer trees. Any table, also a hostile one, gives a tree or an error.
public struct OpTableDecoder {
  /// Limits that keep every later recursion and allocation small.
  public static let maxRecords = 1_000_000
  /// Deepest nesting.
  public static let maxDepth = 200

  private var denseCount = 0

  /// The tree of `table`.
  public static func decode(_ table: OpTable) throws(NumericError) -> LayerNode {
    guard !table.records.isEmpty, table.records.count <= maxRecords else {
      throw .invalid("[architecture] needs 1 to \(maxRecords) layers. Received \(table.records.count).")
    }
    var decoder = OpTableDecoder()
    var stack: [(node: LayerNode, depth: Int)] = []
    for (position, record) in table.records.enumerated() {
      var cursor = try OpCursor(table, at: position)
      try decoder.push(&cursor, Int(record.arity), onto: &stack)
      try cursor.finish()
    }
    guard stack.count == 1, let root = stack.last else {
      throw .invalid("[architecture] the table must describe one network. Received \(stack.count) separate ones.")
    }
    return root.node
  }

  private mutating func push(
    _ cursor: inout OpCursor, _ arity: Int, onto stack: inout [(node: LayerNode, depth: Int)]
  ) throws(NumericError) {
    let kind = ntk_op_kind(rawValue: UInt32(bitPattern: cursor.kind))
    guard kind == NTK_SERIAL || kind == NTK_PARALLEL else {
      guard arity == 0 else {
        throw .invalid("[architecture] layer \(cursor.position) takes no children. Received arity \(arity).")
      }
      stack.append((try leaf(kind, &cursor), 1))
      return
    }
    guard arity >= 0, arity <= stack.count else {
      throw .invalid(
        "[architecture] layer \(cursor.position) needs its children before it. Received arity \(arity) after \(stack.count).")
    }
    let children = stack.suffix(arity)
    let depth = (children.map(\.depth).max() ?? 0) + 1
    guard depth <= OpTableDecoder.maxDepth else {
      throw .invalid("[architecture] nesting must not be deeper than \(OpTableDecoder.maxDepth). Received \(depth).")
    }
    let nodes = children.map(\.node)
    stack.removeLast(arity)
    stack.append((kind == NTK_SERIAL ? .serial(nodes) : .parallel(nodes), depth))
  }

  private mutating func leaf(_ kind: ntk_op_kind, _ cursor: inout OpCursor) throws(NumericError) -> LayerNode {
    switch kind {
    case NTK_IDENTITY: return .identity
    case NTK_DENSE:
      defer { denseCount += 1 }
      return .dense(try OpTableDecoder.linear("Dense", denseCount, &cursor))
    case NTK_FAN_OUT:
      let num = try cursor.integer()
      guard num >= 1, num <= 100_000 else {
        throw .invalid("[FanOut] num must be a positive integer (at most 100000). Received \(num).")
      }
      return .fanOut(num: Int(num))
    case NTK_FAN_IN_SUM: return .fanInSum
    case NTK_FAN_IN_PROD: return .fanInProd
    case NTK_FAN_IN_CONCAT:
      let number = try cursor.integer()
      guard let axis = ConcatAxis(rawValue: Int(number)) else {
        throw .invalid("[FanInConcat] axis must be 0 (batch) or 1 (channel) for flat inputs. Received \(number).")
      }
      return .fanInConcat(axis)
    case NTK_LAYER_NORM: return .layerNorm(epsilon: try OpTableDecoder.epsilon("LayerNorm", &cursor))
    case NTK_DROPOUT:
      let (rate, mode) = (try cursor.real(), try cursor.integer())
      guard rate > 0, rate <= 1 else { throw .invalid("[Dropout] rate must be in (0, 1]. Received \(rate).") }
      return .dropout(rate: rate, training: mode != 0)
    case NTK_CONVOLUTION: return .convolution(try SpatialDecoder.convolution(&cursor))
    case NTK_POOL: return .pool(try SpatialDecoder.pooling(&cursor))
    case NTK_GLOBAL_POOL: return .globalPool(isMean: try cursor.integer() != 0)
    case NTK_FLATTEN: return .flatten
    case NTK_BATCH_NORM:
      let isAffine = try cursor.integer() != 0
      return .batchNorm(epsilon: try OpTableDecoder.epsilon("BatchNorm", &cursor), isAffine: isAffine)
    default: return .activation(try OpTableDecoder.activation(&cursor))
    }
  }

  private static func epsilon(_ name: String, _ cursor: inout OpCursor) throws(NumericError) -> Double {
    let epsilon = try cursor.real()
    guard epsilon.isFinite, epsilon >= 0 else {
      throw .invalid("[\(name)] eps must be a finite number >= 0. Received \(epsilon).")
    }
    return epsilon
  }

  /// The catalogue's entry of that code with values in the order of its parameters; it checks them.
  private static func activation(_ cursor: inout OpCursor) throws(NumericError) -> Activation {
    guard let entry = Catalogue.entry(code: cursor.kind) else {
      throw .invalid("[architecture] layer \(cursor.position) must be a known kind. Received \(cursor.kind).")
    }
    var values: [Double] = []
    for parameter in entry.parameters {
      switch parameter.domain {
      case .real: values.append(try cursor.real())
      case .integer, .flag, .function: values.append(Double(try cursor.integer()))
      case .list: values += cursor.remainingReals()
      }
    }
    return try Activation(entry, values)
  }

  /// What Dense and convolutions share: out_dim, flags, s[0], s[1]; W_std, b_std.
  static func linear(_ name: String, _ index: Int, _ cursor: inout OpCursor) throws(NumericError) -> DenseLayer {
    let (outDim, flags) = (try cursor.integer(), try cursor.integer())
    let s = (try cursor.integer(), try cursor.integer())
    let (weightStd, biasStd) = (try cursor.real(), try cursor.real())
    guard outDim >= 1, outDim <= 1 << 40 else {
      throw .invalid("[\(name)] out_dim must be a positive integer. Received \(outDim).")
    }
    guard flags >= 0, flags < 8 else { throw .invalid("[\(name)] flags must be in 0...7. Received \(flags).") }
    guard s.0 >= 1, s.1 >= 1, s.0 <= 1 << 40, s.1 <= 1 << 40 else {
      throw .invalid("[\(name)] s must be two positive integers. Received (\(s.0), \(s.1)).")
    }
    guard weightStd.isFinite, weightStd >= 0 else {
      throw .invalid("[\(name)] W_std must be a finite number >= 0. Received \(weightStd).")
    }
    guard biasStd.isFinite, biasStd >= 0 else {
      throw .invalid("[\(name)] b_std must be a finite number >= 0 or None. Received \(biasStd).")
    }
    let has = { (flag: Int) in Int(flags) & flag != 0 }
    return DenseLayer(
      index: index, outDim: Int(outDim), weightStd: weightStd, biasStd: has(NTK_DENSE_BIAS) ? biasStd : 0,
      hasBias: has(NTK_DENSE_BIAS), isStandard: has(NTK_DENSE_STANDARD), isFrozen: has(NTK_DENSE_FROZEN),
      inputScale: Int(s.0), outputScale: Int(s.1))
  }
}
