// The neural tangent hierarchy: higher kernels of finite networks, the kernel's velocity, the truncated equations.
#include <vector>

#include <nanobind/stl/vector.h>

#include "network.h"

using namespace ntkswift;

namespace {

nb::list hierarchy_kernels(const Network &network, const Input &parameters, const Input &x, int64_t train, int64_t order, Seed seed,
                           int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  UserFunctions functions{network.architecture(), call};
  const ntk_network opened = network.open(parameters, seed, functions);
  const ntk_matrix input = matrix(x, "x");
  if (order < 2 || order > 4 || train < 1 || train > input.rows) {
    throw nb::value_error("[tangent_hierarchy] order must be 2, 3 or 4, and some of the inputs trained on. Received others.");
  }
  std::vector<NewArray> outs;
  std::vector<ntk_matrix> views;
  int64_t left = memory_limit, rows = input.rows;
  for (int64_t r = 2; r <= order; ++r) {
    left = std::max<int64_t>(
        1, reserve(matrix_bytes(rows, train, NTK_FLOAT64, "tangent_hierarchy"), left, "tangent_hierarchy"));
    outs.push_back(new_matrix(rows, train, NTK_FLOAT64));
    views.push_back(outs.back().view);
    rows *= train;  // matrix_bytes has seen that it fits
  }
  call.set_memory_limit(left);
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_hierarchy_kernels(&opened, &input, train, views.data(), static_cast<int64_t>(views.size()), how, error);
  });
  nb::list result;
  for (NewArray &out : outs) result.append(out.array);
  return result;
}

Array hierarchy_kernel_derivative(const Network &network, const Input &parameters, const Input &x, const Input &direction, Seed seed,
                                  int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  UserFunctions functions{network.architecture(), call};
  const ntk_network opened = network.open(parameters, seed, functions);
  const ntk_matrix input = matrix(x, "x"), along = row(direction, "direction");
  const int64_t bytes = matrix_bytes(input.rows, input.rows, NTK_FLOAT64, "kernel_velocity");
  call.set_memory_limit(std::max<int64_t>(1, reserve(bytes, memory_limit, "kernel_velocity")));
  NewArray out = new_matrix(input.rows, input.rows, NTK_FLOAT64);
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_hierarchy_kernel_derivative(&opened, &input, &along, &out.view, how, error);
  });
  return out.array;
}

nb::tuple hierarchy_truncated(const Input &start, const Input &targets, const std::vector<Input> &kernels, const Input &times,
                              double tolerance, bool with_ntk, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix first = row(start, "start"), wanted = row(targets, "y"), moments = row(times, "times");
  std::vector<ntk_matrix> views;
  for (const Input &kernel : kernels) views.push_back(matrix(kernel, "kernels"));
  int64_t left = std::max<int64_t>(
      1, reserve(matrix_bytes(moments.cols, first.cols, NTK_FLOAT64, "truncated_hierarchy"), memory_limit, "truncated_hierarchy"));
  NewArray outputs = new_matrix(moments.cols, first.cols, NTK_FLOAT64);
  ntk_matrix path{};
  nb::object ntk = nb::none();
  if (with_ntk) {
    int64_t size = 0;
    if (__builtin_mul_overflow(first.cols, wanted.cols, &size)) throw nb::value_error("[truncated_hierarchy] too many inputs.");
    left = std::max<int64_t>(
        1, reserve(matrix_bytes(moments.cols, size, NTK_FLOAT64, "truncated_hierarchy"), left, "truncated_hierarchy"));
    NewArray room = new_matrix(moments.cols, size, NTK_FLOAT64);
    path = room.view;
    ntk = room.array;
  }
  call.set_memory_limit(left);
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_hierarchy_truncated(&first, &wanted, views.data(), static_cast<int64_t>(views.size()), &moments, tolerance,
                                   &outputs.view, &path, how, error);
  });
  return nb::make_tuple(outputs.array, ntk);
}

}  // namespace

void bind_hierarchy(nb::module_ &m) {
  m.def("hierarchy_kernels", &hierarchy_kernels, nb::arg("network"), nb::arg("parameters"), nb::arg("x"), nb::arg("train"),
        nb::arg("order"), nb::arg("seed") = Seed(0, 0), NTK_CALL_ARGUMENTS,
        "[K2, .., K_order] as (inputs * train^(r - 2)) x train matrices; see ntk_hierarchy_kernels.");
  m.def("hierarchy_kernel_derivative", &hierarchy_kernel_derivative, nb::arg("network"), nb::arg("parameters"), nb::arg("x"),
        nb::arg("direction"), nb::arg("seed") = Seed(0, 0), NTK_CALL_ARGUMENTS, "Derivative of the NTK along a vector of parameters.");
  m.def("hierarchy_truncated", &hierarchy_truncated, nb::arg("start"), nb::arg("targets"), nb::arg("kernels"), nb::arg("times"),
        nb::arg("tolerance"), nb::arg("with_ntk"), NTK_CALL_ARGUMENTS,
        "(outputs, NTK or None) of the truncated hierarchy, a row for each time.");
}
