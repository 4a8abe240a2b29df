// Symmetric operators: what the core multiplies by, or what Python gives by its products or blocks.
#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "network.h"

namespace ntkswift {

using OptionalInput = std::optional<Input>;

// A symmetric matrix as the core sees it. It keeps the arrays and functions that its kind needs, and the blocks that a call left.
class SymmetricOperator {
 public:
  static std::unique_ptr<SymmetricOperator> product(nb::object function, int64_t dimension);
  static std::unique_ptr<SymmetricOperator> blocks(nb::object function, int64_t dimension, double shift, int64_t store);
  static std::unique_ptr<SymmetricOperator> dense(Input matrix);
  static std::unique_ptr<SymmetricOperator> kernel(const Architecture &architecture, Input x, bool ntk, double shift, int64_t store);
  // Numbers to be added to the diagonal, one column.
  void shift_by(Input numbers);
  static std::unique_ptr<SymmetricOperator> curvature(const Network &network, Input parameters, int32_t kind, int32_t loss, Input x,
                                                      Input targets, Seed seed);
  static std::unique_ptr<SymmetricOperator> covariance(Input vectors, bool centred);

  int64_t dimension() const { return described_.dimension; }
  // Bytes of the blocks that are kept now.
  int64_t stored_bytes() const { return kept_.array.is_valid() && stored_ > 0 ? kept_.view.rows * int64_t(sizeof(double)) : 0; }

  // The Python function, for the garbage collector.
  const nb::object &function() const { return function_; }
  void forget_function() { function_.reset(); }

  // Calls body(operator, call, error) -> status.
  void run(Call &call, const std::function<int32_t(const ntk_symmetric_operator *, const ntk_call *, ntk_error *)> &body) const;

 private:
  SymmetricOperator(int32_t kind, int64_t dimension);
  void open_store() const;

  ntk_symmetric_operator described_{};
  nb::object function_;
  const Architecture *architecture_ = nullptr;
  const Network *network_ = nullptr;
  std::optional<Input> parameters_, matrix_, targets_, shifts_;
  Seed seed_{0, 0};
  // Blocks are kept for the calls that follow; a call that runs beside another one does without them.
  int64_t store_bytes_ = 0;
  mutable std::mutex store_in_use_;
  mutable NewArray kept_{nb::object(), {}};
  mutable int64_t stored_ = 0;
};

}  // namespace ntkswift
