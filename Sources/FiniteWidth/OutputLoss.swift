import NumericCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A training loss of the outputs of a network at n inputs.
public enum OutputLoss: Int, Sendable {
  /// 0.5 mean (f - y)^2 over inputs and outputs, the loss of `predict.gradient_descent_mse`.
  case meanSquaredError = 0
  /// -mean over inputs of sum_k y_k log softmax(f)_k, y the probabilities of the classes.
  case crossEntropy = 1
  /// mean over inputs of log(1 + exp f) - y f: one output f, the log odds of the class whose probability is y.
  case logistic = 2

  /// Why targets and outputs of a network with `outputs` outputs do not suit this loss; nil where they do.
  public func objection(outputs: Int) -> String? {
    switch self {
    case .meanSquaredError: nil
    case .crossEntropy:
      outputs >= 2 ? nil : "cross_entropy needs two outputs or more, one per class; logistic is the loss of one output"
    case .logistic: outputs == 1 ? nil : "logistic needs one output; cross_entropy is the loss of several"
    }
  }

  /// What divides the sum over inputs (and outputs).
  func count(rows: Int, cols: Int) -> Double {
    switch self {
    case .meanSquaredError: Double(max(1, rows)) * Double(max(1, cols))
    case .crossEntropy, .logistic: Double(max(1, rows))
    }
  }

  /// The loss of outputs `f`, both matrices of the same shape.
  public func value(_ f: StridedMatrix<Double>, targets y: StridedMatrix<Double>) -> Double {
    var total = 0.0
    for r in 0..<f.rows {
      let (outputs, wanted) = ((0..<f.cols).map { f[r, $0] }, (0..<f.cols).map { y[r, $0] })
      total += value(outputs, wanted, f.cols)
    }
    return total / count(rows: y.rows, cols: y.cols)
  }

  /// This chunk's share of the loss.
  func value(_ tape: Tape, _ targets: StridedMatrix<Double>) throws(NumericError) -> Double {
    guard let f = tape.output(0) else { return 0 }
    let y = try tape.rowsOfOutput(targets)
    var total = 0.0
    for r in 0..<f.rows { total += value(f.row(r), y.row(r), f.cols) }
    return total / count(rows: targets.rows, cols: targets.cols)
  }

  private func value(_ f: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int) -> Double {
    var total = 0.0
    switch self {
    case .meanSquaredError:
      for c in 0..<count { total += 0.5 * (f[c] - y[c]) * (f[c] - y[c]) }
    case .crossEntropy:
      var (largest, sum) = (-Double.infinity, 0.0)
      for c in 0..<count { largest = max(largest, f[c]) }
      for c in 0..<count { sum += exp(f[c] - largest) }
      let logSum = largest + log(sum)
      for c in 0..<count where y[c] != 0 { total += y[c] * (logSum - f[c]) }
    case .logistic:
      for c in 0..<count { total += max(f[c], 0) - y[c] * f[c] + log1p(exp(-abs(f[c]))) }
    }
    return total
  }

  /// Part `part` of the derivative of the whole loss by this chunk's outputs.
  func cotangent(_ tape: Tape, _ targets: StridedMatrix<Double>, part: Int) throws(NumericError) -> Tensor? {
    guard part == 0 || tape.output(part) != nil || self != .meanSquaredError else { return nil }
    let out = try tape.new(tape.plan.outputShape, zeroed: true)
    let share = 1 / count(rows: targets.rows, cols: targets.cols)
    switch self {
    case .meanSquaredError:
      guard let f = tape.output(part) else { return nil }
      for i in 0..<out.count { out.pointer[i] = share * f.pointer[i] }
      if part == 0 { try subtract(targets, tape, share, from: out) }
    case .crossEntropy:
      let y = try tape.rowsOfOutput(targets)
      var softmax = SoftmaxJet(part: part, count: out.cols)
      for r in 0..<out.rows {
        softmax.load { tape.output($0)?.row(r) }
        var mass = 0.0
        for c in 0..<out.cols { mass += y.row(r)[c] }
        for c in 0..<out.cols { out.row(r)[c] = share * mass * softmax[part, c] }
      }
      if part == 0 { try subtract(targets, tape, share, from: out) }
    case .logistic:
      var softmax = SoftmaxJet(part: part, count: out.cols, hasReference: true)
      for r in 0..<out.rows {
        softmax.load { tape.output($0)?.row(r) }
        for c in 0..<out.cols { out.row(r)[c] = share * softmax[part, c] }
      }
      if part == 0 { try subtract(targets, tape, share, from: out) }
    }
    return out
  }

