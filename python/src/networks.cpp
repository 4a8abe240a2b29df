// Finite networks: outputs, derivatives by the parameters, losses, curvature, empirical kernels.
#include <vector>

#include <nanobind/stl/vector.h>

#include "network.h"

using namespace ntkswift;

namespace {

nb::list derivatives(const Network &network, const Input &parameters, const Input &x, const std::optional<Input> &directions,
                     const std::vector<int64_t> &sets, Seed seed, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  UserFunctions functions{network.architecture(), call};
  const ntk_network opened = network.open(parameters, seed, functions);
  const ntk_matrix input = matrix(x, "x"), along = matrix(directions, "directions");
  int64_t rows = 0;
  if (__builtin_mul_overflow(input.rows, network.info().output_blocks, &rows)) throw nb::value_error("[network] too many rows.");
  std::vector<NewArray> outs;
  std::vector<ntk_matrix> views;
  int64_t left = memory_limit;
  for (size_t i = 0; i < sets.size(); ++i) {
    left = std::max<int64_t>(1, reserve(matrix_bytes(rows, network.output_size(), NTK_FLOAT64, "network"), left, "network"));
    outs.push_back(new_matrix(rows, network.output_size(), NTK_FLOAT64));
    views.push_back(outs.back().view);
  }
  call.set_memory_limit(left);
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_network_derivatives(&opened, &input, &along, sets.data(), views.data(), static_cast<int64_t>(sets.size()), how, error);
  });
  nb::list result;
  for (NewArray &out : outs) result.append(out.array);
  return result;
}

Array pull_back(const Network &network, const Input &parameters, const Input &x, const Input &cotangents, Seed seed,
                int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  UserFunctions functions{network.architecture(), call};
  const ntk_network opened = network.open(parameters, seed, functions);
  const ntk_matrix input = matrix(x, "x"), above = matrix(cotangents, "cotangents");
  NewArray out = new_vector(network.info().parameter_count, NTK_FLOAT64);
  const ntk_matrix gradient = row(nb::cast<Input>(out.array), "gradient");
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_network_pull_back(&opened, &input, &above, &gradient, how, error);
  });
  return out.array;
}

nb::tuple loss(const Network &network, const Input &parameters, int32_t kind, const Input &x, const Input &targets,
               bool with_gradient, Seed seed, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  UserFunctions functions{network.architecture(), call};
  const ntk_network opened = network.open(parameters, seed, functions);
  const ntk_matrix input = matrix(x, "x"), wanted = matrix(targets, "targets");
  ntk_matrix gradient{};
  nb::object result = nb::none();
  if (with_gradient) {
    NewArray out = new_vector(network.info().parameter_count, NTK_FLOAT64);
    gradient = row(nb::cast<Input>(out.array), "gradient");
    result = out.array;
  }
  double value = 0;
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_network_loss(&opened, kind, &input, &wanted, &value, &gradient, how, error);
  });
  return nb::make_tuple(value, result);
}

Array ntk(const Network &network, const Input &parameters, const Input &x1, const std::optional<Input> &x2,
          const std::vector<int64_t> &outputs, int64_t kept, int64_t diagonal, int64_t traced, Seed seed, int32_t threads,
          int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  UserFunctions functions{network.architecture(), call};
  const ntk_network opened = network.open(parameters, seed, functions);
  const ntk_matrix left = matrix(x1, "x1"), right = matrix(x2, "x2");
  int64_t pairs = 0, numbers = 0;
  const int64_t cols = right.data ? right.rows : left.rows;
  if (kept < 1 || diagonal < 1 || traced < 1 || __builtin_mul_overflow(kept, kept, &numbers) ||
      __builtin_mul_overflow(numbers, diagonal, &numbers) || __builtin_mul_overflow(left.rows, cols, &pairs) ||
      static_cast<int64_t>(outputs.size()) / kept / diagonal != traced) {
    throw nb::value_error("[empirical] outputs must be kept x diagonal x traced numbers. Received others.");
  }
  const int64_t bytes = matrix_bytes(pairs, numbers, NTK_FLOAT64, "empirical");
  call.set_memory_limit(std::max<int64_t>(1, reserve(bytes, memory_limit, "empirical")));
  NewArray out = new_matrix(pairs, numbers, NTK_FLOAT64);
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_network_ntk(&opened, &left, &right, outputs.data(), kept, diagonal, traced, static_cast<double *>(out.view.data),
                           how, error);
  });
  return out.array;
}

