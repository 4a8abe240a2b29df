import CAPI
import CNTKSwift
import Testing

/// Hostile arguments of the linear algebra exports end with a status; good ones beside them succeed.
@Suite struct LinearAlgebraBoundaryTests {
  private let invalid = Int32(NTK_INVALID_ARGUMENT.rawValue)
  /// No ridge, no jitter.
  private let plain = ntk_regularization(ridge: 0, is_relative: 0, reserved: 0, largest_jitter: 0)

  private func matrix(
    _ p: UnsafeMutablePointer<Double>?, _ rows: Int64, _ cols: Int64, stride: Int64? = nil, columns: Int64 = 1, dtype: Int32 = 1
  ) -> ntk_matrix {
    ntk_matrix(data: p, rows: rows, cols: cols, row_stride: stride ?? cols, col_stride: columns, dtype: dtype, reserved: 0)
  }

  /// A 3 x 3 positive definite matrix, and room behind it.
  private func withRoom(_ body: (UnsafeMutablePointer<Double>) -> Void) {
    var room: [Double] = [4, 1, 0, 1, 3, 1, 0, 1, 2] + [Double](repeating: 0, count: 64)
    room.withUnsafeMutableBufferPointer { room in
      guard let p = room.baseAddress else { return }
      body(p)
    }
  }

  /// Matrices that no export may accept as its first argument.
  private func wrong(_ p: UnsafeMutablePointer<Double>) -> [ntk_matrix] {
    [
      matrix(nil, 3, 3), matrix(p, -3, 3), matrix(p, 3, -3), matrix(p, .max, .max), matrix(p, 3, 3, stride: .max),
      matrix(p, 3, 3, stride: .min), matrix(p, 3, 3, columns: .max), matrix(p, 3, 3, dtype: -1), matrix(p, 3, 3, dtype: 7),
    ]
  }

  @Test func nullPointersAreErrors() {
    var (error, value) = (ntk_error(), 0.0)
    #expect(ntk_cholesky(nil, nil, nil, nil, nil, &error) == invalid)
    #expect(ntk_solve(0, nil, nil, nil, &error) == invalid)
    #expect(ntk_multiply(nil, nil, nil, nil, &error) == invalid)
    #expect(ntk_eigh(nil, nil, nil, nil, nil, &error) == invalid)
    #expect(ntk_largest_eigenvalue(nil, &value, nil, &error) == invalid)
    #expect(ntk_symmetry(nil, 0, 1, nil, nil, &error) == invalid)
    withRoom { p in
      var a = matrix(p, 3, 3)
      #expect(ntk_largest_eigenvalue(&a, nil, nil, &error) == invalid)
      #expect(ntk_largest_eigenvalue(&a, &value, nil, nil) == 0)
    }
  }

  @Test func factorsOfWrongMatricesAreErrors() {
    withRoom { p in
      var (error, report, rule) = (ntk_error(), ntk_factor_report(), plain)
      var (a, factor) = (matrix(p, 3, 3), matrix(p + 16, 3, 3))
      #expect(ntk_cholesky(&a, &rule, &factor, &report, nil, &error) == 0)
      for var bad in wrong(p) + [matrix(p, 3, 2), matrix(p, 2, 2)] {
        #expect(ntk_cholesky(&bad, &rule, &factor, &report, nil, &error) != 0, "\(bad)")
      }
      for var bad in wrong(p + 16) + [matrix(p + 16, 2, 3), matrix(p + 16, 3, 3, dtype: 0), matrix(p + 16, 3, 3, columns: 2)] {
        #expect(ntk_cholesky(&a, &rule, &bad, &report, nil, &error) != 0, "\(bad)")
      }
      for ridge in [Double.nan, -1, .infinity] {
        rule.ridge = ridge
        #expect(ntk_cholesky(&a, &rule, &factor, &report, nil, &error) != 0, "ridge \(ridge)")
      }
    }
  }

  @Test func faultsOfWrongMatricesAreErrors() {
    withRoom { p in
      var (error, fault, a) = (ntk_error(), ntk_symmetry_fault(), matrix(p, 3, 3))
      #expect(ntk_symmetry(&a, 1e-8, 0, &fault, nil, &error) == 0)
      #expect(ntk_symmetry(&a, 1e-8, 0, nil, nil, &error) == invalid)
      #expect(ntk_symmetry(&a, .nan, 0, &fault, nil, &error) == invalid)
      for var bad in wrong(p) + [matrix(p, 3, 2)] { #expect(ntk_symmetry(&bad, 1e-8, 1, &fault, nil, &error) != 0, "\(bad)") }
    }
  }

  @Test func wrongSystemsAreErrors() {
    withRoom { p in
      var error = ntk_error()
      var (factor, b) = (matrix(p, 3, 3), matrix(p + 16, 3, 2))
      #expect(ntk_solve(0, &factor, &b, nil, &error) == 0)
      for system: Int32 in [-1, 3, .max, .min] { #expect(ntk_solve(system, &factor, &b, nil, &error) == invalid) }
      for var bad in wrong(p) + [matrix(p, 3, 2)] { #expect(ntk_solve(0, &bad, &b, nil, &error) != 0, "\(bad)") }
      for var bad in wrong(p + 16) + [matrix(p + 16, 2, 2)] { #expect(ntk_solve(0, &factor, &bad, nil, &error) != 0, "\(bad)") }
    }
  }

  @Test func wrongProductsAreErrors() {
    withRoom { p in
      var error = ntk_error()
      var (a, b, c) = (matrix(p, 3, 3), matrix(p, 3, 2), matrix(p + 16, 3, 2))
      #expect(ntk_multiply(&a, &b, &c, nil, &error) == 0)
      for var bad in wrong(p) { #expect(ntk_multiply(&bad, &b, &c, nil, &error) != 0, "\(bad)") }
      for var bad in wrong(p) + [matrix(p, 2, 2), matrix(p, 3, 2, dtype: 0)] {
        #expect(ntk_multiply(&a, &bad, &c, nil, &error) != 0, "\(bad)")
      }
      for var bad in wrong(p + 16) + [matrix(p + 16, 2, 3)] { #expect(ntk_multiply(&a, &b, &bad, nil, &error) != 0, "\(bad)") }
    }
  }

  @Test func wrongEigenproblemsAreErrors() {
    withRoom { p in
      var (error, rule, value) = (ntk_error(), plain, 0.0)
      var (a, values, vectors) = (matrix(p, 3, 3), matrix(p + 16, 3, 1), matrix(p + 24, 3, 3))
      #expect(ntk_eigh(&a, &rule, &values, &vectors, nil, &error) == 0)
      for var bad in wrong(p) + [matrix(p, 3, 2)] {
        #expect(ntk_eigh(&bad, &rule, &values, &vectors, nil, &error) != 0, "\(bad)")
        #expect(ntk_largest_eigenvalue(&bad, &value, nil, &error) != 0, "\(bad)")
      }
      var short = matrix(p + 16, 2, 1)
      #expect(ntk_eigh(&a, &rule, &short, &vectors, nil, &error) != 0)
      var narrow = matrix(p + 24, 3, 2)
      #expect(ntk_eigh(&a, &rule, &values, &narrow, nil, &error) != 0)
      p[0] = .nan
      #expect(ntk_eigh(&a, &rule, &values, &vectors, nil, &error) != 0)
    }
  }
}
