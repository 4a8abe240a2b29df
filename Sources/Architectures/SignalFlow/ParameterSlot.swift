/// What an array of parameters does in its layer.
public enum ParameterRole: Int, Sendable {
  case weight = 0
  case bias = 1
  /// Factor of each channel after a normalisation.
  case scale = 2
  /// Summand of each channel after a normalisation.
  case shift = 3
}

/// One array of parameters in the flat vector of a finite network's parameters, row after row from `offset`.
public struct ParameterSlot: Equatable, Sendable {
  /// What it does.
  public var role: ParameterRole
  /// The layer that it belongs to: a `TypedNode.position`.
  public var layer: Int
  /// Weights: axes of the window, inputs, outputs. Biases: as many axes as the weights have inputs for, all but the last of length 1. Else channels.
  public var shape: [Int]
  /// First number in the flat vector.
  public var offset: Int
  /// Numbers of the input that one output reads.
  public var fanIn: Int
  /// Standard deviation at initialisation; 0 where the start is not random (scales are 1, shifts 0).
  public var initialDeviation: Double
  /// Whether training moves it.
  public var isTrainable: Bool
  /// Rows as a matrix: window places times inputs; 1 for a bias, scale or shift.
  public var rows: Int
  /// Columns as a matrix: outputs of the layer.
  public var cols: Int

  /// Numbers in it.
  public var count: Int { rows &* cols }
}
