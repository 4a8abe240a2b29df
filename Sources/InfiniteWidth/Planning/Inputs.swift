import NumericCore

/// What one side of a kernel is made of, one input per entry of the first axis.
public enum Inputs<Element: Sendable>: Sendable {
  /// Arrays of one shape, each input's numbers read in row-major order.
  case arrays(StridedArray<Element>)

  /// How many inputs there are.
  public var count: Int {
    switch self {
    case .arrays(let array): array.shape.first ?? 0
    }
  }

  /// The inputs of a matrix, one per row.
  public static func rows(_ matrix: StridedMatrix<Element>) -> Inputs {
    .arrays(StridedArray(matrix.base, shape: [matrix.rows, matrix.cols], strides: [matrix.rowStride, matrix.colStride]))
  }
}

/// Whose kernel is wanted: inputs x1 against inputs x2, or against themselves where x2 is nil.
public struct InputPair<Element: Sendable>: Sendable {
  /// Inputs of the rows.
  public var x1: Inputs<Element>
  /// Inputs of the columns; nil: x1.
  public var x2: Inputs<Element>?
  /// Where x1 and x2 are parts of one set of inputs: the places of their first inputs in it. Row i and column j with one place are the
  /// same input, which Dropout in training mode has to know.
  public var places: (Int, Int)?

  /// A pair; `places` are at least 0.
  public init(_ x1: Inputs<Element>, _ x2: Inputs<Element>? = nil, places: (Int, Int)? = nil) {
    self.x1 = x1
    self.x2 = x2
    self.places = places
  }

  /// Row i and column i + shift are the same input; nil where no two are.
  var shift: Int? {
    guard x2 != nil else { return 0 }
    return places.map { $0.0 - $0.1 }
  }
}
