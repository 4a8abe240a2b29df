import NumericCore
import VectorKernelProduct

/// Kernels of inputs with themselves, in float64, by the kernels of the pairs.
final class Diagonal: @unchecked Sendable {
  private let first: Int
  private let count: Int
  private let covariances: Workspace<Double>
  private let thetas: Workspace<Double>?

  /// - Parameters:
  ///   - program: bound to `side` as rows and as columns.
  ///   - inputs: which inputs of the side.
  init<Element: RowElement>(
    _ program: PairProgram<Double>, side: RowSide, inputs: Range<Int>, output: ArrayID, given: GivenKernel<Element>?,
    wantsNTK: Bool
  ) throws(NumericError) {
    (first, count) = (inputs.lowerBound, inputs.count)
    let planes = side.planes
    covariances = try Workspace<Double>(max(1, count))
    thetas = wantsNTK ? try Workspace<Double>(max(1, count)) : nil
    let s = side.arrays[output].pointer
    for i in inputs {
      let v = side.at(i)
      covariances.pointer[i - first] = planes == 2 ? 2 * s[v] * s[v + 8] : s[v] * s[v]
    }
    guard let thetas else { return }
    // One vector per input, of which its own lane is read: strip kernels know only rows against columns.
    let lanes = program.kernels.lanes
    let strip = try StripMemory<Double>(slots: program.slotCount, width: 32, planes: planes, wantsTheta: true)
    guard let theta = strip.theta(0) else { return }
    for i in inputs {
      strip.gapElements(0).update(repeating: 0, count: lanes * planes)
      theta.update(repeating: 0, count: lanes * planes)
      let lane = i % lanes
      if let start = given?.ntk, planes == 1 { theta[lane] = Double(start[i, i]) }
      try program.run(strip, row: i, column: i - lane, count: lanes, isSelf: true)
      thetas.pointer[i - first] = planes == 2 ? theta[8 + lane] : theta[lane]
    }
  }

  /// Throws where a diagonal entry, and so the kernel's largest ones, cannot be held by the results' type.
  func checkRange<Element: RowElement>(of type: Element.Type) throws(NumericError) {
    guard let thetas else { return }
    let limit = Double(Element.greatestFiniteMagnitude)
    for i in 0..<count where !(abs(thetas.pointer[i]) <= limit) {
      throw NumericError(
        .overflow, "[kernel] the NTK must stay finite in the result's type. Received \(thetas.pointer[i]) for x1[\(first + i)].",
        index: (first + i, first + i))
    }
  }

  /// Writes the NTKs from row `row` of `target` on.
  func writeThetas(to target: StridedMatrix<Double>, from row: Int) {
    guard let thetas else { return }
    for i in 0..<count { target[row + i, 0] = thetas.pointer[i] }
  }

  /// Puts the exact values where row i of a tile meets column i + shift.
  func patch<Work: RowElement>(_ area: TileArea, _ tile: TileMemory<Work>, planes: Int, shift: Int) {
    let start = max(area.row, first, area.column - shift)
    let end = min(area.row + area.rows, first + count, area.column + area.cols - shift)
    for i in stride(from: start, to: end, by: 1) {
      let (r, c) = (i - area.row, i + shift - area.column)
      let at = planes == 2 ? (c >> 3) * 16 + 8 + (c & 7) : c
      tile.gaps[r * tile.width + at] = Work(covariances.pointer[i - first])
      if let thetas { tile.thetas[r * tile.thetaWidth + at] = Work(thetas.pointer[i - first]) }
    }
  }
}
