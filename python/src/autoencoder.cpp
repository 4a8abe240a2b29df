// Two-layer ReLU autoencoders: training, kernels, limits, predictions.
#include <string>

#include "common.h"
#include "training_record.h"

using namespace ntkswift;

namespace {

using OptionalInput = std::optional<Input>;

ntk_autoencoder network_of(const Input &x, const Input &encoder, const OptionalInput &decoder, double scale) {
  return {row(x, "x"), row(encoder, "encoder"), decoder ? row(*decoder, "decoder") : ntk_matrix{}, scale};
}

// Room for a result, taken from the call's memory limit.
NewArray result(Call &call, int64_t rows, int64_t cols, int64_t memory_limit, const char *op) {
  const int64_t left = reserve(matrix_bytes(rows, cols, NTK_FLOAT64, op), memory_limit, op);
  call.set_memory_limit(std::max<int64_t>(1, left));
  return new_matrix(rows, cols, NTK_FLOAT64);
}

int64_t multiplied(int64_t a, int64_t b) {
  int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) throw nb::value_error("[autoencoder] the result must have fewer than 2^63 rows.");
  return product;
}

void train(const Input &x, const Output &encoder, const std::optional<Output> &decoder, double scale, bool trains_decoder, bool is_flow,
           double rate, double tolerance, int64_t steps, const Output &record, const Output &done, int32_t threads,
           int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  ntk_autoencoder network{row(x, "x"), matrix(encoder, "encoder"), decoder ? matrix(*decoder, "decoder") : ntk_matrix{}, scale};
  const ntk_autoencoder_training training{trains_decoder, is_flow, rate, tolerance, steps};
  Record journal(record, done, 1, "autoencoder");
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_autoencoder_train(&network, &training, journal.get(), how, error);
  });
}

nb::tuple outputs(const Input &x, const Input &encoder, const OptionalInput &decoder, double scale, bool wants_outputs,
                  bool wants_hidden, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_autoencoder network = network_of(x, encoder, decoder, scale);
  const int64_t n = network.x.rows, d = network.x.cols, m = network.encoder.rows;
  int64_t bytes = 0;
  if (wants_outputs) bytes += matrix_bytes(n, d, NTK_FLOAT64, "autoencoder");
  if (wants_hidden) bytes += matrix_bytes(n, m, NTK_FLOAT64, "autoencoder");
  call.set_memory_limit(std::max<int64_t>(1, reserve(bytes, memory_limit, "autoencoder")));
  NewArray u{nb::none(), {}}, h{nb::none(), {}};
  if (wants_outputs) u = new_matrix(n, d, NTK_FLOAT64);
  if (wants_hidden) h = new_matrix(n, m, NTK_FLOAT64);
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_autoencoder_outputs(&network, &u.view, &h.view, how, error); });
  return nb::make_tuple(u.array, h.array);
}

Array kernel(const Input &x, const Input &encoder, const OptionalInput &decoder, double scale, int32_t layers, int32_t threads,
             int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_autoencoder network = network_of(x, encoder, decoder, scale);
  const int64_t size = multiplied(network.x.rows, network.x.cols);
  const NewArray out = result(call, size, size, memory_limit, "autoencoder_kernel");
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_autoencoder_kernel(&network, layers, &out.view, how, error); });
  return out.array;
}

nb::tuple limits(const Input &x, const Input &y, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix left = row(x, "x"), right = row(y, "y");
  const int64_t each = matrix_bytes(left.rows, right.rows, NTK_FLOAT64, "autoencoder_limits");
  call.set_memory_limit(std::max<int64_t>(1, reserve(multiplied(2, each), memory_limit, "autoencoder_limits")));
  const NewArray h = new_matrix(left.rows, right.rows, NTK_FLOAT64), s = new_matrix(left.rows, right.rows, NTK_FLOAT64);
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_autoencoder_limits(&left, &right, &h.view, &s.view, how, error); });
  return nb::make_tuple(h.array, s.array);
}

Array tied_limit(const Input &x, const Input &y, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix left = row(x, "x"), right = row(y, "y");
  const NewArray out =
      result(call, multiplied(left.rows, left.cols), multiplied(right.rows, right.cols), memory_limit, "autoencoder_tied_limit");
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_autoencoder_tied_limit(&left, &right, &out.view, how, error); });
  return out.array;
}

