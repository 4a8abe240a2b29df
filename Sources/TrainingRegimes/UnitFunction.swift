import Activations
import Architectures
import FiniteWidth
import LinearAlgebra
import NumericCore

/// The nonlinearity of the hidden units, with its derivative, on arrays of either precision.
///
/// Squares and rectifiers run in the precision of the array; everything else is evaluated in float64, the caller's functions by the caller.
struct UnitFunction {
  private enum Kind {
    case square
    case rectifier(below: Double, above: Double)
    case general(ScalarFunction)
    case callers(function: Int, UserScalarFunction)
  }
  private let kind: Kind

  /// Throws for a nonlinearity that is no function of one number.
  init(_ activation: Activation, userFunction: UserScalarFunction? = nil) throws(NumericError) {
    if let function = activation.userFunction {
      guard let userFunction else { throw .invalid("[two_layer] needs the caller's functions. Received none.") }
      kind = .callers(function: function, userFunction)
    } else if activation.coefficients == [0, 0, 1] {
      kind = .square
    } else if let slopes = activation.rectifierSlopes {
      kind = .rectifier(below: slopes.below, above: slopes.above)
    } else if let function = activation.function {
      kind = .general(function)
    } else {
      throw .invalid("[two_layer] the activation must be a function of one number. Received \(activation).")
    }
  }

  /// Whether it runs in the precision of the array, without scratch memory.
  var isSimple: Bool {
    switch kind {
    case .square, .rectifier: true
    case .general, .callers: false
    }
  }

  /// Whether s(t) = t^2.
  var isSquare: Bool { if case .square = kind { true } else { false } }

  /// value = s(z) and slope = s'(z) for `count` numbers; the arrays may be those of `z`, which is read first.
  @inline(__always)
  func evaluate<Element: BLASReal>(
    _ z: UnsafePointer<Element>, _ count: Int, value: UnsafeMutablePointer<Element>, slope: UnsafeMutablePointer<Element>,
    room: UnsafeMutablePointer<Double>
  ) throws(NumericError) {
    switch kind {
    case .square:
      for i in 0..<count {
        let t = z[i]
        value[i] = t * t
        slope[i] = t + t
      }
    case .rectifier(let below, let above):
      let (a, b) = (Element(below), Element(above))
      for i in 0..<count {
        let t = z[i]
        value[i] = t > 0 ? b * t : a * t
        slope[i] = t > 0 ? b : (t < 0 ? a : (a + b) / 2)
      }
    case .general, .callers:
      let (x, v, s) = (room, room + count, room + 2 * count)
      for i in 0..<count { x[i] = Double(z[i]) }
      if case .callers(let function, let call) = kind {
        try call(function, 0, x, v, count)
        try call(function, 1, x, s, count)
      } else if case .general(let function) = kind {
        function.evaluate(x, count, into: [v, s])
      }
      for i in 0..<count {
        value[i] = Element(v[i])
        slope[i] = Element(s[i])
      }
    }
  }
}
