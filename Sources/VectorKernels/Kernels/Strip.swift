import VectorKernelTypes

/// The numbers of one side of a pair that a dual needs; how many are used is the dual's `arrayCount`.
struct RowValues<L: Lanes> {
  var e0 = L.zero
  var e1 = L.zero
  var e2 = L.zero
  var e3 = L.zero
  var e4 = L.zero

  @inline(__always) init() {}

  /// Vector `vector` of each array.
  @inline(__always) init(_ arrays: UnsafePointer<UnsafeRawPointer>, count: Int, vector: Int) {
    if count > 0 { e0 = .load(arrays[0], vector: vector) }
    if count > 1 { e1 = .load(arrays[1], vector: vector) }
    if count > 2 { e2 = .load(arrays[2], vector: vector) }
    if count > 3 { e3 = .load(arrays[3], vector: vector) }
    if count > 4 { e4 = .load(arrays[4], vector: vector) }
  }

  /// Element `index` of each array, in every lane.
  @inline(__always) init(_ arrays: UnsafePointer<UnsafeRawPointer>, count: Int, index: Int) {
    if count > 0 { e0 = .splat(arrays[0], index: index) }
    if count > 1 { e1 = .splat(arrays[1], index: index) }
    if count > 2 { e2 = .splat(arrays[2], index: index) }
    if count > 3 { e3 = .splat(arrays[3], index: index) }
    if count > 4 { e4 = .splat(arrays[4], index: index) }
  }

  @inline(__always) func store(_ arrays: UnsafePointer<UnsafeMutableRawPointer>, count: Int, vector: Int) {
    if count > 0 { e0.store(arrays[0], vector: vector) }
    if count > 1 { e1.store(arrays[1], vector: vector) }
    if count > 2 { e2.store(arrays[2], vector: vector) }
    if count > 3 { e3.store(arrays[3], vector: vector) }
    if count > 4 { e4.store(arrays[4], vector: vector) }
  }
}

/// A nonlinearity with a closed-form dual: T = E f(u) f(v) and Td = E f'(u) f'(v) for jointly Gaussian u, v.
///
/// Formulas are written symmetrically in the two sides, so that K(x, y) and K(y, x) have the same bits.
protocol Dual<L>: SendableMetatype {
  associatedtype L: Lanes
  static var arrayCount: Int { get }
  /// Whether correlations after the layer are never negative, which spares the Dense layer that follows the signs.
  static var isNonNegative: Bool { get }
  init(_ parameters: UnsafePointer<Double>)
  /// What pairs need from an input whose standard deviation before the layer is `s`, and its deviation after it.
  func row(_ s: L) -> (values: RowValues<L>, deviation: L)
  /// The signed gap after the layer, and Td.
  func pair(_ gap: L, _ a: RowValues<L>, _ b: RowValues<L>) -> (gap: L, slope: L)
}

extension Dual {
  static var isNonNegative: Bool { false }
}

/// Runs a dual, and the Dense layer that follows it, over one strip.
@inline(__always)
func runStrip<D: Dual>(_ type: D.Type, _ arguments: borrowing StripArguments) {
  typealias L = D.L
  let dual = D(arguments.parameters)
  let affine = Affine<L>(arguments, arraysBefore: D.arrayCount, parametersBefore: 8)
  let first = arguments.column / L.lanes
  let vectors = (arguments.count &+ L.lanes &- 1) / L.lanes
  let rowSide = RowValues<L>(arguments.rowArrays, count: D.arrayCount, index: arguments.row)
  for k in 0..<vectors {
    let b = RowValues<L>(arguments.colArrays, count: D.arrayCount, vector: first &+ k)
    let (gap, slope) = dual.pair(.load(arguments.gap, vector: k), rowSide, b)
    affine.finish(gap: gap, slope: slope, vector: k, column: first &+ k, isNonNegative: D.isNonNegative)
  }
}

/// Runs a dual over all inputs: fills the arrays of its strips and the deviations after it.
@inline(__always)
func runRows<D: Dual>(_ type: D.Type, _ arguments: borrowing RowArguments) {
  typealias L = D.L
  let dual = D(arguments.parameters)
  for k in 0..<((arguments.count &+ L.lanes &- 1) / L.lanes) {
    let (values, deviation) = dual.row(.load(arguments.deviations, vector: k))
    values.store(arguments.arrays, count: D.arrayCount, vector: k)
    deviation.store(arguments.result, vector: k)
  }
}

extension DualKernel {
  init<D: Dual>(_ kind: DualKind, _ type: D.Type) {
    self.init(
      kind: kind, arrayCount: D.arrayCount, prepare: { runRows(D.self, $0) }, strip: { runStrip(D.self, $0) })
  }
}
