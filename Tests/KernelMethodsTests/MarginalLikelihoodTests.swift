import KernelMethods
import LinearAlgebra
import NumericCore
import Testing

@Suite struct MarginalLikelihoodTests {
  /// One observation: log N(y; 0, k).
  @Test func oneObservation() throws {
    let (factor, y, x) = (try Dense(1, 1) { _, _ in 2 }, try Dense(1, 1) { _, _ in 3 }, try Dense(1, 1) { _, _ in 0.75 })
    let value = try logMarginalLikelihood(factor: factor.view, targets: y.view, solution: x.view)
    #expect(abs(value - (-1.125 - 0.693_147_180_559_945_3 - 0.918_938_533_204_672_7)) < 1e-14)
  }

  @Test func sensitivityIsTheDerivative() throws {
    let p = try Problem(n: 12)
    let y = try Dense.random(12, 2, seed: 5)
    let direction = try Dense.random(12, 12, seed: 6)
    let change = try Dense(12, 12) { direction[$0, $1] + direction[$1, $0] }
    let value = { (step: Double) throws -> Double in
      let k = try Dense(12, 12) { p.train[$0, $1] + step * change[$0, $1] }
      _ = try cholesky(k.view, into: k.view, context: CallContext())
      let x = try y.copy()
      try solve(.whole, k.view, x.view, context: CallContext())
      return try logMarginalLikelihood(factor: k.view, targets: y.view, solution: x.view)
    }
    let (out, x) = (try Dense(12, 12), try solved(p, y))
    try likelihoodSensitivity(factor: p.factor.view, solution: x.view, out: out.view, context: CallContext())
    let slope = try innerProduct(out.view, change.view)
    let difference = (try value(1e-5) - value(-1e-5)) / 2e-5
    #expect(abs(slope - difference) < 1e-6 * max(1, abs(slope)))
  }
}
