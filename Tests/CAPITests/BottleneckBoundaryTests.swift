import CAPI
import CNTKSwift
import Testing

/// Bottlenecks, and the finite and linear networks beside them, at the boundary.
@Suite struct BottleneckBoundaryTests {
  private let smooth = Layer.serial([Layer.dense(1), Layer.erf, Layer.dense(1)])
  private let kinked = Layer.serial([Layer.dense(1), Layer.relu, Layer.dense(1)])
  /// Four points, three of them trained on, two units, one output.
  private let inner = Argument(rows: 4, cols: 3) { $0 % 4 == 0 ? 1.5 : 0.3 }
  private let positions = Argument(rows: 4, cols: 2, takesMoreCols: true)
  private let targets = Argument(rows: 3, cols: 1, takesMoreCols: true)

  private func outer(_ change: (inout ntk_outer) -> Void = { _ in }) -> ntk_outer {
    var given = ntk_outer()
    (given.architecture, given.start_width) = (smooth, 10)
    change(&given)
    return given
  }

  private func options(_ change: (inout ntk_bottleneck_options) -> Void = { _ in }) -> ntk_bottleneck_options {
    var given = ntk_bottleneck_options(learning_rate: 0.1, compression: 0, flow_tolerance: 1e-4, divergence: 1e6)
    change(&given)
    return given
  }

  /// The status of a run that is created, used for a step, and destroyed.
  private func run(
    _ m: [ntk_matrix], _ outer: ntk_outer, _ options: ntk_bottleneck_options, _ error: UnsafeMutablePointer<ntk_error>?
  ) -> Int32 {
    var (outer, options, handle) = (outer, options, Int64(0))
    let status = ntk_bottleneck_create(&outer, [m[0]], [m[1]], [m[2]], &options, &handle, nil, error)
    guard status == 0 else { return status }
    let done = ntk_bottleneck_descend(handle, 2, 1, nil, error)
    _ = ntk_bottleneck_destroy(handle, nil)
    return done
  }

  @Test func nullPointersAndUnknownHandlesAreErrors() {
    #expect(fails { ntk_bottleneck_create(nil, nil, nil, nil, nil, nil, nil, $0) })
    #expect(fails { ntk_outer_evaluate(nil, nil, nil, nil, nil, nil, nil, $0) })
    #expect(fails { ntk_input_gradient(smooth, 1, nil, nil, nil, nil, nil, $0) })
    #expect(fails { ntk_linear_descend(nil, nil, 2, 1, 1, nil, nil, $0) })
    #expect(fails { ntk_linear_flow(nil, nil, nil, 0, 1, nil, nil, nil, $0) })
    #expect(fails { ntk_constant_kernel_descent(nil, nil, 1, nil, nil, $0) })
    var (arrays, info) = (ntk_bottleneck_arrays(), ntk_bottleneck_info())
    for handle: Int64 in [-1, 0, .max, .min] {
      #expect(fails { ntk_bottleneck_destroy(handle, $0) })
      #expect(fails { ntk_bottleneck_descend(handle, 1, 1, nil, $0) })
      #expect(fails { ntk_bottleneck_flow(handle, nil, 0, 0, nil, $0) })
      #expect(fails { ntk_bottleneck_complete(handle, nil, $0) })
      #expect(fails { ntk_bottleneck_describe(handle, &info, $0) })
      #expect(fails { ntk_bottleneck_read(handle, &arrays, $0) })
    }
  }

