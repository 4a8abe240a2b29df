// A finite network, as every topic that computes with one sees it.
#pragma once

#include <array>

#include <nanobind/stl/array.h>

#include "architecture.h"

namespace ntkswift {

using Shape = std::array<int64_t, 3>;
using Seed = std::pair<uint64_t, uint64_t>;

// A network for one kind of input, with its parameters: what every function below works on.
class Network {
 public:
  Network(const Architecture &architecture, const Shape &input_shape, int32_t spatial_axes)
      : architecture_(architecture), description_{} {
    description_.architecture = architecture.handle();
    std::copy(input_shape.begin(), input_shape.end(), description_.input_shape);
    description_.spatial_axes = spatial_axes;
    check([&](ntk_error *error) { return ntk_network_describe(&description_, &info_, error); });
  }

  const ntk_network_info &info() const { return info_; }
  const Architecture &architecture() const { return architecture_; }

  // The description for one call: with parameters, seed, and a way to the caller's functions.
  ntk_network open(const Input &parameters, std::pair<uint64_t, uint64_t> seed, UserFunctions &functions) const {
    ntk_network opened = description_;
    const auto [values, count] = doubles(parameters, "parameters");
    opened.parameters = values;
    opened.parameter_count = count;
    opened.seed[0] = seed.first;
    opened.seed[1] = seed.second;
    opened.function = UserFunctions::evaluate;
    opened.function_context = &functions;
    return opened;
  }

  int64_t output_size() const { return info_.output_shape[0] * info_.output_shape[1] * info_.output_shape[2]; }

 private:
  const Architecture &architecture_;
  ntk_network description_;
  ntk_network_info info_{};
};

}  // namespace ntkswift
