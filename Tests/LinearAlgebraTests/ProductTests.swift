import LinearAlgebra
import NumericCore
import Testing

@Suite struct ProductTests {
  @Test(arguments: [(0, 3, 2), (1, 1, 1), (5, 0, 4), (7, 11, 3), (600, 3, 1100)])
  func agreesWithTheDefinition(_ shape: (Int, Int, Int)) throws {
    let (m, k, n) = shape
    let (a, b) = (try Dense.random(m, k), try Dense.random(k, n, seed: 2))
    let c = try Dense(m, n)
    try multiply(a.view, b.view, into: c.view, context: CallContext(threads: 2))
    #expect(distance(c, try textbookProduct(a, b)) <= 1e-13 * Double(max(k, 1)))
  }

  @Test func readsAndWritesAnyStrides() throws {
    let (a, b) = (try Dense.random(20, 12), try Dense.random(12, 18, seed: 2))
    let expected = try textbookProduct(a, b)
    let reversed = StridedMatrix(a.view.base + 19 * 12, rows: 20, cols: 12, rowStride: -12, colStride: 1)
    let flipped = try textbookProduct(try Dense(reversed), b)
    let wide = try Dense(20, 40)
    let sparse = StridedMatrix(wide.view.base, rows: 20, cols: 18, rowStride: 40, colStride: 2)
    try multiply(a.view, b.view, into: sparse, context: CallContext())
    #expect(distance(try Dense(sparse), expected) < 1e-12)
    try multiply(reversed, b.view, into: sparse, context: CallContext())
    #expect(distance(try Dense(sparse), flipped) < 1e-12)
    let column = try Dense(18, 20)
    try multiply(a.view, b.view, into: column.view.transposed, context: CallContext())
    #expect(distance(try column.transposed(), expected) < 1e-12)
    let constant = StridedMatrix(a.view.base, rows: 20, cols: 12, rowStride: 0, colStride: 0)
    try multiply(constant, b.view, into: sparse, context: CallContext())
    #expect(wide[0, 0] == wide[19, 0])
  }

  @Test func scalesAndAdds() throws {
    let (a, b) = (try Dense.random(4, 3), try Dense.random(3, 4, seed: 2))
    let c = try Dense(4, 4) { i, j in Double(i + j) }
    try multiply(a.view, b.view, into: c.view, alpha: -2, beta: 3, context: CallContext())
    let ab = try textbookProduct(a, b)
    #expect(distance(c, try Dense(4, 4) { i, j in 3 * Double(i + j) - 2 * ab[i, j] }) < 1e-13)
  }

  @Test(arguments: [0, 1, 255, 256, 600]) func selfProductIsSymmetricToTheBit(_ n: Int) throws {
    let a = try Dense.random(n, 9)
    let c = try Dense(n, n)
    try multiplySelf(a.view, into: c.view, context: CallContext(threads: 2))
    #expect(c.elements == (try c.transposed()).elements)
    #expect(distance(c, try product(a, try a.transposed())) < 1e-12)
  }

  @Test func bitsDoNotDependOnThreads() throws {
    let (a, b) = (try Dense.random(1100, 30), try Dense.random(30, 1100, seed: 2))
    let results = try [1, 2, 7].map { threads in
      let c = try Dense(1100, 1100)
      try multiply(a.view, b.view, into: c.view, context: CallContext(threads: threads))
      return c.elements
    }
    #expect(results[0] == results[1] && results[1] == results[2])
  }

  @Test func refusesShapesThatDoNotFit() throws {
    let (a, c) = (try Dense(2, 3), try Dense(2, 2))
    #expect(throws: NumericError.self) { try multiply(a.view, a.view, into: c.view, context: CallContext()) }
    #expect(throws: NumericError.self) { try multiplySelf(a.view.transposed, into: c.view, context: CallContext()) }
  }

  @Test func refusesCopiesOverTheLimit() throws {
    let a = try Dense.random(20, 20)
    let every = StridedMatrix(a.view.base, rows: 10, cols: 10, rowStride: 40, colStride: 2)
    let c = try Dense(10, 10)
    #expect { try multiply(every, every, into: c.view, context: CallContext(memoryLimit: 100)) } throws: {
      ($0 as? NumericError)?.kind == .outOfMemory && ($0 as? NumericError)?.bytes == 800
    }
  }
}
