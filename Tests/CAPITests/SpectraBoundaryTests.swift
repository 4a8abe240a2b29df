import CAPI
import CNTKSwift
import Testing

/// Lanczos and spectra at the boundary: bad pointers, sizes and callbacks give a status.
@Suite struct SpectraBoundaryTests {
  private let invalid = Int32(NTK_INVALID_ARGUMENT.rawValue)

  /// A column over `numbers` for the length of `body`.
  private func withColumn(_ numbers: inout [Double], _ body: (UnsafePointer<ntk_matrix>) -> Void) {
    let rows = Int64(numbers.count)
    numbers.withUnsafeMutableBufferPointer {
      var m = ntk_matrix(data: $0.baseAddress, rows: rows, cols: 1, row_stride: 1, col_stride: 1, dtype: 1, reserved: 0)
      body(&m)
    }
  }

  @Test func nullPointersAreErrors() {
    var error = ntk_error()
    #expect(ntk_lanczos(nil, nil, nil, nil, nil, nil, nil, nil, &error) == invalid)
    #expect(ntk_lanczos_quadrature(nil, nil, nil, nil, nil, nil, nil, &error) == invalid)
    #expect(ntk_angle_rule(nil, nil, nil, nil, nil, &error) == invalid)
    #expect(ntk_zonal_spectrum(nil, nil, 3, nil, nil, nil, &error) == invalid)
    #expect(ntk_legendre_polynomials(3, nil, nil, &error) == invalid)
    #expect(ntk_endpoint_expansion(nil, nil, nil, nil, &error) == invalid)
    #expect(ntk_frequency_energies(nil, nil, nil, nil, &error) == invalid)
    #expect(ntk_learning_curve(nil, nil, nil, 0, 0, nil, 0, 0, nil, nil, nil, &error) == invalid)
    #expect(ntk_lanczos(nil, nil, nil, nil, nil, nil, nil, nil, nil) == invalid)
  }

  @Test func impossibleRequestsAreErrors() {
    let product: ntk_operator = { (_, x, y, n) in
      for i in 0..<Int(n) { y?[i] = Double(i) * (x?[i] ?? 0) }
      return 0
    }
    let failing: ntk_operator = { (_, _, _, _) in 1 }
    var (values, residuals) = ([0.0, 0], [0.0, 0])
    withColumn(&values) { v in
      withColumn(&residuals) { r in
        func run(_ change: (inout ntk_lanczos_request) -> Void, _ product: @escaping ntk_operator) -> Int32 {
          var request = ntk_lanczos_request()
          (request.dimension, request.count, request.tolerance) = (20, 2, 1e-8)
          change(&request)
          return ntk_lanczos(&request, product, nil, v, r, nil, nil, nil, nil)
        }
        #expect(run({ _ in }, product) == 0)
        #expect(run({ _ in }, failing) == NTK_CALLBACK_FAILED.rawValue)
        #expect(run({ $0.dimension = 1 }, product) == invalid)
        #expect(run({ $0.dimension = -20 }, product) == invalid)
        #expect(run({ $0.dimension = .max }, product) != 0)
        #expect(run({ $0.count = .max }, product) == invalid)
        #expect(run({ $0.count = .min }, product) == invalid)
        #expect(run({ $0.end = 7 }, product) == invalid)
        #expect(run({ $0.tolerance = .nan }, product) == invalid)
        #expect(run({ $0.subspace = -1 }, product) == invalid)
        #expect(run({ $0.subspace = .max }, product) == invalid)
        #expect(run({ $0.most_products = .min }, product) == invalid)
        #expect(run({ $0.most_products = .max }, product) == 0)
      }
    }
  }

  @Test func spectraRefuseBadSizes() {
    var error = ntk_error()
    var (a, b, c) = ([1.0, 2, 3], [1.0, 2], [0.0, 0, 0, 0])
    withColumn(&a) { three in
      withColumn(&b) { two in
        withColumn(&c) { four in
          // Three nodes need a packed rule of eight numbers.
          #expect(ntk_zonal_spectrum(three, four, 3, two, two, nil, &error) == invalid)
          #expect(ntk_angle_rule(three, three, three, two, three, &error) == invalid)
          #expect(ntk_legendre_polynomials(1, three, two, &error) == invalid)
          #expect(ntk_legendre_polynomials(3, three, two, &error) == invalid)
          #expect(ntk_endpoint_expansion(three, three, four, four, &error) == invalid)
          #expect(ntk_frequency_energies(three, two, four, nil, &error) == invalid)
          #expect(ntk_learning_curve(three, two, three, 0, 0, two, 0, 0, two, two, two, &error) == invalid)
          #expect(ntk_learning_curve(three, three, three, -1, 0, two, 0, 0, two, two, two, &error) == invalid)
          #expect(ntk_learning_curve(three, three, three, 0, 0, two, .nan, 0, two, two, two, &error) == invalid)
        }
      }
    }
  }
}
