import CAPI
import CNTKSwift
import Testing

/// Wrong arguments of the autoencoder's exports end with a status.
@Suite struct AutoencoderBoundaryTests {
  private func matrix(_ p: UnsafeMutablePointer<Double>?, _ rows: Int64, _ cols: Int64, stride: Int64? = nil) -> ntk_matrix {
    ntk_matrix(data: p, rows: rows, cols: cols, row_stride: stride ?? cols, col_stride: 1, dtype: 1, reserved: 0)
  }

  private func train(_ network: ntk_autoencoder, rate: Double = 0.1, steps: Int64 = 3, flow: Int32 = 0) -> Int32 {
    var (network, error, record) = (network, ntk_error(), ntk_training_record())
    var training = ntk_autoencoder_training(trains_decoder: 1, is_flow: flow, rate: rate, tolerance: 0, steps: steps)
    var loss = [Double](repeating: 0, count: 8)
    return loss.withUnsafeMutableBufferPointer {
      (record.loss, record.room, record.window, record.first) = ($0.baseAddress, 8, 1, .nan)
      return ntk_autoencoder_train(&network, &training, &record, nil, &error)
    }
  }

  @Test func nullPointersAreErrors() {
    var error = ntk_error()
    let invalid = Int32(NTK_INVALID_ARGUMENT.rawValue)
    #expect(ntk_autoencoder_train(nil, nil, nil, nil, &error) == invalid)
    #expect(ntk_autoencoder_outputs(nil, nil, nil, nil, &error) == invalid)
    #expect(ntk_autoencoder_kernel(nil, 3, nil, nil, &error) == invalid)
    #expect(ntk_autoencoder_limits(nil, nil, nil, nil, nil, &error) == invalid)
    #expect(ntk_autoencoder_tied_limit(nil, nil, nil, nil, &error) == invalid)
    #expect(ntk_autoencoder_movement(nil, nil, nil, nil, &error) == invalid)
    #expect(ntk_predicted_loss(nil, nil, nil, nil, 1, 0, 3, nil, nil, &error) == invalid)
  }

  @Test func wrongNetworksAreErrors() {
    var numbers = [Double](repeating: 0.5, count: 64)
    numbers.withUnsafeMutableBufferPointer { room in
      let p = room.baseAddress
      let good = ntk_autoencoder(x: matrix(p, 3, 2), encoder: matrix(p! + 8, 4, 2), decoder: matrix(p! + 16, 4, 2), scale: 0.3)
      #expect(train(good) == 0)
      var bad = good
      bad.scale = .nan
      #expect(train(bad) != 0)
      bad = good
      bad.encoder = matrix(p, 4, 3)
      #expect(train(bad) != 0)
      bad = good
      bad.decoder = matrix(p, 5, 2)
      #expect(train(bad) != 0)
      bad = good
      bad.encoder = matrix(p, 0, 2)
      #expect(train(bad) != 0)
      bad = good
      bad.encoder = matrix(p, 4, 2, stride: -2)
      #expect(train(bad) != 0)
      bad = good
      bad.x = matrix(p, .max, .max)
      #expect(train(bad) != 0)
      #expect(train(good, rate: 0) != 0)
      #expect(train(good, rate: .infinity) != 0)
      #expect(train(good, steps: -1) != 0)
      #expect(train(good, steps: .max) != 0)
      #expect(train(good, flow: 1) != 0, "a tolerance of 0")
    }
  }

  @Test func wrongResultsAreErrors() {
    var numbers = [Double](repeating: 0.5, count: 128)
    numbers.withUnsafeMutableBufferPointer { room in
      guard let p = room.baseAddress else { return }
      var error = ntk_error()
      var network = ntk_autoencoder(x: matrix(p, 3, 2), encoder: matrix(p + 8, 4, 2), decoder: matrix(nil, 0, 0), scale: 0.3)
      var (small, right) = (matrix(p + 64, 5, 6), matrix(p + 64, 6, 6))
      #expect(ntk_autoencoder_kernel(&network, 3, &small, nil, &error) != 0)
      #expect(ntk_autoencoder_kernel(&network, 3, &right, nil, &error) == 0)
      #expect(ntk_autoencoder_kernel(&network, 1, &right, nil, &error) != 0, "one layer of tied weights")
      #expect(ntk_autoencoder_kernel(&network, 9, &right, nil, &error) != 0)
      #expect(ntk_autoencoder_outputs(&network, &small, nil, nil, &error) != 0)
      var x = matrix(p, 3, 2)
      #expect(ntk_autoencoder_limits(&x, &x, &small, nil, nil, &error) != 0)
      #expect(ntk_autoencoder_tied_limit(&x, &x, &small, nil, &error) != 0)
      #expect(ntk_autoencoder_tied_limit(&x, &x, &right, nil, &error) == 0)
    }
  }
}
