/// Nonlinearities as their users write them, for error messages: `Relu()`, `Erf(b=2.0)`.
extension Activation: CustomStringConvertible {
  /// The constructor call.
  public var description: String {
    switch self {
    case .abRelu(0, 1): "Relu()"
    case .abRelu(-1, 1): "Abs()"
    case .abRelu(let a, 1): "LeakyRelu(\(a))"
    case .abRelu(let a, let b): "ABRelu(\(a), \(b))"
    case .erf(let a, let b, let c): call("Erf", ("a", a, 1), ("b", b, 1), ("c", c, 0))
    case .gelu(let approximate): approximate ? "Gelu(approximate=True)" : "Gelu()"
    case .sin(let a, let b, let c): call("Sin", ("a", a, 1), ("b", b, 1), ("c", c, 0))
    case .rbf(let gamma): call("Rbf", ("gamma", gamma, 1))
    case .sign: "Sign()"
    case .step: "Step()"
    case .exp(let a, let b): call("Exp", ("a", a, 1), ("b", b, 1))
    case .gaussian(let a, let b): call("Gaussian", ("a", a, 1), ("b", b, -1))
    case .gabor: "Gabor()"
    case .expNormalized(let gamma, let shift): call("ExpNormalized", ("gamma", gamma, 1), ("shift", shift, -1))
    case .hermite(let degree): "Hermite(\(degree))"
    case .polynomial(let coefficients): "Polynomial(\(coefficients))"
    case .rectifiedMonomial(let degree): "RectifiedMonomial(\(degree))"
    case .named(.elu, let alpha, _): call("Elu", ("alpha", alpha, 1))
    case .named(let function, _, _): "\(function)".prefix(1).uppercased() + "\(function)".dropFirst() + "()"
    case .userExpansion, .userQuadrature: "a function of your own"
    case .userDual: "a kernel function of your own"
    }
  }
}

/// A constructor call with those arguments that are not the defaults.
private func call(_ name: String, _ arguments: (name: String, value: Double, standard: Double)...) -> String {
  let given = arguments.filter { $0.value != $0.standard }.map { "\($0.name)=\($0.value)" }
  return "\(name)(\(given.joined(separator: ", ")))"
}
