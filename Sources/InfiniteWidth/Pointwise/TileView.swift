import CVectorSeeds
import VectorKernelProduct
import NumericCore

/// A finished tile on its way to the result: converts, and transposes in blocks of a cache line.
struct TileView<Work: RowElement> {
  let values: UnsafeMutablePointer<Work>
  let width: Int
  /// Whether the derivative plane is what is wanted.
  let isTangent: Bool

  @inline(__always)
  private func at(_ r: Int, _ c: Int) -> Int { r &* width &+ (isTangent ? (c &>> 3) &* 16 &+ 8 &+ (c & 7) : c) }

  /// Copies the part above the diagonal to the part below.
  func mirrorUpper(_ side: Int) {
    for r in 0..<side { for c in 0..<r { values[at(r, c)] = values[at(c, r)] } }
  }

  func write<Element: RowElement>(_ area: TileArea, to target: StridedMatrix<Element>) {
    let base = target.base + area.row * target.rowStride + area.column * target.colStride
    if Element.self == Work.self, target.colStride == 1, !isTangent {
      for r in 0..<area.rows {
        let to = UnsafeMutableRawPointer(base + r * target.rowStride)
        to.copyMemory(from: values + r * width, byteCount: area.cols * MemoryLayout<Element>.size)
      }
      return
    }
    for r in 0..<area.rows {
      let to = base + r * target.rowStride
      for c in 0..<area.cols { to[c * target.colStride] = Element(values[at(r, c)]) }
    }
  }

  /// Writes the transpose: whole cache lines of a large result are streamed past the caches, which spares reading them first.
  func writeTransposed<Element: RowElement>(_ area: TileArea, to target: StridedMatrix<Element>) {
    let base = target.base + area.column * target.rowStride + area.row * target.colStride
    let isPlain = Element.self == Work.self && target.colStride == 1 && !isTangent
    let perLine = 64 / MemoryLayout<Work>.size
    let isLarge = target.rows &* target.cols &* MemoryLayout<Element>.size >= TileView.streamFrom
    var first = 0
    while first < area.rows {
      let rows = min(perLine, area.rows - first)
      for c in 0..<area.cols {
        let to = base + c * target.rowStride + first * target.colStride
        let isLine = isPlain && rows == perLine
        if isLine, isLarge, UInt(bitPattern: to) & 63 == 0 {
          stream(first, c, UnsafeMutableRawPointer(to))
        } else if isLine {
          let line = UnsafeMutableRawPointer(to).assumingMemoryBound(to: Work.self)
          for r in 0..<perLine { line[r] = values[(first &+ r) &* width &+ c] }
        } else {
          for r in 0..<rows { to[r * target.colStride] = Element(values[at(first + r, c)]) }
        }
      }
      first += rows
    }
    if isLarge { ntk_stream_end() }
  }

  /// Bytes from which on a result does not stay in the caches anyway.
  private static var streamFrom: Int { 16 << 20 }

  @inline(__always)
  private func stream(_ first: Int, _ c: Int, _ to: UnsafeMutableRawPointer) {
    let from = UnsafeRawPointer(values + (first &* width &+ c))
    if Work.self == Double.self {
      let column = from.assumingMemoryBound(to: Double.self)
      var line = SIMD8<Double>()
      for r in 0..<8 { line[r] = column[r &* width] }
      ntk_stream8(to, line)
    } else {
      let column = from.assumingMemoryBound(to: Float.self)
      var line = SIMD16<Float>()
      for r in 0..<16 { line[r] = column[r &* width] }
      ntk_stream16(to, line)
    }
  }
}
