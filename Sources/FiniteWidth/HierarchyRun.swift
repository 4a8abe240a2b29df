import NumericCore

/// One computation of the kernels of a tangent hierarchy: all inputs, of which the first `train` are those that are trained on.
struct HierarchyRun {
  let hierarchy: TangentHierarchy
  let x: StridedMatrix<Double>
  let train: Int
  /// Gradients of outputs, one row each.
  let directions: Workspace<Double>

  private var all: Int { x.rows }
  private func direction(_ i: Int) -> UnsafePointer<Double> {
    UnsafePointer(directions.pointer + i * hierarchy.network.plan.parameterCount)
  }

  /// k2[a, b]
  func setNTK(_ k2: UnsafeMutablePointer<Double>) throws(NumericError) {
    let parts = GradientParts(try hierarchy.start(x, rows: all, order: 0))
    k2.update(repeating: 0, count: all * train)
    try parts.addProducts(0, parts, 0, rows: all, cols: train, room: try ProductRoom(all, train), to: k2)
  }

  /// k3[a, b, c]; where `keeping`, returns what the gradients become along each direction (at the training inputs only for the directions
  /// of the others, which nothing else needs).
  func setThird(
    _ k3: UnsafeMutablePointer<Double>, keeping: Bool, context: CallContext
  ) throws(NumericError) -> [GradientParts?] {
    let shelf = Shelf<GradientParts>(keeping ? all : 0)
    try runTasks(keeping ? all : train, context: context) { (c, _) throws(NumericError) in
      let tape = try hierarchy.start(x, rows: c < train ? all : train, order: 1)
      try hierarchy.differentiate(tape, part: 1, along: direction(c))
      let parts = GradientParts(tape)
      if keeping { shelf[c] = parts }
      guard c < train else { return }
      let (sum, room) = (try Workspace<Double>(all, train, zeroed: true), try ProductRoom(all, train))
      try parts.addProducts(1, parts, 0, rows: all, cols: train, room: room, to: sum.pointer)
      try parts.addProducts(0, parts, 1, rows: all, cols: train, room: room, to: sum.pointer)
      for i in 0..<all * train { k3[i * train + c] = sum[i] }
    }
    return shelf.contents
  }

  /// k4[a, b, c, d]
  func setFourth(
    _ k4: UnsafeMutablePointer<Double>, _ along: [GradientParts?], context: CallContext
  ) throws(NumericError) {
    try setThirdDerivatives(k4, context: context.part(0, 0.7))
    let blocks = try Workspace<Double>(all, train, all, train, zeroed: true)
    try runTasks(all, context: context.part(0.7, 1)) { (p, _) throws(NumericError) in
      guard let left = along[p] else { return }
      let rows = p < train ? all : train
      let room = try ProductRoom(rows, train)
      for q in 0..<train {
        guard let right = along[q] else { return }
        try left.addProducts(
          1, right, 1, rows: rows, cols: train, room: room, to: blocks.pointer + (p * train + q) * all * train)
      }
    }
    try addSecondDerivatives(blocks, to: k4)
  }

  /// k4 = T_a(g_b, g_c, g_d) + T_b(g_a, g_c, g_d), one pair of directions c >= d after another.
  private func setThirdDerivatives(_ k4: UnsafeMutablePointer<Double>, context: CallContext) throws(NumericError) {
    try runTasks(train, context: context) { (c, _) throws(NumericError) in
      let tape = try hierarchy.start(x, rows: all, order: 2)
      try hierarchy.differentiate(tape, part: 1, along: direction(c))
      let (sum, room) = (try Workspace<Double>(all, train), try ProductRoom(all, train))
      for d in 0...c {
        try hierarchy.differentiate(tape, part: 2, along: direction(d))
        try hierarchy.differentiate(tape, part: 3)
        let parts = GradientParts(tape)
        sum.pointer.update(repeating: 0, count: all * train)
        try parts.addProducts(3, parts, 0, rows: all, cols: train, room: room, to: sum.pointer)
        try parts.addProducts(0, parts, 3, rows: all, cols: train, room: room, to: sum.pointer)
        for i in 0..<all * train {
          k4[(i * train + c) * train + d] = sum[i]
          k4[(i * train + d) * train + c] = sum[i]
        }
      }
    }
  }

  /// Adds the terms with two Hessians; block (p, q) holds <H_i g_p, H_j g_q> for inputs i and j.
  private func addSecondDerivatives(_ blocks: Workspace<Double>, to k4: UnsafeMutablePointer<Double>) throws(NumericError) {
    let n = train
    func product(_ i: Int, _ p: Int, _ j: Int, _ q: Int) -> Double { blocks[((p * n + q) * all + i) * n + j] }
    var next = 0
    for a in 0..<all {
      for b in 0..<n {
        try checkCancelled()
        for c in 0..<n {
          for d in 0..<n {
            k4[next] += product(a, c, b, d) + product(a, d, b, c) + product(a, b, c, d) + product(b, a, c, d)
            next += 1
          }
        }
      }
    }
  }
}

/// Places that tasks fill, each its own.
private final class Shelf<Value>: @unchecked Sendable {
  private let places: UnsafeMutableBufferPointer<Value?>

  init(_ count: Int) {
    places = .allocate(capacity: count)
    places.initialize(repeating: nil)
  }

  deinit {
    places.deinitialize()
    places.deallocate()
  }

  subscript(_ i: Int) -> Value? {
    get { places[i] }
    set { places[i] = newValue }
  }

  var contents: [Value?] { Array(places) }
}
