// Symmetric operators that Python gives by their products, for the functions of several topics.
#pragma once

#include <cstring>
#include <string>

#include "common.h"

namespace ntkswift {

using OptionalInput = std::optional<Input>;

// A Python function y = A x as the core calls it: on the calling thread, with the GIL taken back.
struct PythonOperator {
  nb::object function;
  Call &call;

  static int32_t evaluate(void *context, const double *x, double *y, int64_t dimension) noexcept {
    auto *self = static_cast<PythonOperator *>(context);
    WithGil gil;
    try {
      const NewArray copy = new_vector(dimension, NTK_FLOAT64);
      const size_t bytes = static_cast<size_t>(dimension) * sizeof(double);
      std::memcpy(copy.view.data, x, bytes);
      const nb::object answer = self->function(copy.array);
      const auto [values, length] = doubles(nb::cast<Input>(answer), "the operator's product");
      if (length != dimension) throw nb::value_error("[lanczos] the operator must return as many numbers as it is given. Received another size.");
      std::memcpy(y, values, bytes);
      return 0;
    } catch (...) {
      self->call.keep_exception();
      return 1;
    }
  }
};

// Which end of the spectrum a caller names.
inline int32_t end_of(const std::string &name) {
  if (name == "largest") return 0;
  if (name == "smallest") return 1;
  if (name == "magnitude") return 2;
  throw nb::value_error(("[lanczos] end must be largest, smallest or magnitude. Received " + name + ".").c_str());
}

// A start vector, or NULL for a random one.
inline const double *start_of(const OptionalInput &start, int64_t dimension) {
  if (!start) return nullptr;
  const auto [values, length] = doubles(*start, "start");
  if (length != dimension) throw nb::value_error("[lanczos] start must have one number per dimension. Received another length.");
  return values;
}

}  // namespace ntkswift
