import LinearAlgebra
import NumericCore

/// The diagonal of a symmetric kernel: each input against itself, in float64, by the kernels of the pairs.
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
    // One vector per input, of which its own lane is read: strip kernels know only rows against columns.
    let lanes = program.kernels.lanes
    let strip = try StripMemory<Double>(slots: program.slotCount, width: 32, planes: planes, wantsTheta: true)
    guard let theta = strip.theta(0) else { return }
    for i in 0..<count {
      if i % 16 == 0 { try checkCancelled() }
      strip.gapElements(0).update(repeating: 0, count: lanes * planes)
      theta.update(repeating: 0, count: lanes * planes)
      let lane = i % lanes
      if let start = given?.ntk, planes == 1 { theta[lane] = Double(start[i, i]) }
      try program.run(strip, row: i, column: i - lane, count: lanes, isSelf: true)
      thetas.pointer[i] = planes == 2 ? theta[8 + lane] : theta[lane]
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
      let at = planes == 2 ? (r >> 3) * 16 + 8 + (r & 7) : r
      tile.gaps[r * tile.width + at] = Work(covariances.pointer[area.row + r])
      if let thetas { tile.thetas[r * tile.thetaWidth + at] = Work(thetas.pointer[area.row + r]) }
    }
  }
}
