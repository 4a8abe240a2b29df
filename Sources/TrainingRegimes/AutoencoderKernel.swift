import LinearAlgebra
import NumericCore

/// Which weights' gradients a tangent kernel is made of.
public enum AutoencoderLayers: Int32, Sendable {
  case encoder = 1
  case decoder = 2
  case both = 3
}

/// The empirical tangent kernel of the outputs by the weights, (n d) x (n d), into `out`: row (i, a) is coordinate a of output i.
///
/// Encoder: scale^2 <x_i, x_j> sum_r 1_ri 1_rj a_r a_r^T. Decoder: scale^2 sum_r relu_ri relu_rj I. Both for a joint network; tied weights
/// also have the mixed terms. By products of masked weights, block by block of neurons: no Jacobian is ever in memory. Symmetric to the bit.
/// O(m n^2 d^2). Nguyen, Wong & Hegde, arXiv:1911.11983.
/// - Throws: `invalidArgument` where one layer of tied weights is asked for, `outOfMemory`, `cancelled`.
public func autoencoderKernel(
  _ network: Autoencoder, layers: AutoencoderLayers, out: StridedMatrix<Double>, context: CallContext
) throws(NumericError) {
  guard !network.isTied || layers == .both else {
    throw .invalid("[autoencoder_kernel] tied weights are one layer: ask for both. Received one.")
  }
  guard let size = checkedProduct(network.count, network.dimension), size <= Int(Int32.max) else {
    throw .invalid("[autoencoder_kernel] n d must be at most \(Int32.max). Received \(network.count) x \(network.dimension).")
  }
  try requireShape(out, size, size, "the kernel")
  guard out.isPacked else { throw .invalid("[autoencoder_kernel] needs a contiguous result. Received other strides.") }
  let sums = try KernelSums(network, layers: layers, masked: out, context: context)
  try sums.assemble(into: out, context: context.part(0.95, 1))
}

/// Sums over neurons that the kernel is assembled from.
private struct KernelSums {
  private let network: Autoencoder
  private let layers: AutoencoderLayers
  /// sum_r relu_ri relu_rj, n x n.
  private let features: Workspace<Double>
  /// sum_r relu_ri 1_rj w_r, n x (n d); tied weights only.
  private let mixed: Workspace<Double>?
  /// <x_i, x_j>, n x n.
  private let gram: Workspace<Double>

  /// Also sums a_r a_r^T 1_ri 1_rj into `masked`.
  init(
    _ network: Autoencoder, layers: AutoencoderLayers, masked: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    let (m, n, size) = (network.width, network.count, network.count * network.dimension)
    self.network = network
    self.layers = layers
    let wantsEncoder = layers != .decoder
    let rows = min(m, max(32, (4 << 20) / size))
    let numbers = checkedProduct(rows, (wantsEncoder ? size : 0) + n).flatMap {
      checkedSum($0, n * (2 * n + (network.isTied ? size : 0)))
    }
    try context.reserve(
      numbers.flatMap { checkedProduct($0, 8) }, for: "the kernel of an autoencoder on \(n) inputs",
      instead: "Use fewer inputs.")
    features = try Workspace(n, n, zeroed: true)
    gram = try Workspace(n, n)
    mixed = network.isTied ? try Workspace(n, size, zeroed: true) : nil
    let activations = try Workspace<Double>(rows, n)
    let signals = try wantsEncoder ? Workspace<Double>(rows, size) : Workspace<Double>(1)
    try multiplySelf(network.inputs, into: StridedMatrix(gram.pointer, rows: n, cols: n), context: context.part(0, 0.01))
    var first = 0
    while first < m {
      let count = min(rows, m - first)
      let share = context.part(0.95 * Double(first) / Double(m), 0.95 * Double(first + count) / Double(m))
      let active = StridedMatrix(activations.pointer, rows: count, cols: n)
      try rectified(network, first, into: active, context: share.part(0, 0.05))
      try multiplySelf(
        active.transposed, into: StridedMatrix(features.pointer, rows: n, cols: n), beta: first == 0 ? 0 : 1,
        context: share.part(0.05, 0.1))
      if wantsEncoder {
        let signal = StridedMatrix(signals.pointer, rows: count, cols: size)
        Self.mask(network, first, active, into: signal)
        try multiplySelf(signal.transposed, into: masked, beta: first == 0 ? 0 : 1, context: share.part(0.1, 0.9))
        if let mixed {
          let target = StridedMatrix(mixed.pointer, rows: n, cols: size)
          try multiply(active.transposed, signal, into: target, beta: 1, context: share.part(0.9, 1))
        }
      }
      first += count
    }
  }

  /// signal[r, (i, a)] = 1(w_r x_i > 0) a_ra
  private static func mask(
    _ network: Autoencoder, _ first: Int, _ active: StridedMatrix<Double>, into signal: StridedMatrix<Double>
  ) {
    let (n, d) = (network.count, network.dimension)
    for r in 0..<active.rows {
      let weights = network.decoder.base + (first + r) * d
      var target = signal.base + r * n * d
      for i in 0..<n {
        if active[r, i] > 0 {
          target.update(from: weights, count: d)
        } else {
          target.update(repeating: 0, count: d)
        }
        target += d
      }
    }
  }

  func assemble(into out: StridedMatrix<Double>, context: CallContext) throws(NumericError) {
    let (n, d, s) = (network.count, network.dimension, network.scale * network.scale)
    try runTasks(n, context: context) { (i, _) throws(NumericError) in
      for j in 0..<n {
        try checkCancelled()
        let product = gram[i * n + j]
        for a in 0..<d {
          let row = out.base + (i * d + a) * n * d + j * d
          if layers == .decoder {
            row.update(repeating: 0, count: d)
          } else {
            for b in 0..<d { row[b] *= s * product }
            if let mixed { addMixed(mixed, i, j, a, row) }
          }
          if layers != .encoder { row[a] += s * features[i * n + j] }
        }
      }
    }
  }

  /// The terms in which one factor comes from the encoder's place of w_r and the other from the decoder's.
  private func addMixed(_ mixed: Workspace<Double>, _ i: Int, _ j: Int, _ a: Int, _ row: UnsafeMutablePointer<Double>) {
    let (n, d, s) = (network.count, network.dimension, network.scale * network.scale)
    let x = network.inputs.base
    let forth = mixed.pointer + i * n * d + j * d
    let back = mixed[j * n * d + i * d + a]
    for b in 0..<d { row[b] += s * (x[j * d + a] * forth[b] + back * x[i * d + b]) }
  }
}
