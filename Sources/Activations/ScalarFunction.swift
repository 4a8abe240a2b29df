/// A function of one number at a point: its value and first three derivatives.
public typealias Jet = SIMD4<Double>

/// The formula of a nonlinearity, with its parameters as stored properties.
protocol PointFunction: Sendable {
  /// The formula with these values of the entry's parameters.
  init(_ values: [Double])
  /// Value and derivatives at x.
  func jet(_ x: Double) -> Jet
}

/// A function of one number on arrays: one call per array, with a loop compiled for the formula inside.
public struct ScalarFunction: Sendable {
  private let run:
    @Sendable (_ x: UnsafePointer<Double>, _ count: Int, _ targets: UnsafeBufferPointer<UnsafeMutablePointer<Double>>) -> Void

  /// Writes the function and its derivatives at `x` into `targets` (the value, the first derivative, ...; at most four arrays). The first
  /// target may be `x` itself.
  public func evaluate(_ x: UnsafePointer<Double>, _ count: Int, into targets: [UnsafeMutablePointer<Double>]) {
    targets.withUnsafeBufferPointer { run(x, count, $0) }
  }

  /// Value and derivatives at one point.
  public func jet(_ x: Double) -> Jet {
    var (x, jet) = (x, Jet(repeating: 0))
    withUnsafeMutableBytes(of: &jet) { room in
      guard let base = room.baseAddress?.assumingMemoryBound(to: Double.self) else { return }
      evaluate(&x, 1, into: [base, base + 1, base + 2, base + 3])
    }
    return jet
  }

  /// The function of a formula, for an entry of the catalogue.
  static func of<Function: PointFunction>(_ type: Function.Type) -> @Sendable ([Double]) -> ScalarFunction {
    { values in
      let function = Function(values)
      return ScalarFunction { (x, count, targets) in loop(function, x, count, targets) }
    }
  }

  private init(
    _ run: @escaping @Sendable (UnsafePointer<Double>, Int, UnsafeBufferPointer<UnsafeMutablePointer<Double>>) -> Void
  ) {
    self.run = run
  }

  /// Loops for one and two targets by themselves: derivatives that nobody asks for are not computed.
  @inline(__always)
  private static func loop<Function: PointFunction>(
    _ function: Function, _ x: UnsafePointer<Double>, _ count: Int,
    _ targets: UnsafeBufferPointer<UnsafeMutablePointer<Double>>
  ) {
    switch targets.count {
    case 0: return
    case 1:
      let value = targets[0]
      for i in 0..<count { value[i] = function.jet(x[i])[0] }
    case 2:
      let (value, slope) = (targets[0], targets[1])
      for i in 0..<count {
        let jet = function.jet(x[i])
        value[i] = jet[0]
        slope[i] = jet[1]
      }
    default:
      let orders = min(targets.count, 4)
      for i in 0..<count {
        let jet = function.jet(x[i])
        for order in 0..<orders { targets[order][i] = jet[order] }
      }
    }
  }
}
