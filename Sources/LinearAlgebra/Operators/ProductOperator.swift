import NumericCore

/// An operator of which only the product with one vector is known: a caller's function.
public struct ProductOperator: SymmetricOperator {
  /// y = A x.
  public typealias Product = (
    _ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ context: CallContext
  ) throws(NumericError) -> Void

  /// Rows and columns.
  public let dimension: Int
  private let product: Product

  /// The operator on `dimension` numbers that `product` multiplies by.
  public init(dimension: Int, _ product: @escaping Product) {
    (self.dimension, self.product) = (dimension, product)
  }

  /// One call of the function for each vector.
  public func multiply(
    _ vectors: StridedMatrix<Double>, into products: StridedMatrix<Double>, context: CallContext
  ) throws(NumericError) {
    try requireBlocks(vectors, products)
    for i in 0..<vectors.rows {
      let (low, high) = (Double(i) / Double(vectors.rows), Double(i + 1) / Double(vectors.rows))
      try product(vectors.base + i * vectors.rowStride, products.base + i * products.rowStride, context.part(low, high))
      try context.checkpoint(high)
    }
  }
}
