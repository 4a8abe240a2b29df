/// What is known of the distribution of a signal over random weights, in the limit of infinite width.
public enum Law: Int, Sendable {
  /// The data themselves: no random weights came before.
  case data = 0
  /// A Gaussian process.
  case gaussian = 1
  /// Anything else: the output of a nonlinearity, of Dropout, of a product or a concatenation.
  case other = 2

  /// The law of branches taken together where each keeps its own: theirs if it is the same, else `other`.
  static func shared(_ signals: [Signal]) -> Law {
    guard let first = signals.first?.law else { return .other }
    return signals.allSatisfy { $0.law == first } ? first : .other
  }
}

/// What flows from one layer to the next: the shape of one row, its law, and how many rows there are for each input.
public struct Signal: Hashable, Sendable {
  /// Positions and channels.
  public var shape: GridShape
  /// Its distribution over random weights.
  public var law: Law
  /// Rows for each input: more than one after FanInConcat along the batch.
  public var blocks: Int

  /// A signal; one row of data unless said.
  public init(_ shape: GridShape, law: Law = .data, blocks: Int = 1) {
    self.shape = shape
    self.law = law
    self.blocks = blocks
  }

  /// Lengths of the spatial axes.
  public var spatial: [Int] { shape.spatial }
  /// Numbers at each position.
  public var channels: Int { shape.channels }
  /// Positions of one row.
  public var positions: Int { shape.positions }
  /// Numbers of one row.
  public var size: Int { shape.size }
}

/// One signal, or one for each branch between FanOut and FanIn.
public enum Flow: Hashable, Sendable {
  /// One signal.
  case one(Signal)
  /// A signal for each branch; a single branch is not the same as one signal.
  case branches([Signal])

  /// All signals.
  public var signals: [Signal] {
    switch self {
    case .one(let signal): [signal]
    case .branches(let signals): signals
    }
  }
}
