// A network as the core knows it, with the Python functions that its user-defined layers call.
#pragma once

#include "common.h"

namespace ntkswift {

// Owns a handle of the core.
class Architecture {
 public:
  Architecture(const Input &ops, const Input &integers, const Input &reals, nb::list functions);
  ~Architecture();
  Architecture(const Architecture &) = delete;
  Architecture &operator=(const Architecture &) = delete;

  int64_t handle() const { return handle_; }
  const nb::object &functions() const { return functions_; }
  void forget_functions() { functions_.reset(); }
  const ntk_architecture_info &info() const { return info_; }
  // The one signal at the end of the network where `input` enters it.
  ntk_signal output(const ntk_signal &input, ntk_width_regime regime) const;
  // Rows of an infinite-width kernel for each input of a width.
  int64_t output_blocks(int64_t input_width) const;

 private:
  int64_t handle_ = 0;
  ntk_architecture_info info_{};
  nb::object functions_;
};

// The context of one call that may evaluate Python functions.
struct UserFunctions {
  const Architecture &architecture;
  Call &call;

  // The ntk_user_function: takes the GIL, calls the Python function, checks the shape of its result.
  static int32_t evaluate(void *context, int64_t index, int32_t what, const double *a, const double *b, const double *c,
                          double *y, int64_t n) noexcept;
};

}  // namespace ntkswift
