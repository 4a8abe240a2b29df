import CAPI
import CNTKSwift
import Testing

/// Posteriors, ensembles and training by kernels at the boundary.
@Suite struct KernelMethodsBoundaryTests {
  /// Three training points, two test points; a Cholesky factor, and symmetric kernels.
  private let factor = Argument(rows: 3, cols: 3) { $0 % 4 == 0 ? 1.5 : 0.2 }
  private let train = Argument(rows: 3, cols: 3) { $0 % 4 == 0 ? 2 : 0.3 }
  private let cross = Argument(rows: 2, cols: 3)
  private let test = Argument(rows: 2, cols: 2) { $0 % 3 == 0 ? 2 : 0.3 }
  private let none = ntk_matrix()

  @Test func nullPointersAreErrors() {
    var value = 0.0
    #expect(fails { ntk_posterior_covariance(nil, nil, nil, nil, nil, $0) })
    #expect(fails { ntk_ensemble_covariance(nil, nil, nil, nil, $0) })
    #expect(fails { ntk_log_marginal_likelihood(nil, nil, nil, nil, &value, nil, $0) })
    #expect(fails { ntk_inner_product(nil, nil, &value, $0) })
    #expect(fails { ntk_sample_posterior(nil, nil, nil, nil, 1, nil, nil, nil, $0) })
    #expect(fails { ntk_gradient_flow(nil, nil, nil, nil, nil, nil, $0) })
    #expect(fails { ntk_flow_covariance(nil, 1, nil, nil, nil, $0) })
    #expect(fails { ntk_gradient_descent(nil, nil, nil, nil, nil, $0) })
  }

  @Test func posteriorsCheckTheirMatrices() {
    HostileCalls.run([factor, cross, test, test]) { m, error in
      ntk_posterior_covariance([m[0]], [m[1]], [m[2]], [m[3]], nil, error)
    }
    HostileCalls.run([factor, cross, train, cross, test, test]) { m, error in
      var kernels = ntk_ensemble_kernels(
        ntk_test_train: m[1], nngp_train_train: m[2], nngp_test_train: m[3], nngp_test_test: m[4])
      return ntk_ensemble_covariance([m[0]], &kernels, [m[5]], nil, error)
    }
    var value = 0.0
    let column = Argument(rows: 3, cols: 1)
    HostileCalls.run([factor, column, column, Argument(rows: 3, cols: 3, isOptional: true)]) { m, error in
      ntk_log_marginal_likelihood([m[0]], [m[1]], [m[2]], [m[3]], &value, nil, error)
    }
    HostileCalls.run([cross, cross]) { m, error in ntk_inner_product([m[0]], [m[1]], &value, error) }
  }

  @Test func samplesCheckTheirCountsAndMatrices() {
    let (key, counter) = ([1, 2] as [UInt64], [0, 0, 0, 0] as [UInt64])
    let shapes = [Argument(rows: 2, cols: 1), test, Argument(rows: 2, cols: 4)]
    HostileCalls.valid(shapes) { m in
      for samples: Int64 in [-1, 3, .max, .min] {
        #expect(fails { ntk_sample_posterior([m[0]], [m[1]], key, counter, samples, [m[2]], nil, nil, $0) })
      }
      #expect(fails { ntk_sample_posterior([m[0]], [m[1]], nil, counter, 4, [m[2]], nil, nil, $0) })
      #expect(fails { ntk_sample_posterior([m[0]], [m[1]], key, nil, 4, [m[2]], nil, nil, $0) })
    }
    HostileCalls.run(shapes) { m, error in
      ntk_sample_posterior([m[0]], [m[1]], key, counter, 4, [m[2]], nil, nil, error)
    }
  }

  /// Two times; the kernel's eigenvectors are the unit vectors.
  private func flow(_ m: [ntk_matrix], _ times: UnsafePointer<Double>?, _ count: Int64 = 2, size: Double = 3) -> ntk_flow {
    ntk_flow(values: m[0], vectors: m[1], times: times, time_count: count, size: size)
  }

  private let spectrum = [
    Argument(rows: 3, cols: 1) { 1 + 0.5 * Double($0) }, Argument(rows: 3, cols: 3) { $0 % 4 == 0 ? 1 : 0 },
  ]

