import Activations
import Architectures
import NumericCore
import VectorKernelTypes
import VectorKernels

/// Turns a layer tree into the steps of a `PointwiseProgram`.
///
/// A state is followed through the tree: the slot of its pair values and, on either side, the array of its deviations.
/// FanInConcat along the batch gives a kernel of blocks; a program is built for one pair of blocks at a time.
struct ProgramBuilder {
  private struct State {
    var slot: Int
    var row: ArrayID
    var col: ArrayID
    var isGaussian: Bool
    var isInput: Bool
    var width: Int
    /// Whether correlations are never negative here.
    var isNonNegative = false
  }

  private var rowSteps: [RowStep] = []
  private var colSteps: [RowStep] = []
  private var pairSteps: [PairStep] = []
  private var rowArrays = 1
  private var colArrays = 1
  private var tables = 0
  private var slots = 1
  private var layers = 0
  private var usesUserFunctions = false
  private let rowBlock: Int
  private let colBlock: Int
  private let tangent: DenseTangent?

  private init(rowBlock: Int, colBlock: Int, tangent: DenseTangent?) {
    self.rowBlock = rowBlock
    self.colBlock = colBlock
    self.tangent = tangent
  }

  /// The steps for output blocks (rowBlock, colBlock) of a network whose inputs have `width` channels.
  static func build(
    _ node: LayerNode, width: Int, isGaussian: Bool = false, isInput: Bool = true, rowBlock: Int = 0, colBlock: Int = 0,
    tangent: DenseTangent? = nil
  ) throws(NumericError) -> PointwiseProgram {
    var builder = ProgramBuilder(rowBlock: rowBlock, colBlock: colBlock, tangent: tangent)
    let start = State(slot: 0, row: 0, col: 0, isGaussian: isGaussian, isInput: isInput, width: width)
    let end = try builder.apply(node, [start])
    guard end.count == 1, let last = end.first else {
      throw .invalid("[serial] a network must end with one branch. Received \(end.count): put a FanIn layer at the end.")
    }
    if last.slot != 0 { builder.pairSteps.append(PairStep(action: .copy(from: last.slot), slot: 0)) }
    return PointwiseProgram(
      rowSteps: builder.rowSteps, colSteps: builder.colSteps, pairSteps: builder.pairSteps, rowArrayCount: builder.rowArrays,
      colArrayCount: builder.colArrays, rowTableCount: builder.tables, colTableCount: builder.tables, slotCount: builder.slots,
      rowOutput: last.row, colOutput: last.col, isGaussian: last.isGaussian, width: last.width,
      usesUserFunctions: builder.usesUserFunctions)
  }

  /// Output rows per input: the number of branches of FanInConcat along the batch, else 1.
  static func blockCount(_ node: LayerNode) throws(NumericError) -> Int {
    let counts = batchConcatBranches(node, incoming: 1).counts
    guard counts.count <= 1 else {
      throw .invalid("[FanInConcat] along the batch (axis=0) may stand once in a network. Received \(counts.count).")
    }
    return counts.first ?? 1
  }

  private static func batchConcatBranches(_ node: LayerNode, incoming: Int) -> (counts: [Int], outgoing: Int) {
    switch node {
    case .serial(let children):
      var (counts, branches): ([Int], Int) = ([], incoming)
      for child in children {
        let next = batchConcatBranches(child, incoming: branches)
        counts += next.counts
        branches = next.outgoing
      }
      return (counts, branches)
    case .parallel(let children):
      return (children.flatMap { batchConcatBranches($0, incoming: 1).counts }, children.count)
    case .fanOut(let num): return ([], num)
    case .fanInConcat(.batch): return ([incoming], 1)
    case .fanInSum, .fanInProd, .fanInConcat(.channel): return ([], 1)
    default: return ([], incoming)
    }
  }

  // MARK: walking the tree

  private mutating func apply(_ node: LayerNode, _ states: [State]) throws(NumericError) -> [State] {
    switch node {
    case .serial(let children):
      var states = states
      for child in children { states = try apply(child, states) }
      return states
    case .parallel(let children):
      guard children.count == states.count else {
        throw .invalid(
          "[parallel] needs one input for each of its \(children.count) branches. Received \(states.count): FanOut comes before it."
        )
      }
      var result: [State] = []
      for (child, state) in zip(children, states) {
        let branch = try apply(child, [state])
        guard branch.count == 1 else {
          throw .invalid("[parallel] each branch must end with one output. Received \(branch.count).")
        }
        result += branch
      }
      return result
    case .fanInSum, .fanInProd, .fanInConcat: return [try fanIn(node, states)]
    default:
      guard states.count == 1, let state = states.first else {
        throw .invalid("[serial] a layer after FanOut needs parallel around it. Received \(states.count) branches.")
      }
      return try single(node, state)
    }
  }