nb::tuple movement(const Input &x, const Input &encoder, const OptionalInput &decoder, const Input &start_encoder,
                   const OptionalInput &start_decoder, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_autoencoder now = network_of(x, encoder, decoder, 1), then = network_of(x, start_encoder, start_decoder, 1);
  ntk_autoencoder_movement_result moved{};
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_autoencoder_movement(&now, &then, &moved, how, error); });
  return nb::make_tuple(moved.encoder, moved.decoder, moved.largest_neuron, moved.flipped);
}

Array predicted_loss(const Input &values, const Input &vectors, const Input &residual, const OptionalInput &spread, double rate,
                     bool is_flow, int64_t steps, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix eigenvalues = matrix(values, "values"), eigenvectors = matrix(vectors, "vectors");
  const ntk_matrix start = matrix(residual, "residual"), covariance = matrix(spread, "spread");
  if (steps < 0 || steps > (INT64_MAX >> 5)) throw nb::value_error("[predicted_loss] steps must be 0 or more, and fit in memory.");
  const int64_t left = reserve(matrix_bytes(steps + 1, 1, NTK_FLOAT64, "predicted_loss"), memory_limit, "predicted_loss");
  call.set_memory_limit(std::max<int64_t>(1, left));
  const NewArray loss = new_vector(steps + 1, NTK_FLOAT64);
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_predicted_loss(&eigenvalues, &eigenvectors, &start, &covariance, rate, is_flow, steps,
                              static_cast<double *>(loss.view.data), how, error);
  });
  return loss.array;
}

}  // namespace

void bind_autoencoder(nb::module_ &m) {
  m.def("autoencoder_train", &train, nb::arg("x"), nb::arg("encoder"), nb::arg("decoder").none(), nb::arg("scale"),
        nb::arg("trains_decoder"), nb::arg("is_flow"), nb::arg("rate"), nb::arg("tolerance"), nb::arg("steps"), nb::arg("record"),
        nb::arg("done"), NTK_CALL_ARGUMENTS,
        "Trains encoder and decoder (None: tied weights) in place. record, done: as of network_train; the loss at the end too.");
  m.def("autoencoder_outputs", &outputs, nb::arg("x"), nb::arg("encoder"), nb::arg("decoder").none(), nb::arg("scale"),
        nb::arg("outputs"), nb::arg("hidden"), NTK_CALL_ARGUMENTS, "(outputs (n, d), hidden activations (n, m)), or None where not wanted.");
  m.def("autoencoder_kernel", &kernel, nb::arg("x"), nb::arg("encoder"), nb::arg("decoder").none(), nb::arg("scale"), nb::arg("layers"),
        NTK_CALL_ARGUMENTS, "Tangent kernel of the outputs, shape (n d, n d); layers: 1 encoder, 2 decoder, 3 both.");
  m.def("autoencoder_limits", &limits, nb::arg("x"), nb::arg("y"), NTK_CALL_ARGUMENTS,
        "(<x, y> P(w x > 0, w y > 0), E[relu(w x) relu(w y)]) for Gaussian w, each of shape (n1, n2).");
  m.def("autoencoder_tied_limit", &tied_limit, nb::arg("x"), nb::arg("y"), NTK_CALL_ARGUMENTS,
        "Kernel per neuron of infinitely many tied neurons, shape (n1 d, n2 d).");
  m.def("autoencoder_movement", &movement, nb::arg("x"), nb::arg("encoder"), nb::arg("decoder").none(), nb::arg("start_encoder"),
        nb::arg("start_decoder").none(), NTK_CALL_ARGUMENTS,
        "(relative movement of the encoder, of the decoder, largest movement of a neuron, share of flipped activations).");
  m.def("predicted_loss", &predicted_loss, nb::arg("values"), nb::arg("vectors"), nb::arg("residual"), nb::arg("spread").none(),
        nb::arg("rate"), nb::arg("is_flow"), nb::arg("steps"), NTK_CALL_ARGUMENTS,
        "Losses 0.5 sum R_k^2 of k = 0..steps under a constant kernel, by its eigendecomposition.");
}
