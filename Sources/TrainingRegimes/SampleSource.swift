import LinearAlgebra
import NumericCore
import VectorKernelRandom

/// Where the inputs and targets of a training step come from.
public enum SampleSource {
  /// Fresh samples of y = offset + x^T form x with x ~ N(0, I).
  case function(form: StridedMatrix<Double>, offset: Double)
  /// Fresh samples of a mixture: x | y ~ N(0, L L^T) with the factor of the class y = 1 or y = -1.
  case mixture(positive: StridedMatrix<Double>, negative: StridedMatrix<Double>)
  /// A fixed set (n x d) with its targets, each epoch in a new order; what does not fill a batch is left out of the epoch.
  case data(inputs: StridedMatrix<Double>, targets: StridedMatrix<Double>)
}

/// Makes the batches of a training run: batch t depends on the seed and t only.
final class BatchMaker<Element: BLASReal>: @unchecked Sendable {
  let batch: Int
  let dimension: Int
  /// Chunks of rows that can be made in parallel.
  let chunks: Int
  private let source: SampleSource
  private let key: UInt64
  private let normals: NormalStream
  private let scratch: Workspace<Float>
  private let product: Workspace<Element>
  /// The matrices of the source in the precision of the run.
  private let first: Workspace<Element>
  private let second: Workspace<Element>
  private let isDiagonal: Bool
  private var order: [Int] = []
  private var epoch = -1

  init(_ source: SampleSource, batch: Int, dimension d: Int, key: UInt64, _ context: CallContext) throws(NumericError) {
    self.source = source
    self.key = key
    dimension = d
    normals = NormalStream(key: key)
    var (matrices, rows) = (1, batch)
    var diagonal = false
    switch source {
    case .function(let form, _): diagonal = (0..<d).allSatisfy { i in (0..<d).allSatisfy { $0 == i || form[i, $0] == 0 } }
    case .mixture: matrices = 2
    case .data(let inputs, _): (matrices, rows) = (0, min(batch, inputs.rows))
    }
    isDiagonal = diagonal
    self.batch = rows
    let all = checkedProduct(rows, d)
    let parts = max(1, min(8, (all ?? .max) / 8192))
    chunks = parts
    // Every chunk has whole strips, and a spare one.
    let padded = all.flatMap { checkedSum($0, NormalStream.strip * (parts + 1)) }
    let numbers = checkedProduct(d, d).flatMap { square in padded.flatMap { checkedSum(square, $0) } }.flatMap {
      checkedProduct($0, 2)
    }
    try context.reserve(
      numbers.flatMap { checkedProduct($0, MemoryLayout<Element>.stride) }, for: "batches of \(rows) samples of \(d) numbers",
      instead: "Use a smaller batch.")
    scratch = try Workspace<Float>(padded ?? .max)
    product = try Workspace<Element>(rows, d)
    first = try Workspace<Element>(matrices > 0 ? d : 0, d)
    second = try Workspace<Element>(matrices > 1 ? d : 0, d)
    fillMatrices()
  }

  private func fillMatrices() {
    let d = dimension
    switch source {
    case .function(let form, _):
      if isDiagonal {
        for i in 0..<d { first[i] = Element(form[i, i]) }
      } else {
        for i in 0..<d { for j in 0..<d { first[i * d + j] = Element(form[i, j]) } }
      }
    case .mixture(let positive, let negative):
      for i in 0..<d {
        for j in 0..<d {
          first[i * d + j] = j <= i ? Element(positive[i, j]) : 0
          second[i * d + j] = j <= i ? Element(negative[i, j]) : 0
        }
      }
    case .data: break
    }
  }

  /// What is common to all chunks of batch `t`; call it before them, on one thread.
  func prepare(_ t: Int) {
    guard case .data(let inputs, _) = source else { return }
    let perEpoch = max(1, inputs.rows / batch)
    guard t / perEpoch != epoch, inputs.rows > batch else { return }
    epoch = t / perEpoch
    order = Array(0..<inputs.rows)
    // Fisher and Yates, on the words of this epoch's stream.
    let stream = PhiloxStream(key: (key, ~0), counter: (0, 0, 0, UInt64(truncatingIfNeeded: epoch)))
    let words = (0..<(inputs.rows + 3) / 4).flatMap { b -> [UInt64] in
      let w = stream.block(UInt64(b))
      return [w.0, w.1, w.2, w.3]
    }
    for i in stride(from: inputs.rows - 1, to: 0, by: -1) {
      order.swapAt(i, Int(words[i].multipliedFullWidth(by: UInt64(i + 1)).high))
    }
  }

