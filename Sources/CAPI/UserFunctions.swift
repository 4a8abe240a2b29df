import CNTKSwift
import InfiniteWidth
import NumericCore

/// The caller's functions as infinite-width kernels call them; nil without any.
func userFunctionCall(_ function: ntk_user_function?, _ context: UnsafeMutableRawPointer?) -> UserFunctionCall? {
  guard let function else { return nil }
  nonisolated(unsafe) let context = context
  return { (index, what, a, b, c, y, n) in
    function(context, Int64(index), what.rawValue, a, b, c, y, Int64(n)) == 0
  }
}

/// The caller's functions as finite networks call them: values and derivatives of one number.
struct UserScalars: @unchecked Sendable {
  let function: ntk_user_function?
  let context: UnsafeMutableRawPointer?

  func evaluate(
    _ index: Int, _ what: Int, _ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ count: Int
  ) throws(NumericError) {
    guard let function else { throw .invalid("[network] needs the caller's functions. Received a null pointer.") }
    guard function(context, Int64(index), Int32(what), x, nil, nil, y, Int64(count)) == 0 else {
      throw NumericError(.callbackFailed, "[network] the caller's function \(index) reported a failure.")
    }
  }
}
