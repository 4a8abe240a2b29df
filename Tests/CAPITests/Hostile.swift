import Activations
import CNTKSwift
import Testing

/// One matrix of a call that is tried with wrong ones in its place.
struct Argument {
  var rows: Int64
  var cols: Int64
  /// May be left out (a null pointer).
  var isOptional = false
  /// One more row is another call that makes sense, not an error.
  var takesMoreRows = false
  /// So is one more column.
  var takesMoreCols = false
  /// Element i of the valid matrix.
  var number: (Int) -> Double = { 0.3 + 0.17 * Double(($0 * 7) % 11) }
}

/// Tries a call with each of its matrices broken in many ways: it must fail with a message, or at least return.
struct HostileCalls {
  /// Numbers of memory for each matrix: some more than they need, so that one more row or column is still there.
  private static let room = 1024

  /// A call with valid matrices succeeds before any other is judged by its failure. The numbers are set anew for every call.
  static func run(
    _ arguments: [Argument], sourceLocation: SourceLocation = #_sourceLocation,
    _ call: ([ntk_matrix], UnsafeMutablePointer<ntk_error>) -> Int32
  ) {
    var numbers = [Double](repeating: 0, count: room * arguments.count)
    numbers.withUnsafeMutableBufferPointer { memory in
      guard let base = memory.baseAddress else { return }
      let good = arguments.enumerated().map { k, a in
        ntk_matrix(
          data: base + k * room, rows: a.rows, cols: a.cols, row_stride: a.cols, col_stride: 1, dtype: 1, reserved: 0)
      }
      func attempt(_ matrices: [ntk_matrix], nan: Int? = nil) -> (code: Int32, message: String) {
        for (k, argument) in arguments.enumerated() {
          for i in 0..<room { base[k * room + i] = nan == k ? .nan : argument.number(i) }
        }
        var error = ntk_error()
        let code = call(matrices, &error)
        return (code, text(error))
      }
      let first = attempt(good)
      #expect(first.code == 0, "the valid call: \(first.message)", sourceLocation: sourceLocation)
      for (k, argument) in arguments.enumerated() {
        for bad in wrong(good[k], argument) {
          var matrices = good
          matrices[k] = bad
          let found = attempt(matrices)
          #expect(found.code != 0, "argument \(k) as \(bad)", sourceLocation: sourceLocation)
          #expect(found.message.hasPrefix("["), "argument \(k) as \(bad): \(found.message)", sourceLocation: sourceLocation)
        }
        // These may mean something, but may not end the program.
        for odd in strange(good[k]) {
          var matrices = good
          matrices[k] = odd
          _ = attempt(matrices)
        }
        _ = attempt(good, nan: k)
      }
      #expect(attempt(good).code == 0, "the valid call again", sourceLocation: sourceLocation)
    }
  }

  /// Calls `body` with the valid matrices, for what is wrong beside them.
  static func valid(_ arguments: [Argument], _ body: ([ntk_matrix]) -> Void) {
    var numbers = [Double](repeating: 0, count: room * arguments.count)
    numbers.withUnsafeMutableBufferPointer { memory in
      guard let base = memory.baseAddress else { return }
      for (k, a) in arguments.enumerated() { for i in 0..<room { base[k * room + i] = a.number(i) } }
      body(
        arguments.enumerated().map { k, a in
          ntk_matrix(data: base + k * room, rows: a.rows, cols: a.cols, row_stride: a.cols, col_stride: 1, dtype: 1, reserved: 0)
        })
    }
  }

  /// Matrices that no call may take for `m`.
  private static func wrong(_ m: ntk_matrix, _ argument: Argument) -> [ntk_matrix] {
    func with(_ change: (inout ntk_matrix) -> Void) -> ntk_matrix {
      var copy = m
      change(&copy)
      return copy
    }
    var list = [
      with { $0.rows = -1 }, with { $0.cols = -1 }, with { ($0.rows, $0.cols) = (.max, .max) }, with { $0.rows = .min },
      with { ($0.rows, $0.cols, $0.row_stride) = (.max, 0, 0) }, with { ($0.rows, $0.cols, $0.col_stride) = (0, .max, 0) },
      with { $0.row_stride = .min }, with { $0.col_stride = .min }, with { $0.dtype = -1 }, with { $0.dtype = 7 },
    ]
    if !argument.takesMoreCols { list.append(with { $0.cols += 1 }) }
    if !argument.takesMoreRows { list.append(with { $0.rows += 1 }) }
    if !argument.isOptional { list.append(with { $0.data = nil }) }
    if m.rows > 1 { list.append(with { $0.row_stride = .max }) }
    if m.cols > 1 { list.append(with { $0.col_stride = .max }) }
    return list
  }

