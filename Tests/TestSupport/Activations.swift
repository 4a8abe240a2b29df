import Activations

extension Activation {
  /// The activation called `name`; a test that names one that does not exist, or gives it wrong values, ends here.
  public static func made(_ name: String, _ values: Double...) -> Activation {
    do { return try Activation(name, values) } catch { fatalError(error.message) }
  }
}

extension ActivationEntry {
  /// Activations of this entry: its defaults, with something in the place of what has none, and other values for every parameter.
  public var samples: [Activation] {
    let plain = parameters.flatMap { $0.standard.map { [$0] } ?? $0.domain.samples(0)[0] }
    let other = parameters.enumerated().flatMap { $1.domain.samples($0)[1] }
    return (parameters.isEmpty ? [plain] : [plain, other]).map { Activation.sample(self, $0) }
  }
}

extension Activation {
  fileprivate static func sample(_ entry: ActivationEntry, _ values: [Double]) -> Activation {
    do { return try Activation(entry, values) } catch { fatalError(error.message) }
  }
}

extension ActivationParameter.Domain {
  /// Two values, or lists of values, inside, for the parameter at a place.
  fileprivate func samples(_ place: Int) -> [[Double]] {
    switch self {
    case .real(_, let most, _): most < 1e3 ? [[most * 1e-6], [most * 1e-7]] : [[0.7], [place % 2 == 0 ? 0.4 : -0.3]]
    case .integer(let range): [[Double(min(3, range.upperBound))], [Double(min(2, range.upperBound))]]
    case .flag: [[0], [1]]
    case .list: [[0.3, -0.5, 0.2, 0.1], [0, -0.5, 0, 0.1]]
    case .function: [[0], [1]]
    }
  }
}
