import Architectures
import NumericCore

/// Everything about a kernel that was decided from its inputs as a whole: lengths of expansions, polynomials, functions of the angle.
///
/// With one plan the kernel of these inputs has the same bits however it is cut, by any number of threads, and in any process on a
/// processor of the same level. A small value; `bytes` and `init(bytes:)` carry it to files and other processes.
public struct KernelPlan: Equatable, Sendable {
  /// A number made from the network: a plan holds for one network.
  var network: UInt64
  /// Numbers of one input, and bytes of one number (4 or 8).
  var width: Int
  var elementSize: Int
  /// The kernels that it is for.
  public internal(set) var fields: KernelFields
  var content: Content

  /// What an engine decided.
  enum Content: Equatable {
    case pointwise(PointwisePlan)
  }

  /// Numbers of one input.
  public var inputWidth: Int { width }

  /// Whether it is for float32 inputs.
  public var isFloat32: Bool { elementSize == 4 }

  /// The largest share of a variance that a Hermite expansion cuts off beyond its tolerance; 0 where all keep theirs.
  public var missedTolerance: Double {
    switch content {
    case .pointwise(let plan): plan.series.joined().reduce(0) { max($0, $1.missed) }
    }
  }
}

/// The decisions of the pointwise engine.
struct PointwisePlan: Equatable, Sendable {
  /// Standard deviations of the inputs.
  var deviations: NumberRange
  /// For each output block: the Hermite series, in the order of the layers.
  var series: [[SeriesPlan]] = []
  /// For each pair of output blocks, row by row.
  var pairs: [PairPlan] = []
}

/// How one Hermite series is computed.
struct SeriesPlan: Equatable, Sendable {
  var terms: Int
  /// Deviations before the layer; the largest decides the quadrature.
  var deviations: NumberRange
  /// Share of energy beyond the tolerance.
  var missed: Double
}

/// How the pairs of two output blocks are computed.
struct PairPlan: Equatable, Sendable {
  /// For each ReLU whose gaps are known not to be negative: which polynomial, by what gaps can reach.
  var reaches: [ReLUReach]
  /// One function of the angle in the place of all layers; and for float32.
  var profile: AngularProfile?
  var floatProfile: AngularProfile?
  /// Whether float32 inputs pass through the layers in float64: their deviations are so far from 1 that products of them leave float32.
  var isWide: Bool
}

/// The least and the largest of some numbers.
struct NumberRange: Equatable, Sendable {
  var least: Double
  var largest: Double

  /// The range of the first numbers of some arrays, as many as are said; 0 to 0 without any.
  init(_ arrays: [(Workspace<Double>, Int)]) {
    self.init(least: .infinity, largest: -.infinity)
    for (array, count) in arrays { extend(by: array.pointer, count: count) }
    if least > largest { (least, largest) = (0, 0) }
  }

  /// Takes more numbers in: four at a time, for a smallest number waits for the one before it.
  mutating func extend(by x: UnsafePointer<Double>, count: Int) {
    var low = SIMD4(repeating: least)
    var high = SIMD4(repeating: largest)
    var i = 0
    while i + 4 <= count {
      let four = SIMD4(x[i], x[i + 1], x[i + 2], x[i + 3])
      low.replace(with: four, where: four .< low)
      high.replace(with: four, where: four .> high)
      i += 4
    }
    for lane in 0..<4 { (least, largest) = (min(least, low[lane]), max(largest, high[lane])) }
    for k in i..<count { (least, largest) = (min(least, x[k]), max(largest, x[k])) }
  }

  init(least: Double, largest: Double) { (self.least, self.largest) = (least, largest) }

  func contains(_ x: Double) -> Bool { x >= least && x <= largest }
}

// MARK: what a plan holds for

extension KernelPlan {
  /// Throws unless the plan is for these inputs' network, width and type.
  func check(network: UInt64, width: Int, elementSize: Int) throws(NumericError) {
    guard self.network == network else {
      throw .invalid("[kernel_fn] plan must be one that this network made. Received a plan of another network.")
    }
    guard self.width == width else {
      throw .invalid("[kernel_fn] the plan holds for inputs of \(self.width) numbers. Received inputs of \(width).")
    }
    guard self.elementSize == elementSize else {
      throw .invalid(
        "[kernel_fn] the plan holds for float\(8 * self.elementSize) inputs. Received float\(8 * elementSize) ones.")
    }
  }

  /// Throws unless the plan is for all kernels that are wanted.
  func check(fields wanted: KernelFields) throws(NumericError) {
    guard fields.nngp || !wanted.nngp, fields.ntk || !wanted.ntk else {
      throw .invalid(
        "[kernel_fn] the plan must be made for the wanted kernels. Received a plan without the \(wanted.ntk && !fields.ntk ? "NTK" : "NNGP")."
      )
    }
  }
}

extension PointwisePlan {
  /// Throws unless all deviations are among those that the plan was made for.
  static func check(
    _ deviations: Workspace<Double>, _ count: Int, in range: NumberRange, at layer: String, _ name: String
  ) throws(NumericError) {
    guard let i = (0..<count).first(where: { !range.contains(deviations.pointer[$0]) }) else { return }
    throw outside(range, at: layer, deviations.pointer[i], name, i)
  }

  /// What is wrong with input i of side `name`.
  static func outside(_ range: NumberRange, at layer: String, _ deviation: Double, _ name: String, _ i: Int) -> NumericError {
    .invalid(
      "[kernel_fn] the plan holds for inputs whose standard deviation \(layer) is from \(range.least) to \(range.largest). "
        + "Received \(deviation) for \(name)[\(i)]: make the plan from all inputs.", index: (i, -1))
  }
}

extension KernelPlan {
  /// The plan with the mark of its network, which only a plan that leaves its call needs.
  func sealed(for network: LayerNode) -> KernelPlan {
    var plan = self
    plan.network = network.fingerprint
    return plan
  }
}

extension LayerNode {
  /// A number made from all layers and their parameters.
  var fingerprint: UInt64 {
    var hash = Fingerprint()
    hash.add("\(self)".utf8)
    return hash.value
  }
}

/// A 64-bit FNV-1a hash.
struct Fingerprint {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add<Bytes: Sequence<UInt8>>(_ bytes: Bytes) {
    for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
  }
}
