import NumericCore

/// How a two-layer network is trained.
public enum Regime: Int32, Sendable {
  /// Only the last layer: the first stays random.
  case randomFeatures = 0
  /// The network linearised about its random weights.
  case neuralTangent = 1
  /// All of it.
  case fullyTrained = 2
}

/// What the limits need to know of a symmetric target B: its eigenvalues.
public struct TargetSpectrum: Sendable {
  /// Eigenvalues of B in units of the largest |eigenvalue|, which comes first: their squares neither overflow nor vanish together.
  private let eigenvalues: [Double]
  /// The sum of their squares.
  private let squares: Double
  /// tau = (tr B)^2 / (d |B|^2), between 0 and 1: how much of B is a multiple of the identity.
  public let alignment: Double

  /// Throws unless there are eigenvalues, finite and not all zero.
  public init(_ eigenvalues: [Double]) throws(NumericError) {
    guard !eigenvalues.isEmpty, eigenvalues.allSatisfy(\.isFinite) else {
      throw .invalid("[asymptotic_risk] the spectrum must be finite with at least one eigenvalue. Received \(eigenvalues.count).")
    }
    let sorted = eigenvalues.sorted { abs($0) > abs($1) }
    let largest = abs(sorted[0])
    guard largest > 0 else { throw .invalid("[asymptotic_risk] the spectrum must not be all zero. Received zeros.") }
    self.eigenvalues = sorted.map { $0 / largest }
    squares = self.eigenvalues.reversed().reduce(0) { $0 + $1 * $1 }
    let trace = self.eigenvalues.reversed().reduce(0, +)
    alignment = trace * trace / (Double(eigenvalues.count) * squares)
  }

  /// Risk over the risk of the best constant, as d and N = rho d go to infinity, for x ~ N(0, I), t^2 and isotropic random weights.
  ///
  /// RF 1 - tau rho / (1 + rho); NT (1 - rho)_+^2 (1 - tau) + (1 - rho)_+ tau; NN the share of the squared eigenvalues beyond the largest
  /// rho d, linear between the integers. Ghorbani et al., arXiv:1906.08899, with a free offset c.
  public func limit(_ regime: Regime, rho: Double) throws(NumericError) -> Double {
    guard rho >= 0 else { throw .invalid("[asymptotic_risk] rho must be at least 0. Received \(rho).") }
    let left = max(0, 1 - rho)
    switch regime {
    case .randomFeatures: return rho.isFinite ? 1 - alignment * rho / (1 + rho) : 1 - alignment
    case .neuralTangent: return left * left * (1 - alignment) + left * alignment
    case .fullyTrained: return tail(rho * Double(eigenvalues.count))
    }
  }

  /// Mean of the NT risk over isotropic weights at finite d = number of eigenvalues and `width` units, over that of the best constant.
  ///
  /// E |P B P|^2 = a |B|^2 + c ((tr B)^2 + |B|^2) for a random projection P of rank k = d - width, with a d^2 + 2 c d = k^2 and
  /// a d + c (d^2 + d) = k (the two invariants B = I and their contractions).
  public func meanTangentRisk(width: Int) -> Double {
    let d = Double(eigenvalues.count)
    guard width < eigenvalues.count, eigenvalues.count > 1 else { return width < eigenvalues.count ? 1 : 0 }
    let k = d - Double(max(0, width))
    // [d^2, 2 d; d, d^2 + d] (a, c) = (k^2, k)
    let determinant = d * d * (d * d + d) - 2 * d * d
    let a = (k * k * (d * d + d) - 2 * d * k) / determinant
    let c = (d * d * k - d * k * k) / determinant
    return a + c * (1 + alignment * d)
  }

  /// Share of the squares beyond the first `count`, which need not be whole.
  private func tail(_ count: Double) -> Double {
    guard count < Double(eigenvalues.count) else { return 0 }
    let whole = Int(count)
    var sum = 0.0
    for i in stride(from: eigenvalues.count - 1, through: whole, by: -1) {
      let part = i == whole ? 1 - (count - Double(whole)) : 1
      sum += part * eigenvalues[i] * eigenvalues[i]
    }
    return sum / squares
  }
}
