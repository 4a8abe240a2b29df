// Two-layer networks trained in three regimes.
#include <nanobind/stl/tuple.h>

#include <string>
#include <tuple>

#include "architecture.h"
#include "training_record.h"

using namespace ntkswift;

namespace {

using OptionalInput = std::optional<Input>;

// (first, second or None, offset): a quadratic function, or a mixture of two Gaussians where the second matrix is given.
using Task = std::tuple<Input, OptionalInput, double>;

ntk_quadratic_task task_of(const Task &task) {
  const auto &[first, second, offset] = task;
  return {second ? 1 : 0, 0, matrix(first, "the first matrix"), matrix(second, "the second matrix"), offset};
}

Array quadratic_form(const Input &weights, const OptionalInput &outputs, const OptionalInput &tangents, int32_t threads,
                     int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix w = matrix(weights, "weights"), a = matrix(outputs, "outputs"), t = matrix(tangents, "tangents");
  const NewArray out = new_matrix(w.cols, w.cols, NTK_FLOAT64);
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_quadratic_form(&w, &a, &t, &out.view, how, error); });
  return out.array;
}

std::pair<double, double> quadratic_risk(const Task &task, const Input &form, double offset, int32_t threads, int64_t memory_limit,
                                         nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_quadratic_task given = task_of(task);
  const ntk_matrix m = matrix(form, "form");
  double risk = 0, variance = 0;
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_quadratic_risk(&given, &m, offset, &risk, &variance, how, error);
  });
  return {risk, variance};
}

nb::tuple quadratic_fit(const Task &task, int32_t regime, const OptionalInput &weights, int64_t width, int32_t threads,
                        int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_quadratic_task given = task_of(task);
  const int64_t d = given.first.cols;
  if (width < 1) throw nb::value_error(("[quadratic_fit] width must be 1 or more. Received " + std::to_string(width) + ".").c_str());
  reserve(matrix_bytes(width, d, NTK_FLOAT64, "quadratic_fit"), memory_limit, "quadratic_fit");
  const bool makes_weights = regime == NTK_REGIME_NN;
  NewArray made{nb::none(), {}};
  if (makes_weights) made = new_matrix(width, d, NTK_FLOAT64);
  const ntk_matrix w = makes_weights ? made.view : matrix(weights, "weights");
  const NewArray coefficients = new_matrix(width, regime == NTK_REGIME_NT ? d : 1, NTK_FLOAT64);
  double offset = 0, jitter = 0;
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_quadratic_fit(&given, regime, &w, &coefficients.view, &offset, &jitter, how, error);
  });
  return nb::make_tuple(made.array, coefficients.array, offset, jitter);
}

double lazy_limit(int32_t regime, const Input &spectrum, double rho) {
  const ntk_matrix values = matrix(spectrum, "spectrum");
  double risk = 0;
  check([&](ntk_error *error) { return ntk_lazy_limit(regime, &values, rho, &risk, error); });
  return risk;
}

double mean_tangent_risk(const Input &spectrum, int64_t width) {
  const ntk_matrix values = matrix(spectrum, "spectrum");
  double risk = 0;
  check([&](ntk_error *error) { return ntk_mean_tangent_risk(&values, width, &risk, error); });
  return risk;
}

// ---------------------------------------------------------------- networks with any activation

// A network whose nonlinearity may be a Python function; `functions` must outlive it.
ntk_two_layer network_of(UserFunctions &functions, const ntk_matrix &weights, const ntk_matrix &outputs, const ntk_matrix &tangents) {
  return {functions.architecture.handle(), weights, outputs, tangents, UserFunctions::evaluate, &functions};
}

Array two_layer_predict(const Architecture &activation, const Input &weights, const Input &outputs, const OptionalInput &tangents,
                        double offset, const Input &x, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  UserFunctions functions{activation, call};
  const ntk_two_layer network =
      network_of(functions, matrix(weights, "weights"), matrix(outputs, "outputs"), matrix(tangents, "tangents"));
  const ntk_matrix inputs = matrix(x, "X");
  const NewArray out = new_vector(inputs.rows, NTK_FLOAT64);
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_two_layer_predict(&network, offset, &inputs, &out.view, how, error);
  });
  return out.array;
}

