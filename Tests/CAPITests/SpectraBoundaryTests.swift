import CAPI
import CNTKSwift
import Testing

/// Spectra at the boundary: bad pointers, sizes and callbacks give a status.
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
    #expect(ntk_angle_rule(nil, nil, nil, nil, nil, &error) == invalid)
    #expect(ntk_zonal_spectrum(nil, nil, 3, nil, nil, nil, &error) == invalid)
    #expect(ntk_legendre_polynomials(3, nil, nil, &error) == invalid)
    #expect(ntk_endpoint_expansion(nil, nil, nil, nil, &error) == invalid)
    #expect(ntk_frequency_energies(nil, nil, nil, nil, &error) == invalid)
    #expect(ntk_learning_curve(nil, nil, nil, 0, 0, nil, 0, 0, nil, nil, nil, &error) == invalid)
  }

  @Test func anglesEndAtPi() {
    var error = ntk_error()
    for (angle, isValid) in [(-0.1, false), (0, true), (Double.pi, true), (3.2, false), (.nan, false)] {
      var (angles, values) = ([angle], [0.0])
      withColumn(&angles) { a in
        withColumn(&values) { v in #expect((ntk_legendre_polynomials(3, a, v, &error) == invalid) != isValid) }
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
