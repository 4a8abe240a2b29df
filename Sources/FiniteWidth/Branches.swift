import Architectures
import NumericCore

extension ChunkPass {
  /// Sum or product of branches of equal shape, element by element.
  func combine(_ branches: [Batch], _ name: String, _ join: (Double, Double) -> Double) throws(NumericError) -> Batch {
    let first = branches[0]
    for branch in branches where branch.cols != first.cols || branch.blocks != first.blocks {
      throw .invalid("[\(name)] needs branches of equal width. Received \(branches.map(\.cols)).")
    }
    let out = try first.likeThis(context)
    for i in 0..<out.count { out.pointer[i] = first.pointer[i] }
    for branch in branches.dropFirst() {
      for i in 0..<out.count { out.pointer[i] = join(out.pointer[i], branch.pointer[i]) }
    }
    return out
  }

  /// Branches side by side along the channels, or block after block along the batch.
  func concatenate(_ branches: [Batch], _ axis: ConcatAxis) throws(NumericError) -> Batch {
    switch axis {
    case .channel: return try concatenateChannels(branches)
    case .batch: return try concatenateBlocks(branches)
    }
  }

  private func concatenateChannels(_ branches: [Batch]) throws(NumericError) -> Batch {
    let first = branches[0]
    for branch in branches where branch.blocks != first.blocks {
      throw .invalid("[FanInConcat] needs branches of equal batch. Received \(branches.map(\.totalRows)) rows.")
    }
    let cols = try sum(branches.map(\.cols))
    let out = try Batch(blocks: first.blocks, rows: first.rows, cols: cols, context: context)
    for r in 0..<out.totalRows {
      var target = out.row(r)
      for branch in branches {
        target.update(from: branch.row(r), count: branch.cols)
        target += branch.cols
      }
    }
    return out
  }

  private func concatenateBlocks(_ branches: [Batch]) throws(NumericError) -> Batch {
    let first = branches[0]
    for branch in branches where branch.cols != first.cols {
      throw .invalid("[FanInConcat] needs branches of equal width. Received \(branches.map(\.cols)).")
    }
    let blocks = try sum(branches.map(\.blocks))
    let out = try Batch(blocks: blocks, rows: first.rows, cols: first.cols, context: context)
    var target = out.pointer
    for branch in branches {
      target.update(from: branch.pointer, count: branch.count)
      target += branch.count
    }
    return out
  }

  private func sum(_ sizes: [Int]) throws(NumericError) -> Int {
    var total = 0
    for size in sizes {
      guard let next = checkedSum(total, size) else {
        throw .invalid("[FanInConcat] sizes must fit in 63 bits. Received \(sizes).")
      }
      total = next
    }
    return total
  }
}
