import Activations
import Architectures
import NumericCore

/// One array of weights in the flat vector of a network's parameters: `rows x cols` numbers from `offset`, row after row.
public struct ParameterSlot: Equatable, Sendable {
  /// First number in the flat vector.
  public var offset: Int
  /// Inputs of the layer (window places times channels); 1 for a bias, scale or shift.
  public var rows: Int
  /// Outputs of the layer.
  public var cols: Int
  /// Whether training moves it.
  public var isTrainable: Bool

  /// Numbers in it.
  public var count: Int { rows &* cols }
}

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
  var shape: ValueShape
  /// Whether the backward pass reads the value itself (a layer with weights or a product comes after it).
  var isKept = false
}

/// A network as a list of steps, each after those that it reads, with every shape and place of a weight worked out and checked.
///
/// Nothing after this can fail because of shapes.
public struct NetworkPlan: @unchecked Sendable {
  let steps: [Step]
  let output: Int
  /// The last step that reads each value; -1 for the output.
  let lastReader: [Int]
  /// Where each weight is in the flat vector of parameters, in the order of the layers.
  public let parameters: [ParameterSlot]
  /// The shape of an input.
  public let inputShape: ValueShape

  /// The plan of `network` for inputs of a shape.
  /// - Throws: `invalidArgument` where layers do not fit together.
  public init(_ network: LayerNode, input: ValueShape) throws(NumericError) {
    var builder = PlanBuilder()
    inputShape = try input.checked("input")
    let start = builder.add(.input, [], inputShape)
    guard case .one(let result) = try builder.build(network, .one(start)) else {
      throw .invalid("[network] needs one output: join branches with FanInSum, FanInProd or FanInConcat. Received branches.")
    }
    output = result
    for slot in builder.slots where slot.offset > Int(Int32.max) {
      throw .invalid("[network] needs at most \(Int32.max) parameters. Received more.")
    }
    steps = PlanBuilder.marked(builder.steps, output: result)
    parameters = builder.slots
    var last = [Int](repeating: -1, count: steps.count)
    for (index, step) in steps.enumerated() { for input in step.inputs { last[input] = index } }
    last[output] = -1
    lastReader = last
  }

  /// The shape of an output.
  public var outputShape: ValueShape { steps[output].shape }
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
