import NumericCore

/// One value for a chunk of inputs: `rows` rows of `cols` numbers. Its memory goes back to its pool with it.
final class Tensor {
  private let storage: Workspace<Double>
  private let pool: TensorPool
  let rows: Int
  let cols: Int

  fileprivate init(_ storage: Workspace<Double>, rows: Int, cols: Int, pool: TensorPool) {
    self.storage = storage
    self.rows = rows
    self.cols = cols
    self.pool = pool
  }

  deinit { pool.takeBack(storage) }

  var count: Int { rows &* cols }
  var pointer: UnsafeMutablePointer<Double> { storage.pointer }
  func row(_ r: Int) -> UnsafeMutablePointer<Double> { pointer + r &* cols }
}

/// Memory for tensors of one thread, used again instead of being returned to the system after every step of a training run.
final class TensorPool {
  private var free: [Int: [Workspace<Double>]] = [:]

  /// A tensor whose numbers are not set, or zero.
  func take(rows: Int, cols: Int, zeroed: Bool = false) throws(NumericError) -> Tensor {
    guard let count = checkedProduct(rows, cols) else {
      throw NumericError(.outOfMemory, "[network] \(rows) x \(cols) numbers do not fit any address space.", bytes: .max)
    }
    let storage: Workspace<Double>
    if let used = free[count]?.popLast() { storage = used } else { storage = try Workspace<Double>(count) }
    let tensor = Tensor(storage, rows: rows, cols: cols, pool: self)
    if zeroed { tensor.pointer.update(repeating: 0, count: count) }
    return tensor
  }

  fileprivate func takeBack(_ storage: Workspace<Double>) { free[storage.count, default: []].append(storage) }
}
