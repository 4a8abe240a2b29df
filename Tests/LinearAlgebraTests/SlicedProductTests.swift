import LinearAlgebra
import NumericCore
import Testing

/// Products that are cut, against one call of BLAS.
@Suite(.serialized) struct SlicedProductTests {
  // Cut by rows and columns; by the inner size; not at all.
  @Test(arguments: [(700, 650, 700), (64, 60, 90_001), (5, 4, 3)], [(false, false), (true, false), (false, true), (true, true)])
  func slicesAddUp(sizes: (Int, Int, Int), transposed: (Bool, Bool)) throws {
    let (m, n, k) = sizes
    let a = try transposed.0 ? filled(k, m, seed: 2) : filled(m, k, seed: 2)
    let b = try transposed.1 ? filled(n, k, seed: 3) : filled(k, n, seed: 3)
    let (whole, cut) = (try Dense(m, n) { Double($0 - $1) }, try Dense(m, n) { Double($0 - $1) })
    Double.gemm(
      transposed.0, transposed.1, Int32(m), Int32(n), Int32(k), 0.5, a.base, Int32(a.cols), b.base, Int32(b.cols), -2,
      whole.view.base, Int32(n))
    try Double.slicedGemm(
      transposed.0, transposed.1, m, n, k, 0.5, a.base, a.cols, b.base, b.cols, -2, cut.view.base, n)
    // Sums of k products of some size, rounded in another order.
    let tolerance = 1e-13 * Double(k) + 1e-12
    #expect(zip(whole.elements, cut.elements).allSatisfy { abs($0 - $1) <= tolerance })
  }

  @Test func symmetricSlicesAddUp() throws {
    let (n, k) = (130, 20_001)
    let a = try filled(n, k, seed: 1)
    let (whole, cut) = (try Dense(n, n), try Dense(n, n))
    Double.syrk(false, Int32(n), Int32(k), 1, a.base, Int32(k), 0, whole.view.base, Int32(n))
    try Double.slicedSyrk(false, n, k, 1, a.base, k, 0, cut.view.base, n)
    #expect(zip(whole.elements, cut.elements).allSatisfy { abs($0 - $1) <= 1e-9 })
  }

  @Test func aLongProductCanBeCancelled() throws {
    let a = try filled(700, 700, seed: 1)
    let c = try Dense(700, 700)
    Listener.current = CallListener { _ in false }
    defer { Listener.current = nil }
    #expect(throws: NumericError.cancelled) {
      while true {
        try Double.slicedGemm(false, false, 700, 700, 700, 1, a.base, 700, a.base, 700, 0, c.view.base, 700)
      }
    }
  }

  /// A few normal numbers over and over: many of them take long in a debug build.
  private func filled(_ rows: Int, _ cols: Int, seed: UInt64) throws -> Owned {
    let some = try Dense.random(1, 997, seed: seed)
    let owned = Owned(room: try Workspace(rows, cols), cols: cols)
    for first in stride(from: 0, to: rows * cols, by: 997) {
      (owned.base + first).update(from: some.view.base, count: min(997, rows * cols - first))
    }
    return owned
  }

  private struct Owned {
    let room: Workspace<Double>
    let cols: Int
    var base: UnsafeMutablePointer<Double> { room.pointer }
  }
}
