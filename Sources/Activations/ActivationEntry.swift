/// Everything that is true of one nonlinearity. Duals, finite networks, the bottleneck, messages and Python's checks read it.
///
/// A fact may depend on the parameters: it is a function of their values, in the order of `parameters`.
public final class ActivationEntry: Sendable {
  /// A fact about the nonlinearity with these values.
  public typealias Fact<Value> = @Sendable (_ values: [Double]) -> Value

  /// Its number in op tables, 100 or more. Numbers never change their meaning, and are written here only.
  public let code: Int32
  /// Its name as users write it, which is that of the Python class.
  public let name: String
  /// What it depends on, named like the fields of the Python class.
  public let parameters: [ActivationParameter]
  /// Where its dual comes from: a paper, or how the core finds it.
  public let source: String

  let makeFunction: Fact<ScalarFunction>?
  let isSmooth: Fact<Bool>
  let parity: Fact<Parity>
  let homogeneity: Fact<Double?>
  let dual: Fact<DualForm>
  let smoothDual: Fact<SmoothDualForm>
  let userFunction: Fact<Int?>
  let text: Fact<String?>

  /// An entry; what is left out is nothing special: smooth, neither odd nor even, not homogeneous, no derivatives of the dual.
  init(
    code: Int32, name: String, parameters: [ActivationParameter] = [], source: String, function: Fact<ScalarFunction>?,
    isSmooth: @escaping Fact<Bool> = { _ in true }, parity: @escaping Fact<Parity> = { _ in .none },
    homogeneity: @escaping Fact<Double?> = { _ in nil }, dual: @escaping Fact<DualForm>,
    smoothDual: @escaping Fact<SmoothDualForm> = { _ in .none }, userFunction: @escaping Fact<Int?> = { _ in nil },
    text: @escaping Fact<String?> = { _ in nil }
  ) {
    self.code = code
    self.name = name
    self.parameters = parameters
    self.source = source
    makeFunction = function
    self.isSmooth = isSmooth
    self.parity = parity
    self.homogeneity = homogeneity
    self.dual = dual
    self.smoothDual = smoothDual
    self.userFunction = userFunction
    self.text = text
  }
}

extension ActivationEntry {
  /// A smooth function without closed form: Hermite expansions to a tolerance `tol`, its last parameter.
  static func expansion(
    code: Int32, name: String, parameters: [ActivationParameter] = [], source: String, function: @escaping Fact<ScalarFunction>,
    isSmooth: Bool = true, parity: Parity = .none
  ) -> ActivationEntry {
    ActivationEntry(
      code: code, name: name, parameters: parameters + [.tolerance], source: source, function: function,
      isSmooth: { _ in isSmooth }, parity: { _ in parity }, dual: { .expansion(tolerance: $0[parameters.count]) },
      smoothDual: { _ in isSmooth ? .series : .none })
  }
}

/// Whether a function is odd or even; the number is what the series kernel takes.
public enum Parity: Int, Sendable {
  case none = 0
  case odd = 1
  case even = 2
}

/// How the dual E f(u) f(v) of a nonlinearity is computed.
public enum DualForm: Sendable, Equatable {
  /// A strip kernel of VectorKernels, by its name, with these numbers. The formula stands at the kernel.
  case closed(String, [Double])
  /// The Hermite expansion of the function to a tolerance: the largest share of its energy that may be cut off.
  case expansion(tolerance: Double)
  /// The Hermite expansion of a polynomial, which is finite. Ascending powers.
  case polynomial([Double])
  /// The Hermite expansion of a caller's function.
  case userExpansion(function: Int, tolerance: Double)
  /// Two-dimensional Gauss-Hermite quadrature of a caller's function and derivative, with `degree` nodes a side.
  case userQuadrature(function: Int, degree: Int)
  /// A caller's E f(u) f(v) as a function of the covariance and the two variances.
  case userDual(function: Int)
}

/// How the dual and its derivatives by covariance and variance are computed, which a moving u needs.
public enum SmoothDualForm: Sendable, Equatable {
  /// Not at all: the function has a kink, is the caller's, or none.
  case none
  /// Only for other values of the parameters, as the text says.
  case outOfDomain(String)
  /// A erf(B x) + C: A^2, B^2, C^2
  case erf(Double, Double, Double)
  /// A sin(B x + C): A^2 / 2, B^2, cos 2C
  case sine(Double, Double, Double)
  /// A exp(B x): A^2, B^2
  case exponential(Double, Double)
  /// A exp(B x^2), B <= 0: A^2, B
  case gaussian(Double, Double)
  /// x Phi(x)
  case gelu
  /// Mehler's series of the function and its derivatives.
  case series
}
