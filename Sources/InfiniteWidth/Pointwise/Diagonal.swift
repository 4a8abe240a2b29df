import LinearAlgebra
import NumericCore

/// The diagonal of a symmetric kernel: each input against itself, in float64, by the same kernels in diagonal mode.
final class Diagonal: @unchecked Sendable {
  private let covariances: Workspace<Double>
  private let thetas: Workspace<Double>?
  private let count: Int

  init<Element: BLASReal>(
    _ program: PairProgram<Double>, row: RowSide, output: ArrayID, given: GivenKernel<Element>?, wantsNTK: Bool
  ) throws(NumericError) {
    count = row.count
    let planes = row.planes
    covariances = try Workspace<Double>(max(1, count))
    thetas = wantsNTK ? try Workspace<Double>(max(1, count)) : nil
    let s = row.arrays[output].pointer
    for i in 0..<count {
      let v = row.at(i)
      covariances.pointer[i] = planes == 2 ? 2 * s[v] * s[v + 8] : s[v] * s[v]
    }
    guard let thetas else { return }
    let width = TilePlan.side
    let strip = try StripMemory<Double>(slots: program.slotCount, width: width, planes: planes, wantsTheta: true)
    for first in stride(from: 0, to: count, by: width) {
      let columns = min(width, count - first)
      guard let theta = strip.theta(0) else { return }
      strip.gapElements(0).update(repeating: 0, count: width * planes)
      theta.update(repeating: 0, count: width * planes)
      if let start = given?.ntk, planes == 1 {
        for j in 0..<columns { theta[j] = Double(start[first + j, first + j]) }
      }
      try program.run(strip, row: first, column: first, count: columns, isDiagonal: true)
      for j in 0..<columns { thetas.pointer[first + j] = planes == 2 ? theta[(j >> 3) * 16 + 8 + (j & 7)] : theta[j] }
    }
  }

  /// Throws where a diagonal entry, and so the kernel's largest ones, cannot be held by the results' type.
  func checkRange<Element: BLASReal>(of type: Element.Type) throws(NumericError) {
    guard let thetas else { return }
    let limit = Double(Element.greatestFiniteMagnitude)
    for i in 0..<count where !(abs(thetas.pointer[i]) <= limit) {
      throw NumericError(
        .overflow, "[kernel] the NTK must stay finite in the result's type. Received \(thetas.pointer[i]) for x1[\(i)].",
        index: (i, i))
    }
  }

  /// Puts the exact values on the diagonal of a tile.
  func patch<Work: BLASReal>(_ area: TileArea, _ tile: TileMemory<Work>, planes: Int) {
    guard area.row == area.column else { return }
    for r in 0..<area.rows {
      let at = r * tile.width + (planes == 2 ? (r >> 3) * 16 + 8 + (r & 7) : r)
      tile.gaps[at] = Work(covariances.pointer[area.row + r])
      if let thetas { tile.thetas[at] = Work(thetas.pointer[area.row + r]) }
    }
  }
}
