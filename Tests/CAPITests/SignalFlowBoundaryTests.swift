import CAPI
import CNTKSwift
import Testing

/// Typing of networks at the boundary: what enters is never trusted, and rooms are never overrun.
@Suite struct SignalFlowBoundaryTests {
  private let network = Layer.serial([Layer.dense(4, bias: true), Layer.relu, Layer.dense(2)])

  private func signal(_ channels: Int64, _ spatial: [Int64] = [], law: Int32 = 0) -> ntk_signal {
    var signal = ntk_signal()
    (signal.channels, signal.blocks, signal.law, signal.spatial_axes) = (channels, 1, law, Int32(spatial.count))
    withUnsafeMutableBytes(of: &signal.spatial) { room in
      for (k, length) in spatial.prefix(6).enumerated() { room.storeBytes(of: length, toByteOffset: 8 * k, as: Int64.self) }
    }
    return signal
  }

  /// The status and the answer for one signal; `change` may spoil what enters.
  private func flow(
    _ handle: Int64, _ entering: ntk_signal, regime: Int32 = 1, _ change: (inout ntk_network_input) -> Void = { _ in },
    outputs: Int64 = 8, slots: Int64 = 8
  ) -> (status: Int32, info: ntk_flow_info, outputs: [ntk_signal], slots: [ntk_parameter_slot], text: String) {
    var (error, info) = (ntk_error(), ntk_flow_info())
    var ends = [ntk_signal](repeating: ntk_signal(), count: 8)
    var places = [ntk_parameter_slot](repeating: ntk_parameter_slot(), count: 8)
    let status = withUnsafePointer(to: entering) { pointer in
      var input = ntk_network_input(signals: pointer, count: 1, is_branched: 0, regime: regime, wants_one_output: 0, reserved: 0)
      change(&input)
      return ntk_architecture_flow(handle, &input, &info, &ends, outputs, &places, slots, &error)
    }
    return (status, info, ends, places, text(error))
  }

  @Test func aNetworkIsHandedOver() {
    let (status, info, outputs, slots, _) = flow(network, signal(3))
    #expect(status == 0)
    #expect(info.output_count == 1 && info.output_is_branched == 0 && info.slot_count == 3 && info.parameter_count == 24)
    #expect(outputs[0].channels == 2 && outputs[0].blocks == 1 && outputs[0].law == 1 && outputs[0].spatial_axes == 0)
    #expect(slots.prefix(3).map(\.role) == [0, 1, 0] && slots.prefix(3).map(\.offset) == [0, 12, 16])
    #expect(slots[0].shape.0 == 3 && slots[0].shape.1 == 4 && slots[0].axes == 2 && slots[0].fan_in == 3)
    #expect(slots.prefix(3).map(\.layer) == [1, 1, 3] && slots.prefix(3).allSatisfy { $0.is_trainable == 1 })
    let infinite = flow(network, signal(3), regime: 0)
    #expect(infinite.status == 0 && infinite.info.slot_count == 0 && infinite.outputs[0].law == 1)
  }

  @Test func sizesComeFirst() {
    var (info, error) = (ntk_flow_info(), ntk_error())
    withUnsafePointer(to: signal(3)) { pointer in
      var input = ntk_network_input(signals: pointer, count: 1, is_branched: 0, regime: 1, wants_one_output: 1, reserved: 0)
      #expect(ntk_architecture_flow(network, &input, &info, nil, 0, nil, 0, &error) == 0)
    }
    #expect(info.output_count == 1 && info.slot_count == 3)
  }

  @Test func roomsAreNotOverrun() {
    for (outputs, slots) in [(0, 8), (8, 2), (-1, 8), (8, -1), (.min, 8), (8, .min)] as [(Int64, Int64)] {
      let answer = flow(network, signal(3), outputs: outputs, slots: slots)
      #expect(answer.status != 0 && answer.text.hasPrefix("[architecture] needs room"), "\(outputs), \(slots)")
      #expect(answer.outputs[0].channels == 0 && answer.slots[0].axes == 0)
    }
  }

  @Test func nullPointersAndUnknownNetworksAreErrors() {
    var (info, input) = (ntk_flow_info(), ntk_network_input())
    #expect(fails { ntk_architecture_flow(network, nil, &info, nil, 0, nil, 0, $0) })
    #expect(fails { ntk_architecture_flow(network, &input, nil, nil, 0, nil, 0, $0) })
    #expect(fails { ntk_architecture_flow(network, &input, &info, nil, 0, nil, 0, $0) })
    #expect(flow(-4, signal(3)).status != 0)
    #expect(fails { ntk_architecture_describe(network, nil, $0) })
  }

  @Test func whatEntersIsChecked() {
    for count: Int64 in [0, -1, 2, .max, .min] { #expect(flow(network, signal(3), { $0.count = count }).status != 0, "\(count)") }
    for count: Int64 in [0, -1, .max, .min] {
      #expect(flow(network, signal(3), { ($0.count, $0.is_branched) = (count, 1) }).status != 0, "\(count) branches")
    }
    for regime: Int32 in [-1, 2, .max, .min] { #expect(flow(network, signal(3), regime: regime).status != 0) }
    for law: Int32 in [-1, 3, .max, .min] { #expect(flow(network, signal(3, law: law)).status != 0) }
    for channels: Int64 in [0, -1, .min, .max] { #expect(flow(network, signal(channels)).status != 0, "\(channels)") }
    for spatial in [[0], [-1, 3], [.max, .max], [.min], [1 << 40, 1 << 40, 1 << 40]] as [[Int64]] {
      for regime: Int32 in [0, 1] { #expect(flow(network, signal(3, spatial), regime: regime).status != 0, "\(spatial)") }
    }
    for axes: Int32 in [-1, 7, .max, .min] {
      var entering = signal(3)
      entering.spatial_axes = axes
      #expect(flow(network, entering).status != 0, "\(axes) axes")
    }
    for blocks: Int64 in [0, 2, -1, .max, .min] {
      var entering = signal(3)
      entering.blocks = blocks
      #expect(flow(network, entering).status != 0, "\(blocks) blocks")
    }
  }

  @Test func branchesAtTheEndAreNoOutput() {
    let fanOut = Layer.single(Layer(kind: NTK_FAN_OUT, integers: [3]))
    let open = flow(fanOut, signal(3))
    #expect(open.status == 0 && open.info.output_count == 3 && open.info.output_is_branched == 1)
    #expect(flow(fanOut, signal(3), { $0.wants_one_output = 1 }).status != 0)
    #expect(flow(fanOut, signal(3), outputs: 2).status != 0)
  }

  @Test func theInfiniteLimitRefusesWhatHasNoKernel() {
    let handle = Layer.serial([Layer.dense(3), Layer.batchNorm])
    #expect(flow(handle, signal(3)).status == 0)
    let answer = flow(handle, signal(3), regime: 0)
    #expect(answer.status != 0 && answer.text.hasPrefix("[BatchNorm] has no infinite-width kernel"))
  }
}
