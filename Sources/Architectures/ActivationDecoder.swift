import NumericCore

/// Decodes and validates the nonlinearities of an op table.
enum ActivationDecoder {
  static let maxDegree = 64
  static let maxQuadratureDegree = 512

  static func decode(
    _ record: OpRecord, coefficients: [Double], at position: Int
  ) throws(NumericError) -> Activation {
    let (r0, r1, r2, _, _, _) = record.reals
    let n0 = record.integers.0
    let n1 = record.integers.1
    switch record.kind {
    case 100: return .abRelu(a: try finite(r0, "ABRelu", "a"), b: try finite(r1, "ABRelu", "b"))
    case 101: return .erf(a: try finite(r0, "Erf", "a"), b: try finite(r1, "Erf", "b"), c: try finite(r2, "Erf", "c"))
    case 102: return .gelu(approximate: n0 != 0)
    case 103: return .sin(a: try finite(r0, "Sin", "a"), b: try finite(r1, "Sin", "b"), c: try finite(r2, "Sin", "c"))
    case 104:
      guard r0.isFinite, r0 >= 0 else { throw .invalid("[Rbf] gamma must be a finite number >= 0. Received \(r0).") }
      return .rbf(gamma: r0)
    case 105: return .sign
    case 106: return .step
    case 107: return .exp(a: try finite(r0, "Exp", "a"), b: try finite(r1, "Exp", "b"))
    case 108: return .gaussian(a: try finite(r0, "Gaussian", "a"), b: try finite(r1, "Gaussian", "b"))
    case 109: return .gabor
    case 110:
      guard r0.isFinite, r0 > 0 else { throw .invalid("[ExpNormalized] gamma must be a finite number > 0. Received \(r0).") }
      return .expNormalized(gamma: r0, shift: try finite(r1, "ExpNormalized", "shift"))
    case 111: return .hermite(degree: try degree(n0, "Hermite", 0...maxDegree))
    case 112: return .polynomial(try slice(coefficients, n0, n1))
    case 113: return .rectifiedMonomial(degree: try degree(n0, "RectifiedMonomial", 0...20))
    case 114:
      guard let function = NamedFunction(rawValue: Int(n0)) else {
        throw .invalid("[architecture] layer \(position): unknown function \(n0).")
      }
      return .named(function, parameter: try finite(r0, "\(function)", "parameter"), tolerance: try tolerance(r1))
    case 115: return .userExpansion(function: try index(n0), tolerance: try tolerance(r0))
    case 116:
      return .userQuadrature(
        function: try index(n0), degree: try degree(n1, "ElementwiseNumerical", 1...maxQuadratureDegree))
    case 117: return .userDual(function: try index(n0), hasDerivative: n1 != 0)
    default: throw .invalid("[architecture] layer \(position) must be a known kind. Received \(record.kind).")
    }
  }

  private static func finite(_ x: Double, _ layer: String, _ name: String) throws(NumericError) -> Double {
    guard x.isFinite else { throw .invalid("[\(layer)] \(name) must be a finite number. Received \(x).") }
    return x
  }

  private static func degree(_ n: Int64, _ layer: String, _ range: ClosedRange<Int>) throws(NumericError) -> Int {
    guard n >= Int64(range.lowerBound), n <= Int64(range.upperBound) else {
      throw .invalid("[\(layer)] degree must be in \(range.lowerBound)...\(range.upperBound). Received \(n).")
    }
    return Int(n)
  }

  private static func index(_ n: Int64) throws(NumericError) -> Int {
    guard n >= 0, n <= 1_000_000 else { throw .invalid("[architecture] a function index must be >= 0. Received \(n).") }
    return Int(n)
  }

  private static func tolerance(_ x: Double) throws(NumericError) -> Double {
    guard x.isFinite, x > 0, x < 1 else { throw .invalid("[ElementwiseNumerical] tol must be in (0, 1). Received \(x).") }
    return x
  }

  private static func slice(_ all: [Double], _ first: Int64, _ count: Int64) throws(NumericError) -> [Double] {
    guard first >= 0, count >= 1, count <= Int64(maxDegree + 1), first <= Int64(all.count), Int64(all.count) - first >= count
    else {
      throw .invalid(
        "[Polynomial] coef must hold 1 to \(maxDegree + 1) numbers. Received \(count) from \(first) of \(all.count).")
    }
    let part = Array(all[Int(first)..<Int(first + count)])
    for (i, c) in part.enumerated() where !c.isFinite {
      throw .invalid("[Polynomial] coef must be finite. Received coef[\(i)] = \(c).", index: (i, -1))
    }
    return part
  }
}
