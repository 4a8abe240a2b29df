import Architectures
import LinearAlgebra
import NumericCore

/// The start of a kernel computation in one form: deviations of the inputs on both sides, and gaps of pairs on demand.
final class PairSource<Element: BLASReal>: @unchecked Sendable {
  let rows: Int
  let cols: Int
  let isSame: Bool
  /// What enters the network.
  let start: Signal
  let inputs1: InputRows<Element>?
  let inputs2: InputRows<Element>?
  let given: GivenKernel<Element>?
  private let given1: Workspace<Double>?
  private let given2: Workspace<Double>?

  init(_ input: KernelInput<Element>, context: CallContext) throws(NumericError) {
    switch input {
    case .rows(let x1, let x2):
      if let x2, x2.cols != x1.cols {
        throw .invalid(
          "[kernel] x1 and x2 need the same number of columns. Received (\(x1.rows), \(x1.cols)) and (\(x2.rows), \(x2.cols)).")
      }
      inputs1 = try InputRows(x1, name: "x1", context: context)
      inputs2 = if let x2 { try InputRows(x2, name: "x2", context: context) } else { inputs1 }
      (rows, cols, isSame, start) = (x1.rows, x2?.rows ?? x1.rows, x2 == nil, Signal(GridShape(channels: x1.cols)))
      (given, given1, given2) = (nil, nil, nil)
    case .kernel(let kernel):
      (rows, cols, isSame) = (kernel.nngp.rows, kernel.nngp.cols, kernel.isSame)
      start = Signal(GridShape(channels: kernel.width), law: kernel.isGaussian ? .gaussian : .other)
      guard kernel.variances1.count == rows, kernel.variances2.count == cols, !isSame || rows == cols else {
        throw .invalid(
          "[kernel] cov1 and cov2 need lengths \(rows) and \(cols). Received \(kernel.variances1.count) and \(kernel.variances2.count)."
        )
      }
      given = kernel
      (inputs1, inputs2) = (nil, nil)
      given1 = try PairSource.roots(kernel.variances1, "cov1")
      given2 = try PairSource.roots(kernel.variances2, "cov2")
    }
  }

  var deviations1: UnsafePointer<Double> { UnsafePointer((inputs1?.deviations ?? given1)!.pointer) }
  var deviations2: UnsafePointer<Double> { UnsafePointer((inputs2?.deviations ?? given2)!.pointer) }

  private static func roots(_ variances: [Double], _ name: String) throws(NumericError) -> Workspace<Double> {
    let room = try Workspace<Double>(max(1, variances.count))
    for (i, q) in variances.enumerated() {
      guard q.isFinite, q >= 0 else {
        throw .invalid("[kernel] \(name) must hold finite variances >= 0. Received \(q) at [\(i)].", index: (i, -1))
      }
      room.pointer[i] = q.squareRoot()
    }
    return room
  }
}
