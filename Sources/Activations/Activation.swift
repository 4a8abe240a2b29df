import NumericCore

/// A nonlinearity applied to each unit: an entry of the catalogue with values for its parameters.
public struct Activation: Sendable, Equatable {
  /// What is true of it for all parameters.
  public let entry: ActivationEntry
  /// Values of the entry's parameters in their order, integers and flags as numbers; a list takes what is left.
  public let values: [Double]
  /// The function of one number with its derivatives; nil for kernels without a network and for the caller's functions.
  public let function: ScalarFunction?

  /// The activation of `entry` with these values; parameters that are not given take their defaults.
  ///
  /// Throws `invalidArgument` for values outside of a parameter's domain, missing ones without default, and values too many.
  public init(_ entry: ActivationEntry, _ values: [Double] = []) throws(NumericError) {
    self.entry = entry
    self.values = try entry.completed(values)
    function = entry.makeFunction?(self.values)
  }

  /// The activation of the entry called `name`; throws where there is none, and like the other initialiser.
  public init(_ name: String, _ values: [Double] = []) throws(NumericError) {
    guard let entry = Catalogue.entry(named: name) else {
      throw .invalid("[activation] must be the name of an activation in the catalogue. Received \(name).")
    }
    try self.init(entry, values)
  }

  /// Whether it is the same entry with the same values.
  public static func == (a: Activation, b: Activation) -> Bool { a.entry === b.entry && a.values == b.values }
}

// What the entry says, for the values at hand.
extension Activation {
  /// The class's name, as error messages begin with it.
  public var name: String { entry.name }
  /// Number of the caller's function that evaluates it; nil for everything that the core knows.
  public var userFunction: Int? { entry.userFunction(values) }
  /// Whether it is evaluated by the caller's code.
  public var usesUserFunction: Bool { userFunction != nil }
  /// Whether all derivatives exist everywhere, and the core knows the first three.
  public var isSmooth: Bool { function != nil && entry.isSmooth(values) }
  /// Whether f(-x) is -f(x) or f(x).
  public var parity: Parity { entry.parity(values) }
  /// The d in f(c x) = c^d f(x) for c > 0; nil where there is none.
  public var homogeneity: Double? { entry.homogeneity(values) }
  /// How E f(u) f(v) is computed for Gaussian u and v.
  public var dual: DualForm { entry.dual(values) }
  /// How the derivatives of that dual are computed.
  public var smoothDual: SmoothDualForm { entry.smoothDual(values) }
}

extension Activation: CustomStringConvertible {
  /// The constructor call as users write it: `Relu()`, `Erf(b=2.0)`.
  public var description: String { entry.text(values) ?? entry.call(values) }
}
