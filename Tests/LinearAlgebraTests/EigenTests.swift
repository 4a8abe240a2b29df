import LinearAlgebra
import NumericCore
import Testing

@Suite struct EigenTests {
  @Test(arguments: [1, 2, 31, 97, 300]) func decomposes(_ n: Int) throws {
    let k = try Dense.covariance(n)
    let (values, vectors) = (try Workspace<Double>(n), try Dense(n, n))
    try symmetricEigen(k.view, values: values.pointer, vectors: vectors.view, context: CallContext(threads: 2))
    let scale = values[n - 1]
    let basis = try vectors.transposed()
    #expect(distance(try product(vectors, basis), try Dense(n, n) { $0 == $1 ? 1 : 0 }) < 1e-13 * Double(n))
    let scaled = try Dense(n, n) { vectors[$1, $0] * values[$1] }
    #expect(distance(try product(k, basis), scaled) < 1e-13 * Double(n) * scale)
    for i in 1..<max(n, 1) { #expect(values[i - 1] <= values[i]) }
    let only = try Workspace<Double>(n)
    try symmetricEigen(k.view, values: only.pointer, context: CallContext())
    for i in 0..<n { #expect(abs(only[i] - values[i]) < 1e-13 * Double(n) * scale) }
  }

  /// The second difference matrix has eigenvalues 2 - 2 cos(k pi / (n + 1)).
  @Test func knownSpectrum() throws {
    let n = 150
    let k = try Dense(n, n) { i, j in i == j ? 2 : abs(i - j) == 1 ? -1 : 0 }
    let values = try Workspace<Double>(n)
    try symmetricEigen(k.view, shift: 1, values: values.pointer, context: CallContext())
    // 2 - 2 cos(pi / 151) and its mirror image.
    #expect(abs(values[0] - 1 - 0.0004328427873541152) < 1e-12)
    #expect(abs(values[0] + values[n - 1] - 6) < 1e-12)
    #expect(abs(try largestEigenvalue(k.view, context: CallContext()) - values[n - 1] + 1) < 1e-9)
  }

  @Test func bitsDoNotDependOnThreads() throws {
    let k = try Dense.covariance(400)
    let results = try [1, 2, 5].map { threads in
      let (values, vectors) = (try Workspace<Double>(400), try Dense(400, 400))
      try symmetricEigen(k.view, values: values.pointer, vectors: vectors.view, context: CallContext(threads: threads))
      return Array(values.buffer) + vectors.elements
    }
    #expect(results[0] == results[1] && results[1] == results[2])
  }

  @Test(arguments: [1, 50, 400]) func largestEigenvalueAgrees(_ n: Int) throws {
    // One large eigenvalue, as kernels have, and a continuous rest.
    let k = try Dense.covariance(n)
    for i in 0..<n { for j in 0..<n { k.view[i, j] += 1 } }
    let values = try Workspace<Double>(n)
    try symmetricEigen(k.view, values: values.pointer, context: CallContext())
    let largest = try largestEigenvalue(k.view, context: CallContext(threads: 2))
    #expect(abs(largest - values[n - 1]) <= 1e-9 * largest)
  }

  @Test func identityAndZero() throws {
    for value in [0.0, 3.0] {
      let k = try Dense(250, 250) { $0 == $1 ? value : 0 }
      #expect(abs(try largestEigenvalue(k.view, context: CallContext()) - value) < 1e-12)
    }
  }

  @Test func limitsAndShapesAreErrors() throws {
    let (k, wide) = (try Dense.covariance(20), try Dense(3, 4))
    let values = try Workspace<Double>(20)
    #expect { try symmetricEigen(k.view, values: values.pointer, context: CallContext(memoryLimit: 10)) } throws: {
      ($0 as? NumericError)?.kind == .outOfMemory
    }
    #expect(throws: NumericError.self) { try symmetricEigen(wide.view, values: values.pointer, context: CallContext()) }
    #expect(throws: NumericError.self) { try largestEigenvalue(wide.view, context: CallContext()) }
  }
}
