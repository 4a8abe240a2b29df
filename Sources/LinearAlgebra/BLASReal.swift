import COpenBLAS
import NumericCore

/// A floating-point type that BLAS has routines for: `Float` and `Double`.
public protocol BLASReal: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  /// Row-major c = alpha op(a) op(b) + beta c with c of m x n and inner size k.
  static func gemm(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int32, _ n: Int32, _ k: Int32, _ alpha: Self, _ a: UnsafePointer<Self>,
    _ lda: Int32, _ b: UnsafePointer<Self>, _ ldb: Int32, _ beta: Self, _ c: UnsafeMutablePointer<Self>, _ ldc: Int32)

  /// Row-major lower triangle of c = alpha op(a) op(a)^T + beta c with c of n x n and inner size k.
  static func syrk(
    _ transposeA: Bool, _ n: Int32, _ k: Int32, _ alpha: Self, _ a: UnsafePointer<Self>, _ lda: Int32, _ beta: Self,
    _ c: UnsafeMutablePointer<Self>, _ ldc: Int32)
}

extension Double: BLASReal {
  /// Row-major product; see `BLASReal`.
  public static func gemm(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int32, _ n: Int32, _ k: Int32, _ alpha: Double, _ a: UnsafePointer<Double>,
    _ lda: Int32, _ b: UnsafePointer<Double>, _ ldb: Int32, _ beta: Double, _ c: UnsafeMutablePointer<Double>, _ ldc: Int32
  ) {
    cblas_dgemm(
      BLAS_ROW_MAJOR, transposeA ? BLAS_TRANS : BLAS_NO_TRANS, transposeB ? BLAS_TRANS : BLAS_NO_TRANS, m, n, k, alpha, a, lda,
      b, ldb, beta, c, ldc)
  }

  /// Row-major symmetric product; see `BLASReal`.
  public static func syrk(
    _ transposeA: Bool, _ n: Int32, _ k: Int32, _ alpha: Double, _ a: UnsafePointer<Double>, _ lda: Int32, _ beta: Double,
    _ c: UnsafeMutablePointer<Double>, _ ldc: Int32
  ) {
    cblas_dsyrk(BLAS_ROW_MAJOR, BLAS_LOWER, transposeA ? BLAS_TRANS : BLAS_NO_TRANS, n, k, alpha, a, lda, beta, c, ldc)
  }
}

extension Float: BLASReal {
  /// Row-major product; see `BLASReal`.
  public static func gemm(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int32, _ n: Int32, _ k: Int32, _ alpha: Float, _ a: UnsafePointer<Float>,
    _ lda: Int32, _ b: UnsafePointer<Float>, _ ldb: Int32, _ beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int32
  ) {
    cblas_sgemm(
      BLAS_ROW_MAJOR, transposeA ? BLAS_TRANS : BLAS_NO_TRANS, transposeB ? BLAS_TRANS : BLAS_NO_TRANS, m, n, k, alpha, a, lda,
      b, ldb, beta, c, ldc)
  }

  /// Row-major symmetric product; see `BLASReal`.
  public static func syrk(
    _ transposeA: Bool, _ n: Int32, _ k: Int32, _ alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int32, _ beta: Float,
    _ c: UnsafeMutablePointer<Float>, _ ldc: Int32
  ) {
    cblas_ssyrk(BLAS_ROW_MAJOR, BLAS_LOWER, transposeA ? BLAS_TRANS : BLAS_NO_TRANS, n, k, alpha, a, lda, beta, c, ldc)
  }
}
