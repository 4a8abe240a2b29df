import NumericCore

extension BLASReal {
  /// `gemm` for operands of any size: in slices of some milliseconds, with a look at cancellation before each.
  ///
  /// How it is cut depends on the sizes alone, so the bits are those of every call of the same shape; small products are not cut.
  /// - Throws: `cancelled`.
  public static func slicedGemm(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ alpha: Self, _ a: UnsafePointer<Self>, _ lda: Int,
    _ b: UnsafePointer<Self>, _ ldb: Int, _ beta: Self, _ c: UnsafeMutablePointer<Self>, _ ldc: Int
  ) throws(NumericError) {
    let slice = ProductSlice(m, n, k)
    for i in stride(from: 0, to: m, by: slice.rows) {
      for j in stride(from: 0, to: n, by: slice.cols) {
        for p in stride(from: 0, to: max(k, 1), by: slice.inner) {
          try checkCancelled()
          gemm(
            transposeA, transposeB, Int32(min(slice.rows, m &- i)), Int32(min(slice.cols, n &- j)),
            Int32(min(slice.inner, k &- p)),
            alpha, a + (transposeA ? p &* lda &+ i : i &* lda &+ p), Int32(lda),
            b + (transposeB ? j &* ldb &+ p : p &* ldb &+ j), Int32(ldb), p == 0 ? beta : 1, c + (i &* ldc &+ j), Int32(ldc))
        }
      }
    }
  }

  /// `syrk` in the same way: the lower triangle of c = alpha op(a) op(a)^T + beta c, for a c of at most some hundred rows.
  /// - Throws: `cancelled`.
  public static func slicedSyrk(
    _ transposeA: Bool, _ n: Int, _ k: Int, _ alpha: Self, _ a: UnsafePointer<Self>, _ lda: Int, _ beta: Self,
    _ c: UnsafeMutablePointer<Self>, _ ldc: Int
  ) throws(NumericError) {
    let inner = max(256, ProductSlice.most / max(1, n &* n))
    for p in stride(from: 0, to: max(k, 1), by: inner) {
      try checkCancelled()
      syrk(
        transposeA, Int32(n), Int32(min(inner, k &- p)), alpha, a + (transposeA ? p &* lda : p), Int32(lda), p == 0 ? beta : 1, c,
        Int32(ldc))
    }
  }
}

/// The shape of the parts of a large product: at most `most` multiplications each, as near to cubes as the product allows.
private struct ProductSlice {
  /// About 15 ms of one core with AVX2.
  static var most: Int { 1 << 28 }

  private(set) var rows: Int
  private(set) var cols: Int
  private(set) var inner: Int

  init(_ m: Int, _ n: Int, _ k: Int) {
    (rows, cols, inner) = (max(m, 1), max(n, 1), max(k, 1))
    while isTooLarge {
      if max(rows, cols) > 128 {
        if rows > cols { rows = ProductSlice.half(rows) } else { cols = ProductSlice.half(cols) }
      } else {
        inner = ProductSlice.half(inner)
      }
    }
  }

  private var isTooLarge: Bool {
    guard let area = checkedProduct(rows, cols), let volume = checkedProduct(area, inner) else { return true }
    return volume > ProductSlice.most
  }

  /// Half of it, in whole vectors.
  private static func half(_ size: Int) -> Int { (size / 2 &+ 63) / 64 &* 64 }
}
