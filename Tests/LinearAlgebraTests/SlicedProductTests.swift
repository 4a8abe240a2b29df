import LinearAlgebra
import NumericCore
import Testing

/// Products that are cut, against one call of BLAS.
@Suite(.serialized) struct SlicedProductTests {
  // Cut by rows and columns; by the inner size; not at all.
  @Test(arguments: [(700, 650, 700), (64, 60, 90_001), (5, 4, 3)], [(false, false), (true, false), (false, true), (true, true)])
  func slicesAddUp(sizes: (Int, Int, Int), transposed: (Bool, Bool)) throws {
    let (m, n, k) = sizes
    let a = try transposed.0 ? Dense.random(k, m, seed: 2) : Dense.random(m, k, seed: 2)
    let b = try transposed.1 ? Dense.random(n, k, seed: 3) : Dense.random(k, n, seed: 3)
    let (whole, cut) = (try Dense(m, n) { Double($0 - $1) }, try Dense(m, n) { Double($0 - $1) })
    Double.gemm(
      transposed.0, transposed.1, Int32(m), Int32(n), Int32(k), 0.5, a.view.base, Int32(a.cols), b.view.base, Int32(b.cols), -2,
      whole.view.base, Int32(n))
    try Double.slicedGemm(
      transposed.0, transposed.1, m, n, k, 0.5, a.view.base, a.cols, b.view.base, b.cols, -2, cut.view.base, n)
    // Sums of k products of standard normal numbers, rounded in another order.
    let tolerance = 1e-15 * Double(k) + 1e-12
    #expect(zip(whole.elements, cut.elements).allSatisfy { abs($0 - $1) <= tolerance })
  }

  @Test func symmetricSlicesAddUp() throws {
    let (n, k) = (130, 20_001)
    let a = try Dense.random(n, k)
    let (whole, cut) = (try Dense(n, n), try Dense(n, n))
    Double.syrk(false, Int32(n), Int32(k), 1, a.view.base, Int32(k), 0, whole.view.base, Int32(n))
    try Double.slicedSyrk(false, n, k, 1, a.view.base, k, 0, cut.view.base, n)
    #expect(zip(whole.elements, cut.elements).allSatisfy { abs($0 - $1) <= 1e-11 })
  }

  @Test func aLongProductCanBeCancelled() throws {
    let a = try Dense.random(700, 700)
    let c = try Dense(700, 700)
    Listener.current = CallListener { _ in false }
    defer { Listener.current = nil }
    #expect(throws: NumericError.cancelled) {
      while true {
        try Double.slicedGemm(false, false, 700, 700, 700, 1, a.view.base, 700, a.view.base, 700, 0, c.view.base, 700)
      }
    }
  }
}