  @Test func runsCheckTheirMatricesAndOptions() {
    let badOptions: [(inout ntk_bottleneck_options) -> Void] = [
      { $0.learning_rate = 0 }, { $0.learning_rate = .nan }, { $0.learning_rate = .infinity }, { $0.compression = -1 },
      { $0.compression = .nan }, { $0.compression = 1 }, { $0.flow_tolerance = 0 }, { $0.flow_tolerance = .nan },
      { $0.divergence = 1 }, { $0.divergence = .nan },
    ]
    let badOuters: [(inout ntk_outer) -> Void] = [
      { $0.architecture = -1 }, { $0.architecture = kinked }, { $0.start = 4 }, { $0.start = -1 },
      { ($0.start, $0.start_width) = (1, -1) }, { ($0.start, $0.start_width) = (1, .max) },
      { ($0.start, $0.start_width) = (1, .min) },
      { $0.start = 2 }, { $0.start = 3 }, { ($0.start, $0.function) = (3, { (_, _, _, _, _) in 1 }) },
      {
        ($0.start, $0.function) = (
          3,
          { (_, _, count, values, gradients) in
            for i in 0..<Int(count) { values?[i] = .nan }
            for i in 0..<2 * Int(count) { gradients?[i] = .nan }
            return 0
          }
        )
      },
    ]
    HostileCalls.valid([inner, positions, targets]) { m in
      for (k, change) in badOptions.enumerated() { #expect(fails { run(m, outer(), options(change), $0) }, "options \(k)") }
      for (k, change) in badOuters.enumerated() { #expect(fails { run(m, outer(change), options(), $0) }, "outer \(k)") }
      var (given, chosen) = (outer(), options())
      #expect(fails { ntk_bottleneck_create(&given, [m[0]], [m[1]], [m[2]], &chosen, nil, nil, $0) })
      #expect(fails { ntk_bottleneck_create(&given, [m[0]], [m[1]], [m[2]], nil, nil, nil, $0) })
    }
    HostileCalls.run([inner, positions, targets]) { m, error in
      return run(m, outer(), options(), error)
    }
    HostileCalls.run([inner, positions, targets]) { m, error in run(m, outer { $0.start = 1 }, options(), error) }
  }

  @Test func startsWithWeightsCheckTheirShapes() {
    let shapes = [Argument(rows: 2, cols: 5), Argument(rows: 5, cols: 1, isOptional: true), Argument(rows: 5, cols: 1)]
    HostileCalls.run([inner, positions, targets] + shapes + [Argument(rows: 1, cols: 1, isOptional: true)]) { m, error in
      let given = outer {
        ($0.start, $0.hidden, $0.hidden_bias, $0.readout, $0.output_bias) = (2, m[3], m[4], m[5], m[6])
      }
      return run(m, given, options(), error)
    }
  }

  @Test func stepsTimesAndRoomAreChecked() {
    HostileCalls.valid([inner, positions, targets]) { m in
      var (given, chosen, handle) = (outer(), options(), Int64(0))
      #expect(ntk_bottleneck_create(&given, [m[0]], [m[1]], [m[2]], &chosen, &handle, nil, nil) == 0)
      defer { _ = ntk_bottleneck_destroy(handle, nil) }
      for (steps, interval) in [(-1, 1), (.max, 1), (1, 0), (1, -1), (.min, .min)] as [(Int64, Int64)] {
        #expect(fails { ntk_bottleneck_descend(handle, steps, interval, nil, $0) })
      }
      for times in [[1, 0.5], [-1], [.nan], [.infinity]] as [[Double]] {
        #expect(fails { ntk_bottleneck_flow(handle, times, Int64(times.count), 0, nil, $0) })
      }
      for count: Int64 in [-1, 1, .max] { #expect(fails { ntk_bottleneck_flow(handle, nil, count, 0, nil, $0) }) }
      #expect(fails { ntk_bottleneck_describe(handle, nil, $0) })
      #expect(fails { ntk_bottleneck_read(handle, nil, $0) })
      // Before any step there is nothing to read; then there is, in room of the right size only.
      #expect(ntk_bottleneck_descend(handle, 3, 1, nil, nil) == 0)
      #expect(ntk_bottleneck_complete(handle, nil, nil) == 0)
      var room = [Double](repeating: 0, count: 64)
      room.withUnsafeMutableBufferPointer { room in
        for (rows, cols, isRight) in [
          (4, 1, true), (3, 1, false), (5, 1, false), (0, 0, false), (-4, -1, false), (.max, 2, false),
        ] as [(Int64, Int64, Bool)] {
          var arrays = ntk_bottleneck_arrays()
          arrays.losses = ntk_matrix(
            data: room.baseAddress, rows: rows, cols: cols, row_stride: 1, col_stride: 1, dtype: 1, reserved: 0)
          #expect(fails { ntk_bottleneck_read(handle, &arrays, $0) } != isRight, "\(rows) x \(cols)")
        }
      }
    }
  }

  @Test func outerFunctionsCheckTheirMatrices() {
    let shapes = [Argument(rows: 3, cols: 2), Argument(rows: 2, cols: 2), Argument(rows: 2, cols: 1), Argument(rows: 3, cols: 1)]
    HostileCalls.run(shapes + [Argument(rows: 3, cols: 2)]) { m, error in
      var given = outer()
      return ntk_outer_evaluate(&given, [m[0]], [m[1]], [m[2]], [m[3]], [m[4]], nil, error)
    }
    let gradient = [
      Argument(rows: 3, cols: 2), Argument(rows: 2, cols: 2), Argument(rows: 3, cols: 2), Argument(rows: 3, cols: 4),
    ]
    HostileCalls.valid(gradient) { m in
      for handle in [-1, kinked, .max] as [Int64] {
        #expect(fails { ntk_input_gradient(handle, 1, [m[0]], [m[1]], [m[2]], [m[3]], nil, $0) })
      }
    }
    HostileCalls.run(gradient) { m, error in
      return ntk_input_gradient(smooth, 1, [m[0]], [m[1]], [m[2]], [m[3]], nil, error)
    }
  }

  private func linear(_ m: [ntk_matrix], _ change: (inout ntk_linear_bottleneck) -> Void = { _ in }) -> ntk_linear_bottleneck {
    var given = ntk_linear_bottleneck(inputs: m[0], targets: m[1], units: 2, scale: 0.5, inner_depth: 1, outer_depth: 2)
    change(&given)
    return given
  }

  @Test func linearNetworksCheckTheirNumbers() {
    let (data, state) = ([Argument(rows: 4, cols: 3), Argument(rows: 4, cols: 1)], Argument(rows: 1, cols: 8))
    let bad: [(inout ntk_linear_bottleneck) -> Void] = [
      { $0.units = 0 }, { $0.units = -1 }, { $0.units = .max }, { $0.units = 1 << 24 }, { $0.scale = 0 }, { $0.scale = .nan },
      { $0.inner_depth = 0 }, { $0.outer_depth = .infinity },
      { ($0.inputs.cols, $0.inputs.row_stride, $0.inputs.col_stride, $0.units) = (1 << 48, 0, 0, 1 << 24) },
    ]
    HostileCalls.valid(data + [state]) { m in
      for (k, change) in bad.enumerated() {
        var other = linear(m, change)
        #expect(
          fails { error in TestRecord.use { ntk_linear_descend(&other, [m[2]], 2, 0.1, 1e6, $0, nil, error) } }, "problem \(k)")
      }
      var problem = linear(m)
      for rate in [0, -1, Double.nan, .infinity] {
        #expect(fails { error in TestRecord.use { ntk_linear_descend(&problem, [m[2]], 2, rate, 1e6, $0, nil, error) } })
      }
    }
    HostileCalls.run(data + [state]) { m, error in
      var problem = linear(m)
      return TestRecord.use { ntk_linear_descend(&problem, [m[2]], 2, 0.1, 1e6, $0, nil, error) }
    }
    HostileCalls.valid(data + [state, Argument(rows: 2, cols: 8), Argument(rows: 1, cols: 2)]) { m in
      var problem = linear(m)
      for (times, tolerance) in [([1, 0.5], 1e-6), ([0, .nan], 1e-6), ([0, 1], 0), ([0, 1], .nan), ([0, 1], 1)]
        as [([Double], Double)]
      {
        #expect(fails { ntk_linear_flow(&problem, [m[2]], times, 2, tolerance, [m[3]], [m[4]], nil, $0) })
      }
    }
    HostileCalls.run(data + [state, Argument(rows: 2, cols: 8), Argument(rows: 1, cols: 2)]) { m, error in
      var problem = linear(m)
      return ntk_linear_flow(&problem, [m[2]], [0.1, 0.2], 2, 1e-6, [m[3]], [m[4]], nil, error)
    }
  }

  @Test func constantKernelsCheckTheirMatrices() {
    HostileCalls.valid([Argument(rows: 3, cols: 3), Argument(rows: 3, cols: 2), Argument(rows: 1, cols: 4)]) { m in
      for rate in [0, Double.nan, .infinity] {
        #expect(fails { ntk_constant_kernel_descent([m[0]], [m[1]], rate, [m[2]], nil, $0) })
      }
    }
    HostileCalls.run([
      Argument(rows: 3, cols: 3), Argument(rows: 3, cols: 2, takesMoreCols: true),
      Argument(rows: 1, cols: 4, takesMoreCols: true),
    ]) { m, error in
      return ntk_constant_kernel_descent([m[0]], [m[1]], 0.1, [m[2]], nil, error)
    }
  }
}
