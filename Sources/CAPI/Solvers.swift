import CNTKSwift
import LinearAlgebra
import NumericCore

@_cdecl("ntk_solver_count") @implementation
public func ntk_solver_count() -> Int32 { Int32(SolverTable.all.count) }

@_cdecl("ntk_solver_describe") @implementation
public func ntk_solver_describe(
  _ solver: Int32, _ info: UnsafeMutablePointer<ntk_solver_info>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let solver = try tableRow(solver)
    guard let info else { throw .invalid("[solve] room for a description is required. Received a null pointer.") }
    withUnsafeMutableBytes(of: &info.pointee.name) { fill($0, with: solver.name) }
    withUnsafeMutableBytes(of: &info.pointee.summary) { fill($0, with: solver.summary) }
  }
}

@_cdecl("ntk_operator_solve") @implementation
public func ntk_operator_solve(
  _ op: UnsafePointer<ntk_symmetric_operator>!, _ request: UnsafePointer<ntk_solve_request>!, _ b: UnsafePointer<ntk_matrix>!,
  _ x: UnsafePointer<ntk_matrix>!, _ residuals: UnsafePointer<ntk_matrix>!, _ result: UnsafeMutablePointer<ntk_solve_result>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let (how, given) = (try context(call), try pointee(request, "solve", "request"))
    let (b, x) = (try view(b, "solve", "b"), try view(x, "solve", "x"))
    let errors = try column(view(residuals, "solve", "residuals"), Int64(b.rows), "solve", "residuals")
    let op = try symmetricOperator(op, how)
    guard given.most_iterations >= 0, given.most_iterations <= Int64(Int32.max) else {
      throw .invalid("[solve] most_iterations must be between 0 and \(Int32.max). Received \(given.most_iterations).")
    }
    var wishes = SolveRequest()
    (wishes.tolerance, wishes.mostIterations) = (given.tolerance, Int(given.most_iterations))
    let solver = given.solver == -1 ? SolverTable.automatic(op, context: how) : try tableRow(given.solver)
    let found = try solver.solve(op, b, into: x, wishes, context: how)
    for (i, residual) in found.residuals.enumerated() { errors[i] = residual }
    result?.pointee = ntk_solve_result(
      status: found.status.rawValue, solver: place(of: solver), iterations: Int64(found.iterations), jitter: found.jitter)
  }
}

@_cdecl("ntk_solver_automatic") @implementation
public func ntk_solver_automatic(
  _ dimension: Int64, _ solver: UnsafeMutablePointer<Int32>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let limit = try context(call).memoryLimit
    solver?.pointee = place(of: SolverTable.automatic(try checkedDimension(dimension), memoryLimit: limit))
  }
}

private func place(of solver: any LinearSolver) -> Int32 {
  Int32(SolverTable.all.firstIndex { $0.name == solver.name } ?? -1)
}

private func tableRow(_ place: Int32) throws(NumericError) -> any LinearSolver {
  guard SolverTable.all.indices.contains(Int(place)) else {
    throw .invalid("[solve] the solver must be a place in the table of \(SolverTable.all.count). Received \(place).")
  }
  return SolverTable.all[Int(place)]
}