  /// Rows of chunk `chunk` of batch `t` into `x` (batch x d) and `y`.
  func fill(_ t: Int, chunk: Int, x: UnsafeMutablePointer<Element>, y: UnsafeMutablePointer<Element>) {
    let (from, to) = (batch * chunk / chunks, batch * (chunk + 1) / chunks)
    guard from < to else { return }
    switch source {
    case .function(_, let offset):
      drawNormals(t, chunk, from, to, x)
      evaluate(from, to, x, y, Element(offset))
    case .mixture:
      drawNormals(t, chunk, from, to, product.pointer)
      mix(t, from, to, x, y)
    case .data(let inputs, let targets):
      let start = inputs.rows > batch ? t % (inputs.rows / batch) * batch : 0
      for i in from..<to {
        let row = inputs.rows > batch ? order[start + i] : i
        for j in 0..<dimension { x[i * dimension + j] = Element(inputs[row, j]) }
        y[i] = Element(targets[row, 0])
      }
    }
  }

  /// Standard normal rows: chunk c of batch t takes its own strips of stream t. The same numbers in both precisions.
  private func drawNormals(_ t: Int, _ chunk: Int, _ from: Int, _ to: Int, _ x: UnsafeMutablePointer<Element>) {
    let (d, strip) = (dimension, NormalStream.strip)
    let begin = (from * d + strip - 1) / strip + chunk  // strips of all chunks before this one, and a spare each
    let count = (to - from) * d
    let (room, target, stream) = (scratch.pointer + begin * strip, x + from * d, UInt64(truncatingIfNeeded: t))
    guard Element.self == Float.self else {
      normals.fill(room, strips: (count + strip - 1) / strip, stream: stream, first: begin)
      for i in 0..<count { target[i] = Element(room[i]) }
      return
    }
    // float32 needs no copy but for the strip that the next chunk's rows would cut.
    let (whole, rest) = (count / strip, count % strip)
    target.withMemoryRebound(to: Float.self, capacity: count) { target in
      normals.fill(target, strips: whole, stream: stream, first: begin)
      guard rest > 0 else { return }
      normals.fill(room, strips: 1, stream: stream, first: begin + whole)
      (target + whole * strip).update(from: room, count: rest)
    }
  }

  /// y = offset + x^T form x.
  private func evaluate(
    _ from: Int, _ to: Int, _ x: UnsafeMutablePointer<Element>, _ y: UnsafeMutablePointer<Element>, _ offset: Element
  ) {
    let d = dimension
    if isDiagonal {
      for i in from..<to {
        let (row, scaled) = (x + i * d, product.pointer + from * d)  // one row of scratch, which stays in the cache
        for j in 0..<d { scaled[j] = row[j] * first.pointer[j] }
        y[i] = offset + dot(row, scaled, d)
      }
      return
    }
    Element.gemm(
      false, false, Int32(to - from), Int32(d), Int32(d), 1, x + from * d, Int32(d), first.pointer, Int32(d), 0,
      product.pointer + from * d, Int32(d))
    for i in from..<to { y[i] = offset + dot(x + i * d, product.pointer + i * d, d) }
  }

  /// Labels of batch t, the positive ones first, and x = L z with the factor of the label.
  private func mix(_ t: Int, _ from: Int, _ to: Int, _ x: UnsafeMutablePointer<Element>, _ y: UnsafeMutablePointer<Element>) {
    let d = dimension
    let positives = countPositives(t)
    let split = min(max(positives, from), to)
    for (low, high, factor) in [(from, split, first), (split, to, second)] where low < high {
      Element.gemm(
        false, true, Int32(high - low), Int32(d), Int32(d), 1, product.pointer + low * d, Int32(d), factor.pointer, Int32(d), 0,
        x + low * d, Int32(d))
    }
    for i in from..<to { y[i] = i < positives ? 1 : -1 }
  }

  /// How many of the labels of batch t are 1: a fair coin for each.
  private func countPositives(_ t: Int) -> Int {
    let stream = PhiloxStream(key: (key, ~1), counter: (0, 0, 0, UInt64(truncatingIfNeeded: t)))
    var (left, count, block) = (batch, 0, UInt64(0))
    while left > 0 {
      let w = stream.block(block)
      for word in [w.0, w.1, w.2, w.3] where left > 0 {
        let bits = min(left, 64)
        count += (bits == 64 ? word : word & ((1 << UInt64(bits)) - 1)).nonzeroBitCount
        left -= bits
      }
      block += 1
    }
    return count
  }
}

/// Sum of products, in eight running sums.
@inline(__always)
func dot<Element: BLASReal>(_ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, _ count: Int) -> Element {
  var (s0, s1, s2, s3, s4, s5, s6, s7) = (
    Element(0), Element(0), Element(0), Element(0), Element(0), Element(0), Element(0), Element(0)
  )
  var i = 0
  while i &+ 8 <= count {
    s0 += a[i] * b[i]
    s1 += a[i &+ 1] * b[i &+ 1]
    s2 += a[i &+ 2] * b[i &+ 2]
    s3 += a[i &+ 3] * b[i &+ 3]
    s4 += a[i &+ 4] * b[i &+ 4]
    s5 += a[i &+ 5] * b[i &+ 5]
    s6 += a[i &+ 6] * b[i &+ 6]
    s7 += a[i &+ 7] * b[i &+ 7]
    i &+= 8
  }
  while i < count {
    s0 += a[i] * b[i]
    i &+= 1
  }
  return ((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7))
}
