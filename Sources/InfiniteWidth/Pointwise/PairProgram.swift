import VectorKernelProduct
import NumericCore
import VectorKernelTypes

/// A program bound to the arrays of its two sides, ready to run on strips of one element type.
///
/// `Element` is what strips are made of. Row sides are float64; for float32 strips their arrays are converted once.
final class PairProgram<Element: RowElement>: @unchecked Sendable {
  /// A step as the inner loop wants it: plain pointers, so that threads share no reference counts.
  private struct Prepared {
    var kind: Kind
    var slot: Int
    var source: Int
    var rowArrays: UnsafePointer<UnsafeRawPointer>
    var colArrays: UnsafePointer<UnsafeRawPointer>
    var parameters: UnsafePointer<Double>
    var epilogue: StripArguments.Epilogue
    var terms: Int
    var strip: StripFunction

    enum Kind { case strip, fanIn, shrink, copy, uncorrelated, user }
  }

  let kernels: ElementKernels
  let planes: Int
  let slotCount: Int
  private let steps: [PairStep]
  private let users: UserDuals
  private let prepared: UnsafeMutablePointer<Prepared>
  /// Final deviations on either side, as strips read them (one pointer each).
  let rowOutput: UnsafePointer<UnsafeRawPointer>
  let colOutput: UnsafePointer<UnsafeRawPointer>
  /// Whether the NTKs of a strip are written without being read: they need no zeros first.
  let startsTheta: Bool
  private let profile: Prepared?
  private let hasShrink: Bool
  private let kept: Converted<Element>
  private let sides: (RowSide, RowSide)

  /// - Parameters:
  ///   - reaches: the polynomials of its ReLUs.
  ///   - profile: the whole program as one function of the angle, to run in its place.
  ///   - fields: which parts of the profile are wanted.
  ///   - startsFromZero: whether the NTK before the first layer is zero.
  init(
    _ program: PointwiseProgram, _ reaches: [ReLUReach], row: RowSide, col: RowSide, kernels: ElementKernels,
    users: UserDuals, profile: AngularProfile? = nil, fields: KernelFields = KernelFields(nngp: true, ntk: true),
    startsFromZero: Bool = false
  ) throws(NumericError) {
    steps = GapBounds.narrowed(program.pairSteps, reaches)
    self.kernels = kernels
    self.users = users
    planes = kernels.planes
    slotCount = program.slotCount
    sides = (row, col)
    let store = Converted<Element>()
    kept = store
    rowOutput = try store.pointers(row, [program.rowOutput], nil)
    colOutput = try store.pointers(col, [program.colOutput], nil)
    var all: [Prepared] = []
    var isFirst = startsFromZero
    for step in steps {
      var (table, terms): (Int?, Int) = (nil, step.branches.count)
      if case .series(let index) = step.action { (table, terms) = (index, row.tables[index].count) }
      if case .dense = step.action { terms = isFirst && step.slot == 0 ? 1 : 0 }
      isFirst = false
      let (kind, source, strip) = try PairProgram.dispatch(step.action, kernels)
      all.append(
        Prepared(
          kind: kind, slot: step.slot, source: source, rowArrays: try store.pointers(row, step.rowArrays, table),
          colArrays: try store.pointers(col, step.colArrays, table), parameters: try store.numbers(step.parameters),
          epilogue: step.epilogue, terms: terms, strip: strip))
    }
    prepared = .allocate(capacity: max(1, all.count))
    prepared.initialize(from: all, count: all.count)
    hasShrink = all.contains { $0.kind == .shrink }
    startsTheta = profile != nil || (startsFromZero && all.first?.terms == 1)
    self.profile = try profile.map { (profile) throws(NumericError) in
      try PairProgram.prepare(profile, program, fields, row, col, kernels, store)
    }
  }

  deinit {
    prepared.deinitialize(count: steps.count)
    prepared.deallocate()
  }

  private static func prepare(
    _ profile: AngularProfile, _ program: PointwiseProgram, _ fields: KernelFields, _ row: RowSide, _ col: RowSide,
    _ kernels: ElementKernels, _ store: Converted<Element>
  ) throws(NumericError) -> Prepared {
    let ntk = fields.ntk ? profile.ntk ?? [] : []
    let correlation = fields.nngp ? profile.correlation ?? [] : []
    let (rowOutput, colOutput) = (program.rowOutput, program.colOutput)
    return Prepared(
      kind: .strip, slot: 0, source: 0,
      rowArrays: try store.pointers(row, scale: rowOutput, unit: profile.outputDeviation, followedBy: [ntk, correlation]),
      colArrays: try store.pointers(col, scale: colOutput, unit: profile.outputDeviation, followedBy: []),
      parameters: try store.numbers([
        Double(ntk.count / 4), Double(correlation.count / 4), profile.ntkWhenEqual, profile.correlationWhenEqual,
      ]), epilogue: .none, terms: 0, strip: kernels.layers.profile)
  }

