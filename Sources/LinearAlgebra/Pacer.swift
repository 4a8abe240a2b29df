import NumericCore

extension Pacer {
  /// A context for a step that covers `low` to `high` of the whole, with no more threads than BLAS can serve at once.
  func step(_ low: Double, _ high: Double) -> CallContext { part(low, high).forBLAS }
}

extension CallContext {
  /// The same call with no more threads than BLAS can serve at once.
  public var forBLAS: CallContext { with(threads: min(threads, BLASThreads.maximumCallers)) }

  /// A context whose progress 0...1 is the part `low`...`high` of this one.
  public func part(_ low: Double, _ high: Double) -> CallContext {
    guard let report else { return self }
    return reporting { report(low + (high - low) * $0) }
  }
}
