import CAPI
import CNTKSwift
import Testing

/// What crosses the C ABI is never trusted: each of these calls returns a status.
@Suite struct BoundaryTests {
  @Test func nullPointersAreErrors() {
    var error = ntk_error()
    #expect(ntk_architecture_create(nil, 1, nil, 0, nil, 0, nil, &error) == NTK_INVALID_ARGUMENT.rawValue)
    #expect(ntk_kernel(1, nil, nil, nil, nil, nil, nil, &error) == NTK_INVALID_ARGUMENT.rawValue)
    #expect(ntk_kernel_tangent(1, nil, nil, nil, 0, nil, nil, &error) == NTK_INVALID_ARGUMENT.rawValue)
    #expect(ntk_philox_raw(nil, nil, nil, 4, &error) == NTK_INVALID_ARGUMENT.rawValue)
    #expect(ntk_network_train(nil, nil, nil, nil, 1, nil, nil, nil, &error) == NTK_INVALID_ARGUMENT.rawValue)
    var training = ntk_training()
    #expect(ntk_network_train(nil, &training, nil, nil, 1, nil, nil, nil, &error) == NTK_INVALID_ARGUMENT.rawValue)
    #expect(ntk_network_evaluate(nil, &training, nil, nil, nil, nil, nil, nil, &error) == NTK_INVALID_ARGUMENT.rawValue)
    #expect(ntk_training_batch(nil, 4, 2, 0, nil, nil, &error) == NTK_INVALID_ARGUMENT.rawValue)
    #expect(ntk_architecture_describe(1, nil, &error) == NTK_INVALID_ARGUMENT.rawValue)
    #expect(message(error).contains("[architecture]"))
    // Without room for an error the code still tells.
    #expect(ntk_architecture_destroy(-7, nil) == NTK_INVALID_ARGUMENT.rawValue)
  }

  @Test func destroyedHandlesAreErrors() {
    var error = ntk_error()
    let handle = identity()
    var info = ntk_architecture_info()
    #expect(ntk_architecture_describe(handle, &info, &error) == 0)
    #expect(ntk_architecture_destroy(handle, &error) == 0)
    #expect(ntk_architecture_describe(handle, &info, &error) == NTK_INVALID_ARGUMENT.rawValue)
    #expect(ntk_architecture_destroy(handle, &error) == NTK_INVALID_ARGUMENT.rawValue)
  }

  @Test func impossibleMatricesAreErrors() {
    let handle = identity()
    var number = 1.0
    withUnsafeMutablePointer(to: &number) { p in
      for (rows, cols, stride) in [
        (-1, 1, 1), (1, -1, 1), (Int64.max, 2, 1), (2, Int64.max, 1), (Int64.max / 8, 2, Int64.max / 4), (2, 2, Int64.min),
      ] as [(Int64, Int64, Int64)] {
        let x = ntk_matrix(data: p, rows: rows, cols: cols, row_stride: stride, col_stride: 1, dtype: 1, reserved: 0)
        #expect(run(handle, x, x) != 0, "\(rows) x \(cols), stride \(stride)")
      }
      for dtype: Int32 in [-1, 2, .max] {
        let x = ntk_matrix(data: p, rows: 1, cols: 1, row_stride: 1, col_stride: 1, dtype: dtype, reserved: 0)
        #expect(run(handle, x, x) == NTK_INVALID_ARGUMENT.rawValue)
      }
      let one = ntk_matrix(data: p, rows: 1, cols: 1, row_stride: 1, col_stride: 1, dtype: 1, reserved: 0)
      let wide = ntk_matrix(data: p, rows: 1, cols: 2, row_stride: 2, col_stride: 0, dtype: 1, reserved: 0)
      #expect(run(handle, one, wide) == NTK_INVALID_ARGUMENT.rawValue, "result of another shape")
      #expect(run(handle, one, one, threads: -1) == NTK_INVALID_ARGUMENT.rawValue)
      #expect(run(handle, one, one, limit: -1) == NTK_INVALID_ARGUMENT.rawValue)
      #expect(run(handle, one, one, limit: 1) == NTK_OUT_OF_MEMORY.rawValue)
    }
  }

