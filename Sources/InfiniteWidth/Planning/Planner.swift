import Architectures
import NumericCore

/// Chooses the engine for a network.
public enum Planner {
  // The cheaper ones first.
  private static let engines: [any KernelEngine.Type] = [PointwiseKernel.self]

  /// The first engine that can compute the network's kernel; throws with the first one's reason where none can.
  public static func engine(
    for network: LayerNode, userFunctions: UserFunctionCall? = nil
  ) throws(NumericError) -> any KernelEngine {
    var reason: NumericError?
    for engine in engines {
      do throws(NumericError) { try engine.accept(network) } catch {
        reason = reason ?? error
        continue
      }
      return try engine.init(network, userFunctions: userFunctions)
    }
    throw reason ?? NumericError(.internal, "[kernel_fn] there is no engine.")
  }
}
