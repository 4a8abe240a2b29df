import CAPI
import CNTKSwift
import Testing

/// The record that training runs of all kinds write to, in memory of its own.
enum TestRecord {
  /// Windows of one step, and room for ten steps, unless a test wants others.
  static func use(
    window: Int64 = 1, room: Int64 = 12, _ body: (UnsafeMutablePointer<ntk_training_record>?) -> Int32
  ) -> Int32 {
    var columns = [Double](repeating: 0, count: 64)
    return columns.withUnsafeMutableBufferPointer { columns in
      guard let p = columns.baseAddress else { return -1 }
      var record = ntk_training_record()
      (record.loss, record.rate, record.time) = (p, p + 16, p + 32)
      (record.room, record.window, record.first) = (room, window, .nan)
      return body(&record)
    }
  }
}

/// The record's numbers, which all training runs check in the same place.
@Suite struct RecordBoundaryTests {
  private let data = [Argument(rows: 4, cols: 3), Argument(rows: 4, cols: 1), Argument(rows: 1, cols: 8)]

  private func descend(_ m: [ntk_matrix], _ steps: Int64, _ window: Int64, _ room: Int64) -> Int32 {
    var problem = ntk_linear_bottleneck(inputs: m[0], targets: m[1], units: 2, scale: 0.5, inner_depth: 1, outer_depth: 2)
    return TestRecord.use(window: window, room: room) { ntk_linear_descend(&problem, [m[2]], steps, 0.1, 1e6, $0, nil, nil) }
  }

  @Test func roomStepsAndWindowsAreChecked() {
    HostileCalls.valid(data) { m in
      #expect(descend(m, 10, 1, 11) == 0)
      for (steps, window, room) in [
        (10, 1, 10), (10, 1, 0), (10, 1, -1), (10, 1, .min), (-1, 1, 12), (.max, 1, .max), (1 << 48, 1, .max), (10, 0, 12),
        (10, 2, 12), (10, -1, 12), (10, .min, 12),
      ] as [(Int64, Int64, Int64)] {
        #expect(descend(m, steps, window, room) != 0, "\(steps) steps, windows of \(window), room for \(room)")
      }
    }
  }

  @Test func whatWasDoneIsWrittenBack() {
    HostileCalls.valid(data) { m in
      var problem = ntk_linear_bottleneck(inputs: m[0], targets: m[1], units: 2, scale: 0.5, inner_depth: 1, outer_depth: 2)
      _ = TestRecord.use { record in
        let status = ntk_linear_descend(&problem, [m[2]], 10, 1e-3, 1e6, record, nil, nil)
        #expect(record?.pointee.steps == 10 && record?.pointee.count == 11 && record?.pointee.outcome == 0)
        #expect((0...10).allSatisfy { record?.pointee.time?[$0] == Double($0) && record?.pointee.rate?[$0] == 1e-3 })
        return status
      }
    }
  }
}