  private mutating func single(_ node: LayerNode, _ state: State) throws(NumericError) -> [State] {
    layers += 1
    switch node {
    case .dense(let layer): return [dense(layer, state)]
    case .fanOut(let num): return try fanOut(num, state)
    case .layerNorm(let epsilon): return [try layerNorm(epsilon, state)]
    case .dropout(let rate, let training): return [try dropout(rate, training, state)]
    case .activation(let activation): return [try nonlinearity(activation, state)]
    case .convolution, .pool, .globalPool, .batchNorm:
      throw .invalid(
        "[kernel_fn] needs layers whose infinite-width kernel is known here. Received a convolution, pooling or BatchNorm: "
          + "these are for finite networks (init_fn, apply_fn, empirical kernels).")
    default: return [state]
    }
  }

  private mutating func newArrays(_ count: Int) -> [ArrayID] {
    // Both sides number their arrays alike.
    defer {
      rowArrays += count
      colArrays += count
    }
    return Array(rowArrays..<(rowArrays + count))
  }

  private mutating func emit(_ action: RowStep.Action, _ name: String, from state: State, to output: ArrayID) {
    let layer = "layer \(layers) (\(name))"
    rowSteps.append(RowStep(action: action, input: state.row, output: output, layer: layer))
    colSteps.append(RowStep(action: action, input: state.col, output: output, layer: layer))
  }

  // MARK: layers

  private mutating func dense(_ layer: DenseLayer, _ state: State) -> State {
    let mixes = layer.hasBias && layer.biasStd > 0
    let ids = newArrays(mixes ? 4 : 2)
    // theta' = own K + back theta + constant, with K the kernel before this layer.
    let back = layer.weightStd * layer.weightStd
    let (dw, db) = tangent?.directions(layer) ?? (0, 0)
    var ownRoot = layer.isStandard ? (Double(state.width) / Double(layer.inputScale)).squareRoot() : layer.weightStd
    var constant = layer.isStandard ? (layer.hasBias ? 1 : 0) : layer.biasStd * layer.biasStd
    var constantChange = layer.isStandard ? 0 : 2 * layer.biasStd * db
    if layer.isFrozen { (ownRoot, constant, constantChange) = (0, 0, 0) }
    emit(
      .dense(layer, ownRoot: ownRoot, own: ids[1], cosine: mixes ? ids[2] : nil, sine: mixes ? ids[3] : nil), "Dense",
      from: state, to: ids[0])

    let numbers = [back, constant, 2 * layer.weightStd * dw, constantChange]
    let arrays = Array(ids.dropFirst())
    let epilogue: StripArguments.Epilogue = mixes ? .denseBias : .dense
    if let last = pairSteps.last, last.slot == state.slot, last.epilogue == .none, last.canTakeEpilogue {
      let at = pairSteps.count - 1
      pairSteps[at].epilogue = epilogue
      pairSteps[at].parameters.replaceSubrange(8..<12, with: numbers)
      pairSteps[at].rowArrays += arrays
      pairSteps[at].colArrays += arrays
    } else {
      var parameters = PairStep.parameters([])
      parameters.replaceSubrange(8..<12, with: numbers)
      pairSteps.append(
        PairStep(
          action: .dense, slot: state.slot, rowArrays: arrays, colArrays: arrays, parameters: parameters, epilogue: epilogue))
    }
    let width = layer.outDim * (layer.isStandard ? layer.outputScale : 1)
    return State(
      slot: state.slot, row: ids[0], col: ids[0], isGaussian: true, isInput: false, width: width,
      isNonNegative: state.isNonNegative)
  }

