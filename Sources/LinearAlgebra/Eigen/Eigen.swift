import COpenBLAS
import NumericCore

/// Eigenvalues (ascending) and, where `vectors` is given, orthonormal eigenvectors of the symmetric matrix a + shift I.
///
/// Row j of `vectors` (n x n, contiguous rows) becomes the eigenvector of `values[j]`. Only the upper triangle of a is read.
/// Householder reduction, divide and conquer, back-transformation. O(9 n^3), or O(4 n^3 / 3) without vectors; needs 2 n^2 numbers of
/// workspace (n^2 without vectors). A cancellation is noticed between the steps; the divide-and-conquer step itself is not interrupted.
/// - Throws: `invalidArgument`, `outOfMemory`, `cancelled`, `notConverged` where LAPACK gives up.
@_specialize(where Element == Double)
@_specialize(where Element == Float)
public func symmetricEigen<Element: BLASReal>(
  _ a: StridedMatrix<Element>, shift: Double = 0, values: UnsafeMutablePointer<Double>, vectors: StridedMatrix<Double>? = nil,
  context: CallContext
) throws(NumericError) {
  let n = a.rows
  guard a.cols == n else { throw .invalid("[eigh] needs a square matrix. Received (\(a.rows), \(a.cols)).") }
  // LAPACK counts n^2 numbers of workspace in 32 bits.
  guard n <= 46_000 else { throw .invalid("[eigh] needs at most 46000 rows. Received \(n).") }
  if let vectors {
    guard vectors.rows == n, vectors.cols == n, n <= 1 || (vectors.colStride == 1 && vectors.rowStride >= n) else {
      throw .invalid(
        "[eigh] the eigenvectors need an (\(n), \(n)) matrix with contiguous rows. Received (\(vectors.rows), \(vectors.cols)).")
    }
  }
  let matrices = vectors == nil ? 1 : 2
  try context.reserve(
    checkedProduct(n * n, 8 * matrices), for: "the eigendecomposition of a \(n) x \(n) matrix",
    instead: "Use fewer rows, or t=None, which needs no eigenvectors.")
  guard n > 0 else { return }
  BLASThreads.useOne()
  let context = context.forBLAS
  let form = try TridiagonalForm(a, shift: shift, context: context.part(0, vectors == nil ? 1 : 0.5))
  if let vectors {
    try divideAndConquer(form, vectors)
    try form.applyReflectors(toRows: vectors, context: context.part(0.7, 1))
  } else {
    var (size, info) = (Int32(n), Int32(0))
    lapack_dsterf(&size, form.diagonal.pointer, form.offDiagonal.pointer, &info)
    try checkConverged(info, n)
  }
  values.update(from: form.diagonal.pointer, count: n)
}

private func divideAndConquer(_ form: TridiagonalForm, _ vectors: StridedMatrix<Double>) throws(NumericError) {
  let n = form.n
  let work = try Workspace<Double>(1 + 4 * n + n * n)
  let integers = try Workspace<Int32>(3 + 5 * n)
  var (size, ldz, info) = (Int32(n), Int32(max(n, vectors.rowStride)), Int32(0))
  var (lwork, liwork) = (Int32(work.count), Int32(integers.count))
  lapack_dstedc(
    "I", &size, form.diagonal.pointer, form.offDiagonal.pointer, vectors.base, &ldz, work.pointer, &lwork, integers.pointer,
    &liwork,
    &info, 1)
  try checkConverged(info, n)
}

private func checkConverged(_ info: Int32, _ n: Int) throws(NumericError) {
  guard info == 0 else {
    throw NumericError(.notConverged, "[eigh] the eigenvalues of the \(n) x \(n) matrix did not converge. LAPACK says \(info).")
  }
}
