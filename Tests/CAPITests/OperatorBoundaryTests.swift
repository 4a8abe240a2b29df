import CAPI
import CNTKSwift
import Testing

/// Operators and solvers at the boundary: kinds, sizes, stores and callbacks that are none give a status.
@Suite struct OperatorBoundaryTests {
  private let network = TestNetwork()
  private let x = Argument(rows: 6, cols: 3)
  private let y = Argument(rows: 6, cols: 2)
  private let block = Argument(rows: 2, cols: 4)

  /// A caller's operator of four numbers.
  private static let product: ntk_operator = { (_, x, y, n) in
    for i in 0..<Int(n) { y?[i] = Double(i + 1) * (x?[i] ?? 0) }
    return 0
  }

  private func callers(
    _ kind: ntk_operator_kind = NTK_OPERATOR_PRODUCT, _ change: (inout ntk_symmetric_operator) -> Void = { _ in }
  ) -> ntk_symmetric_operator {
    var op = ntk_symmetric_operator()
    (op.kind, op.product, op.dimension) = (
      Int32(kind.rawValue), OperatorBoundaryTests.product, 4
    )
    change(&op)
    return op
  }

  private func request(_ change: (inout ntk_lanczos_request) -> Void = { _ in }) -> ntk_lanczos_request {
    var request = ntk_lanczos_request()
    (request.count, request.tolerance) = (2, 1e-8)
    change(&request)
    return request
  }

  @Test func nullPointersAreErrors() {
    #expect(fails { ntk_operator_multiply(nil, nil, nil, nil, $0) })
    #expect(fails { ntk_operator_rows(nil, nil, nil, nil, $0) })
    #expect(fails { ntk_operator_diagonal(nil, nil, nil, $0) })
    #expect(fails { ntk_operator_eigen(nil, nil, nil, nil, nil, nil, nil, $0) })
    #expect(fails { ntk_operator_trace(nil, 0, nil, nil, $0) })
    #expect(fails { ntk_operator_density(nil, 0, nil, nil, nil, $0) })
    #expect(fails { ntk_operator_solve(nil, nil, nil, nil, nil, nil, nil, $0) })
    #expect(fails { ntk_operator_store_size(4, 100, nil, $0) })
    #expect(fails { ntk_solver_describe(0, nil, $0) })
    var (op, wish) = (callers(), request())
    #expect(fails { ntk_operator_multiply(&op, nil, nil, nil, $0) })
    #expect(fails { ntk_operator_rows(&op, nil, nil, nil, $0) })
    #expect(fails { ntk_operator_diagonal(&op, nil, nil, $0) })
    #expect(fails { ntk_operator_eigen(&op, nil, nil, nil, nil, nil, nil, $0) })
    #expect(fails { ntk_operator_eigen(&op, &wish, nil, nil, nil, nil, nil, $0) })
    #expect(fails { ntk_operator_trace(&op, 0, nil, nil, $0) })
    #expect(fails { ntk_operator_density(&op, 0, nil, nil, nil, $0) })
    // Without room for an error the code still tells.
    #expect(ntk_operator_trace(nil, 0, nil, nil, nil) != 0)
  }

  @Test func blocksOfVectorsAreChecked() {
    var op = callers()
    HostileCalls.run([block, block]) { m, error in ntk_operator_multiply(&op, [m[0]], [m[1]], nil, error) }
    HostileCalls.run([Argument(rows: 4, cols: 1)]) { m, error in ntk_operator_diagonal(&op, [m[0]], nil, error) }
    HostileCalls.run([Argument(rows: 2, cols: 4, takesMoreRows: true)]) { m, error in
      ntk_operator_rows(&op, [3, 0, 1], [m[0]], nil, error)
    }
    HostileCalls.valid([block]) { m in
      for bad in [[-1, 0], [0, 4], [.min, .max]] as [[Int64]] {
        #expect(fails { ntk_operator_rows(&op, bad, [m[0]], nil, $0) })
      }
    }
  }

