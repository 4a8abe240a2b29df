import Architectures
import CNTKSwift
import FiniteWidth
import InfiniteWidth
import KernelOperators
import LinearAlgebra
import NumericCore

/// A caller's symmetric operator. `wantsStart`: with a promising start for Lanczos, where its kind has one.
func symmetricOperator(
  _ op: UnsafePointer<ntk_symmetric_operator>?, _ context: CallContext, wantsStart: Bool = false
) throws(NumericError) -> any SymmetricOperator {
  let given = try pointee(op, "operator", "operator")
  guard given.shift.isFinite else { throw .invalid("[operator] the shift must be finite. Received \(given.shift).") }
  let made = try unshifted(given, context, wantsStart)
  let shifted: any SymmetricOperator = given.shift == 0 ? made : ShiftedOperator(made, by: given.shift)
  guard let shifts: StridedMatrix<Double> = try optionalMatrixView(given.shifts, "shifts") else { return shifted }
  let numbers = try column(shifts, Int64(shifts.rows), "operator", "the shifts")
  return try ShiftedOperator(shifted, by: Array(UnsafeBufferPointer(start: numbers, count: shifts.rows)))
}

private func unshifted(
  _ given: ntk_symmetric_operator, _ context: CallContext, _ wantsStart: Bool
) throws(NumericError) -> any SymmetricOperator {
  guard let number = UInt32(exactly: given.kind) else {
    throw .invalid("[operator] kind must be one of ntk_operator_kind. Received \(given.kind).")
  }
  switch ntk_operator_kind(rawValue: number) {
  case NTK_OPERATOR_PRODUCT: return try callersProduct(given)
  case NTK_OPERATOR_BLOCKS: return try TiledOperator(CallersBlocks(given), store: given.panelStore(), context: context)
  case NTK_OPERATOR_DENSE: return try DenseOperator(try matrixView(given.matrix, "matrix"), context: context)
  case NTK_OPERATOR_KERNEL: return try TiledOperator(kernelSource(given, context), store: given.panelStore(), context: context)
  case NTK_OPERATOR_CURVATURE: return try curvature(given, context, wantsStart)
  case NTK_OPERATOR_COVARIANCE:
    return try CovarianceOperator(try matrixView(given.matrix, "vectors"), isCentred: given.which != 0)
  default: throw .invalid("[operator] kind must be one of ntk_operator_kind. Received \(given.kind).")
  }
}

private func curvature(
  _ given: ntk_symmetric_operator, _ context: CallContext, _ wantsStart: Bool
) throws(NumericError) -> CurvatureOperator {
  guard let kind = CurvatureKind(rawValue: Int(given.which)) else {
    throw .invalid("[operator] which must be one of ntk_curvature. Received \(given.which).")
  }
  let network = try CallersNetwork(given.network)
  return try CurvatureOperator(
    kind, network.network, loss: try outputLoss(given.loss, of: network.network), x: try matrixView(given.matrix, "x"),
    targets: try matrixView(given.targets, "targets"), parameters: network.parameters, wantsGradient: wantsStart,
    context: context.part(0, 0))
}

private func kernelSource(_ given: ntk_symmetric_operator, _ context: CallContext) throws(NumericError) -> KernelSource {
  guard let name = KernelSource.Kernel(rawValue: Int(given.which)) else {
    throw .invalid("[operator] which must be 0 (NNGP) or 1 (NTK). Received \(given.which).")
  }
  let engine = try Planner.engine(
    for: ArchitectureTable.node(given.architecture), userFunctions: userFunctionCall(given.function, given.function_context))
  return try KernelSource(engine, name, try matrixView(given.matrix, "x"), context: context)
}

private func callersProduct(_ given: ntk_symmetric_operator) throws(NumericError) -> ProductOperator {
  let dimension = try checkedDimension(given.dimension)
  guard let product = given.product else { throw .invalid("[operator] a product is required. Received a null pointer.") }
  let context = given.context
  return ProductOperator(dimension: dimension) { (x, y, _) throws(NumericError) in
    guard product(context, x, y, Int64(dimension)) == 0 else { throw .callbackFailed }
  }
}

/// Blocks by a caller's function.
private struct CallersBlocks: BlockSource {
  let dimension: Int
  private let block: ntk_operator_block
  private let callersContext: UnsafeMutableRawPointer?

  init(_ given: ntk_symmetric_operator) throws(NumericError) {
    dimension = try checkedDimension(given.dimension)
    guard let block = given.block else {
      throw .invalid("[operator] a function for blocks is required. Received a null pointer.")
    }
    (self.block, callersContext) = (block, given.context)
  }

  func fill(
    _ rows: Range<Int>, _ columns: Range<Int>, into out: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    let status = block(
      callersContext, Int64(rows.lowerBound), Int64(rows.count), Int64(columns.lowerBound), Int64(columns.count), out.base,
      Int64(out.rowStride))
    guard status == 0 else { throw .callbackFailed }
  }
}

extension ntk_symmetric_operator {
  /// Where blocks are kept, if anywhere.
  fileprivate func panelStore() throws(NumericError) -> PanelStore? {
    guard let room: StridedMatrix<Double> = try optionalMatrixView(store, "store") else { return nil }
    let numbers = try column(room, Int64(room.rows), "operator", "the store")
    guard let stored, stored.pointee >= 0 else {
      throw .invalid("[operator] a store needs a count of what is valid in it, 0 or more. Received none.")
    }
    return PanelStore(UnsafeMutableBufferPointer(start: numbers, count: room.rows), filled: stored)
  }
}

/// A dimension that BLAS can count to.
func checkedDimension(_ dimension: Int64) throws(NumericError) -> Int {
  guard dimension >= 1, dimension <= Int64(Int32.max) else {
    throw .invalid("[operator] the dimension must be between 1 and \(Int32.max). Received \(dimension).")
  }
  return Int(dimension)
}

extension NumericError {
  /// A caller's function reported failure.
  fileprivate static let callbackFailed = NumericError(
    .callbackFailed, "[operator] the caller's function must return its numbers. It reported a failure.")
}
