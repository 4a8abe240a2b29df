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
    automatic(op.dimension, memoryLimit: context.memoryLimit)
  }

  /// The same for any operator with n rows.
  public static func automatic(_ n: Int, memoryLimit: Int) -> any LinearSolver {
    guard n <= 20_000, let bytes = checkedProduct(8, n).flatMap({ checkedProduct($0, n) }), bytes <= memoryLimit / 2 else {
      return ConjugateGradients()
    }
    return CholeskySolver()
  }
}
