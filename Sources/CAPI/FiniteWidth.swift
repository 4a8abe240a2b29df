import Architectures
import CNTKSwift
import FiniteWidth
import NumericCore

@_cdecl("ntk_forward") @implementation
public func ntk_forward(
  _ architecture: Int64, _ parameters: UnsafePointer<ntk_matrix>!, _ parameter_count: Int64, _ x: UnsafePointer<ntk_matrix>!,
  _ function: ntk_user_function!, _ function_context: UnsafeMutableRawPointer!, _ seed: UnsafePointer<UInt64>!,
  _ out: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let network = try ArchitectureTable.node(architecture)
    guard let x = x?.pointee, let out = out?.pointee, let seed else {
      throw .invalid("[forward] x, seed and out are required. Received a null pointer.")
    }
    let user = UserScalars(function: function, context: function_context)
    let pass = ForwardPass(
      network: network, weights: try denseWeights(parameters, parameter_count), seed: (seed[0], seed[1]),
      userFunction: user.evaluate)
    try pass.run(try matrixView(x, "x"), into: try matrixView(out, "out"), context: try context(call))
  }
}

/// The pairs W, b that the caller gives for each Dense layer in turn.
private func denseWeights(
  _ parameters: UnsafePointer<ntk_matrix>?, _ count: Int64
) throws(NumericError) -> [DenseWeights] {
  guard count >= 0, count % 2 == 0, count <= 1 << 32, count == 0 || parameters != nil else {
    throw .invalid("[forward] parameters must be pairs W, b, one per Dense layer. Received \(count) matrices.")
  }
  guard let parameters else { return [] }
  var result: [DenseWeights] = []
  for i in stride(from: 0, to: Int(count), by: 2) {
    result.append(
      DenseWeights(weights: try matrixView(parameters[i], "W"), bias: try optionalMatrixView(parameters[i + 1], "b")))
  }
  return result
}

/// The caller's functions as the forward pass calls them.
private struct UserScalars: @unchecked Sendable {
  let function: ntk_user_function?
  let context: UnsafeMutableRawPointer?

  func evaluate(
    _ index: Int, _ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ count: Int
  ) throws(NumericError) {
    guard let function else { throw .invalid("[forward] needs the caller's functions. Received a null pointer.") }
    guard function(context, Int64(index), 0, x, nil, nil, y, Int64(count)) == 0 else {
      throw NumericError(.callbackFailed, "[forward] the caller's function \(index) reported a failure.")
    }
  }
}
