import VectorKernels

#if arch(x86_64)
  import VectorKernelProductV2
  import VectorKernelProductV3
  import VectorKernelProductV4
#else
  import VectorKernelProductV0
#endif

/// A number type whose rows this module multiplies: `Float` and `Double`.
public protocol RowElement: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  /// See `RowProducts.fill`.
  static func rowProducts(
    _ a: UnsafePointer<Self>, _ leadingA: Int, _ rows: Int, _ b: UnsafePointer<Self>, _ leadingB: Int, _ columns: Int,
    _ dimension: Int, _ c: UnsafeMutablePointer<Self>, _ leadingC: Int, _ packed: UnsafeMutablePointer<Self>)

  /// |u a - v b|^2 in float64, summed in one order.
  static func squaredDistance(
    _ a: UnsafePointer<Self>, _ u: Double, _ b: UnsafePointer<Self>, _ v: Double, _ dimension: Int
  ) -> Double
}

/// Room that products of rows need beside their result.
public enum RowProducts {
  /// Numbers of room that products of rows of this dimension take, with any number of columns.
  public static func room(dimension: Int) -> Int { 64 * min(max(dimension, 1), 128) }

  /// Columns of the result are written up to the next multiple of this.
  public static let padding = 16
}

extension Double: RowElement {
  /// c[i, j] = a_i . b_j with the same bits wherever an entry stands; see `rowProducts` of the kernels.
  @inline(__always)
  public static func rowProducts(
    _ a: UnsafePointer<Double>, _ leadingA: Int, _ rows: Int, _ b: UnsafePointer<Double>, _ leadingB: Int, _ columns: Int,
    _ dimension: Int, _ c: UnsafeMutablePointer<Double>, _ leadingC: Int, _ packed: UnsafeMutablePointer<Double>
  ) {
    #if arch(x86_64)
      switch CPULevel.current {
      case .v4:
        VectorKernelProductV4.rowProducts(a, leadingA, rows, b, leadingB, columns, dimension, c, leadingC, packed)
      case .v3:
        VectorKernelProductV3.rowProducts(a, leadingA, rows, b, leadingB, columns, dimension, c, leadingC, packed)
      default:
        VectorKernelProductV2.rowProducts(a, leadingA, rows, b, leadingB, columns, dimension, c, leadingC, packed)
      }
    #else
      VectorKernelProductV0.rowProducts(a, leadingA, rows, b, leadingB, columns, dimension, c, leadingC, packed)
    #endif
  }

  /// |u a - v b|^2, summed in one order.
  public static func squaredDistance(
    _ a: UnsafePointer<Double>, _ u: Double, _ b: UnsafePointer<Double>, _ v: Double, _ dimension: Int
  ) -> Double {
    #if arch(x86_64)
      switch CPULevel.current {
      case .v4: VectorKernelProductV4.squaredDistance(a, u, b, v, dimension)
      case .v3: VectorKernelProductV3.squaredDistance(a, u, b, v, dimension)
      default: VectorKernelProductV2.squaredDistance(a, u, b, v, dimension)
      }
    #else
      VectorKernelProductV0.squaredDistance(a, u, b, v, dimension)
    #endif
  }
}

extension Float: RowElement {
  /// c[i, j] = a_i . b_j with the same bits wherever an entry stands; see `rowProducts` of the kernels.
  @inline(__always)
  public static func rowProducts(
    _ a: UnsafePointer<Float>, _ leadingA: Int, _ rows: Int, _ b: UnsafePointer<Float>, _ leadingB: Int, _ columns: Int,
    _ dimension: Int, _ c: UnsafeMutablePointer<Float>, _ leadingC: Int, _ packed: UnsafeMutablePointer<Float>
  ) {
    #if arch(x86_64)
      switch CPULevel.current {
      case .v4:
        VectorKernelProductV4.rowProducts(a, leadingA, rows, b, leadingB, columns, dimension, c, leadingC, packed)
      case .v3:
        VectorKernelProductV3.rowProducts(a, leadingA, rows, b, leadingB, columns, dimension, c, leadingC, packed)
      default:
        VectorKernelProductV2.rowProducts(a, leadingA, rows, b, leadingB, columns, dimension, c, leadingC, packed)
      }
    #else
      VectorKernelProductV0.rowProducts(a, leadingA, rows, b, leadingB, columns, dimension, c, leadingC, packed)
    #endif
  }

  /// |u a - v b|^2 in float64, summed in one order.
  public static func squaredDistance(
    _ a: UnsafePointer<Float>, _ u: Double, _ b: UnsafePointer<Float>, _ v: Double, _ dimension: Int
  ) -> Double {
    #if arch(x86_64)
      switch CPULevel.current {
      case .v4: VectorKernelProductV4.squaredDistance(a, u, b, v, dimension)
      case .v3: VectorKernelProductV3.squaredDistance(a, u, b, v, dimension)
      default: VectorKernelProductV2.squaredDistance(a, u, b, v, dimension)
      }
    #else
      VectorKernelProductV0.squaredDistance(a, u, b, v, dimension)
    #endif
  }
}