nb::tuple two_layer_ridge(const Architecture &activation, const Input &weights, const Input &x, const Input &y, double ridge,
                          bool uses_outputs, bool uses_tangents, bool fits_offset, int32_t threads, int64_t memory_limit,
                          nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix w = matrix(weights, "weights"), inputs = matrix(x, "X"), targets = matrix(y, "y");
  const NewArray outputs = new_matrix(w.rows, 1, NTK_FLOAT64);
  NewArray tangents{nb::none(), {}};
  if (uses_tangents) tangents = new_matrix(w.rows, w.cols, NTK_FLOAT64);
  UserFunctions functions{activation, call};
  const ntk_two_layer network = network_of(functions, w, outputs.view, tangents.view);
  const int32_t flags = (uses_outputs ? NTK_RIDGE_OUTPUTS : 0) | (fits_offset ? NTK_RIDGE_OFFSET : 0);
  double offset = 0, jitter = 0;
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_two_layer_ridge(&network, &inputs, &targets, ridge, flags, &offset, &jitter, how, error);
  });
  return nb::make_tuple(outputs.array, tangents.array, offset, jitter);
}

double two_layer_curvature(const Architecture &activation, const Input &weights, const Input &outputs, const OptionalInput &tangents,
                           const Input &x, bool trains_weights, bool trains_outputs, int32_t threads, int64_t memory_limit,
                           nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  UserFunctions functions{activation, call};
  const ntk_two_layer network =
      network_of(functions, matrix(weights, "weights"), matrix(outputs, "outputs"), matrix(tangents, "tangents"));
  const ntk_matrix inputs = matrix(x, "X");
  double value = 0;
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_two_layer_curvature(&network, &inputs, trains_weights, trains_outputs, &value, how, error);
  });
  return value;
}

// Weights, outputs, tangents, offset (one number) and the record change in place, also where the call raises.
void two_layer_sgd(const Architecture &activation, const Output &weights, const Output &outputs, const std::optional<Output> &tangents,
                   const Output &offset, const std::optional<Task> &task, const OptionalInput &x, const OptionalInput &y,
                   const std::tuple<int64_t, int64_t, int64_t, int64_t> &sizes, const std::tuple<double, double, double, double> &rates,
                   bool shares_outputs, const Input &schedule, uint64_t seed, const Output &record, const Output &done,
                   int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  UserFunctions functions{activation, call};
  const ntk_two_layer network = network_of(functions, matrix(weights, "weights"), matrix(outputs, "outputs"),
                                           tangents ? matrix(*tangents, "tangents") : ntk_matrix{});
  const ntk_matrix constant = matrix(offset, "offset");
  if (constant.rows != 1 || constant.dtype != NTK_FLOAT64) throw nb::value_error("[train] offset must hold one float64.");
  ntk_sgd sgd{};
  sgd.source = task ? NTK_FRESH_SAMPLES : NTK_FIXED_SAMPLES;
  sgd.shares_outputs = shares_outputs;
  if (task) sgd.task = task_of(*task);
  sgd.inputs = matrix(x, "X");
  sgd.targets = matrix(y, "y");
  int64_t window = 1;
  std::tie(sgd.batch, sgd.first_step, sgd.steps, window) = sizes;
  std::tie(sgd.weight_rate, sgd.tangent_rate, sgd.output_rate, sgd.offset_rate) = rates;
  sgd.schedule = matrix(schedule, "schedule");
  sgd.seed = seed;
  Record journal(record, done, window, "train");
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_two_layer_sgd(&network, static_cast<double *>(constant.data), &sgd, journal.get(), how, error);
  });
}

Array normal_strips(uint64_t key, uint64_t stream, int64_t first, int64_t strips) {
  if (strips < 0 || strips > (int64_t{1} << 32)) throw nb::value_error("[normal_strips] strips must be from 0 to 2^32.");
  const NewArray out = new_vector(strips * 32, NTK_FLOAT32);
  check([&](ntk_error *error) { return ntk_normal_strips(key, stream, first, static_cast<float *>(out.view.data), strips, error); });
  return out.array;
}

