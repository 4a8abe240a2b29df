import CAPI
import CNTKSwift
import Testing

/// Finite networks at the boundary: outputs, derivatives, losses, curvature and empirical kernels.
@Suite struct NetworkBoundaryTests {
  private let network = TestNetwork()
  private let x = Argument(rows: 4, cols: 3)
  private let y = Argument(rows: 4, cols: 2)

  @Test func nullPointersAreErrors() {
    #expect(fails { ntk_network_describe(nil, nil, $0) })
    #expect(fails { error in network.use { ntk_network_describe($0, nil, error) } })
    #expect(fails { ntk_network_derivatives(nil, nil, nil, nil, nil, 1, nil, $0) })
    #expect(fails { ntk_network_pull_back(nil, nil, nil, nil, nil, $0) })
    #expect(fails { ntk_network_loss(nil, 0, nil, nil, nil, nil, nil, $0) })
    #expect(fails { ntk_network_ntk(nil, nil, nil, nil, 1, 1, 1, nil, nil, $0) })
    #expect(fails { ntk_network_gradient_gram(nil, nil, nil, nil, nil, nil, nil, $0) })
    network.use { n in
      #expect(fails { ntk_network_derivatives(n, nil, nil, nil, nil, 1, nil, $0) })
      #expect(fails { ntk_network_pull_back(n, nil, nil, nil, nil, $0) })
      #expect(fails { ntk_network_loss(n, 0, nil, nil, nil, nil, nil, $0) })
      #expect(fails { ntk_network_ntk(n, nil, nil, nil, 1, 1, 2, nil, nil, $0) })
      #expect(fails { ntk_network_gradient_gram(n, nil, nil, nil, nil, nil, nil, $0) })
    }
  }

  @Test func networksThatAreNoneAreErrors() {
    var info = ntk_network_info()
    for spoil in TestNetwork.spoilers.prefix(8) {
      #expect(fails { error in network.use(spoil) { ntk_network_describe($0, &info, error) } })
    }
    HostileCalls.run([x, y]) { m, error in
      network.use { ntk_network_loss($0, 0, [m[0]], [m[1]], nil, [ntk_matrix()], nil, error) }
    }
    for (k, spoil) in TestNetwork.spoilers.enumerated() {
      var numbers = [Double](repeating: 1, count: 12)
      numbers.withUnsafeMutableBufferPointer { room in
        var (x, y, none) = (matrix(room.baseAddress, 4, 3), matrix(room.baseAddress, 4, 2), ntk_matrix())
        #expect(fails { e in network.use(spoil) { ntk_network_loss($0, 0, &x, &y, nil, &none, nil, e) } }, "spoiler \(k)")
      }
    }
  }

  @Test func lossesCheckTheirMatrices() {
    HostileCalls.run([x, y, Argument(rows: 1, cols: network.count, isOptional: true)]) { m, error in
      network.use { ntk_network_loss($0, 1, [m[0]], [m[1]], nil, [m[2]], nil, error) }
    }
    HostileCalls.run([x, y]) { m, error in
      network.use { ntk_network_loss($0, 0, [m[0]], [m[1]], nil, [ntk_matrix()], nil, error) }
    }
    var numbers = [Double](repeating: 1, count: 12)
    numbers.withUnsafeMutableBufferPointer { room in
      var (x, y, none) = (matrix(room.baseAddress, 4, 3), matrix(room.baseAddress, 4, 2), ntk_matrix())
      for loss: Int32 in [-1, 2, .max, .min] {
        #expect(fails { e in network.use { ntk_network_loss($0, loss, &x, &y, nil, &none, nil, e) } })
      }
      for (threads, limit) in [(-1, 0), (0, -1), (1, 1)] as [(Int32, Int64)] {
        var call = ntk_call(threads: threads, reserved: 0, memory_limit: limit, progress: nil, context: nil)
        #expect(fails { e in network.use { ntk_network_loss($0, 0, &x, &y, nil, &none, &call, e) } })
      }
    }
  }

  @Test func derivativesCheckTheirMatrices() {
    let directions = Argument(rows: 2, cols: network.count, takesMoreRows: true)
    HostileCalls.run([x, directions, y, y]) { m, error in
      network.use { ntk_network_derivatives($0, [m[0]], [m[1]], [0, 3], [m[2], m[3]], 2, nil, error) }
    }
    HostileCalls.run([x, y, Argument(rows: 1, cols: network.count)]) { m, error in
      network.use { ntk_network_pull_back($0, [m[0]], [m[1]], [m[2]], nil, error) }
    }
    HostileCalls.valid([x, y]) { m in
      network.use { n in
        for (sets, count) in [([0], 0), ([0], -1), ([0], .max), ([1], 1), ([8], 1), ([-1], 1), ([.min], 1)] as [([Int64], Int64)]
        {
          #expect(
            fails { ntk_network_derivatives(n, [m[0]], [ntk_matrix()], sets, [m[1]], count, nil, $0) }, "\(sets), \(count)")
        }
      }
    }
    HostileCalls.run([x, y]) { m, error in
      network.use { n -> Int32 in
        return ntk_network_derivatives(n, [m[0]], [ntk_matrix()], [0], [m[1]], 1, nil, error)
      }
    }
  }

  @Test func empiricalKernelsCheckTheirMatrices() {
    var out = [Double](repeating: 0, count: 4096)
    let outputs: [Int64] = [0, 1]
    let rows = Argument(rows: 4, cols: 3, takesMoreRows: true)
    HostileCalls.run([rows, Argument(rows: 3, cols: 3, isOptional: true, takesMoreRows: true)]) { m, error in
      network.use { ntk_network_ntk($0, [m[0]], [m[1]], outputs, 1, 1, 2, &out, nil, error) }
    }
    HostileCalls.valid([rows]) { m in
      network.use { n in
        for (kept, diagonal, traced) in [
          (0, 1, 2), (-1, -1, 2), (1, 1, 1), (.max, .max, 2), (.max, 2, 1), (.min, .min, .min), (2, 2, 2),
        ] as [(Int64, Int64, Int64)] {
          #expect(fails { ntk_network_ntk(n, [m[0]], [ntk_matrix()], outputs, kept, diagonal, traced, &out, nil, $0) })
        }
        for wrong in [[0, 2], [-1, 0], [.max, 0]] as [[Int64]] {
          #expect(fails { ntk_network_ntk(n, [m[0]], [ntk_matrix()], wrong, 2, 1, 1, &out, nil, $0) }, "outputs \(wrong)")
        }
      }
    }
    HostileCalls.run([rows]) { m, error in
      network.use { n -> Int32 in
        return ntk_network_ntk(n, [m[0]], [ntk_matrix()], outputs, 2, 1, 1, &out, nil, error)
      }
    }
    HostileCalls.run([x, y, Argument(rows: 4, cols: 4)]) { m, error in
      network.use { ntk_network_gradient_gram($0, [m[0]], [m[1]], [ntk_matrix()], [ntk_matrix()], [m[2]], nil, error) }
    }
    HostileCalls.run([x, y, Argument(rows: 3, cols: 3), Argument(rows: 3, cols: 2), Argument(rows: 4, cols: 3)]) { m, error in
      network.use { ntk_network_gradient_gram($0, [m[0]], [m[1]], [m[2]], [m[3]], [m[4]], nil, error) }
    }
  }

  private func matrix(_ p: UnsafeMutablePointer<Double>?, _ rows: Int64, _ cols: Int64) -> ntk_matrix {
    ntk_matrix(data: p, rows: rows, cols: cols, row_stride: cols, col_stride: 1, dtype: 1, reserved: 0)
  }
}