  @Test func solversCheckTheirRequest() {
    var (op, result) = (callers(), ntk_solve_result())
    let column = Argument(rows: 2, cols: 1)
    for solver in -1..<ntk_solver_count() {
      HostileCalls.run([block, block, column]) { m, error in
        var request = ntk_solve_request(solver: solver, reserved: 0, tolerance: 1e-8, most_iterations: 0)
        return ntk_operator_solve(&op, &request, [m[0]], [m[1]], [m[2]], &result, nil, error)
      }
    }
    HostileCalls.valid([block, block, column]) { m in
      let bad: [(Int32, Double, Int64)] = [
        (-2, 1e-8, 0), (99, 1e-8, 0), (.min, 1e-8, 0), (0, 0, 0), (0, 1, 0), (1, .nan, 0), (1, 1e-8, -1), (1, 1e-8, .max),
      ]
      for (solver, tolerance, most) in bad {
        var request = ntk_solve_request(solver: solver, reserved: 0, tolerance: tolerance, most_iterations: most)
        #expect(fails { ntk_operator_solve(&op, &request, [m[0]], [m[1]], [m[2]], nil, nil, $0) })
      }
    }
    var info = ntk_solver_info()
    for place in [-1, ntk_solver_count(), .max, .min] { #expect(fails { ntk_solver_describe(place, &info, $0) }) }
    var place: Int32 = -1
    for dimension in [0, -1, .max, .min] as [Int64] {
      #expect(fails { ntk_solver_automatic(dimension, &place, nil, $0) })
    }
    #expect(!fails { ntk_solver_automatic(100, &place, nil, $0) })
    #expect(place == 0)
    #expect(!fails { ntk_solver_automatic(100, nil, nil, $0) })
  }

  @Test func kindsCheckWhatTheyAreMadeOf() {
    let square = Argument(rows: 4, cols: 4)
    HostileCalls.run([square, block, block]) { m, error in
      var op = callers(NTK_OPERATOR_DENSE) { $0.matrix = m[0] }
      return ntk_operator_multiply(&op, [m[1]], [m[2]], nil, error)
    }
    HostileCalls.run([Argument(rows: 3, cols: 4, takesMoreRows: true), block, block]) { m, error in
      var op = callers(NTK_OPERATOR_COVARIANCE) { $0.matrix = m[0] }
      return ntk_operator_multiply(&op, [m[1]], [m[2]], nil, error)
    }
    var blocks = callers(NTK_OPERATOR_BLOCKS)
    HostileCalls.valid([block, block]) { m in
      #expect(fails { ntk_operator_multiply(&blocks, [m[0]], [m[1]], nil, $0) })
      var kernel = callers(NTK_OPERATOR_KERNEL) { ($0.matrix, $0.architecture) = (m[0], -5) }
      #expect(fails { ntk_operator_multiply(&kernel, [m[0]], [m[1]], nil, $0) })
    }
    blocks.block = { (_, row, rows, column, columns, out, leading) in
      for i in 0..<Int(rows) {
        for j in 0..<Int(columns) { out?[i * Int(leading) + j] = row + Int64(i) == column + Int64(j) ? 2 : 0 }
      }
      return 0
    }
    HostileCalls.run([block, block, Argument(rows: 16, cols: 1, isOptional: true, takesMoreRows: true)]) { m, error in
      var stored: Int64 = 0
      (blocks.store, blocks.stored) = (m[2], nil)
      return withUnsafeMutablePointer(to: &stored) {
        blocks.stored = $0
        return ntk_operator_multiply(&blocks, [m[0]], [m[1]], nil, error)
      }
    }
    (blocks.store, blocks.stored) = (ntk_matrix(), nil)
    HostileCalls.run([block, block, Argument(rows: 4, cols: 1, isOptional: true)]) { m, error in
      blocks.shifts = m[2]
      return ntk_operator_multiply(&blocks, [m[0]], [m[1]], nil, error)
    }
    blocks.shifts = ntk_matrix()
    for shift in [Double.nan, .infinity] {
      blocks.shift = shift
      HostileCalls.valid([block, block]) { m in
        #expect(fails { ntk_operator_multiply(&blocks, [m[0]], [m[1]], nil, $0) })
      }
    }
    for kind in [-1, 6, .max, .min] as [Int32] {
      blocks.kind = kind
      #expect(fails { ntk_operator_trace(&blocks, 0, nil, nil, $0) })
    }
    var numbers: Int64 = 0
    for (dimension, bytes) in [(0, 8), (-3, 8), (.max, 8), (4, -1), (4, .min)] as [(Int64, Int64)] {
      #expect(fails { ntk_operator_store_size(dimension, bytes, &numbers, $0) })
    }
    #expect(ntk_operator_store_size(4, .max, &numbers, nil) == 0 && numbers == 16)
  }

  @Test func eigenvaluesOfOperatorsCheckTheirRoom() {
    var (op, wish) = (callers(), request())
    HostileCalls.run([Argument(rows: 2, cols: 1), Argument(rows: 2, cols: 1), Argument(rows: 2, cols: 4, isOptional: true)]) {
      m, error in ntk_operator_eigen(&op, &wish, [m[0]], [m[1]], [m[2]], nil, nil, error)
    }
    HostileCalls.valid([Argument(rows: 2, cols: 1), Argument(rows: 2, cols: 1)]) { m in
      let bad: [(inout ntk_lanczos_request) -> Void] = [
        { $0.count = 0 }, { $0.count = 5 }, { $0.count = -2 }, { $0.count = .max }, { $0.end = 3 }, { $0.end = -1 },
        { $0.tolerance = 0 }, { $0.tolerance = .nan }, { $0.tolerance = 1 }, { $0.subspace = -1 }, { $0.subspace = .max },
        { $0.most_products = -1 },
      ]
      for change in bad {
        var other = request(change)
        #expect(fails { ntk_operator_eigen(&op, &other, [m[0]], [m[1]], nil, nil, nil, $0) })
      }
    }
    HostileCalls.run([Argument(rows: 2, cols: 1), Argument(rows: 2, cols: 1)]) { m, error in
      return ntk_operator_eigen(&op, &wish, [m[0]], [m[1]], nil, nil, nil, error)
    }
  }

  @Test func operatorsThatAreNoneAreErrors() {
    var numbers = [Double](repeating: 0, count: 64)
    let spoilers: [(inout ntk_symmetric_operator) -> Void] = [
      { $0.product = nil }, { $0.dimension = 0 }, { $0.dimension = -4 }, { $0.dimension = .min }, { $0.dimension = .max },
      { $0.dimension = Int64(Int32.max) + 1 }, { $0.product = { (_, _, _, _) in 1 } },
      {
        $0.product = { (_, _, y, n) in
          for i in 0..<Int(n) { y?[i] = .nan }
          return 0
        }
      },
    ]
    numbers.withUnsafeMutableBufferPointer { room in
      for (k, spoil) in spoilers.enumerated() {
        var (op, wish) = (callers(NTK_OPERATOR_PRODUCT, spoil), request())
        var column = matrix(room.baseAddress, 2, 1)
        var (nodes, weights) = (matrix(room.baseAddress, 2, 3), matrix(room.baseAddress, 2, 3))
        #expect(fails { ntk_operator_eigen(&op, &wish, &column, &column, nil, nil, nil, $0) }, "spoiler \(k)")
        #expect(fails { ntk_operator_trace(&op, 0, &column, nil, $0) }, "spoiler \(k)")
        #expect(fails { ntk_operator_density(&op, 0, &nodes, &weights, nil, $0) }, "spoiler \(k)")
      }
    }
  }

  @Test func tracesAndDensitiesCheckTheirRoom() {
    var op = callers()
    HostileCalls.run([Argument(rows: 3, cols: 1, takesMoreRows: true)]) { m, error in
      ntk_operator_trace(&op, 7, [m[0]], nil, error)
    }
    HostileCalls.run([Argument(rows: 3, cols: 2), Argument(rows: 3, cols: 2)]) { m, error in
      ntk_operator_density(&op, 7, [m[0]], [m[1]], nil, error)
    }
  }

  @Test func curvatureOperatorsCheckTheirData() {
    let column = Argument(rows: 2, cols: 1)
    HostileCalls.valid([x, y, column, column]) { m in
      network.use { n in
        var (op, wish) = (
          callers(NTK_OPERATOR_CURVATURE) { ($0.network, $0.loss, $0.matrix, $0.targets) = (n, 1, m[0], m[1]) }, request()
        )
        for (kind, loss) in [(4, 0), (-1, 0), (0, 3), (0, -1)] as [(Int32, Int32)] {
          (op.which, op.loss) = (kind, loss)
          #expect(fails { ntk_operator_eigen(&op, &wish, [m[2]], [m[3]], nil, nil, nil, $0) })
        }
        (op.which, op.loss) = (0, 1)
      }
    }
    HostileCalls.run([x, y, column, column]) { m, error in
      network.use { n -> Int32 in
        var (op, wish) = (
          callers(NTK_OPERATOR_CURVATURE) { ($0.network, $0.loss, $0.matrix, $0.targets) = (n, 1, m[0], m[1]) }, request()
        )
        (op.which, op.loss) = (0, 1)
        return ntk_operator_eigen(&op, &wish, [m[2]], [m[3]], nil, nil, nil, error)
      }
    }
    HostileCalls.run([x, y, Argument(rows: 2, cols: 1, takesMoreRows: true)]) { m, error in
      network.use { n -> Int32 in
        var op = callers(NTK_OPERATOR_CURVATURE) { ($0.network, $0.which, $0.matrix, $0.targets) = (n, 1, m[0], m[1]) }
        return ntk_operator_trace(&op, 1, [m[2]], nil, error)
      }
    }
    for spoil in TestNetwork.spoilers {
      var numbers = [Double](repeating: 0.5, count: 64)
      numbers.withUnsafeMutableBufferPointer { room in
        let (x, y) = (matrix(room.baseAddress, 6, 3), matrix(room.baseAddress, 6, 2))
        var samples = matrix(room.baseAddress, 2, 1)
        #expect(
          fails { e in
            network.use(spoil) { n -> Int32 in
              var op = callers(NTK_OPERATOR_CURVATURE) { ($0.network, $0.matrix, $0.targets) = (n, x, y) }
              return ntk_operator_trace(&op, 1, &samples, nil, e)
            }
          })
      }
    }
  }

  private func matrix(_ p: UnsafeMutablePointer<Double>?, _ rows: Int64, _ cols: Int64) -> ntk_matrix {
    ntk_matrix(data: p, rows: rows, cols: cols, row_stride: cols, col_stride: 1, dtype: 1, reserved: 0)
  }
}
