import NumericCore
import VectorKernelTypes
import VectorKernels

/// A network as one function of the angle between its inputs, in the form that the strip kernel `profile` evaluates: its cost does not
/// depend on depth.
///
/// Two kinds of networks have one. Where every layer is homogeneous (the ReLU family without bias), the kernels of two inputs are the
/// product of a number for each of them and of a function of the angle. Where all inputs are equally long, that number is 1 and
/// any network will do. The function is fitted from values that the layers themselves compute, and checked against more of them.
struct AngularProfile: Equatable, Sendable {
  /// Coefficients in the layout of the strip kernel, of the NTK and of the correlation; nil where not wanted.
  let ntk: [Double]?
  let correlation: [Double]?
  /// Values of equal inputs.
  let ntkWhenEqual: Double
  let correlationWhenEqual: Double
  /// Deviation of the outputs of the pairs it was fitted from: u is an input's own, divided by this.
  let outputDeviation: Double
  /// Whether it holds for inputs of one length only.
  let needsEqualLengths: Bool

  /// Below this many pairs the layers themselves are faster than a fit.
  static let fewestPairs = 1 << 14

  /// The profile of a program for inputs of these deviations, or nil: then its layers have to run.
  static func fit(
    _ program: PointwiseProgram, deviations: NumberRange, kernels: ElementKernels, users: UserDuals, fields: KernelFields,
    isFloat: Bool
  ) throws(NumericError) -> AngularProfile? {
    guard program.nonlinearities >= 2, !program.usesUserFunctions else { return nil }
    let isHomogeneous = program.degree != nil
    guard let deviation = isHomogeneous ? 1 : commonDeviation(deviations) else { return nil }
    let (wantsNTK, wantsNNGP) = (fields.ntk, fields.nngp)
    let angles = try AngleSamples(program, deviation: deviation, kernels: kernels, users: users, wantsNTK: wantsNTK)
    guard let angles else { return nil }
    // Terms below the rounding of the layers' own values are noise. In deep networks that rounding grows to some 5e-15.
    let cut = isFloat ? 4e-9 : 3e-16
    var (ntk, correlation): ([Double]?, [Double]?)
    if wantsNTK {
      ntk = ProfileFit.coefficients(angles.ntk, cut: cut)
      guard ntk != nil else { return nil }
    }
    if wantsNNGP {
      correlation = ProfileFit.coefficients(angles.correlation, cut: cut)
      guard correlation != nil else { return nil }
    }
    for (coefficients, samples) in [(ntk, angles.ntk), (correlation, angles.correlation)] {
      guard let coefficients else { continue }
      guard ProfileFit.largestError(coefficients, samples) <= (isFloat ? 1e-7 : 8e-15) else { return nil }
    }
    return AngularProfile(
      ntk: ntk, correlation: correlation, ntkWhenEqual: angles.ntk.whenEqual,
      correlationWhenEqual: angles.correlation.whenEqual, outputDeviation: angles.outputDeviation,
      needsEqualLengths: !isHomogeneous)
  }

  /// The standard deviation that all inputs share up to rounding; nil where they do not.
  private static func commonDeviation(_ all: NumberRange) -> Double? {
    guard all.least > 0, all.largest.isFinite else { return nil }
    return all.largest - all.least <= 8 * all.largest.ulp ? all.largest : nil
  }
}

/// Values of a function of the angle where a fit needs them.
struct ProfileSamples {
  /// At t = pi/2 - asin(x sqrt(2 - x^2)), x the Chebyshev nodes of `ProfileFit`, from x = 1 (t = 0) down.
  var nodes: [Double]
  /// At the angles of `ProfileFit.checks`.
  var checks: [Double]
  /// At t = 0.
  var whenEqual: Double
}

/// What the layers of a network make of pairs of inputs of one length, at many angles.
private struct AngleSamples {
  let ntk: ProfileSamples
  let correlation: ProfileSamples
  let outputDeviation: Double

