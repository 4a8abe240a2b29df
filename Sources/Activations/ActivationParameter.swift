import NumericCore

/// A parameter of a nonlinearity: its name, the values it may have, and its default.
public struct ActivationParameter: Sendable {
  /// The values that a parameter may have.
  public enum Domain: Sendable, Equatable {
    /// Finite numbers from `least` to `most`, without the ends where `isOpen`.
    case real(least: Double = -.infinity, most: Double = .infinity, isOpen: Bool = false)
    /// Whole numbers.
    case integer(ClosedRange<Int>)
    /// 0 or 1.
    case flag
    /// So many finite numbers; the last parameter only.
    case list(ClosedRange<Int>)
    /// The number of a caller's function.
    case function
  }

  /// Its name, also that of the Python class's field.
  public let name: String
  /// The values it may have.
  public let domain: Domain
  /// Its value where none is given; nil where one must be.
  public let standard: Double?

  init(_ name: String, _ domain: Domain = .real(), standard: Double? = nil) {
    self.name = name
    self.domain = domain
    self.standard = standard
  }

  /// Largest error of the kernels by expansion, relative to the variances.
  static let tolerance = ActivationParameter("tol", .real(least: 0, most: 1, isOpen: true), standard: 1e-8)
  /// The number of a caller's function.
  static let function = ActivationParameter("function", .function)
}

extension ActivationParameter {
  /// Throws where `value` is not in the domain of a scalar parameter of layer `layer`.
  func check(_ value: Double, _ layer: String) throws(NumericError) {
    switch domain {
    case .real(let least, let most, let isOpen):
      let isInside = isOpen ? value > least && value < most : value >= least && value <= most
      guard value.isFinite, isInside else {
        throw .invalid("[\(layer)] \(name) must be \(domain.text). Received \(value).")
      }
    case .integer(let range):
      guard value >= Double(range.lowerBound), value <= Double(range.upperBound), value == value.rounded() else {
        throw .invalid("[\(layer)] \(name) must be in \(range.lowerBound)...\(range.upperBound). Received \(value).")
      }
    case .flag:
      guard value == 0 || value == 1 else { throw .invalid("[\(layer)] \(name) must be 0 or 1. Received \(value).") }
    case .function:
      guard value >= 0, value <= 1_000_000, value == value.rounded() else {
        throw .invalid("[architecture] a function index must be >= 0. Received \(value).")
      }
    case .list:
      guard value.isFinite else { throw .invalid("[\(layer)] \(name) must hold finite numbers. Received \(value).") }
    }
  }

  /// The value as a Python literal.
  func literal(_ value: Double) -> String {
    switch domain {
    case .flag: value == 0 ? "False" : "True"
    case .integer, .function: "\(Int(value))"
    case .real, .list: "\(value)"
    }
  }
}

extension ActivationParameter.Domain {
  /// What a real number must be.
  fileprivate var text: String {
    guard case .real(let least, let most, let isOpen) = self else { return "a number" }
    if most < .infinity { return isOpen ? "in (\(number(least)), \(number(most)))" : "in [\(number(least)), \(number(most))]" }
    if least > -.infinity { return "a finite number \(isOpen ? ">" : ">=") \(number(least))" }
    return "a finite number"
  }

  private func number(_ x: Double) -> String { x == x.rounded() && abs(x) < 1e15 ? "\(Int(x))" : "\(x)" }
}

extension ActivationEntry {
  /// `values` with defaults for what is missing; throws where that makes no activation.
  func completed(_ values: [Double]) throws(NumericError) -> [Double] {
    if let last = parameters.last, case .list(let counts) = last.domain {
      return try checkedList(values, last, counts)
    }
    guard values.count <= parameters.count else {
      throw .invalid("[\(name)] takes \(parameters.count) parameters. Received \(values.count).")
    }
    var all: [Double] = []
    for (i, parameter) in parameters.enumerated() {
      guard let value = i < values.count ? values[i] : parameter.standard else {
        throw .invalid("[\(name)] \(parameter.name) must be given. Received \(values.count) of \(parameters.count) parameters.")
      }
      try parameter.check(value, name)
      all.append(value)
    }
    return all
  }

  private func checkedList(
    _ values: [Double], _ list: ActivationParameter, _ counts: ClosedRange<Int>
  ) throws(NumericError) -> [Double] {
    // A list stands alone so far.
    guard counts.contains(values.count) else {
      throw .invalid(
        "[\(name)] \(list.name) must hold \(counts.lowerBound) to \(counts.upperBound) numbers. Received \(values.count).")
    }
    for (i, value) in values.enumerated() where !value.isFinite {
      throw .invalid("[\(name)] \(list.name) must be finite. Received \(list.name)[\(i)] = \(value).", index: (i, -1))
    }
    return values
  }

  /// The constructor call: what has no default by position, the rest by name where it is not the default.
  func call(_ values: [Double]) -> String {
    if case .list = parameters.last?.domain { return "\(name)(\(values))" }
    var arguments: [String] = []
    for (parameter, value) in zip(parameters, values) {
      if parameter.standard == nil {
        arguments.append(parameter.literal(value))
      } else if parameter.standard != value {
        arguments.append("\(parameter.name)=\(parameter.literal(value))")
      }
    }
    return "\(name)(\(arguments.joined(separator: ", ")))"
  }
}
