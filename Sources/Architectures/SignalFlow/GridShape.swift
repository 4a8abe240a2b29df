import NumericCore

/// The shape of one input or of what became of it: numbers (channels) at every position of a grid.
public struct GridShape: Hashable, Sendable {
  /// Lengths of the axes between batch and channels: none for flat input, one for a line, two for an image.
  public let spatial: [Int]
  /// Numbers at each position.
  public let channels: Int
  /// Positions of the grid; 1 for flat input.
  public let positions: Int

  /// A grid of the given lengths; flat unless they are given.
  public init(spatial: [Int] = [], channels: Int) {
    self.spatial = spatial
    self.channels = channels
    positions = spatial.reduce(1, &*)
  }

  /// Numbers in all.
  public var size: Int { positions &* channels }

  /// The shape, if all lengths are positive and it has at most `limit` numbers.
  func checked(_ name: String, limit: Int, at place: String) throws(NumericError) -> GridShape {
    var total: Int? = channels
    for length in spatial { total = total.flatMap { checkedProduct($0, length) } }
    guard channels >= 1, spatial.allSatisfy({ $0 >= 1 }), let total, total <= limit else {
      throw .invalid(
        "[\(name)] needs 1 to \(limit) numbers for each input. Received \(channels) channels"
          + (spatial.isEmpty ? "" : " at each of \(spatial.map(String.init).joined(separator: " x ")) positions") + "\(place).")
    }
    return self
  }
}
