import CNTKSwift
import LinearAlgebra
import NumericCore

@_cdecl("ntk_cholesky") @implementation
public func ntk_cholesky(
  _ a: UnsafePointer<ntk_matrix>!, _ regularization: UnsafePointer<ntk_regularization>!, _ factor: UnsafePointer<ntk_matrix>!,
  _ report: UnsafeMutablePointer<ntk_factor_report>!, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let source = try pointee(a, "cholesky", "the matrix")
    let target: StridedMatrix<Double> = try matrixView(try pointee(factor, "cholesky", "the factor"), "factor")
    let wishes = try Regularization(try pointee(regularization, "cholesky", "the regularization"))
    let done: FactorReport
    if source.dtype == Int32(NTK_FLOAT32.rawValue) {
      done = try cholesky(try matrixView(source, "a", as: Float.self), into: target, wishes, context: try context(call))
    } else {
      done = try cholesky(try matrixView(source, "a", as: Double.self), into: target, wishes, context: try context(call))
    }
    let condition = try reciprocalCondition(factor: target, norm: done.norm, context: try context(call))
    report?.pointee = ntk_factor_report(
      ridge: done.ridge, jitter: done.jitter, log_determinant: done.logDeterminant, reciprocal_condition: condition)
  }
}

@_cdecl("ntk_symmetry") @implementation
public func ntk_symmetry(
  _ a: UnsafePointer<ntk_matrix>!, _ tolerance: Double, _ isKernel: Int32, _ fault: UnsafeMutablePointer<ntk_symmetry_fault>!,
  _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let (source, how) = (try pointee(a, "symmetry", "the matrix"), try context(call))
    guard let fault else { throw .invalid("[symmetry] room for the fault is required. Received a null pointer.") }
    let found: SymmetryFault?
    if source.dtype == Int32(NTK_FLOAT32.rawValue) {
      let m = try matrixView(source, "a", as: Float.self)
      found = try symmetryFault(m, tolerance: tolerance, isKernel: isKernel != 0, context: how)
    } else {
      let m = try matrixView(source, "a", as: Double.self)
      found = try symmetryFault(m, tolerance: tolerance, isKernel: isKernel != 0, context: how)
    }
    fault.pointee =
      switch found {
      case nil: ntk_symmetry_fault()
      case .asymmetric(let row, let column)?:
        ntk_symmetry_fault(kind: 1, reserved: 0, row: Int64(row), column: Int64(column), eigenvalue: 0)
      case .indefinite(let row, let column, let eigenvalue)?:
        ntk_symmetry_fault(kind: 2, reserved: 0, row: Int64(row), column: Int64(column), eigenvalue: eigenvalue)
      }
  }
}

@_cdecl("ntk_solve") @implementation
public func ntk_solve(
  _ system: Int32, _ factor: UnsafePointer<ntk_matrix>!, _ b: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard let system = FactorSystem(rawValue: system) else {
      throw .invalid("[solve] the system must be 0, 1 or 2. Received \(system).")
    }
    try solve(system, try view(factor, "solve", "factor"), try view(b, "solve", "b"), context: try context(call))
  }
}

@_cdecl("ntk_multiply") @implementation
public func ntk_multiply(
  _ a: UnsafePointer<ntk_matrix>!, _ b: UnsafePointer<ntk_matrix>!, _ c: UnsafePointer<ntk_matrix>!,
  _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let (left, right) = (try pointee(a, "multiply", "a"), try pointee(b, "multiply", "b"))
    let result = try pointee(c, "multiply", "c")
    if left.dtype == Int32(NTK_FLOAT32.rawValue) {
      try multiply(
        try matrixView(left, "a", as: Float.self), try matrixView(right, "b", as: Float.self),
        into: try matrixView(result, "c", as: Float.self), context: try context(call))
    } else {
      try multiply(
        try matrixView(left, "a", as: Double.self), try matrixView(right, "b", as: Double.self),
        into: try matrixView(result, "c", as: Double.self), context: try context(call))
    }
  }
}

@_cdecl("ntk_eigh") @implementation
public func ntk_eigh(
  _ a: UnsafePointer<ntk_matrix>!, _ regularization: UnsafePointer<ntk_regularization>!, _ values: UnsafePointer<ntk_matrix>!,
  _ vectors: UnsafePointer<ntk_matrix>!, _ call: UnsafePointer<ntk_call>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    let source = try pointee(a, "eigh", "the matrix")
    let wishes = try Regularization(try pointee(regularization, "eigh", "the regularization"))
    let values = try column(view(values, "eigh", "values"), source.rows, "eigh", "values")
    let vectors: StridedMatrix<Double>? =
      try vectors.map { (m) throws(NumericError) in try optionalMatrixView(m.pointee, "vectors") } ?? nil
    if source.dtype == Int32(NTK_FLOAT32.rawValue) {
      let m = try matrixView(source, "a", as: Float.self)
      try symmetricEigen(m, shift: wishes.shift(of: m), values: values, vectors: vectors, context: try context(call))
    } else {
      let m = try matrixView(source, "a", as: Double.self)
      try symmetricEigen(m, shift: wishes.shift(of: m), values: values, vectors: vectors, context: try context(call))
    }
  }
}

@_cdecl("ntk_largest_eigenvalue") @implementation
public func ntk_largest_eigenvalue(
  _ a: UnsafePointer<ntk_matrix>!, _ value: UnsafeMutablePointer<Double>!, _ call: UnsafePointer<ntk_call>!,
  _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard let value else { throw .invalid("[largest_eigenvalue] value is required. Received a null pointer.") }
    let largest = try largestEigenvalue(try view(a, "largest_eigenvalue", "a"), context: try context(call))
    value.pointee = largest
  }
}

// MARK: - Arguments

/// What a required pointer points to; throws on a null pointer.
func pointee<T>(_ pointer: UnsafePointer<T>?, _ operation: String, _ name: String) throws(NumericError) -> T {
  guard let pointer else { throw .invalid("[\(operation)] \(name) is required. Received a null pointer.") }
  return pointer.pointee
}

/// A required float64 matrix.
func view(_ pointer: UnsafePointer<ntk_matrix>?, _ operation: String, _ name: String) throws(NumericError) -> StridedMatrix<
  Double
> {
  try matrixView(try pointee(pointer, operation, name), name)
}

/// The memory of a contiguous column of `count` numbers.
func column(
  _ m: StridedMatrix<Double>, _ count: Int64, _ operation: String, _ name: String
) throws(NumericError) -> UnsafeMutablePointer<Double> {
  guard m.rows == count, m.cols == 1, m.rows <= 1 || m.rowStride == 1 else {
    throw .invalid("[\(operation)] \(name) must be a contiguous column of \(count) numbers. Received (\(m.rows), \(m.cols)).")
  }
  return m.base
}

extension Regularization {
  init(_ r: ntk_regularization) throws(NumericError) {
    guard r.ridge.isFinite else { throw .invalid("[regularization] the ridge must be finite. Received \(r.ridge).") }
    self.init(ridge: r.ridge, isRelative: r.is_relative != 0, largestJitter: r.largest_jitter)
  }

  /// The ridge in absolute units for a matrix.
  func shift<Element: BLASReal>(of m: StridedMatrix<Element>) -> Double {
    guard isRelative, m.rows > 0 else { return ridge }
    var trace = 0.0
    for i in 0..<min(m.rows, m.cols) { trace += Double(m[i, i]) }
    return ridge * trace / Double(m.rows)
  }
}
