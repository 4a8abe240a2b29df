import CAPI
import CNTKSwift
import Testing

/// Training of finite networks at the boundary.
@Suite struct TrainingBoundaryTests {
  private let network = TestNetwork()
  private let x = Argument(rows: 6, cols: 3)
  private let y = Argument(rows: 6, cols: 2)

  private func training(_ change: (inout ntk_training) -> Void = { _ in }) -> ntk_training {
    var given = ntk_training()
    (given.optimizer.learning_rate, given.optimizer.b1, given.optimizer.b2, given.optimizer.epsilon) = (0.1, 0.9, 0.99, 1e-8)
    (given.optimizer.time, given.optimizer.tolerance, given.optimizer.cosine_steps) = (1, 1e-3, 5)
    (given.batch_size, given.threshold) = (6, -.infinity)
    change(&given)
    return given
  }

  /// Two steps on `m`; the state and the record may be spoilt.
  private func train(
    _ m: [ntk_matrix], _ given: ntk_training, steps: Int64 = 2, error: UnsafeMutablePointer<ntk_error>? = nil,
    network spoil: (inout ntk_network) -> Void = { _ in }, state change: (inout ntk_training_state) -> Void = { _ in },
    record alter: (inout ntk_training_record) -> Void = { _ in }
  ) -> Int32 {
    let count = Int(network.count)
    var memory = [Double](repeating: 0.1, count: 5 * count)
    var journal = [Double](repeating: 0, count: 64)
    return memory.withUnsafeMutableBufferPointer { memory in
      journal.withUnsafeMutableBufferPointer { journal in
        guard let p = memory.baseAddress, let q = journal.baseAddress else { return -1 }
        for i in 2 * count..<5 * count { p[i] = 0 }
        var (state, record, training) = (ntk_training_state(), ntk_training_record(), given)
        (state.parameters, state.start, state.moments, state.gradient) = (
          p, UnsafePointer(p + count), p + 2 * count, p + 4 * count
        )
        (state.parameter_count, state.moment_count) = (Int64(count), 2 * Int64(count))
        (record.loss, record.rate, record.room, record.window, record.first) = (q, q + 32, 3, 1, .nan)
        change(&state)
        alter(&record)
        return network.use(spoil) { ntk_network_train($0, &training, [m[0]], [m[1]], steps, &state, &record, nil, error) }
      }
    }
  }

  @Test(arguments: [NTK_DESCENT, NTK_ADAM, NTK_FLOW].map { Int32($0.rawValue) })
  func dataAreChecked(_ kind: Int32) {
    HostileCalls.run([x, y]) { m, error in
      train(
        m,
        training {
          $0.optimizer.kind = kind
          // The valid call has six inputs; so has none of those that must fail.
          $0.batch_size = 6
        }, error: error)
    }
  }