  private mutating func nonlinearity(_ activation: Activation, _ state: State) throws(NumericError) -> State {
    guard state.isGaussian else {
      throw .invalid(
        "[\(activation.name)] the input to a nonlinearity must be Gaussian: put a Dense layer before it. "
          + "Received \(state.isInput ? "the data" : "the output of another nonlinearity or product").")
    }
    var next = state
    next.isGaussian = false
    switch activation.dual {
    case .closed(let name, let numbers):
      let kind = DualKind(name)
      let own = newArrays(try KernelTable.current.float64.dual(kind).arrayCount)
      let output = newArrays(1)[0]
      let parameters = numbers.count <= 16 ? PairStep.parameters(numbers) : numbers
      let pairKind = kind == .relu && state.isNonNegative ? .acuteReLU : kind
      let action = RowStep.Action.dual(kind, parameters: parameters, arrays: own, homogeneity: activation.homogeneity)
      emit(action, activation.name, from: state, to: output)
      pairSteps.append(
        PairStep(action: .dual(pairKind), slot: state.slot, rowArrays: own, colArrays: own, parameters: parameters))
      (next.row, next.col) = (output, output)
      next.isNonNegative = kind == .relu
    case .polynomial(let coefficients):
      next = series(
        SeriesSource(coefficients: .polynomial(coefficients), parity: activation.parity, tolerance: 0), activation.name, state)
    case .expansion(let tolerance):
      guard let function = activation.function else {
        throw .invalid("[\(activation.name)] an expansion needs a function. Received a kernel without one.")
      }
      next = series(
        SeriesSource(coefficients: .function(function), parity: activation.parity, tolerance: tolerance), activation.name, state)
    case .piecewiseLinear(let function):
      next = tabulated(activation.name, state) { .tabulated(PiecewiseLinearDual(function), first: $0, table: $1) }
    case .userExpansion(let function, let tolerance):
      usesUserFunctions = true
      next = series(
        SeriesSource(coefficients: .user(function), parity: .none, tolerance: tolerance), activation.name, state)
    case .userDual(let function):
      next = user(.userDual(function: function), .userDual(function: function), activation.name, next)
    case .userQuadrature(let function, let degree):
      next = user(
        .userQuadrature(function: function, degree: degree), .userQuadrature(function: function, degree: degree),
        activation.name, next)
    }
    return next
  }

  private mutating func series(_ source: SeriesSource, _ name: String, _ state: State) -> State {
    tabulated(name, state, parity: source.parity) { .series(source, ratio: $0, table: $1) }
  }

  /// A nonlinearity with arrays of its own: the action is made for the first of them and for the number of the table of the others.
  private mutating func tabulated(
    _ name: String, _ state: State, parity: Parity = .none, _ action: (ArrayID, Int) -> RowStep.Action
  ) -> State {
    let ids = newArrays(2)
    emit(action(ids[0], tables), name, from: state, to: ids[1])
    var parameters = PairStep.parameters([])
    parameters[3] = Double(parity.rawValue)
    pairSteps.append(
      PairStep(
        action: .series(table: tables), slot: state.slot, rowArrays: [ids[0]], colArrays: [ids[0]], parameters: parameters))
    tables += 1
    var next = state
    (next.row, next.col) = (ids[1], ids[1])
    (next.isGaussian, next.isNonNegative) = (false, false)
    return next
  }

  private mutating func user(
    _ rowAction: RowStep.Action, _ pairAction: PairStep.Action, _ name: String, _ state: State
  ) -> State {
    usesUserFunctions = true
    let output = newArrays(1)[0]
    emit(rowAction, name, from: state, to: output)
    pairSteps.append(
      PairStep(action: pairAction, slot: state.slot, rowArrays: [state.row, output], colArrays: [state.col, output]))
    var next = state
    (next.row, next.col) = (output, output)
    next.isNonNegative = false
    return next
  }

  private mutating func layerNorm(_ epsilon: Double, _ state: State) throws(NumericError) -> State {
    guard state.isGaussian else {
      throw .invalid(
        "[LayerNorm] needs a Gaussian input: put a Dense layer before it. Received \(state.isInput ? "the data" : "activations")."
      )
    }
    let ids = newArrays(2)
    emit(.layerNorm(epsilon: epsilon, scale: ids[0]), "LayerNorm", from: state, to: ids[1])
    pairSteps.append(PairStep(action: .scale, slot: state.slot, rowArrays: [ids[0]], colArrays: [ids[0]]))
    var next = state
    (next.row, next.col) = (ids[1], ids[1])
    return next
  }

  private mutating func dropout(_ rate: Double, _ training: Bool, _ state: State) throws(NumericError) -> State {
    guard training else { return state }
    guard !state.isInput else {
      throw .invalid("[Dropout] cannot be applied to the input. Received the data: put a layer before it.")
    }
    let output = newArrays(1)[0]
    emit(.dropout(rate: rate), "Dropout", from: state, to: output)
    pairSteps.append(PairStep(action: .shrink(rate: rate), slot: state.slot, parameters: PairStep.parameters([rate])))
    var next = state
    next.isGaussian = false
    (next.row, next.col) = (output, output)
    return next
  }

  // MARK: branches

