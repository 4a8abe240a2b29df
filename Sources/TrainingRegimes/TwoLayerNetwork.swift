import Activations
import Architectures
import FiniteWidth
import LinearAlgebra
import NumericCore

/// The numbers of a two-layer network c + sum_i a_i s(<w_i, x>) + sum_i s'(<w_i, x>) <g_i, x>, in the caller's memory.
///
/// Random features and full training use a alone; the neural tangent adds the tangent coefficients g.
public struct TwoLayerNetwork<Element: BLASReal> {
  /// w, N x d, contiguous.
  public let weights: StridedMatrix<Element>
  /// a, N x 1, contiguous.
  public let outputs: StridedMatrix<Element>
  /// g, N x d, contiguous; nil: there is no linear part.
  public let tangents: StridedMatrix<Element>?
  /// s.
  public let activation: Activation
  /// The caller's functions, where s is one.
  let userFunction: UserScalarFunction?

  /// Throws unless the shapes fit and rows are contiguous.
  public init(
    weights: StridedMatrix<Element>, outputs: StridedMatrix<Element>, tangents: StridedMatrix<Element>?, activation: Activation,
    userFunction: UserScalarFunction? = nil
  ) throws(NumericError) {
    let (n, d) = (weights.rows, weights.cols)
    guard n > 0, d > 0, n <= Int(Int32.max), d <= Int(Int32.max) else {
      throw .invalid("[two_layer] the width and the dimension must be 1 or more. Received weights of shape (\(n), \(d)).")
    }
    guard outputs.rows == n, outputs.cols == 1 else {
      throw .invalid("[two_layer] the output weights must have shape (\(n), 1). Received (\(outputs.rows), \(outputs.cols)).")
    }
    if let tangents, tangents.rows != n || tangents.cols != d {
      throw .invalid(
        "[two_layer] the tangent coefficients must have shape (\(n), \(d)). Received (\(tangents.rows), \(tangents.cols)).")
    }
    for m in [weights, outputs] + (tangents.map { [$0] } ?? []) {
      guard m.cols == 1 || m.colStride == 1, m.rows == 1 || m.rowStride == m.cols else {
        throw .invalid("[two_layer] the network's arrays must be contiguous. Received strides \(m.rowStride), \(m.colStride).")
      }
    }
    self.weights = weights
    self.outputs = outputs
    self.tangents = tangents
    self.activation = activation
    self.userFunction = userFunction
  }

  /// s with its derivative.
  func unitFunction() throws(NumericError) -> UnitFunction { try UnitFunction(activation, userFunction: userFunction) }
}
