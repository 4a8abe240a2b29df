import CAPI
import CNTKSwift
import Testing

/// The tangent hierarchy at the boundary.
@Suite struct HierarchyBoundaryTests {
  private let network = TestNetwork(outputs: 1)
  private let x = Argument(rows: 3, cols: 3)
  /// K2, K3, K4 of three inputs, two of them trained on.
  private let kernels = [Argument(rows: 3, cols: 2), Argument(rows: 6, cols: 2), Argument(rows: 12, cols: 2)]

  @Test func nullPointersAreErrors() {
    #expect(fails { ntk_hierarchy_kernels(nil, nil, 1, nil, 1, nil, $0) })
    #expect(fails { ntk_hierarchy_kernel_derivative(nil, nil, nil, nil, nil, $0) })
    #expect(fails { ntk_hierarchy_truncated(nil, nil, nil, 1, nil, 1e-3, nil, nil, nil, $0) })
    network.use { n in
      #expect(fails { ntk_hierarchy_kernels(n, nil, 1, nil, 1, nil, $0) })
      #expect(fails { ntk_hierarchy_kernel_derivative(n, nil, nil, nil, nil, $0) })
    }
  }

  @Test(arguments: [1, 2, 3]) func kernelsCheckTheirRoom(_ count: Int) {
    HostileCalls.valid([x] + kernels.prefix(count)) { m in
      network.use { n in
        for (train, wanted) in [(0, 1), (-1, 1), (4, 1), (.max, 1), (.min, 1), (2, 0), (2, -1), (2, 4), (2, .max)]
          as [(Int64, Int64)]
        {
          #expect(
            fails { ntk_hierarchy_kernels(n, [m[0]], train, Array(m.dropFirst()), wanted, nil, $0) }, "\(train), \(wanted)")
        }
        #expect(fails { ntk_hierarchy_kernels(n, [m[0]], 2, nil, 1, nil, $0) })
      }
    }
    HostileCalls.run([x] + kernels.prefix(count)) { m, error in
      network.use { n -> Int32 in
        return ntk_hierarchy_kernels(n, [m[0]], 2, Array(m.dropFirst()), Int64(count), nil, error)
      }
    }
  }

  @Test func networksWithoutAHierarchyAreErrors() {
    var numbers = [Double](repeating: 0.5, count: 128)
    numbers.withUnsafeMutableBufferPointer { room in
      let p = room.baseAddress
      func matrix(_ rows: Int64, _ cols: Int64) -> ntk_matrix {
        ntk_matrix(data: p, rows: rows, cols: cols, row_stride: cols, col_stride: 1, dtype: 1, reserved: 0)
      }
      var (x, k2, k) = (matrix(3, 3), matrix(3, 2), matrix(3, 3))
      for layers in [
        [Layer.dense(3), Layer.relu, Layer.dense(1)], [Layer.dense(3), Layer.erf, Layer.dense(2)],
        [Layer.dense(3), Layer.batchNorm, Layer.dense(1)],
      ] {
        let other = TestNetwork(layers)
        var direction = matrix(1, other.count)
        #expect(fails { e in other.use { ntk_hierarchy_kernels($0, &x, 2, &k2, 1, nil, e) } })
        #expect(fails { e in other.use { ntk_hierarchy_kernel_derivative($0, &x, &direction, &k, nil, e) } })
      }
      for spoil in TestNetwork.spoilers {
        #expect(fails { e in network.use(spoil) { ntk_hierarchy_kernels($0, &x, 2, &k2, 1, nil, e) } })
      }
    }
  }

  @Test func velocitiesCheckTheirMatrices() {
    HostileCalls.run([x, Argument(rows: 1, cols: network.count), Argument(rows: 3, cols: 3)]) { m, error in
      network.use { ntk_hierarchy_kernel_derivative($0, [m[0]], [m[1]], [m[2]], nil, error) }
    }
  }

  @Test func truncatedHierarchiesCheckTheirMatrices() {
    let times = Argument(rows: 1, cols: 2) { $0 == 0 ? 0.5 : 1 }
    let all = [Argument(rows: 1, cols: 3), Argument(rows: 1, cols: 2)] + kernels.prefix(2)
    HostileCalls.valid(all + [times, Argument(rows: 2, cols: 3), Argument(rows: 2, cols: 6, isOptional: true)]) { m in
      for (count, tolerance) in [(0, 1e-3), (-1, 1e-3), (64, 1e-3), (.max, 1e-3), (2, 0), (2, 1), (2, .nan), (2, -1)]
        as [(Int64, Double)]
      {
        #expect(
          fails { ntk_hierarchy_truncated([m[0]], [m[1]], [m[2], m[3]], count, [m[4]], tolerance, [m[5]], [m[6]], nil, $0) })
      }
      #expect(fails { ntk_hierarchy_truncated([m[0]], [m[1]], nil, 2, [m[4]], 1e-3, [m[5]], [m[6]], nil, $0) })
    }
    HostileCalls.run(all + [times, Argument(rows: 2, cols: 3), Argument(rows: 2, cols: 6, isOptional: true)]) { m, error in
      return ntk_hierarchy_truncated([m[0]], [m[1]], [m[2], m[3]], 2, [m[4]], 1e-3, [m[5]], [m[6]], nil, error)
    }
  }

  @Test func timesMustAscend() {
    for bad in [[1, 0.5], [-1, 1], [0, .nan], [0, .infinity]] as [[Double]] {
      var numbers = [Double](repeating: 0.1, count: 64)
      var instants = bad
      numbers.withUnsafeMutableBufferPointer { room in
        instants.withUnsafeMutableBufferPointer { moments in
          let p = room.baseAddress
          func matrix(_ p: UnsafeMutablePointer<Double>?, _ rows: Int64, _ cols: Int64) -> ntk_matrix {
            ntk_matrix(data: p, rows: rows, cols: cols, row_stride: cols, col_stride: 1, dtype: 1, reserved: 0)
          }
          var (start, y, k2) = (matrix(p, 1, 3), matrix(p, 1, 2), matrix(p, 3, 2))
          var (times, out, none) = (matrix(moments.baseAddress, 1, 2), matrix(p, 2, 3), ntk_matrix())
          #expect(fails { ntk_hierarchy_truncated(&start, &y, &k2, 1, &times, 1e-3, &out, &none, nil, $0) }, "times \(bad)")
        }
      }
    }
  }
}
