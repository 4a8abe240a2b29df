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
/// Eigenvalues below n eps times the largest one are rounding errors of zero: nothing moves along them.
public struct Spectrum: @unchecked Sendable {
  /// n eigenvalues, ascending.
  public let values: UnsafePointer<Double>
  /// Row j is the eigenvector of value j, n x n.
  public let vectors: StridedMatrix<Double>
  /// Number of training outputs, by which the loss is averaged.
  public let size: Double
  private let floor: Double

  /// The decomposition that `symmetricEigen` made; the memory must outlive this value.
  public init(values: UnsafePointer<Double>, vectors: StridedMatrix<Double>, size: Double) {
    self.values = values
    self.vectors = vectors
    self.size = size
    let n = vectors.rows
    floor = n == 0 ? 0 : max(0, values[n - 1]) * Double(n) * 2.2e-16
  }

  var count: Int { vectors.rows }

  /// The eigenvalue, 0 where it is a rounding error.
  func value(_ k: Int) -> Double { values[k] > floor ? values[k] : 0 }

  /// exp(-lambda t / size) - 1
  func change(_ k: Int, _ t: Double) -> Double {
    values[k] > floor ? expm1(-values[k] * t / size) : 0
  }

  /// (1 - exp(-lambda t / size)) / lambda
  func response(_ k: Int, _ t: Double) -> Double {
    values[k] > floor ? -change(k, t) / values[k] : 0
  }

  /// exp(-lambda t / size)
  func decay(_ k: Int, _ t: Double) -> Double {
    values[k] > floor ? exp(-values[k] * t / size) : 1
  }
}
