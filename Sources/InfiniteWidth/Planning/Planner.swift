import Architectures
import NumericCore

/// Chooses the engine for a network.
public enum Planner {
  // The cheaper ones first.
  private static let engines: [any KernelEngine.Type] = [PointwiseKernel.self]

  /// The first engine that can compute the network's kernel; throws with the reasons where none can.
  public static func engine(
    for network: LayerNode, userFunctions: UserFunctionCall? = nil
  ) throws(NumericError) -> any KernelEngine {
    var reasons: [String] = []
    for engine in engines {
      guard let reason = engine.refusal(of: network) else { return try engine.init(network, userFunctions: userFunctions) }
      reasons.append(reason)
    }
    throw .invalid(
      "[kernel_fn] needs layers whose infinite-width kernel is known here. Received \(reasons.joined(separator: "; ")).")
  }
}
