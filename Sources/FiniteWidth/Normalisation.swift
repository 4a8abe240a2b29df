import NumericCore

extension ChunkPass {
  /// Each row minus its mean, divided by sqrt(epsilon + its variance).
  func layerNorm(_ x: Batch, _ epsilon: Double) throws(NumericError) -> Batch {
    let out = try x.likeThis(context)
    let count = Double(max(1, x.cols))
    for r in 0..<x.totalRows {
      let (source, target) = (x.row(r), out.row(r))
      var mean = 0.0
      for c in 0..<x.cols { mean += source[c] }
      mean /= count
      var variance = 0.0
      for c in 0..<x.cols { variance += (source[c] - mean) * (source[c] - mean) }
      let total = epsilon + variance / count
      // A constant row with epsilon 0 is 0 / 0; its centred values are zero, so zero it stays.
      let scale = total > 0 ? 1 / total.squareRoot() : 0
      for c in 0..<x.cols { target[c] = (source[c] - mean) * scale }
    }
    return out
  }

  /// Each unit kept with probability `rate` and divided by it, else zero.
  ///
  /// Unit (row, column) of Dropout layer `layer` uses word row * columns + column of its own Philox stream, with the row counted over all
  /// inputs, so chunks and threads do not matter.
  func dropout(_ x: Batch, _ rate: Double, layer: Int) throws(NumericError) -> Batch {
    let out = try x.likeThis(context)
    let stream = PhiloxStream(key: pass.seed, counter: (0, 0, UInt64(layer), 0))
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var loaded = UInt64.max
    for block in 0..<x.blocks {
      for r in 0..<x.rows {
        let (source, target) = (x.row(block &* x.rows &+ r), out.row(block &* x.rows &+ r))
        let globalRow = block &* allRows &+ firstRow &+ r
        for c in 0..<x.cols {
          let unit = UInt64(globalRow) &* UInt64(x.cols) &+ UInt64(c)
          if unit / 4 != loaded {
            loaded = unit / 4
            words = stream.block(loaded)
          }
          target[c] = PhiloxStream.uniform(word(unit % 4, of: words)) <= rate ? source[c] / rate : 0
        }
      }
    }
    return out
  }

  private func word(_ i: UInt64, of words: (UInt64, UInt64, UInt64, UInt64)) -> UInt64 {
    switch i {
    case 0: words.0
    case 1: words.1
    case 2: words.2
    default: words.3
    }
  }
}
