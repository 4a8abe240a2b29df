import Activations
import Architectures
import NumericCore
import VectorKernelTypes
import VectorKernels

/// Turns a typed network into the steps of a `PointwiseProgram`.
///
/// A state is followed through its nodes: the slot of its pair values and, on either side, the array of its deviations.
/// FanInConcat along the batch gives a kernel of blocks; a program is built for one pair of blocks at a time.
struct ProgramBuilder {
  private struct State {
    var slot: Int
    var row: ArrayID
    var col: ArrayID
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
  /// The layer that is being written, for messages.
  private var layers = 0
  private let rowBlock: Int
  private let colBlock: Int
  private let tangent: DenseTangent?

  private init(rowBlock: Int, colBlock: Int, tangent: DenseTangent?) {
    self.rowBlock = rowBlock
    self.colBlock = colBlock
    self.tangent = tangent
  }

  /// The steps for output blocks (rowBlock, colBlock) of a network.
  static func build(
    _ network: TypedNetwork, rowBlock: Int = 0, colBlock: Int = 0, tangent: DenseTangent? = nil
  ) throws(NumericError) -> PointwiseProgram {
    var builder = ProgramBuilder(rowBlock: rowBlock, colBlock: colBlock, tangent: tangent)
    _ = try network.output()
    let last = try one(try builder.apply(network.root, [State(slot: 0, row: 0, col: 0)]))
    if last.slot != 0 { builder.pairSteps.append(PairStep(action: .copy(from: last.slot), slot: 0)) }
    return PointwiseProgram(
      rowSteps: builder.rowSteps, colSteps: builder.colSteps, pairSteps: builder.pairSteps, rowArrayCount: builder.rowArrays,
      colArrayCount: builder.colArrays, rowTableCount: builder.tables, colTableCount: builder.tables, slotCount: builder.slots,
      rowOutput: last.row, colOutput: last.col, usesUserFunctions: network.root.layer.usesUserFunctions)
  }

  // MARK: walking the tree

  private mutating func apply(_ node: TypedNode, _ states: [State]) throws(NumericError) -> [State] {
    guard !states.isEmpty else { throw NumericError(.internal, "[kernel] a layer has no input.") }
    layers = node.position
    switch node.layer {
    case .serial:
      var states = states
      for child in node.children { states = try apply(child, states) }
      return states
    case .parallel:
      var result: [State] = []
      for (child, state) in zip(node.children, states) { result += try apply(child, [state]) }
      return result
    case .identity, .flatten: return states
    case .dense(let layer):
      return [dense(layer, try ProgramBuilder.one(states), inputs: node.before.signals.first?.channels ?? 1)]
    case .activation(let activation): return [try nonlinearity(activation, try ProgramBuilder.one(states))]
    case .layerNorm(let epsilon): return [layerNorm(epsilon, try ProgramBuilder.one(states))]
    case .dropout(let rate, let training): return [dropout(rate, training, try ProgramBuilder.one(states))]
    case .fanOut(let num): return try fanOut(num, try ProgramBuilder.one(states))
    case .fanInSum: return [sum(states, "FanInSum", weights: [Double](repeating: 1, count: states.count))]
    case .fanInProd: return [product(states)]
    case .fanInConcat(.channel):
      let widths = node.before.signals.map { Double($0.channels) }
      let total = widths.reduce(0, +)
      return [sum(states, "FanInConcat", weights: widths.map { $0 / total })]
    case .fanInConcat(.batch): return [try block(states)]
    case .convolution, .pool, .globalPool, .batchNorm: throw PointwiseKernel.refusal(of: node.layer)
    }
  }

