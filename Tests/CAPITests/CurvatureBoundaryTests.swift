import CAPI
import CNTKSwift
import Testing

/// The instruments of trajectories at the boundary: covariances of gradients, steps along a line, the break-even model.
@Suite struct CurvatureBoundaryTests {
  private let network = TestNetwork()
  private let x = Argument(rows: 6, cols: 3)
  private let y = Argument(rows: 6, cols: 2)

  @Test func nullPointersAreErrors() {
    #expect(fails { ntk_network_gradient_covariance(nil, 0, nil, nil, 0, 1, nil, nil, nil, $0) })
    #expect(fails { ntk_gradient_covariance_of(nil, 0, 1, nil, nil, nil, $0) })
    #expect(fails { ntk_network_sample_curvatures(nil, 0, nil, nil, nil, nil, nil, $0) })
    #expect(fails { ntk_network_step_to_raise(nil, 0, nil, nil, nil, 2, 2, nil, nil, $0) })
    network.use { n in
      #expect(fails { ntk_network_gradient_covariance(n, 0, nil, nil, 0, 1, nil, nil, nil, $0) })
      #expect(fails { ntk_network_sample_curvatures(n, 0, nil, nil, nil, nil, nil, $0) })
      #expect(fails { ntk_network_step_to_raise(n, 0, nil, nil, nil, 2, 2, nil, nil, $0) })
    }
  }

