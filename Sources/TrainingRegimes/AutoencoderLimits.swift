import LinearAlgebra
import NumericCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Expectations over one neuron w ~ N(0, I): `encoder` H_ij = <x_i, y_j> P(w x_i > 0, w y_j > 0) and
/// `decoder` S_ij = E[relu(w x_i) relu(w y_j)], n1 x n2 each; either may be nil.
///
/// H = <x, y> (pi - t) / (2 pi) and S = ||x|| ||y|| (sin t + (pi - t) cos t) / (2 pi) with t the angle between x and y (Cho & Saul, 2009).
/// The kernel of an infinitely wide autoencoder is (H / d) (x) I for the encoder and (S / d) (x) I for the decoder. O(n1 n2 d).
public func autoencoderLimits(
  _ x: StridedMatrix<Double>, _ y: StridedMatrix<Double>, encoder: StridedMatrix<Double>?, decoder: StridedMatrix<Double>?,
  context: CallContext
) throws(NumericError) {
  guard x.cols == y.cols else {
    throw .invalid("[autoencoder_limits] inputs must have the same number of columns. Received \(x.cols) and \(y.cols).")
  }
  for result in [encoder, decoder] { if let result { try requireShape(result, x.rows, y.rows, "the limit") } }
  try runTasks(x.rows, context: context) { (i, _) throws(NumericError) in
    for j in 0..<y.rows {
      let pair = InputPair(x, i, y, j)
      if let encoder { encoder[i, j] = pair.product * pair.bothActive }
      if let decoder { decoder[i, j] = pair.features }
    }
  }
}

/// The kernel of an infinitely wide autoencoder with tied weights, per neuron, (n1 d) x (n2 d), into `out`; times m scale^2 it is the limit.
///
/// E[f g I + f g' y w^T + f' g w x^T + f' g' <x, y> w w^T] with f = relu(w x), g = relu(w y). By Stein's identity
/// E[w f g'] = p x + ||x|| sin t / (2 pi ||y||) y and E[w w^T f' g'] = p I + (u v^T + v u^T - cos t (u u^T + v v^T)) / (2 pi sin t), where
/// u, v are the directions of x and y, and p = (pi - t) / (2 pi). O(n1 n2 d^2).
public func tiedAutoencoderLimit(
  _ x: StridedMatrix<Double>, _ y: StridedMatrix<Double>, out: StridedMatrix<Double>, context: CallContext
) throws(NumericError) {
  guard x.cols == y.cols else {
    throw .invalid("[autoencoder_limits] inputs must have the same number of columns. Received \(x.cols) and \(y.cols).")
  }
  let d = x.cols
  guard let rows = checkedProduct(x.rows, d), let cols = checkedProduct(y.rows, d) else {
    throw NumericError(.outOfMemory, "[autoencoder_limits] the kernel does not fit any address space.", bytes: .max)
  }
  try requireShape(out, rows, cols, "the limit")
  try runTasks(x.rows, context: context) { (i, _) throws(NumericError) in
    for j in 0..<y.rows {
      try checkCancelled()
      let pair = InputPair(x, i, y, j)
      for a in 0..<d { for b in 0..<d { out[i * d + a, j * d + b] = pair.tied(a, b) } }
    }
  }
}

/// Two inputs and what Gaussian neurons make of their angle.
private struct InputPair {
  private let x, y: StridedMatrix<Double>
  private let i, j: Int
  private let normX, normY, angle, sine, cosine: Double
  let product: Double
  /// ||u - v||^2 or, for an obtuse angle, ||u + v||^2.
  private let gap: Double

  init(_ x: StridedMatrix<Double>, _ i: Int, _ y: StridedMatrix<Double>, _ j: Int) {
    (self.x, self.y, self.i, self.j) = (x, y, i, j)
    var (xx, yy, xy) = (0.0, 0.0, 0.0)
    for k in 0..<x.cols {
      xx += x[i, k] * x[i, k]
      yy += y[j, k] * y[j, k]
      xy += x[i, k] * y[j, k]
    }
    (normX, normY, product) = (xx.squareRoot(), yy.squareRoot(), xy)
    guard xx > 0, yy > 0 else {
      (angle, sine, cosine, gap) = (0, 0, 1, 0)
      return
    }
    // atan2 of the difference and the sum of the directions keeps the digits of small angles (Kahan, 2006).
    let (a, b) = (1 / normX, 1 / normY)
    var (difference, sum) = (0.0, 0.0)
    for k in 0..<x.cols {
      let (u, v) = (x[i, k] * a, y[j, k] * b)
      difference += (u - v) * (u - v)
      sum += (u + v) * (u + v)
    }
    angle = 2 * atan2(difference.squareRoot(), sum.squareRoot())
    (sine, cosine) = (sin(angle), cos(angle))
    gap = min(difference, sum)
  }

  private var isNull: Bool { normX == 0 || normY == 0 }

  /// P(w x > 0, w y > 0)
  var bothActive: Double { isNull ? 0 : (Double.pi - angle) / (2 * Double.pi) }

  /// E[relu(w x) relu(w y)]
  var features: Double { normX * normY * (sine + (Double.pi - angle) * cosine) / (2 * Double.pi) }

  /// Entry (a, b) of the tied kernel.
  func tied(_ a: Int, _ b: Int) -> Double {
    guard !isNull else { return 0 }
    let (xa, xb, ya, yb) = (x[i, a], x[i, b], y[j, a], y[j, b])
    let edge = sine / (2 * Double.pi)
    let encoderSide = ya * (bothActive * xb + normX * edge / normY * yb)
    let decoderSide = (bothActive * ya + normY * edge / normX * xa) * xb
    return (a == b ? features : 0) + encoderSide + decoderSide + product * secondMoment(a, b)
  }

  /// Entry (a, b) of E[w w^T 1(w x > 0) 1(w y > 0)].
  private func secondMoment(_ a: Int, _ b: Int) -> Double {
    let isotropic = a == b ? bothActive : 0
    guard gap > 0 else { return isotropic }
    let (ua, ub) = (x[i, a] / normX, x[i, b] / normX)
    let (va, vb) = (y[j, a] / normY, y[j, b] / normY)
    // u v^T + v u^T - cos t (u u^T + v v^T), written in u - v or u + v so that nothing cancels.
    let own = 0.5 * gap * (ua * ub + va * vb)
    let numerator = cosine >= 0 ? own - (ua - va) * (ub - vb) : (ua + va) * (ub + vb) - own
    return isotropic + numerator / (2 * Double.pi * sine)
  }
}
