// Finite networks: the forward pass.
#include <vector>

#include "architecture.h"

using namespace ntkswift;

namespace {

Array forward(const Architecture &architecture, const nb::list &parameters, const Input &x, std::pair<uint64_t, uint64_t> seed,
              int64_t output_width, int64_t output_blocks, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  std::vector<Input> arrays;
  std::vector<ntk_matrix> views;
  for (nb::handle parameter : parameters) {
    if (parameter.is_none()) {
      views.push_back(ntk_matrix{});
    } else {
      arrays.push_back(nb::cast<Input>(parameter));
      views.push_back(row(arrays.back(), "parameters"));
    }
  }
  const ntk_matrix input = matrix(x, "x");
  int64_t rows = 0;
  if (__builtin_mul_overflow(input.rows, output_blocks, &rows)) throw nb::value_error("[forward] too many rows.");
  const int64_t bytes = matrix_bytes(rows, output_width, NTK_FLOAT64, "forward");
  call.set_memory_limit(std::max<int64_t>(1, reserve(bytes, memory_limit, "forward")));
  NewArray out = new_matrix(rows, output_width, NTK_FLOAT64);
  const uint64_t words[2] = {seed.first, seed.second};
  UserFunctions functions{architecture, call};
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_forward(architecture.handle(), views.data(), static_cast<int64_t>(views.size()), &input, UserFunctions::evaluate,
                       &functions, words, &out.view, how, error);
  });
  return out.array;
}

}  // namespace

void bind_forward(nb::module_ &m) {
  m.def("forward", &forward, nb::arg("architecture"), nb::arg("parameters"), nb::arg("x"), nb::arg("seed"),
        nb::arg("output_width"), nb::arg("output_blocks"), NTK_CALL_ARGUMENTS,
        "Output of the network with the given weights: W and b (or None) of each Dense layer in turn, float64.");
}