  /// The only state; that there is one was seen to when the network was typed.
  private static func one(_ states: [State]) throws(NumericError) -> State {
    guard states.count == 1, let state = states.first else {
      throw NumericError(.internal, "[kernel] a layer needs one input. Received \(states.count).")
    }
    return state
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

  private mutating func dense(_ layer: DenseLayer, _ state: State, inputs: Int) -> State {
    let mixes = layer.hasBias && layer.biasStd > 0
    let ids = newArrays(mixes ? 4 : 2)
    // theta' = own K + back theta + constant, with K the kernel before this layer.
    let back = layer.weightStd * layer.weightStd
    let (dw, db) = tangent?.directions(layer) ?? (0, 0)
    var ownRoot = layer.isStandard ? (Double(inputs) / Double(layer.inputScale)).squareRoot() : layer.weightStd
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
    return State(slot: state.slot, row: ids[0], col: ids[0], isNonNegative: state.isNonNegative)
  }

  private mutating func nonlinearity(_ activation: Activation, _ state: State) throws(NumericError) -> State {
    var next = state
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
    case .userExpansion(let function, let tolerance):
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
    let ids = newArrays(2)
    emit(.series(source, ratio: ids[0], table: tables), name, from: state, to: ids[1])
    var parameters = PairStep.parameters([])
    parameters[3] = Double(source.parity.rawValue)
    pairSteps.append(
      PairStep(
        action: .series(table: tables), slot: state.slot, rowArrays: [ids[0]], colArrays: [ids[0]], parameters: parameters))
    tables += 1
    var next = state
    (next.row, next.col) = (ids[1], ids[1])
    next.isNonNegative = false
    return next
  }

  private mutating func user(
    _ rowAction: RowStep.Action, _ pairAction: PairStep.Action, _ name: String, _ state: State
  ) -> State {
    let output = newArrays(1)[0]
    emit(rowAction, name, from: state, to: output)
    pairSteps.append(
      PairStep(action: pairAction, slot: state.slot, rowArrays: [state.row, output], colArrays: [state.col, output]))
    var next = state
    (next.row, next.col) = (output, output)
    next.isNonNegative = false
    return next
  }

  private mutating func layerNorm(_ epsilon: Double, _ state: State) -> State {
    let ids = newArrays(2)
    emit(.layerNorm(epsilon: epsilon, scale: ids[0]), "LayerNorm", from: state, to: ids[1])
    pairSteps.append(PairStep(action: .scale, slot: state.slot, rowArrays: [ids[0]], colArrays: [ids[0]]))
    var next = state
    (next.row, next.col) = (ids[1], ids[1])
    return next
  }

  private mutating func dropout(_ rate: Double, _ training: Bool, _ state: State) -> State {
    guard training else { return state }
    let output = newArrays(1)[0]
    emit(.dropout(rate: rate), "Dropout", from: state, to: output)
    pairSteps.append(PairStep(action: .shrink(rate: rate), slot: state.slot, parameters: PairStep.parameters([rate])))
    var next = state
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

  /// The branch of this program's row block against that of its column block: independent unless they are the same.
  private mutating func block(_ states: [State]) throws(NumericError) -> State {
    guard rowBlock < states.count, colBlock < states.count else {
      throw NumericError(.internal, "[FanInConcat] block out of range.")
    }
    var result = joined(states)
    if rowBlock != colBlock {
      pairSteps.append(PairStep(action: .uncorrelated, slot: result.slot))
    } else if states[rowBlock].slot != result.slot {
      pairSteps.append(PairStep(action: .copy(from: states[rowBlock].slot), slot: result.slot))
    }
    (result.row, result.col) = (states[rowBlock].row, states[colBlock].col)
    return result
  }

  private mutating func product(_ states: [State]) -> State {
    guard states.count > 1 else { return states[0] }
    let output = newArrays(1)[0]
    emitFanIn(states, "FanInProd", output, row: { .product(branches: $0) })
    var result = joined(states)
    pairSteps.append(
      PairStep(
        action: .product, slot: result.slot, branches: states.map(\.slot), rowArrays: states.map(\.row),
        colArrays: states.map(\.col)))
    (result.row, result.col) = (output, output)
    return result
  }

  private mutating func sum(_ states: [State], _ name: String, weights: [Double]) -> State {
    guard states.count > 1 else { return states[0] }
    let shares = newArrays(states.count)
    let output = newArrays(1)[0]
    emitFanIn(states, name, output, row: { .sum(branches: $0, weights: weights, shares: shares) })
    var result = joined(states)
    pairSteps.append(
      PairStep(
        action: .sum, slot: result.slot, branches: states.map(\.slot), rowArrays: shares, colArrays: shares,
        parameters: PairStep.parameters([], long: weights)))
    (result.row, result.col) = (output, output)
    return result
  }

  /// The first branch's place, for what all of them become.
  private func joined(_ states: [State]) -> State {
    var result = states[0]
    result.isNonNegative = states.allSatisfy { $0.isNonNegative }
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