  init?(
    _ program: PointwiseProgram, deviation: Double, kernels: ElementKernels, users: UserDuals, wantsNTK: Bool
  ) throws(NumericError) {
    let gaps = ProfileFit.nodeGaps + ProfileFit.checkGaps + [0]
    let deviations = try Workspace<Double>(gaps.count)
    deviations.pointer.update(repeating: deviation, count: gaps.count)
    let side = try RowSide(
      deviations: UnsafePointer(deviations.pointer), count: gaps.count, arrayCount: program.rowArrayCount,
      tableCount: program.rowTableCount, kernels: kernels, users: users)
    // An input of unit length may overflow where those at hand do not.
    let pass = RowPass(sides: [side], names: ["a unit input"], limit: .greatestFiniteMagnitude)
    do { try pass.run(program.rowSteps, planned: nil) } catch { return nil }
    let output = side.arrays[program.rowOutput].pointer[0]
    guard output > 0 else { return nil }
    outputDeviation = output
    let reaches = GapBounds.largest(program.pairSteps, [side], [side]).map(ReLUReach.init(gap:))
    let layers = try PairProgram<Double>(program, reaches, row: side, col: side, kernels: kernels, users: users)
    let width = (gaps.count + 31) / 32 * 32
    let strip = try StripMemory<Double>(slots: layers.slotCount, width: width, planes: 1, wantsTheta: wantsNTK)
    strip.gapElements(0).update(repeating: 1, count: width)
    for (i, gap) in gaps.enumerated() { strip.gapElements(0)[i] = gap }
    strip.theta(0)?.update(repeating: 0, count: width)
    try layers.run(strip, row: 0, column: 0, count: gaps.count)
    let theta = strip.theta(0)
    let gap = strip.gapElements(0)
    let counts = (ProfileFit.nodeGaps.count, ProfileFit.checkGaps.count)
    func samples(_ value: (Int) -> Double) -> ProfileSamples {
      ProfileSamples(
        nodes: (0..<counts.0).map(value), checks: (counts.0..<(counts.0 + counts.1)).map(value),
        whenEqual: value(counts.0 + counts.1))
    }
    ntk = samples { theta?[$0] ?? 0 }
    correlation = samples { gap[$0].sign == .minus ? -(1 + gap[$0]) : 1 - gap[$0] }
  }
}

extension PointwiseProgram {
  /// Layers that cost something per pair.
  var nonlinearities: Int {
    pairSteps.count { step in
      switch step.action {
      case .dual, .series: true
      default: false
      }
    }
  }

  /// The d in s(c x) = c^d s(x) for the deviation s of the output; nil where the network is not homogeneous.
  var degree: Double? {
    // The NTK's own constants: biases, also those that start at zero.
    guard pairSteps.allSatisfy({ $0.parameters.count > 9 && $0.parameters[9] == 0 }) else { return nil }
    return PointwiseProgram.degree(rowSteps, rowOutput).flatMap { d in
      PointwiseProgram.degree(colSteps, colOutput) == d ? d : nil
    }
  }

  private static func degree(_ steps: [RowStep], _ output: ArrayID) -> Double? {
    var degrees: [ArrayID: Double] = [0: 1]
    for step in steps {
      guard let before = degrees[step.input] else { return nil }
      switch step.action {
      case .dense(_, _, _, cosine: nil, sine: _), .dropout: degrees[step.output] = before
      case .dual(_, _, _, let homogeneity):
        guard let homogeneity else { return nil }
        degrees[step.output] = homogeneity * before
      case .sum(let branches, _, _):
        guard branches.allSatisfy({ degrees[$0] == before }) else { return nil }
        degrees[step.output] = before
      case .product(let branches):
        var total = 0.0
        for branch in branches {
          guard let degree = degrees[branch] else { return nil }
          total += degree
        }
        degrees[step.output] = total
      default: return nil
      }
    }
    return degrees[output]
  }
}