  /// The derivative of each input's own loss (the loss is their mean) by its outputs.
  func sampleCotangent(_ tape: Tape, _ targets: StridedMatrix<Double>) throws(NumericError) -> Tensor {
    guard let out = try cotangent(tape, targets, part: 0) else { return try tape.new(tape.plan.outputShape, zeroed: true) }
    for i in 0..<out.count { out.pointer[i] *= Double(targets.rows) }
    return out
  }

  private func subtract(
    _ targets: StridedMatrix<Double>, _ tape: Tape, _ share: Double, from out: Tensor
  ) throws(NumericError) {
    let y = try tape.rowsOfOutput(targets)
    for i in 0..<out.count { out.pointer[i] -= share * y.pointer[i] }
  }

  /// out = H v for each row, where H is the second derivative of one input's loss by its outputs at `f`, divided as the loss is.
  func hessian(_ f: Tensor, _ v: Tensor, share: Double, into out: Tensor) {
    for r in 0..<f.rows {
      let (outputs, direction, target) = (f.row(r), v.row(r), out.row(r))
      switch self {
      case .meanSquaredError:
        for c in 0..<f.cols { target[c] = share * direction[c] }
      case .crossEntropy, .logistic:
        var softmax = SoftmaxJet(part: 1, count: f.cols, hasReference: self == .logistic)
        softmax.load { $0 == 0 ? outputs : direction }
        for c in 0..<f.cols { target[c] = share * softmax[1, c] }
      }
    }
  }
}

/// The softmax of one row of outputs as a jet: e = exp(f) divided by its sum.
///
/// With `hasReference` there is one class more, whose output is 0: of one output the softmax is then the logistic function.
private struct SoftmaxJet {
  private let part: Int
  private let count: Int
  private let given: Int
  /// Parts of e and then of the softmax, one after the other.
  private var exponentials: [Double]
  private var values: [Double]

  init(part: Int, count given: Int, hasReference: Bool = false) {
    self.part = part
    self.given = given
    count = given + (hasReference ? 1 : 0)
    exponentials = [Double](repeating: 0, count: (part + 1) * count)
    values = exponentials
  }

  subscript(_ set: Int, _ c: Int) -> Double { values[set &* count &+ c] }

  /// Sets the outputs' parts; nil is zero.
  mutating func load(_ outputs: (Int) -> UnsafeMutablePointer<Double>?) {
    guard let f = outputs(0) else { return }
    var largest = given < count ? 0 : -Double.infinity
    for c in 0..<given { largest = max(largest, f[c]) }
    for c in 0..<count { exponentials[c] = exp((c < given ? f[c] : 0) - largest) }
    var sums = [Double](repeating: 0, count: part + 1)
    var inverses = sums
    for set in 0...part where set & ~part == 0 {
      if set != 0 { exponentiate(set, outputs) }
      for c in 0..<count { sums[set] += exponentials[set &* count &+ c] }
      inverses[set] = SoftmaxJet.inverse(sums, set)
      for c in 0..<count { values[set &* count &+ c] = 0 }
      Jets.forEachSplit(set) { a, b in
        for c in 0..<count { values[set &* count &+ c] += exponentials[a &* count &+ c] * inverses[b] }
      }
    }
  }

  private mutating func exponentiate(_ set: Int, _ outputs: (Int) -> UnsafeMutablePointer<Double>?) {
    for c in 0..<count { exponentials[set &* count &+ c] = 0 }
    for blocks in Jets.partitions(set) {
      let factors = blocks.compactMap(outputs)
      guard factors.count == blocks.count else { continue }
      for c in 0..<given {
        var term = exponentials[c]
        for factor in factors { term *= factor[c] }
        exponentials[set &* count &+ c] += term
      }
    }
  }

  /// Part `set` of 1 / s.
  private static func inverse(_ s: [Double], _ set: Int) -> Double {
    var total = 0.0
    for blocks in Jets.partitions(set) {
      var term = 1 / s[0]
      for (i, block) in blocks.enumerated() { term *= -Double(i + 1) * s[block] / s[0] }
      total += term
    }
    return total
  }
}