  @Test func covariancesOfGradientsCheckTheirSizes() {
    var result = ntk_gradient_covariance()
    for (batch, most) in [(0, 5), (2, 2)] as [(Int64, Int64)] {
      HostileCalls.valid([x, y, Argument(rows: most, cols: 1)]) { m in
        network.use { n in
          for (b, top) in [(-1, 1), (.min, 1), (4, 1), (7, 1), (.max, 1), (batch, 0), (batch, -1), (batch, .max)]
            as [(Int64, Int64)]
          {
            #expect(
              fails { ntk_network_gradient_covariance(n, 0, [m[0]], [m[1]], b, top, [m[2]], &result, nil, $0) }, "\(b), \(top)"
            )
          }
          for loss: Int32 in [-1, 2, .max] {
            #expect(fails { ntk_network_gradient_covariance(n, loss, [m[0]], [m[1]], batch, 1, [m[2]], &result, nil, $0) })
          }
        }
      }
      HostileCalls.run([x, y, Argument(rows: most, cols: 1)]) { m, error in
        network.use { n -> Int32 in
          return ntk_network_gradient_covariance(n, 0, [m[0]], [m[1]], batch, 2, [m[2]], &result, nil, error)
        }
      }
    }
    HostileCalls.run([Argument(rows: 4, cols: 5, takesMoreRows: true, takesMoreCols: true), Argument(rows: 3, cols: 1)]) {
      m, error in
      ntk_gradient_covariance_of([m[0]], 0, 2, [m[1]], &result, nil, error)
    }
    HostileCalls.valid([Argument(rows: 4, cols: 4) { $0 % 5 == 0 ? 2 : 1 }, Argument(rows: 3, cols: 1)]) { m in
      for top: Int64 in [0, -1, .max, .min] {
        #expect(fails { ntk_gradient_covariance_of([m[0]], 1, top, [m[1]], &result, nil, $0) })
      }
    }
    HostileCalls.run([Argument(rows: 4, cols: 4) { $0 % 5 == 0 ? 2 : 1 }, Argument(rows: 3, cols: 1)]) { m, error in
      return ntk_gradient_covariance_of([m[0]], 1, 1, [m[1]], nil, nil, error)
    }
  }

  @Test func linesThroughParametersAreChecked() {
    let vector = Argument(rows: 1, cols: network.count)
    HostileCalls.run([x, y, vector, Argument(rows: 6, cols: 1)]) { m, error in
      network.use { ntk_network_sample_curvatures($0, 1, [m[0]], [m[1]], [m[2]], [m[3]], nil, error) }
    }
    var alpha = 0.0
    HostileCalls.valid([x, y, vector]) { m in
      network.use { n in
        for (factor, most) in [(1, 5), (0.5, 5), (.nan, 5), (.infinity, 5), (1.2, 0), (1.2, -1), (1.2, .nan), (1.2, .infinity)]
          as [(Double, Double)]
        {
          #expect(fails { ntk_network_step_to_raise(n, 0, [m[0]], [m[1]], [m[2]], factor, most, &alpha, nil, $0) })
        }
      }
    }
    HostileCalls.run([x, y, vector]) { m, error in
      network.use { n -> Int32 in
        return ntk_network_step_to_raise(n, 0, [m[0]], [m[1]], [m[2]], 1.2, 10, &alpha, nil, error)
      }
    }
    let coupled = TestNetwork([Layer.dense(3), Layer.batchNorm, Layer.dense(2)])
    var numbers = [Double](repeating: 0.5, count: 128)
    numbers.withUnsafeMutableBufferPointer { room in
      let p = room.baseAddress
      var (x, y, v, out) = (matrix(p, 6, 3), matrix(p, 6, 2), matrix(p, 1, coupled.count), matrix(p, 6, 1))
      #expect(fails { e in coupled.use { ntk_network_sample_curvatures($0, 0, &x, &y, &v, &out, nil, e) } })
      var values = matrix(p, 5, 1)
      #expect(fails { e in coupled.use { ntk_network_gradient_covariance($0, 0, &x, &y, 0, 1, &values, nil, nil, e) } })
    }
  }

  /// A line on which the loss is no number has no alpha.
  @Test func linesWithoutALossAreErrors() {
    for bad in [Double.nan, .infinity] {
      var numbers = [Double](repeating: 0.5, count: 128)
      numbers[70] = bad
      numbers.withUnsafeMutableBufferPointer { room in
        guard let p = room.baseAddress else { return }
        var (good, spoilt, y) = (matrix(p, 6, 3), matrix(p + 64, 6, 3), matrix(p, 6, 2))
        var (update, broken, alpha) = (matrix(p, 1, network.count), matrix(p + 64, 1, network.count), 0.0)
        #expect(fails { e in network.use { ntk_network_step_to_raise($0, 0, &spoilt, &y, &update, 1.2, 10, &alpha, nil, e) } })
        #expect(fails { e in network.use { ntk_network_step_to_raise($0, 0, &good, &y, &broken, 1.2, 10, &alpha, nil, e) } })
        #expect(network.use { ntk_network_step_to_raise($0, 0, &good, &y, &update, 1.2, 10, &alpha, nil, nil) } == 0)
      }
    }
  }

  @Test func breakEvenNumbersAreChecked() {
    var value = 0.0
    for (rate, batch, examples) in [(0, 1, 2), (.nan, 1, 2), (1, 0, 2), (1, 3, 2), (1, .min, .min), (1, .max, 1)]
      as [(Double, Int64, Int64)]
    {
      #expect(fails { ntk_stability_factor(rate, batch, examples, 1, 1, &value, $0) })
      #expect(fails { ntk_break_even_curvature(rate, batch, examples, 1, 1, &value, $0) })
    }
    for (alpha, psi) in [(-1, 1), (.nan, 1), (1, 0), (1, .nan)] as [(Double, Double)] {
      #expect(fails { ntk_break_even_curvature(1, 1, 2, alpha, psi, &value, $0) })
    }
    for (mean, variance) in [(.nan, 1), (1, .nan), (1, -1), (.infinity, 1)] as [(Double, Double)] {
      #expect(fails { ntk_stability_factor(1, 1, 2, mean, variance, &value, $0) })
    }
    #expect(ntk_stability_factor(1, .max, .max, 1, 1, &value, nil) == 0)
    #expect(ntk_break_even_curvature(1, 1, .max, 1, 1, nil, nil) == 0)
  }

  private func matrix(_ p: UnsafeMutablePointer<Double>?, _ rows: Int64, _ cols: Int64) -> ntk_matrix {
    ntk_matrix(data: p, rows: rows, cols: cols, row_stride: cols, col_stride: 1, dtype: 1, reserved: 0)
  }
}
