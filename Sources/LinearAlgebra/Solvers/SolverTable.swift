import NumericCore

/// The solvers, by their place and name. A new one is a row here.
public enum SolverTable {
  /// All of them; places do not change.
  public static let all: [any LinearSolver] = [
    CholeskySolver(),
    ConjugateGradients(),
    MinimalResiduals(),
  ]

  /// Cholesky where the matrix fits into half of the memory and its factorisation into a minute or so, else conjugate gradients.
  public static func automatic(_ op: any SymmetricOperator, context: CallContext) -> any LinearSolver {
    let n = op.dimension
    guard n <= 20_000, let bytes = checkedProduct(8 * n, n), bytes <= context.memoryLimit / 2 else { return ConjugateGradients() }
    return CholeskySolver()
  }
}