  @Test func numbersOfATrainingRunAreChecked() {
    let bad: [(inout ntk_training) -> Void] = [
      { $0.optimizer.kind = 3 }, { $0.optimizer.kind = -1 }, { $0.optimizer.learning_rate = 0 },
      { $0.optimizer.learning_rate = .nan },
      { $0.optimizer.momentum = 1 }, { $0.optimizer.momentum = .nan }, { $0.optimizer.weight_decay = -1 },
      { $0.optimizer.weight_decay = .nan }, { ($0.optimizer.kind, $0.optimizer.b1) = (1, 1) },
      { ($0.optimizer.kind, $0.optimizer.epsilon) = (1, .nan) }, { ($0.optimizer.kind, $0.optimizer.time) = (2, .nan) },
      { ($0.optimizer.kind, $0.optimizer.time) = (2, -1) }, { ($0.optimizer.kind, $0.optimizer.tolerance) = (2, 0) },
      { ($0.optimizer.kind, $0.batch_size) = (2, 3) }, { $0.optimizer.shape = 3 }, { $0.optimizer.shape = -1 },
      { $0.optimizer.shape = 1 }, { ($0.optimizer.shape, $0.optimizer.boundary_count) = (1, -1) },
      { ($0.optimizer.shape, $0.optimizer.boundary_count) = (1, .max) },
      { ($0.optimizer.shape, $0.optimizer.cosine_steps) = (2, 0) },
      { ($0.optimizer.shape, $0.optimizer.cosine_steps) = (2, .min) },
      { ($0.optimizer.shape, $0.optimizer.cosine_final) = (2, .nan) },
      { $0.optimizer.warmup = -1 }, { $0.optimizer.warmup = .min }, { $0.loss = 2 }, { $0.loss = -1 }, { $0.batch_size = 0 },
      { $0.batch_size = -6 }, { $0.batch_size = 7 }, { $0.batch_size = .max }, { $0.threshold = .nan },
    ]
    HostileCalls.valid([x, y]) { m in
      for (k, change) in bad.enumerated() { #expect(fails { train(m, training(change), error: $0) }, "training \(k)") }
      for steps: Int64 in [-1, .min, .max, 1 << 48] { #expect(fails { train(m, training(), steps: steps, error: $0) }) }
      for spoil in TestNetwork.spoilers.prefix(8) { #expect(fails { train(m, training(), error: $0, network: spoil) }) }
      // Large numbers that mean something.
      #expect(train(m, training { $0.optimizer.warmup = .max }) == 0)
      #expect(train(m, training { ($0.optimizer.shape, $0.optimizer.cosine_steps) = (2, .max) }) == 0)
    }
    HostileCalls.run([x, y]) { m, error in
      return train(m, training(), error: error)
    }
  }

  @Test func statesAndRecordsAreChecked() {
    let states: [(inout ntk_training_state) -> Void] = [
      { $0.parameters = nil }, { $0.start = nil }, { $0.moments = nil }, { $0.gradient = nil }, { $0.parameter_count -= 1 },
      { $0.parameter_count = .max }, { $0.parameter_count = -1 }, { $0.moment_count = 1 }, { $0.moment_count = .min },
      { $0.step = -1 }, { $0.step = .max }, { $0.time = -1 }, { $0.time = .nan }, { $0.next_step = .nan }, { $0.scale = -1 },
    ]
    let records: [(inout ntk_training_record) -> Void] = [
      { $0.loss = nil }, { $0.room = 2 }, { $0.room = -1 }, { $0.room = .min }, { $0.window = 0 }, { $0.window = -1 },
      { $0.window = 2 }, { $0.window = .min }, { $0.window = .max },
    ]
    HostileCalls.valid([x, y]) { m in
      let adam = training { $0.optimizer.kind = 1 }
      for (k, change) in states.enumerated() { #expect(fails { train(m, adam, error: $0, state: change) }, "state \(k)") }
      for (k, change) in records.enumerated() { #expect(fails { train(m, adam, error: $0, record: change) }, "record \(k)") }
      // A late step is as good as an early one, whatever the schedule and the batches.
      #expect(train(m, training { $0.batch_size = 4 }, state: { $0.step = 1 << 47 }) == 0)
    }
    HostileCalls.run([x, y]) { m, error in
      let adam = training { $0.optimizer.kind = 1 }
      return train(m, adam, error: error)
    }
  }

  @Test func evaluationsAreChecked() {
    var (loss, accuracy) = (0.0, 0.0)
    HostileCalls.run([x, y, Argument(rows: 1, cols: network.count)]) { m, error in
      var given = training { $0.is_linearised = 1 }
      return network.use { ntk_network_evaluate($0, &given, [m[2]], [m[0]], [m[1]], &loss, &accuracy, nil, error) }
    }
    HostileCalls.valid([x, y]) { m in
      var given = training()
      #expect(fails { e in network.use { ntk_network_evaluate($0, nil, nil, [m[0]], [m[1]], &loss, nil, nil, e) } })
      for spoil in TestNetwork.spoilers {
        #expect(fails { e in network.use(spoil) { ntk_network_evaluate($0, &given, nil, [m[0]], [m[1]], &loss, nil, nil, e) } })
      }
    }
    HostileCalls.run([x, y]) { m, error in
      var given = training()
      return network.use { ntk_network_evaluate($0, &given, nil, [m[0]], [m[1]], &loss, nil, nil, error) }
    }
  }

  @Test func batchesAreChecked() {
    var (indices, written) = ([Int64](repeating: 0, count: 8), Int64(0))
    let key: [UInt64] = [1, 2]
    for (count, size, step) in [
      (0, 1, 0), (-1, 1, 0), (.min, 1, 0), (4, 0, 0), (4, 5, 0), (4, -1, 0), (4, .max, 0), (4, 2, -1), (4, 2, .min), (.max, 3, 0),
    ] as [(Int64, Int64, Int64)] {
      #expect(fails { ntk_training_batch(key, count, size, step, &indices, &written, $0) }, "\(count), \(size), \(step)")
    }
    #expect(fails { ntk_training_batch(key, 4, 2, 0, nil, &written, $0) })
    #expect(fails { ntk_training_batch(key, 4, 2, 0, &indices, nil, $0) })
    #expect(ntk_training_batch(key, 4, 3, .max, &indices, &written, nil) == 0)
    #expect(written == 1 || written == 3)
  }
}