  private static func dispatch(
    _ action: PairStep.Action, _ kernels: ElementKernels
  ) throws(NumericError) -> (Prepared.Kind, Int, StripFunction) {
    switch action {
    case .dual(let kind): (.strip, 0, try kernels.dual(kind).strip)
    case .series: (.strip, 0, kernels.layers.series)
    case .dense: (.strip, 0, kernels.layers.dense)
    case .scale: (.strip, 0, kernels.layers.scale)
    case .shrink: (.shrink, 0, kernels.layers.shrink)
    case .sum: (.fanIn, 0, kernels.layers.sum)
    case .product: (.fanIn, 0, kernels.layers.product)
    case .copy(let source): (.copy, source, kernels.layers.dense)
    case .uncorrelated: (.uncorrelated, 0, kernels.layers.dense)
    case .userDual, .userQuadrature: (.user, 0, kernels.layers.dense)
    }
  }

  /// Runs all steps on the strip of `row` against `count` columns from `column` (a multiple of the lanes) on.
  /// `isSelf`: only the pair of an input with itself is wanted.
  func run(
    _ strip: StripMemory<Element>, row: Int, column: Int, count: Int, isSelf: Bool = false
  ) throws(NumericError) {
    // With Dropout an input has another kernel with itself than with its duplicates: the layers know.
    if let profile, !(isSelf && hasShrink) {
      profile.strip(
        StripArguments(
          gap: strip.gap(0), theta: strip.theta(0).map { UnsafeMutableRawPointer($0) }, count: count,
          rowArrays: profile.rowArrays, colArrays: profile.colArrays, row: row, column: column, parameters: profile.parameters))
      return
    }
    for index in 0..<steps.count {
      let step = prepared + index
      let arguments = StripArguments(
        gap: strip.gap(step.pointee.slot), theta: strip.theta(step.pointee.slot).map { UnsafeMutableRawPointer($0) },
        count: count, rowArrays: step.pointee.rowArrays, colArrays: step.pointee.colArrays, row: row, column: column,
        parameters: step.pointee.parameters, epilogue: step.pointee.epilogue,
        terms: step.pointee.terms)
      switch step.pointee.kind {
      case .strip: step.pointee.strip(arguments)
      case .copy: strip.copy(from: step.pointee.source, to: step.pointee.slot, count: count)
      case .uncorrelated: strip.fillUncorrelated(step.pointee.slot, count: count, planes: planes)
      case .user: try runUser(index, strip, row, column, isSelf ? row - column..<row - column + 1 : 0..<count)
      case .shrink:
        // An input dropped out against itself: K and theta grow by 1 / rate, the correlation stays 1.
        if isSelf {
          strip.scaleTheta(step.pointee.slot, by: 1 / step.pointee.parameters[0], count: strip.width * planes)
        } else {
          step.pointee.strip(arguments)
        }
      case .fanIn: runFanIn(steps[index].branches, step.pointee.strip, strip, arguments)
      }
    }
  }

  private func runFanIn(
    _ branches: [Int], _ function: StripFunction, _ strip: StripMemory<Element>, _ arguments: StripArguments
  ) {
    let gaps = branches.map { UnsafeRawPointer(strip.gap($0)) }
    let thetas = branches.compactMap { strip.theta($0).map { UnsafeRawPointer($0) } }
    gaps.withUnsafeBufferPointer { gaps in
      thetas.withUnsafeBufferPointer { thetas in
        var arguments = arguments
        arguments.branchGaps = gaps.baseAddress
        arguments.branchThetas = thetas.isEmpty ? nil : thetas.baseAddress
        function(arguments)
      }
    }
  }

