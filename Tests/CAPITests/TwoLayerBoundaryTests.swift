import CAPI
import CNTKSwift
import Testing

/// Two-layer networks and their tasks at the boundary.
@Suite struct TwoLayerBoundaryTests {
  private let square = Layer.single(.square)
  /// Two units in three dimensions, five inputs.
  private let weights = Argument(rows: 2, cols: 3)
  private let outputs = Argument(rows: 2, cols: 1)
  private let inputs = Argument(rows: 5, cols: 3)
  private let column = Argument(rows: 5, cols: 1)
  /// A symmetric matrix.
  private let form = Argument(rows: 3, cols: 3) { $0 % 4 == 0 ? 1 : 0.2 }

  private func network(_ m: [ntk_matrix], activation: Int64? = nil) -> ntk_two_layer {
    ntk_two_layer(
      activation: activation ?? square, weights: m[0], outputs: m[1], tangents: m.count > 2 ? m[2] : ntk_matrix(),
      function: nil, function_context: nil)
  }

  @Test func nullPointersAreErrors() {
    var value = 0.0
    #expect(fails { ntk_two_layer_predict(nil, 0, nil, nil, nil, $0) })
    #expect(fails { ntk_two_layer_ridge(nil, nil, nil, 0, 0, nil, nil, nil, $0) })
    #expect(fails { ntk_two_layer_curvature(nil, nil, 1, 1, nil, nil, $0) })
    #expect(fails { ntk_two_layer_sgd(nil, &value, nil, nil, nil, $0) })
    #expect(fails { ntk_quadratic_form(nil, nil, nil, nil, nil, $0) })
    #expect(fails { ntk_quadratic_risk(nil, nil, 0, nil, nil, nil, $0) })
    #expect(fails { ntk_quadratic_fit(nil, 0, nil, nil, nil, nil, nil, $0) })
    #expect(fails { ntk_lazy_limit(0, nil, 1, nil, $0) })
    #expect(fails { ntk_mean_tangent_risk(nil, 1, nil, $0) })
    #expect(fails { ntk_normal_strips(1, 1, 0, nil, 1, $0) })
    #expect(fails { ntk_philox32_raw(1, 1, 0, nil, $0) })
  }

  @Test func predictionsCheckTheirMatrices() {
    HostileCalls.run([weights, outputs, Argument(rows: 2, cols: 3, isOptional: true), inputs, column]) { m, error in
      var given = network(Array(m.prefix(3)))
      return ntk_two_layer_predict(&given, 0.1, [m[3]], [m[4]], nil, error)
    }
    HostileCalls.valid([weights, outputs, inputs, column]) { m in
      for handle in [-1, 0, .max, Layer.serial([Layer.erf]), Layer.single(Layer.dense(2))] as [Int64] {
        var other = network(Array(m.prefix(2)), activation: handle)
        #expect(fails { ntk_two_layer_predict(&other, 0, [m[2]], [m[3]], nil, $0) })
      }
    }
    HostileCalls.run([weights, outputs, inputs, column]) { m, error in
      var given = network(Array(m.prefix(2)))
      return ntk_two_layer_predict(&given, 0.1, [m[2]], [m[3]], nil, error)
    }
  }

  @Test func fitsCheckTheirMatrices() {
    var (offset, jitter, value) = (0.0, 0.0, 0.0)
    HostileCalls.valid([weights, outputs, Argument(rows: 2, cols: 3, isOptional: true), inputs, column]) { m in
      var given = network(Array(m.prefix(3)))
      for ridge in [-1, Double.nan, .infinity] {
        #expect(fails { ntk_two_layer_ridge(&given, [m[3]], [m[4]], ridge, 3, &offset, &jitter, nil, $0) })
      }
    }
    HostileCalls.run([weights, outputs, Argument(rows: 2, cols: 3, isOptional: true), inputs, column]) { m, error in
      var given = network(Array(m.prefix(3)))
      return ntk_two_layer_ridge(&given, [m[3]], [m[4]], 0.1, 3, &offset, &jitter, nil, error)
    }
    HostileCalls.run([weights, outputs, Argument(rows: 5, cols: 3, takesMoreRows: true)]) { m, error in
      var given = network(Array(m.prefix(2)))
      return ntk_two_layer_curvature(&given, [m[2]], 1, 1, &value, nil, error)
    }
  }