  @Test func emptyInputsGiveEmptyKernels() {
    var number = 1.0
    withUnsafeMutablePointer(to: &number) { p in
      let empty = ntk_matrix(data: p, rows: 0, cols: 3, row_stride: 3, col_stride: 1, dtype: 1, reserved: 0)
      let result = ntk_matrix(data: p, rows: 0, cols: 0, row_stride: 0, col_stride: 1, dtype: 1, reserved: 0)
      #expect(run(identity(), empty, result) == 0)
    }
    #expect(number == 1)
  }

  @Test func hostileRecordsAreErrors() {
    let most = Int64.max
    let (integers, reals): ([Int64], [Double]) = ([8, 0, 1, 1], [1, 0])
    func create(_ op: ntk_op, integerCount: Int64 = 4, realCount: Int64 = 2, _ error: UnsafeMutablePointer<ntk_error>) -> Int32 {
      var (op, handle) = (op, Int64(0))
      return ntk_architecture_create(&op, 1, integers, integerCount, reals, realCount, &handle, error)
    }
    func dense(_ i: Int64, _ ni: Int64, _ r: Int64, _ nr: Int64) -> ntk_op {
      ntk_op(
        kind: Int32(NTK_DENSE.rawValue), arity: 0, first_integer: i, integer_count: ni, first_real: r, real_count: nr)
    }
    var error = ntk_error()
    #expect(create(dense(0, 4, 0, 2), &error) == 0)
    for op in [
      dense(1, 4, 0, 2), dense(0, 5, 0, 2), dense(0, 3, 0, 2), dense(0, 4, 0, 1), dense(-1, 4, 0, 2), dense(0, -4, 0, 2),
      dense(most, most, 0, 2), dense(0, 4, most, 2), dense(0, 4, 1, most), dense(.min, 4, 0, 2), dense(0, 4, 0, .min),
    ] {
      #expect(fails { create(op, $0) }, "\(op)")
    }
    for count in [-1, most] {
      #expect(fails { create(dense(0, 4, 0, 2), integerCount: count, $0) })
      #expect(fails { create(dense(0, 4, 0, 2), realCount: count, $0) })
    }
    // Numbers that nobody reads are a mistake too.
    #expect(fails { create(ntk_op(kind: 3, arity: 0, first_integer: 0, integer_count: 1, first_real: 0, real_count: 0), $0) })
  }