  private mutating func fanOut(_ num: Int, _ state: State) throws(NumericError) -> [State] {
    var states = [state]
    for _ in 1..<max(num, 1) {
      var copy = state
      copy.slot = slots
      slots += 1
      guard slots <= 4096 else { throw .invalid("[FanOut] a network may have at most 4096 branches. Received more.") }
      pairSteps.append(PairStep(action: .copy(from: state.slot), slot: copy.slot))
      states.append(copy)
    }
    return states
  }

  private mutating func fanIn(_ node: LayerNode, _ states: [State]) throws(NumericError) -> State {
    layers += 1
    guard var result = states.first else { throw .invalid("[FanIn] needs at least one branch. Received none.") }
    if states.count == 1 { return result }
    let allGaussian = states.allSatisfy { $0.isGaussian }
    switch node {
    case .fanInConcat(.batch):
      guard allGaussian else {
        throw .invalid(
          "[FanInConcat] along the batch needs Gaussian branches: put a Dense layer at the end of each. Received others.")
      }
      guard rowBlock < states.count, colBlock < states.count else {
        throw NumericError(.internal, "[FanInConcat] block out of range.")
      }
      let slot = result.slot
      if rowBlock != colBlock {
        pairSteps.append(PairStep(action: .uncorrelated, slot: slot))
      } else if states[rowBlock].slot != slot {
        pairSteps.append(PairStep(action: .copy(from: states[rowBlock].slot), slot: slot))
      }
      (result.row, result.col) = (states[rowBlock].row, states[colBlock].col)
      result.isGaussian = true
    case .fanInConcat(.channel):
      let total = states.reduce(0.0) { $0 + Double($1.width) }
      result = merge(states, "FanInConcat", weights: states.map { Double($0.width) / total })
      result.isGaussian = false
      result.width = states.reduce(0) { $0 &+ $1.width }
    case .fanInSum:
      try requireEqualWidths(states, "FanInSum")
      guard allGaussian else {
        throw .invalid("[FanInSum] needs Gaussian branches: put a Dense layer at the end of each. Received others.")
      }
      result = merge(states, "FanInSum", weights: states.map { _ in 1 })
    default:
      try requireEqualWidths(states, "FanInProd")
      let output = newArrays(1)[0]
      emitFanIn(states, "FanInProd", output, row: { .product(branches: $0) })
      pairSteps.append(
        PairStep(
          action: .product, slot: result.slot, branches: states.map(\.slot), rowArrays: states.map(\.row),
          colArrays: states.map(\.col)))
      (result.row, result.col) = (output, output)
      result.isGaussian = false
    }
    result.isInput = states.allSatisfy { $0.isInput }
    result.isNonNegative = states.allSatisfy { $0.isNonNegative }
    return result
  }

  private func requireEqualWidths(_ states: [State], _ name: String) throws(NumericError) {
    guard states.allSatisfy({ $0.width == states[0].width }) else {
      throw .invalid("[\(name)] all branches must have the same width. Received \(states.map(\.width)).")
    }
  }

  private mutating func merge(_ states: [State], _ name: String, weights: [Double]) -> State {
    let shares = newArrays(states.count)
    let output = newArrays(1)[0]
    emitFanIn(states, name, output, row: { .sum(branches: $0, weights: weights, shares: shares) })
    var result = states[0]
    pairSteps.append(
      PairStep(
        action: .sum, slot: result.slot, branches: states.map(\.slot), rowArrays: shares, colArrays: shares,
        parameters: PairStep.parameters([], long: weights)))
    (result.row, result.col) = (output, output)
    return result
  }

  private mutating func emitFanIn(
    _ states: [State], _ name: String, _ output: ArrayID, row action: ([ArrayID]) -> RowStep.Action
  ) {
    let layer = "layer \(layers) (\(name))"
    rowSteps.append(RowStep(action: action(states.map(\.row)), input: states[0].row, output: output, layer: layer))
    colSteps.append(RowStep(action: action(states.map(\.col)), input: states[0].col, output: output, layer: layer))
  }
}

extension PairStep {
  /// Whether its strip kernel can run a Dense layer on its way out.
  fileprivate var canTakeEpilogue: Bool {
    switch action {
    case .dual, .series: true
    default: false
    }
  }
}

extension ElementKernels {
  /// The strip kernel of a closed form; throws where the kernels at hand have none of that name.
  func dual(_ kind: DualKind) throws(NumericError) -> DualKernel {
    guard let kernel = duals[kind] else {
      throw .invalid("[kernel_fn] the closed form of a dual must have a strip kernel. Received \(kind), which has none.")
    }
    return kernel
  }
}