  /// Ten steps with batches of two.
  private func sgd(_ change: (inout ntk_sgd) -> Void) -> ntk_sgd {
    var given = ntk_sgd()
    (given.batch, given.steps) = (2, 10)
    (given.weight_rate, given.output_rate, given.offset_rate) = (1, 1, 1)
    change(&given)
    return given
  }

  @Test func trainingOnAFixedSetChecksItsMatrices() {
    let schedule = Argument(rows: 1, cols: 2) { $0 == 0 ? 0 : 1e-3 }
    HostileCalls.valid([weights, outputs, inputs, column, schedule]) { m in
      var (given, offset) = (network(Array(m.prefix(2))), 0.0)
      func run(_ change: (inout ntk_sgd) -> Void, _ error: UnsafeMutablePointer<ntk_error>) -> Int32 {
        var training = sgd {
          ($0.source, $0.inputs, $0.targets, $0.schedule) = (Int32(NTK_FIXED_SAMPLES.rawValue), m[2], m[3], m[4])
          change(&$0)
        }
        return TestRecord.use { ntk_two_layer_sgd(&given, &offset, &training, $0, nil, error) }
      }
      let bad: [(inout ntk_sgd) -> Void] = [
        { $0.batch = 0 }, { $0.batch = -1 }, { $0.batch = .max }, { $0.steps = -1 }, { $0.steps = .max }, { $0.first_step = -1 },
        { ($0.first_step, $0.steps) = (.max, 10) }, { $0.weight_rate = .nan }, { $0.output_rate = -1 },
        { $0.offset_rate = .infinity },
      ]
      for (k, change) in bad.enumerated() { #expect(fails { run(change, $0) }, "run \(k)") }
      #expect(fails { error in TestRecord.use { ntk_two_layer_sgd(&given, nil, nil, $0, nil, error) } })
    }
    HostileCalls.run([weights, outputs, inputs, column, schedule]) { m, error in
      var (given, offset) = (network(Array(m.prefix(2))), 0.0)
      func run(_ change: (inout ntk_sgd) -> Void, _ error: UnsafeMutablePointer<ntk_error>) -> Int32 {
        var training = sgd {
          ($0.source, $0.inputs, $0.targets, $0.schedule) = (Int32(NTK_FIXED_SAMPLES.rawValue), m[2], m[3], m[4])
          change(&$0)
        }
        return TestRecord.use { ntk_two_layer_sgd(&given, &offset, &training, $0, nil, error) }
      }
      return run({ _ in }, error)
    }
  }

  @Test func trainingOnFreshSamplesChecksItsTask() {
    let schedule = Argument(rows: 1, cols: 2) { $0 == 0 ? 0 : 1e-3 }
    for kind: Int32 in [0, 1] {
      let difference = Argument(rows: 3, cols: 3, isOptional: kind == 0) { $0 % 4 == 0 ? 0.3 : 0.05 }
      HostileCalls.run([weights, outputs, form] + (kind == 0 ? [] : [difference]) + [schedule]) { m, error in
        var (given, offset) = (network(Array(m.prefix(2))), 0.0)
        let n = m.count
        var training = sgd {
          $0.task = ntk_quadratic_task(kind: kind, reserved: 0, first: m[2], second: kind == 0 ? ntk_matrix() : m[3], offset: 0.1)
          $0.schedule = m[n - 1]
        }
        return TestRecord.use { ntk_two_layer_sgd(&given, &offset, &training, $0, nil, error) }
      }
    }
  }

  @Test func quadraticTasksCheckTheirMatrices() {
    var (risk, offset) = (0.0, 0.0)
    HostileCalls.run([weights, Argument(rows: 2, cols: 1, isOptional: true), Argument(rows: 2, cols: 3, isOptional: true), form])
    {
      m, error in ntk_quadratic_form([m[0]], [m[1]], [m[2]], [m[3]], nil, error)
    }
    HostileCalls.valid([form, form]) { m in
      for kind: Int32 in [-1, 2, .max] {
        var other = ntk_quadratic_task(kind: kind, reserved: 0, first: m[0], second: m[0], offset: 0)
        #expect(fails { ntk_quadratic_risk(&other, [m[1]], 0, &risk, nil, nil, $0) })
      }
      for bad in [Double.nan, .infinity] {
        var other = ntk_quadratic_task(kind: 0, reserved: 0, first: m[0], second: ntk_matrix(), offset: bad)
        #expect(fails { ntk_quadratic_risk(&other, [m[1]], 0, &risk, nil, nil, $0) })
      }
    }
    HostileCalls.run([form, form]) { m, error in
      var task = ntk_quadratic_task(kind: 0, reserved: 0, first: m[0], second: ntk_matrix(), offset: 0)
      return ntk_quadratic_risk(&task, [m[1]], 0, &risk, nil, nil, error)
    }
    for regime: Int32 in [0, 1, 2] {
      let result = regime == 1 ? Argument(rows: 2, cols: 3) : outputs
      HostileCalls.valid([form, weights, result]) { m in
        var task = ntk_quadratic_task(kind: 0, reserved: 0, first: m[0], second: ntk_matrix(), offset: 0)
        for bad: Int32 in [-1, 3, .min] {
          #expect(fails { ntk_quadratic_fit(&task, bad, [m[1]], [m[2]], &offset, nil, nil, $0) })
        }
      }
      HostileCalls.run([form, weights, result]) { m, error in
        var task = ntk_quadratic_task(kind: 0, reserved: 0, first: m[0], second: ntk_matrix(), offset: 0)
        return ntk_quadratic_fit(&task, regime, [m[1]], [m[2]], &offset, nil, nil, error)
      }
    }
  }

  @Test func limitsCheckTheirNumbers() {
    var risk = 0.0
    HostileCalls.valid([Argument(rows: 4, cols: 1, takesMoreRows: true)]) { m in
      for (regime, rho) in [(-1, 1), (3, 1), (0, .nan), (1, -1), (2, .nan)] as [(Int32, Double)] {
        #expect(fails { ntk_lazy_limit(regime, [m[0]], rho, &risk, $0) })
      }
      for rho in [1e300, .infinity] {
        for regime: Int32 in [0, 1, 2] {
          #expect(ntk_lazy_limit(regime, [m[0]], rho, &risk, nil) == ntk_lazy_limit(regime, [m[0]], 1, nil, nil))
        }
      }
    }
    HostileCalls.run([Argument(rows: 4, cols: 1, takesMoreRows: true)]) { m, error in
      return ntk_lazy_limit(2, [m[0]], 0.3, &risk, error)
    }
    HostileCalls.valid([Argument(rows: 4, cols: 1, takesMoreRows: true)]) { m in
      for width: Int64 in [-1, .min] { #expect(fails { ntk_mean_tangent_risk([m[0]], width, &risk, $0) }) }
      _ = ntk_mean_tangent_risk([m[0]], .max, &risk, nil)
    }
    HostileCalls.run([Argument(rows: 4, cols: 1, takesMoreRows: true)]) { m, error in
      return ntk_mean_tangent_risk([m[0]], 2, &risk, error)
    }
  }

  @Test func streamsCheckTheirCounts() {
    var numbers = [Float](repeating: 0, count: 64)
    for (first, strips) in [(-1, 1), (0, -1), (0, .max), (.min, 1)] as [(Int64, Int64)] {
      #expect(fails { ntk_normal_strips(1, 2, first, &numbers, strips, $0) })
    }
    #expect(ntk_normal_strips(1, 2, .max, &numbers, 2, nil) == 0)
    let (key, counter) = ([1, 2] as [UInt64], [UInt64](repeating: .max, count: 4))
    var words = [UInt64](repeating: 0, count: 16)
    var normals = [Double](repeating: 0, count: 16)
    #expect(ntk_philox_raw(key, counter, &words, 16, nil) == 0)
    #expect(ntk_philox_normal(key, counter, &normals, 16, nil) == 0)
    for count: Int64 in [-1, .min] {
      #expect(fails { ntk_philox_raw(key, counter, &words, count, $0) })
      #expect(fails { ntk_philox_normal(key, counter, &normals, count, $0) })
    }
  }
}