  /// A step that calls the caller's code: values only, in float64.
  private func runUser(
    _ index: Int, _ strip: StripMemory<Element>, _ row: Int, _ column: Int, _ columns: Range<Int>
  ) throws(NumericError) {
    let step = steps[index]
    let (gap, theta) = (strip.gapElements(step.slot), strip.theta(step.slot))
    func element(_ p: UnsafeRawPointer, _ i: Int) -> Double { Double(p.assumingMemoryBound(to: Element.self)[i]) }
    let rowSide = { (k: Int) in element(self.prepared[index].rowArrays[k], row) }
    let colSide = { (k: Int, j: Int) in element(self.prepared[index].colArrays[k], column + j) }
    var (c, q1, q2): ([Double], [Double], [Double]) = ([], [], [])
    for j in columns {
      let g = Double(gap[j])
      let rho = g.sign == .minus ? -(1 + g) : 1 - g
      let (s1, s2) = (rowSide(0), colSide(0, j))
      c.append(s1 * s2 * rho)
      q1.append(s1 * s1)
      q2.append(s2 * s2)
    }
    let wantsSlope = theta != nil
    let (values, slopes): ([Double], [Double])
    if case .userQuadrature(let function, let degree) = step.action {
      (values, slopes) = try users.quadrature(
        function, degree: degree, covariances: c, variances1: q1, variances2: q2, wantsSlope: wantsSlope)
    } else if case .userDual(let function) = step.action {
      (values, slopes) = try users.dual(function, covariances: c, variances1: q1, variances2: q2, wantsSlope: wantsSlope)
    } else {
      return
    }
    for (k, j) in columns.enumerated() {
      let scale = rowSide(1) * colSide(1, j)
      let rho = scale > 0 ? values[k] / scale : 0
      let isSelf = Double(gap[j]) == 0 && gap[j].sign == .plus && q1[k] == q2[k]
      let size = isSelf ? 0 : max(0, 1 - abs(rho))
      gap[j] = Element(rho < 0 ? -size : size)
      if let theta { theta[j] *= Element(slopes[k]) }
    }
  }
}

/// The memory behind a program's pointers: row arrays in the strip's element type (each converted once), pointer lists, numbers.
private final class Converted<Element: RowElement> {
  private var arrays: [Workspace<Element>] = []
  private var lists: [Workspace<UnsafeRawPointer>] = []
  private var numberLists: [Workspace<Double>] = []
  private var known: [UnsafePointer<Double>: UnsafeRawPointer] = [:]

  /// One pointer per array; a series (`table`) reads its coefficients after its first array.
  func pointers(_ side: RowSide, _ ids: [ArrayID], _ table: Int?) throws(NumericError) -> UnsafePointer<UnsafeRawPointer> {
    var result: [UnsafeRawPointer] = []
    for (position, id) in ids.enumerated() {
      result.append(try pointer(side.arrays[id]))
      if position == 0, let table { for column in side.tables[table] { result.append(try pointer(column)) } }
    }
    let list = try Workspace<UnsafeRawPointer>(max(1, result.count))
    for (i, p) in result.enumerated() { list.pointer[i] = p }
    lists.append(list)
    return UnsafePointer(list.pointer)
  }

  /// The deviations in `id` divided by `unit`, then lists of coefficients, each number repeated to fill 64 bytes.
  func pointers(
    _ side: RowSide, scale id: ArrayID, unit: Double, followedBy lists: [[Double]]
  ) throws(NumericError) -> UnsafePointer<UnsafeRawPointer> {
    let scale = try Workspace<Element>(side.padded, zeroed: true)
    for (i, s) in side.values(id).enumerated() { scale.pointer[i] = Element(s / unit) }
    arrays.append(scale)
    let all = try Workspace<UnsafeRawPointer>(1 + lists.count)
    all.pointer[0] = UnsafeRawPointer(scale.pointer)
    for (i, values) in lists.enumerated() {
      let lanes = 64 / MemoryLayout<Element>.stride
      let copy = try Workspace<Element>(max(1, values.count * lanes))
      for (k, x) in values.enumerated() { (copy.pointer + k * lanes).update(repeating: Element(x), count: lanes) }
      arrays.append(copy)
      all.pointer[1 + i] = UnsafeRawPointer(copy.pointer)
    }
    self.lists.append(all)
    return UnsafePointer(all.pointer)
  }

  func numbers(_ values: [Double]) throws(NumericError) -> UnsafePointer<Double> {
    let list = try Workspace<Double>(max(1, values.count))
    for (i, x) in values.enumerated() { list.pointer[i] = x }
    numberLists.append(list)
    return UnsafePointer(list.pointer)
  }

  private func pointer(_ array: Workspace<Double>) throws(NumericError) -> UnsafeRawPointer {
    if Element.self == Double.self { return UnsafeRawPointer(array.pointer) }
    if let found = known[array.pointer] { return found }
    let copy = try Workspace<Element>(array.count)
    for i in 0..<array.count { copy.pointer[i] = Element(array.pointer[i]) }
    arrays.append(copy)
    known[array.pointer] = UnsafeRawPointer(copy.pointer)
    return UnsafeRawPointer(copy.pointer)
  }
}
