import Architectures
import CNTKSwift
import InfiniteWidth
import NumericCore

@_cdecl("ntk_architecture_flow") @implementation
public func ntk_architecture_flow(
  _ handle: Int64, _ input: UnsafePointer<ntk_network_input>!, _ info: UnsafeMutablePointer<ntk_flow_info>!,
  _ outputs: UnsafeMutablePointer<ntk_signal>!, _ output_room: Int64, _ slots: UnsafeMutablePointer<ntk_parameter_slot>!,
  _ slot_room: Int64, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard let input = input?.pointee, let info else {
      throw .invalid("[architecture] needs what enters it and room for the answer. Received a null pointer.")
    }
    let network = try typedNetwork(handle, input)
    let ends = input.wants_one_output != 0 ? [try network.output()] : network.root.after.signals
    try require(outputs == nil || output_room >= Int64(ends.count), "\(ends.count) outputs", output_room)
    try require(slots == nil || slot_room >= Int64(network.slots.count), "\(network.slots.count) slots", slot_room)
    let isBranched = if case .branches = network.root.after { true } else { false }
    info.pointee = ntk_flow_info(
      output_count: Int64(ends.count), output_is_branched: isBranched ? 1 : 0, reserved: 0,
      slot_count: Int64(network.slots.count),
      parameter_count: Int64(network.parameterCount))
    if let outputs { for (k, end) in ends.enumerated() { outputs[k] = ntk_signal(end) } }
    if let slots { for (k, slot) in network.slots.enumerated() { slots[k] = ntk_parameter_slot(slot) } }
  }
}

private func require(_ fits: Bool, _ what: String, _ room: Int64) throws(NumericError) {
  guard fits else { throw .invalid("[architecture] needs room for \(what). Received room for \(room).") }
}

private func typedNetwork(_ handle: Int64, _ input: ntk_network_input) throws(NumericError) -> TypedNetwork {
  let node = try ArchitectureTable.node(handle)
  guard let regime = WidthRegime(rawValue: Int(input.regime)) else {
    throw .invalid("[architecture] regime must be 0 (infinite) or 1 (finite). Received \(input.regime).")
  }
  guard let given = input.signals, input.count >= 1, input.count <= 1 << 20, input.is_branched != 0 || input.count == 1 else {
    throw .invalid("[architecture] one signal or one for each branch must enter. Received \(input.count).")
  }
  var signals: [Signal] = []
  for k in 0..<Int(input.count) { signals.append(try signal(given[k])) }
  switch regime {
  case .infinite: try PointwiseKernel.accept(node)
  case .finite: break
  }
  return try TypedNetwork(node, from: input.is_branched != 0 ? .branches(signals) : .one(signals[0]), regime: regime)
}

/// A caller's signal; its sizes are checked where the network is typed.
private func signal(_ given: ntk_signal) throws(NumericError) -> Signal {
  guard let law = Law(rawValue: Int(given.law)) else {
    throw .invalid("[architecture] law must be 0 (data), 1 (Gaussian) or 2 (other). Received \(given.law).")
  }
  guard given.spatial_axes >= 0, given.spatial_axes <= Int32(NTK_SPATIAL_AXES) else {
    throw .invalid("[architecture] inputs have 0 to \(NTK_SPATIAL_AXES) spatial axes. Received \(given.spatial_axes).")
  }
  let (a, b, c, d, e, f) = given.spatial
  let spatial = [a, b, c, d, e, f].prefix(Int(given.spatial_axes)).map { Int($0) }
  return Signal(GridShape(spatial: spatial, channels: Int(given.channels)), law: law, blocks: Int(given.blocks))
}

extension ntk_signal {
  fileprivate init(_ signal: Signal) {
    self.init()
    channels = Int64(signal.channels)
    blocks = Int64(signal.blocks)
    law = Int32(signal.law.rawValue)
    spatial_axes = Int32(signal.spatial.count)
    withUnsafeMutableBytes(of: &spatial) { copy(signal.spatial, to: $0) }
  }
}

extension ntk_parameter_slot {
  fileprivate init(_ slot: ParameterSlot) {
    self.init()
    role = Int32(slot.role.rawValue)
    is_trainable = slot.isTrainable ? 1 : 0
    layer = Int64(slot.layer)
    offset = Int64(slot.offset)
    fan_in = Int64(slot.fanIn)
    initial_deviation = slot.initialDeviation
    axes = Int64(slot.shape.count)
    withUnsafeMutableBytes(of: &shape) { copy(slot.shape, to: $0) }
  }
}

/// Writes as many numbers as there is room for.
private func copy(_ numbers: [Int], to bytes: UnsafeMutableRawBufferPointer) {
  let room = bytes.bindMemory(to: Int64.self)
  for (k, number) in numbers.prefix(room.count).enumerated() { room[k] = Int64(number) }
}
