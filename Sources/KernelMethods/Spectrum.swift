#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import LinearAlgebra
import NumericCore

/// The eigendecomposition of a train-train kernel, and what gradient flow on the mean squared error does to each eigenvalue.
///
/// Time is in units of the learning rate; `size` is the number of training outputs, by which the loss is averaged.
/// Eigenvalues at or below zero are rounding errors of a positive semi-definite kernel: nothing moves along them.
public struct Spectrum: @unchecked Sendable {
  /// n eigenvalues.
  public let values: UnsafePointer<Double>
  /// Row j is the eigenvector of value j, n x n.
  public let vectors: StridedMatrix<Double>
  public let size: Double

  public init(values: UnsafePointer<Double>, vectors: StridedMatrix<Double>, size: Double) {
    self.values = values
    self.vectors = vectors
    self.size = size
  }

  var count: Int { vectors.rows }

  /// exp(-lambda t / size) - 1
  func change(_ k: Int, _ t: Double) -> Double {
    values[k] > 0 ? expm1(-values[k] * t / size) : 0
  }

  /// (1 - exp(-lambda t / size)) / lambda
  func response(_ k: Int, _ t: Double) -> Double {
    values[k] > 0 ? -change(k, t) / values[k] : 0
  }

  /// exp(-lambda t / size)
  func decay(_ k: Int, _ t: Double) -> Double {
    values[k] > 0 ? exp(-values[k] * t / size) : 1
  }
}
