#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import NumericCore

/// A training loss of the outputs f, as the gradient that gradient descent needs. Outputs lie in memory class by class of each point.
public enum Loss {
  /// 0.5 mean (f - y)^2
  case meanSquaredError(targets: UnsafePointer<Double>)
  /// -sum(log_softmax(f) y) / divisor over groups of `classes` consecutive outputs
  case crossEntropy(targets: UnsafePointer<Double>, classes: Int, divisor: Double)
  /// mean(log(1 + exp f) - y f), each output the log odds of a class of its own
  case logistic(targets: UnsafePointer<Double>)
  /// A caller's gradient: (outputs, gradient) -> success
  case gradient((UnsafePointer<Double>, UnsafeMutablePointer<Double>) -> Bool)
  /// A caller's value: (outputs, value) -> success. Its gradient is taken by central differences with a step of 6e-6 max(1, |f|), good to
  /// about ten digits of the loss, at two evaluations per output.
  case value((UnsafePointer<Double>, UnsafeMutablePointer<Double>) -> Bool)

  /// The gradient at `f` into `g`, `count` numbers each. `f` is the loss's to vary, and comes back unchanged.
  func gradient(_ f: UnsafeMutablePointer<Double>, _ g: UnsafeMutablePointer<Double>, _ count: Int) throws(NumericError) {
    switch self {
    case .meanSquaredError(let y):
      for i in 0..<count { g[i] = (f[i] - y[i]) / Double(count) }
    case .crossEntropy(let y, let classes, let divisor):
      for first in stride(from: 0, to: count, by: classes) {
        softmaxGradient(f + first, y + first, g + first, classes, divisor)
      }
    case .logistic(let y):
      for i in 0..<count {
        let small = exp(-abs(f[i]))
        g[i] = ((f[i] >= 0 ? 1 : small) / (1 + small) - y[i]) / Double(count)
      }
    case .gradient(let evaluate):
      guard evaluate(f, g) else { throw Loss.failed }
    case .value(let evaluate):
      for i in 0..<count { g[i] = try slope(evaluate, f, i) }
    }
  }

  private func slope(
    _ evaluate: (UnsafePointer<Double>, UnsafeMutablePointer<Double>) -> Bool, _ f: UnsafeMutablePointer<Double>, _ i: Int
  ) throws(NumericError) -> Double {
    let center = f[i]
    defer { f[i] = center }
    let step = 6e-6 * max(1, abs(center))
    var (above, below) = (0.0, 0.0)
    f[i] = center + step
    let high = f[i]
    guard evaluate(f, &above) else { throw Loss.failed }
    f[i] = center - step
    let low = f[i]
    guard evaluate(f, &below) else { throw Loss.failed }
    return (above - below) / (high - low)
  }

  private static let failed = NumericError(
    .callbackFailed, "[gradient_descent] the loss must return a number or an array. It raised.")
}

/// d/df of -sum(y log_softmax(f)) / divisor for one point.
private func softmaxGradient(
  _ f: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ g: UnsafeMutablePointer<Double>, _ classes: Int, _ divisor: Double
) {
  var (largest, total, mass) = (-Double.infinity, 0.0, 0.0)
  for k in 0..<classes { largest = max(largest, f[k]) }
  for k in 0..<classes {
    g[k] = exp(f[k] - largest)
    total += g[k]
    mass += y[k]
  }
  for k in 0..<classes { g[k] = (g[k] / total * mass - y[k]) / divisor }
}