  @Test func flowsCheckTheirTimesAndMatrices() {
    let times = [0.5, Double.infinity]
    let shapes =
      spectrum + [
        Argument(rows: 3, cols: 1), Argument(rows: 3, cols: 2, isOptional: true), Argument(rows: 2, cols: 3),
        Argument(rows: 2, cols: 2, isOptional: true),
      ]
    HostileCalls.valid(shapes) { m in
      for bad in [[-1, 0], [.nan, 0]] as [[Double]] {
        var given = flow(m, bad)
        #expect(fails { ntk_gradient_flow(&given, [m[2]], [m[3]], [m[4]], [m[5]], nil, $0) })
      }
      for count: Int64 in [-1, .min, .max] {
        var given = flow(m, times, count)
        #expect(fails { ntk_gradient_flow(&given, [m[2]], [m[3]], [m[4]], [m[5]], nil, $0) })
      }
      for size in [0, -1, Double.nan, .infinity] {
        var given = flow(m, times, size: size)
        #expect(fails { ntk_gradient_flow(&given, [m[2]], [m[3]], [m[4]], [m[5]], nil, $0) })
      }
      var given = flow(m, nil)
      #expect(fails { ntk_gradient_flow(&given, [m[2]], [m[3]], [m[4]], [m[5]], nil, $0) })
    }
    HostileCalls.run(shapes) { m, error in
      times.withUnsafeBufferPointer {
        var given = flow(m, $0.baseAddress)
        return ntk_gradient_flow(&given, [m[2]], [m[3]], [m[4]], [m[5]], nil, error)
      }
    }
    HostileCalls.run(spectrum + [cross, train, cross, test, Argument(rows: 4, cols: 2)]) { m, error in
      times.withUnsafeBufferPointer {
        var given = flow(m, $0.baseAddress)
        var kernels = ntk_ensemble_kernels(
          ntk_test_train: m[2], nngp_train_train: m[3], nngp_test_train: m[4], nngp_test_test: m[5])
        return ntk_flow_covariance(&given, 1, &kernels, [m[6]], nil, error)
      }
    }
  }

  @Test func descentsCheckTheirNumbersAndMatrices() {
    let times = [0.1, 0.2]
    // f and u of three points with two outputs.
    let shapes = [train, Argument(rows: 3, cols: 2), Argument(rows: 1, cols: 12), Argument(rows: 2, cols: 12)]
    func descent(
      _ m: [ntk_matrix], _ error: UnsafeMutablePointer<ntk_error>?, _ change: (inout ntk_descent) -> Void = { _ in }
    ) -> Int32 {
      times.withUnsafeBufferPointer {
        var given = ntk_descent()
        (given.targets, given.tolerance, given.most_steps) = (m[1], 1e-6, 1000)
        (given.times, given.time_count, given.classes, given.divisor) = ($0.baseAddress, 2, 2, 3)
        change(&given)
        return ntk_gradient_descent(&given, [m[0]], [m[2]], [m[3]], nil, error)
      }
    }
    let bad: [(inout ntk_descent) -> Void] = [
      { $0.loss = -1 }, { $0.loss = 5 }, { $0.loss = 3 }, { $0.loss = 4 }, { ($0.loss, $0.classes) = (1, 0) },
      { ($0.loss, $0.classes) = (1, 1) }, { ($0.loss, $0.divisor) = (1, 0) }, { ($0.loss, $0.divisor) = (1, .nan) },
      { ($0.loss, $0.classes) = (1, 5) }, { ($0.loss, $0.classes) = (1, .max) }, { ($0.loss, $0.classes) = (1, .min) },
      { $0.tolerance = 0 }, { $0.tolerance = .nan }, { $0.tolerance = 1 }, { ($0.has_momentum, $0.damping) = (1, .nan) },
      { $0.time_count = -1 }, { $0.time_count = .max }, { $0.times = nil }, { $0.time_count = 1 },
      { ($0.loss, $0.function) = (3, { (_, _, _, _, _) in 1 }) },
    ]
    HostileCalls.valid(shapes) { m in
      for (k, change) in bad.enumerated() { #expect(fails { descent(m, $0, change) }, "descent \(k)") }
    }
    HostileCalls.run(shapes) { m, error in descent(m, error) }
    HostileCalls.run(shapes) { m, error in descent(m, error) { $0.loss = 1 } }
    HostileCalls.run(shapes) { m, error in descent(m, error) { $0.loss = 2 } }
  }
}
