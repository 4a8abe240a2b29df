import VectorKernelProduct
import NumericCore

/// The gaps and NTKs of all slots of one strip. Slot 0 can stand in memory of the caller (a row of a tile).
final class StripMemory<Element: RowElement> {
  let width: Int
  let wantsTheta: Bool
  private let planes: Int
  private let own: Workspace<Element>
  private var gap0: UnsafeMutablePointer<Element>
  private var theta0: UnsafeMutablePointer<Element>

  /// - Parameter width: columns, a multiple of 32.
  init(slots: Int, width: Int, planes: Int, wantsTheta: Bool) throws(NumericError) {
    self.width = width
    self.planes = planes
    self.wantsTheta = wantsTheta
    own = try Workspace<Element>(2 * slots * width * planes, zeroed: true)
    gap0 = own.pointer
    theta0 = own.pointer + width * planes
  }

  /// Slot 0 works on this memory from now on.
  func place(gap: UnsafeMutablePointer<Element>, theta: UnsafeMutablePointer<Element>) {
    gap0 = gap
    theta0 = theta
  }

  func gapElements(_ slot: Int) -> UnsafeMutablePointer<Element> {
    slot == 0 ? gap0 : own.pointer + 2 * slot * width * planes
  }

  func gap(_ slot: Int) -> UnsafeMutableRawPointer { UnsafeMutableRawPointer(gapElements(slot)) }

  func theta(_ slot: Int) -> UnsafeMutablePointer<Element>? {
    guard wantsTheta else { return nil }
    return slot == 0 ? theta0 : own.pointer + (2 * slot + 1) * width * planes
  }

  func copy(from source: Int, to target: Int, count: Int) {
    let padded = (count + 31) / 32 * 32 * planes
    gapElements(target).update(from: gapElements(source), count: padded)
    if let from = theta(source), let to = theta(target) { to.update(from: from, count: padded) }
  }

  /// Correlation and NTK zero: independent branches.
  func fillUncorrelated(_ slot: Int, count: Int, planes: Int) {
    let padded = (count + 31) / 32 * 32
    let gap = gapElements(slot)
    for j in 0..<(padded * planes) { gap[j] = planes == 2 && (j & 15) >= 8 ? 0 : 1 }
    theta(slot)?.update(repeating: 0, count: padded * planes)
  }

  func scaleTheta(_ slot: Int, by factor: Double, count: Int) {
    guard let theta = theta(slot) else { return }
    for j in 0..<count { theta[j] *= Element(factor) }
  }
}