  /// No rows, no columns, none of both; other strides over the same memory; strides that one row or column never uses.
  private static func strange(_ m: ntk_matrix) -> [ntk_matrix] {
    var list: [ntk_matrix] = []
    for (rows, cols) in [(0, m.cols), (m.rows, 0), (0, 0)] {
      list.append(ntk_matrix(data: m.data, rows: rows, cols: cols, row_stride: cols, col_stride: 1, dtype: 1, reserved: 0))
    }
    let many = Int64(1) << 48
    list.append(ntk_matrix(data: m.data, rows: many, cols: 0, row_stride: 0, col_stride: 1, dtype: 1, reserved: 0))
    for (down, along) in [(0, 0), (1, m.rows), (2 * m.cols, 1), (2 * m.cols, 2)] {
      var copy = m
      (copy.row_stride, copy.col_stride) = (down, along)
      list.append(copy)
    }
    var copy = m
    if m.rows == 1 { copy.row_stride = .max }
    if m.cols == 1 { copy.col_stride = .max }
    return list + [copy]
  }
}

/// What an error says.
func text(_ error: ntk_error) -> String {
  withUnsafeBytes(of: error.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}

/// Whether a call failed with a message that names where.
func fails(_ call: (UnsafeMutablePointer<ntk_error>) -> Int32) -> Bool {
  var error = ntk_error()
  return call(&error) != 0 && error.code != 0 && text(error).hasPrefix("[")
}

/// A layer of an op table with its numbers.
struct Layer {
  var kind: ntk_op_kind
  var integers: [Int64] = []
  var reals: [Double] = []

  static func dense(_ units: Int64, bias: Bool = false) -> Layer {
    Layer(kind: NTK_DENSE, integers: [units, bias ? 1 : 0, 1, 1], reals: [1.2, bias ? 0.1 : 0])
  }
  static let erf = activation("Erf", [1, 1, 0])
  static let relu = activation("ABRelu", [0, 1])
  static let square = activation("Polynomial", [0, 0, 1])
  static let batchNorm = Layer(kind: NTK_BATCH_NORM, integers: [0], reals: [1e-3])

  private static func activation(_ name: String, _ reals: [Double]) -> Layer {
    Layer(kind: ntk_op_kind(rawValue: UInt32(Catalogue.entry(named: name)?.code ?? 0)), reals: reals)
  }

  /// The handle of these layers one after the other.
  static func serial(_ layers: [Layer]) -> Int64 { create(layers, [ntk_op(kind: 1, arity: Int32(layers.count))]) }

  /// The handle of one layer by itself.
  static func single(_ layer: Layer) -> Int64 { create([layer], []) }

  private static func create(_ layers: [Layer], _ end: [ntk_op]) -> Int64 {
    var (table, integers, reals): ([ntk_op], [Int64], [Double]) = ([], [], [])
    for layer in layers {
      table.append(
        ntk_op(
          kind: Int32(layer.kind.rawValue), arity: 0, first_integer: Int64(integers.count),
          integer_count: Int64(layer.integers.count),
          first_real: Int64(reals.count), real_count: Int64(layer.reals.count)))
      integers += layer.integers
      reals += layer.reals
    }
    var handle: Int64 = -1
    table += end
    _ = ntk_architecture_create(
      table, Int64(table.count), integers, Int64(integers.count), reals, Int64(reals.count), &handle, nil)
    return handle
  }
}

extension ntk_op {
  /// A record without numbers.
  init(kind: Int32, arity: Int32 = 0) {
    self.init(kind: kind, arity: arity, first_integer: 0, integer_count: 0, first_real: 0, real_count: 0)
  }
}

/// A finite network of `layers` for three inputs, with its parameters for the length of a call.
struct TestNetwork {
  let handle: Int64
  let count: Int64

  /// Dense(3), erf, Dense(outputs): 9 + 3 outputs parameters.
  init(outputs: Int64 = 2) {
    self.init([Layer.dense(3), Layer.erf, Layer.dense(outputs)])
  }

  init(_ layers: [Layer]) {
    handle = Layer.serial(layers)
    var (network, info) = (ntk_network(), ntk_network_info())
    (network.architecture, network.input_shape) = (handle, (1, 1, 3))
    _ = ntk_network_describe(&network, &info, nil)
    count = info.parameter_count
  }

  /// Calls `body` with the network; `change` may spoil it.
  func use<Result>(
    _ change: (inout ntk_network) -> Void = { _ in }, _ body: (UnsafePointer<ntk_network>) -> Result
  ) -> Result {
    let parameters = (0..<max(1, Int(count))).map { 0.1 * Double(($0 * 5) % 13) - 0.5 }
    return parameters.withUnsafeBufferPointer {
      var network = ntk_network()
      (network.architecture, network.input_shape) = (handle, (1, 1, 3))
      (network.parameters, network.parameter_count) = ($0.baseAddress, count)
      change(&network)
      return body(&network)
    }
  }

  /// Networks that no call may take.
  static var spoilers: [(inout ntk_network) -> Void] {
    [
      { $0.architecture = -3 }, { $0.input_shape.0 = 0 }, { $0.input_shape.2 = -1 }, { $0.input_shape = (.max, .max, .max) },
      { $0.input_shape = (Int64(Int32.max), Int64(Int32.max), Int64(Int32.max)) }, { $0.input_shape.2 = Int64(Int32.max) },
      { $0.spatial_axes = 3 }, { $0.spatial_axes = -1 }, { $0.parameters = nil }, { $0.parameter_count -= 1 },
      { $0.parameter_count = -1 }, { $0.parameter_count = .max },
    ]
  }
}