nb::list philox32_raw(uint64_t key, uint64_t stream, uint64_t first) {
  uint32_t words[32] = {};
  check([&](ntk_error *error) { return ntk_philox32_raw(key, stream, first, words, error); });
  nb::list out;
  for (const uint32_t word : words) out.append(word);
  return out;
}

}  // namespace

void bind_two_layer(nb::module_ &m) {
  m.def("quadratic_form", &quadratic_form, nb::arg("weights"), nb::arg("outputs").none(), nb::arg("tangents").none(),
        NTK_CALL_ARGUMENTS, "The matrix of a two-layer network of squares.");
  m.def("quadratic_risk", &quadratic_risk, nb::arg("task"), nb::arg("form"), nb::arg("offset"), NTK_CALL_ARGUMENTS,
        "The risk of a quadratic form, and that of the best constant.");
  m.def("quadratic_fit", &quadratic_fit, nb::arg("task"), nb::arg("regime"), nb::arg("weights").none(), nb::arg("width"),
        NTK_CALL_ARGUMENTS, "The best network of a regime (0 RF, 1 NT, 2 NN): weights (NN only), coefficients, offset, jitter.");
  m.def("lazy_limit", &lazy_limit, nb::arg("regime"), nb::arg("spectrum"), nb::arg("rho"),
        "The risk of a regime as d and N = rho d go to infinity, over that of the best constant.");
  m.def("mean_tangent_risk", &mean_tangent_risk, nb::arg("spectrum"), nb::arg("width"),
        "The mean risk of the NT regime at finite d and width, over that of the best constant.");
  m.def("two_layer_predict", &two_layer_predict, nb::arg("activation"), nb::arg("weights"), nb::arg("outputs"),
        nb::arg("tangents").none(), nb::arg("offset"), nb::arg("x"), NTK_CALL_ARGUMENTS, "Outputs of a two-layer network.");
  m.def("two_layer_ridge", &two_layer_ridge, nb::arg("activation"), nb::arg("weights"), nb::arg("x"), nb::arg("y"), nb::arg("ridge"),
        nb::arg("uses_outputs"), nb::arg("uses_tangents"), nb::arg("fits_offset"), NTK_CALL_ARGUMENTS,
        "Ridge regression on random and tangent features: outputs, tangents, offset, jitter.");
  m.def("two_layer_curvature", &two_layer_curvature, nb::arg("activation"), nb::arg("weights"), nb::arg("outputs"),
        nb::arg("tangents").none(), nb::arg("x"), nb::arg("trains_weights"), nb::arg("trains_outputs"), NTK_CALL_ARGUMENTS,
        "Largest eigenvalue of the Gram matrix of the gradients, over the number of inputs.");
  m.def("two_layer_sgd", &two_layer_sgd, nb::arg("activation"), nb::arg("weights"), nb::arg("outputs"), nb::arg("tangents").none(),
        nb::arg("offset"), nb::arg("task").none(), nb::arg("x").none(), nb::arg("y").none(), nb::arg("sizes"), nb::arg("rates"),
        nb::arg("shares_outputs"), nb::arg("schedule"), nb::arg("seed"), nb::arg("record"), nb::arg("done"), NTK_CALL_ARGUMENTS,
        "Stochastic gradient descent in place. sizes: batch, first step, steps, steps to an entry of the record, whose loss is their mean;\n"
        "rates: weights, tangents, outputs, offset. record, done: as of network_train.");
  m.def("normal_strips", &normal_strips, nb::arg("key"), nb::arg("stream"), nb::arg("first"), nb::arg("strips"),
        "Normal float32 numbers, 32 a strip, of a stream of Philox4x32-10.");
  m.def("philox32_raw", &philox32_raw, nb::arg("key"), nb::arg("stream"), nb::arg("first"),
        "The 32 raw words of eight blocks of Philox4x32-10.");
}
