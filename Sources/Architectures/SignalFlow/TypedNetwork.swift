import NumericCore

/// For what a network is typed: this decides which rules its layers must keep.
public enum WidthRegime: Int, Sendable {
  /// Infinitely many units: nonlinearities and sums need Gaussian inputs; there are no parameters.
  case infinite = 0
  /// Real weights: any layer may follow any other of its shape; sizes are those that BLAS can count.
  case finite = 1

  /// Most numbers in a row of a signal.
  var largestSize: Int {
    switch self {
    case .infinite: 1 << 62
    case .finite: Int(Int32.max)
    }
  }
}

/// A layer or a composition of layers with all that follows from what comes before it.
public struct TypedNode: Sendable {
  /// The layer.
  public let layer: LayerNode
  /// Number of the layer in the op table's order, from 1, compositions not counted; for a composition that of its last layer.
  public let position: Int
  /// What it receives.
  public let before: Flow
  /// What it passes on.
  public let after: Flow
  /// Its parameters among those of the network; for a composition all that are inside.
  public let slots: Range<Int>
  /// How its windows lie on what it receives, for convolutions and pooling.
  public let windows: WindowPlacement?
  /// The layers of a composition.
  public let children: [TypedNode]
}

/// A layer tree together with every shape, law and parameter in it: the only place where these are derived.
///
/// Made by one pass of signal flow from what enters the network. Whoever computes with a network reads it and need not check again
/// whether layers fit together.
public struct TypedNetwork: Sendable {
  /// For what it was typed.
  public let regime: WidthRegime
  /// The whole network; its children are the layers.
  public let root: TypedNode
  /// Where each array of parameters is in the flat vector, in the order of the layers; none in the infinite regime.
  public let slots: [ParameterSlot]

  /// The network as it is for a flow that enters it.
  /// - Throws: `invalidArgument` where layers do not fit together, naming the layer and its number.
  public init(_ network: LayerNode, from start: Flow, regime: WidthRegime) throws(NumericError) {
    var pass = SignalFlow(regime: regime)
    for signal in start.signals {
      _ = try signal.shape.checked("input", limit: regime.largestSize, at: "")
      guard signal.blocks == 1 else {
        throw .invalid("[input] must have one row for each input. Received \(signal.blocks) blocks of rows.")
      }
    }
    root = try pass.follow(network, start)
    slots = pass.slots
    self.regime = regime
  }

  /// The network for inputs of a shape; for a kernel that an earlier network left, `law` says what that network's output is.
  public init(_ network: LayerNode, input: GridShape, law: Law = .data, regime: WidthRegime) throws(NumericError) {
    try self.init(network, from: .one(Signal(input, law: law)), regime: regime)
  }

  /// The one signal at its end.
  /// - Throws: `invalidArgument` where it ends in branches.
  public func output() throws(NumericError) -> Signal {
    guard case .one(let signal) = root.after else {
      throw .invalid(
        "[network] must end in one output: join branches with FanInSum, FanInProd or FanInConcat. "
          + "Received \(root.after.signals.count) branches at its end.")
    }
    return signal
  }

  /// Numbers in the flat vector of parameters.
  public var parameterCount: Int { slots.last.map { $0.offset &+ $0.count } ?? 0 }
}
