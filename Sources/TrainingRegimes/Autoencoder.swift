import LinearAlgebra
import NumericCore

/// A two-layer ReLU autoencoder u(x) = scale sum_r a_r relu(<w_r, x>) with real weights, on n inputs.
///
/// The scale (m d)^(-1/2) makes its tangent kernel of order one. Nguyen, Wong & Hegde, "Benefits of Jointly Training Autoencoders",
/// arXiv:1911.11983. Row r of `encoder` is w_r, row r of `decoder` a_r; a weight-tied network has a_r = w_r. The loss is
/// 1/2 sum_i ||u(x_i) - x_i||^2.
public struct Autoencoder {
  /// Inputs, n x d.
  public let inputs: StridedMatrix<Double>
  /// Weights w_r, m x d.
  public let encoder: StridedMatrix<Double>
  /// Weights a_r, m x d; the memory of `encoder` where the weights are tied.
  public let decoder: StridedMatrix<Double>
  /// The factor in front of the sum over neurons.
  public let scale: Double
  /// Whether a_r = w_r.
  public let isTied: Bool

  /// Number of inputs.
  public var count: Int { inputs.rows }
  /// Length d of an input.
  public var dimension: Int { inputs.cols }
  /// Number m of neurons.
  public var width: Int { encoder.rows }

  /// A network on inputs; `decoder` nil means tied weights.
  /// - Throws: `invalidArgument` unless the matrices are contiguous, row-major, of one width, and the scale is finite and positive.
  public init(
    inputs: StridedMatrix<Double>, encoder: StridedMatrix<Double>, decoder: StridedMatrix<Double>?, scale: Double
  ) throws(NumericError) {
    let op = "autoencoder"
    guard inputs.rows > 0, inputs.cols > 0, encoder.rows > 0 else {
      throw .invalid(
        "[\(op)] needs at least one input, one coordinate and one neuron. Received \(inputs.rows) inputs of length \(inputs.cols) "
          + "and \(encoder.rows) neurons.")
    }
    guard encoder.cols == inputs.cols else {
      throw .invalid("[\(op)] the encoder needs \(inputs.cols) columns, as the inputs have. Received \(encoder.cols).")
    }
    if let decoder, decoder.rows != encoder.rows || decoder.cols != encoder.cols {
      throw .invalid(
        "[\(op)] the decoder needs the shape (\(encoder.rows), \(encoder.cols)) of the encoder. "
          + "Received (\(decoder.rows), \(decoder.cols)).")
    }
    for matrix in [inputs, encoder, decoder ?? encoder] where !matrix.isPacked {
      throw .invalid("[\(op)] needs contiguous row-major matrices. Received strides (\(matrix.rowStride), \(matrix.colStride)).")
    }
    for size in [inputs.rows, inputs.cols, encoder.rows] where size > Int(Int32.max) {
      throw .invalid("[\(op)] sizes must be at most \(Int32.max). Received \(size).")
    }
    guard scale > 0, scale.isFinite else { throw .invalid("[\(op)] the scale must be positive and finite. Received \(scale).") }
    self.inputs = inputs
    self.encoder = encoder
    self.decoder = decoder ?? encoder
    self.scale = scale
    isTied = decoder == nil
  }
}

extension StridedMatrix {
  /// Whether the elements follow each other row by row without gaps.
  var isPacked: Bool { (cols <= 1 || colStride == 1) && (rows <= 1 || rowStride == cols) }
}
