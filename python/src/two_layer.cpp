// Two-layer networks trained in three regimes.
#include <nanobind/stl/tuple.h>

#include <string>
#include <tuple>

#include "common.h"

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
}
