import LinearAlgebra
import NumericCore

/// A finished tile on its way to the result: converts, and transposes in blocks of a cache line.
struct TileView<Work: BLASReal> {
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

  func write<Element: BLASReal>(_ area: TileArea, to target: StridedMatrix<Element>) {
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

  func writeTransposed<Element: BLASReal>(_ area: TileArea, to target: StridedMatrix<Element>) {
    let base = target.base + area.column * target.rowStride + area.row * target.colStride
    let isPlain = Element.self == Work.self && target.colStride == 1 && !isTangent
    for first in stride(from: 0, to: area.rows, by: 8) {
      let rows = min(8, area.rows - first)
      for c in 0..<area.cols {
        let to = base + c * target.rowStride + first * target.colStride
        if isPlain, rows == 8 {
          let from = values + first * width + c
          let line = UnsafeMutableRawPointer(to).assumingMemoryBound(to: Work.self)
          for r in 0..<8 { line[r] = from[r &* width] }
        } else {
          for r in 0..<rows { to[r * target.colStride] = Element(values[at(first + r, c)]) }
        }
      }
    }
  }
}
