import Activations
import Architectures
import NumericCore

/// What a step computes from the values before it.
enum Operation {
  case input
  case linear(LinearOperation)
  case activation(Activation)
  case sum
  case product
  case concatenate(ConcatAxis)
  case normalise(Normalisation)
  /// Each channel times a trained scale plus a trained shift.
  case affine(scale: Int, shift: Int)
  case pool(Pooling)
  case dropout(rate: Double, stream: Int)
}

/// x W times `scale` plus `biasScale` b, at every position; x is a window of positions where there is one.
struct LinearOperation {
  var weight: Int
  var bias: Int?
  var scale: Double
  var biasScale: Double
  var isTrainable: Bool
  var geometry: WindowGeometry?
}

/// Centring and scaling of groups of numbers.
struct Normalisation {
  enum Group {
    /// The channels at one position of one input.
    case channels
    /// One channel over the batch and all positions.
    case batch
  }
  var group: Group
  var epsilon: Double
}

/// Sums over windows, times a factor per output position.
struct Pooling {
  var geometry: WindowGeometry
  var factors: [Double]
}

/// One value of a network and how it is made from earlier ones.
struct Step {
  var operation: Operation
  var inputs: [Int]
  var shape: Signal
  /// Whether the backward pass reads the value itself (a layer with weights or a product comes after it).
  var isKept = false
}

/// A typed network as a list of steps, each after those that it reads.
public struct NetworkPlan: @unchecked Sendable {
  let steps: [Step]
  let output: Int
  /// The last step that reads each value; -1 for the output.
  let lastReader: [Int]
  /// Where each array of weights is in the flat vector of parameters, in the order of the layers.
  public let parameters: [ParameterSlot]
  /// The shape of an input.
  public let inputShape: GridShape

  /// The plan of `network` for inputs of a shape.
  /// - Throws: `invalidArgument` where layers do not fit together (see `TypedNetwork`) or the network ends in branches.
  public init(_ network: LayerNode, input: GridShape) throws(NumericError) {
    let typed = try TypedNetwork(network, input: input, regime: .finite)
    _ = try typed.output()
    var builder = PlanBuilder(slots: typed.slots)
    let start = builder.add(.input, [], Signal(input))
    guard let result = try builder.build(typed.root, [start]).first else {
      throw NumericError(.internal, "[network] a network has no output.")
    }
    inputShape = input
    output = result
    steps = PlanBuilder.marked(builder.steps, output: result)
    parameters = typed.slots
    var last = [Int](repeating: -1, count: steps.count)
    for (index, step) in steps.enumerated() { for input in step.inputs { last[input] = index } }
    last[output] = -1
    lastReader = last
  }

  /// The shape of an output, and its rows per input.
  public var outputShape: Signal { steps[output].shape }
  /// Numbers in the flat vector of parameters.
  public var parameterCount: Int { parameters.last.map { $0.offset &+ $0.count } ?? 0 }
  /// Whether outputs depend on the other inputs of the batch.
  public var couplesBatch: Bool {
    steps.contains { if case .normalise(let n) = $0.operation { n.group == .batch } else { false } }
  }
  /// Whether a caller's function is evaluated.
  public var usesUserFunctions: Bool {
    steps.contains { if case .activation(let a) = $0.operation { a.usesUserFunction } else { false } }
  }
  /// Numbers that all values of one input take together, with the windows that convolutions lay out.
  var totalSize: Int {
    steps.reduce(0) { sum, step in
      guard case .linear(let operation) = step.operation, let geometry = operation.geometry else {
        return sum &+ step.shape.size &* step.shape.blocks
      }
      return sum &+ (step.shape.size &+ geometry.positions &* geometry.patchSize) &* step.shape.blocks
    }
  }
}
