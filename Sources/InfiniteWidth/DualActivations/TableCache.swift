import Activations
import Synchronization

/// The tables that were made last: making one takes as long as millions of pairs, and a kernel in pieces, or asked for again, has the same.
enum TableCache {
  /// Everything that a table depends on.
  struct Key: Equatable, Sendable {
    let activation: Activation
    let tolerance: Double
    let least: Double
    let largest: Double
    let hasZero: Bool
    let needsDerivatives: Bool
  }

  /// A table has up to a megabyte.
  private static let most = 8
  private static let kept = Mutex<[(key: Key, table: DualTable)]>([])

  /// The table of `key`, or nil.
  static func table(_ key: Key) -> DualTable? {
    kept.withLock { all in
      guard let place = all.firstIndex(where: { $0.key == key }) else { return nil }
      let found = all.remove(at: place)
      all.append(found)
      return found.table
    }
  }

  /// Keeps a table in the place of that which was not asked for the longest.
  static func keep(_ table: DualTable, _ key: Key) {
    kept.withLock { all in
      all.removeAll { $0.key == key }
      if all.count >= most { all.removeFirst() }
      all.append((key, table))
    }
  }
}