  @Test func theCatalogueIsHandedOver() throws {
    let count = ntk_activation_count()
    var info = ntk_activation_info()
    var names: Set<String> = []
    for i in 0..<count {
      #expect(ntk_activation_describe(i, &info, nil) == 0)
      names.insert(withUnsafeBytes(of: info.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
      #expect(info.code >= Int32(NTK_FIRST_ACTIVATION.rawValue))
    }
    #expect(names.count == Int(count) && names.isSuperset(of: ["ABRelu", "Erf", "Tanh"]))
    for i in [-1, count, .max, .min] { #expect(fails { ntk_activation_describe(i, &info, $0) }) }
    #expect(fails { ntk_activation_describe(0, nil, $0) })
  }

  @Test func impossibleArraysAndPlansAreErrors() {
    let handle = identity()
    var number = 1.0
    withUnsafeMutablePointer(to: &number) { p in
      let good = ntk_matrix(data: p, rows: 1, cols: 1, row_stride: 1, col_stride: 1, dtype: 1, reserved: 0)
      var source = ntk_kernel_source()
      source.x1 = array(good)
      for change in [
        { $0.rank = 0 }, { $0.rank = 9 }, { $0.rank = -1 }, { $0.shape.1 = -1 }, { $0.strides.0 = .min },
        { ($0.shape.0, $0.shape.1) = (1 << 40, 1 << 40) }, { ($0.shape.1, $0.strides.1) = (1 << 40, 1 << 40) }, { $0.dtype = 7 },
      ] as [(inout ntk_array) -> Void] {
        var bad = source
        change(&bad.x1)
        var plan = ntk_bytes()
        #expect(ntk_kernel_plan(handle, &bad, 1, 1, nil, nil, nil, &plan, nil) == NTK_INVALID_ARGUMENT.rawValue)
      }
      var (call, result) = (ntk_call(threads: 1, reserved: 0, memory_limit: 0, progress: nil, context: nil), ntk_kernel_result())
      result.nngp = good
      (source.has_places, source.place1) = (1, -1)
      #expect(ntk_kernel(handle, &source, nil, nil, nil, &result, &call, nil) == NTK_INVALID_ARGUMENT.rawValue)
      source.has_places = 0
      var plan = ntk_bytes()
      #expect(ntk_kernel_plan(handle, &source, 1, 1, nil, nil, &call, &plan, nil) == 0)
      #expect(ntk_kernel(handle, &source, &plan, nil, nil, &result, &call, nil) == 0)
      var info = ntk_plan_info()
      #expect(ntk_kernel_plan_describe(&plan, &info, nil) == 0)
      #expect(info.input_width == 1 && info.has_nngp == 1 && info.dtype == Int32(NTK_FLOAT64.rawValue))
      for size in [-1, 0, 8, plan.size - 1] {
        var cut = ntk_bytes(data: plan.data, size: size)
        #expect(ntk_kernel(handle, &source, &cut, nil, nil, &result, &call, nil) == NTK_INVALID_ARGUMENT.rawValue)
        #expect(ntk_kernel_plan_describe(&cut, &info, nil) == NTK_INVALID_ARGUMENT.rawValue)
      }
      var empty = ntk_bytes(data: nil, size: 8)
      #expect(ntk_kernel_plan_describe(&empty, &info, nil) == NTK_INVALID_ARGUMENT.rawValue)
      #expect(ntk_kernel_plan_describe(nil, nil, nil) == NTK_INVALID_ARGUMENT.rawValue)
      ntk_bytes_free(&plan)
      ntk_bytes_free(&plan)
      ntk_bytes_free(nil)
    }
    #expect(number == 1)
  }

  @Test func longMessagesAreCutAtACharacter() {
    var error = ntk_error()
    let many = (0..<3000).map { _ in ntk_op(kind: 3) }
    var handle: Int64 = 0
    #expect(ntk_architecture_create(many, Int64(many.count), nil, 0, nil, 0, &handle, &error) == NTK_INVALID_ARGUMENT.rawValue)
    #expect(!message(error).isEmpty)
  }

  private func identity() -> Int64 {
    var handle: Int64 = 0
    var op = ntk_op(kind: 3)
    _ = ntk_architecture_create(&op, 1, nil, 0, nil, 0, &handle, nil)
    return handle
  }

  private func run(_ handle: Int64, _ x: ntk_matrix, _ nngp: ntk_matrix, threads: Int32 = 1, limit: Int64 = 0) -> Int32 {
    var source = ntk_kernel_source()
    source.x1 = array(x)
    var result = ntk_kernel_result()
    result.nngp = nngp
    var call = ntk_call(threads: threads, reserved: 0, memory_limit: limit, progress: nil, context: nil)
    return ntk_kernel(handle, &source, nil, nil, nil, &result, &call, nil)
  }

  /// A matrix as an array of rank 2.
  private func array(_ m: ntk_matrix) -> ntk_array {
    var array = ntk_array()
    (array.data, array.rank, array.dtype) = (m.data, 2, m.dtype)
    (array.shape.0, array.shape.1) = (m.rows, m.cols)
    (array.strides.0, array.strides.1) = (m.row_stride, m.col_stride)
    return array
  }

  private func message(_ error: ntk_error) -> String {
    withUnsafeBytes(of: error.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