Array gradient_gram(const Network &network, const Input &parameters, const Input &x1, const Input &combination1,
                    const std::optional<Input> &x2, const std::optional<Input> &combination2, Seed seed, int32_t threads,
                    int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  UserFunctions functions{network.architecture(), call};
  const ntk_network opened = network.open(parameters, seed, functions);
  const ntk_matrix left = matrix(x1, "x1"), c1 = matrix(combination1, "combination1");
  const ntk_matrix right = matrix(x2, "x2"), c2 = matrix(combination2, "combination2");
  const int64_t cols = right.data ? right.rows : left.rows;
  const int64_t bytes = matrix_bytes(left.rows, cols, NTK_FLOAT64, "gradient_gram");
  call.set_memory_limit(std::max<int64_t>(1, reserve(bytes, memory_limit, "gradient_gram")));
  NewArray out = new_matrix(left.rows, cols, NTK_FLOAT64);
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_network_gradient_gram(&opened, &left, &c1, &right, &c2, &out.view, how, error);
  });
  return out.array;
}

}  // namespace

#define NTK_NETWORK_ARGUMENTS nb::arg("seed") = Seed(0, 0), NTK_CALL_ARGUMENTS

void bind_networks(nb::module_ &m) {
  nb::class_<Network>(m, "Network", "A finite network for inputs of one shape. Parameters are one flat float64 vector.")
      .def(nb::init<const Architecture &, const Shape &, int32_t>(), nb::arg("architecture"), nb::arg("input_shape"),
           nb::arg("spatial_axes"), nb::keep_alive<1, 2>(), "input_shape: height, width, channels (1, 1, d for flat inputs).")
      .def_prop_ro("parameter_count", [](const Network &self) { return self.info().parameter_count; }, "Length of the flat vector.")
      .def_prop_ro("output_shape",
                   [](const Network &self) {
                     const int64_t *shape = self.info().output_shape;
                     return Shape{shape[0], shape[1], shape[2]};
                   },
                   "Height, width, channels of one output.")
      .def_prop_ro("output_spatial_axes", [](const Network &self) { return self.info().output_spatial_axes; }, "0, 1 or 2.")
      .def_prop_ro("output_blocks", [](const Network &self) { return self.info().output_blocks; }, "Rows of output per input.")
      .def_prop_ro("couples_batch", [](const Network &self) { return self.info().couples_batch != 0; },
                   "Whether outputs depend on the other inputs of the batch (BatchNorm).")
      .def("derivatives", &derivatives, nb::arg("parameters"), nb::arg("x"), nb::arg("directions").none(), nb::arg("sets"),
           NTK_NETWORK_ARGUMENTS,
           "Outputs (set 0) and their mixed derivatives along the rows of directions in the bit masks `sets`, one array each.")
      .def("pull_back", &pull_back, nb::arg("parameters"), nb::arg("x"), nb::arg("cotangents"), NTK_NETWORK_ARGUMENTS,
           "Sum over rows of J^T cotangent.")
      .def("loss", &loss, nb::arg("parameters"), nb::arg("kind"), nb::arg("x"), nb::arg("targets"), nb::arg("with_gradient"),
           NTK_NETWORK_ARGUMENTS, "(loss, gradient or None); kind as in ntk_output_loss.")
      .def("ntk", &ntk, nb::arg("parameters"), nb::arg("x1"), nb::arg("x2").none(), nb::arg("outputs"), nb::arg("kept"),
           nb::arg("diagonal"), nb::arg("traced"), NTK_NETWORK_ARGUMENTS,
           "Empirical NTK, (n1 n2) x (kept kept diagonal); see ntk_network_ntk.")
      .def("gradient_gram", &gradient_gram, nb::arg("parameters"), nb::arg("x1"), nb::arg("combination1"), nb::arg("x2").none(),
           nb::arg("combination2").none(), NTK_NETWORK_ARGUMENTS,
           "Products of the gradients of one combination of outputs per input, n1 x n2.");
}
