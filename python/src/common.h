// What every topic of the extension shares: matrices in, arrays out, a call with progress, and errors as Python exceptions.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

#include "ntkswift.h"

namespace nb = nanobind;

namespace ntkswift {

// ---------------------------------------------------------------- arrays in

// Any array on the CPU, of any strides, never written to. The element type and the dimensions are checked by `matrix`.
using Input = nb::ndarray<nb::ro, nb::device::cpu>;
// An array that receives results.
using Output = nb::ndarray<nb::device::cpu>;

// Views of an array as the C ABI describes it. One dimension becomes a column. `name` is for the error message.
// TypeError unless float32 or float64; ValueError unless it has one or two dimensions and is aligned.
ntk_matrix matrix(const Input &array, const char *name);
ntk_matrix matrix(const Output &array, const char *name);
// The same, one dimension as a row.
ntk_matrix row(const Input &array, const char *name);
// An absent array is the matrix without data.
ntk_matrix matrix(const std::optional<Input> &array, const char *name);

// An array of any rank from 1 to NTK_MAX_RANK as the C ABI describes it; TypeError and ValueError as for `matrix`.
ntk_array array(const Input &array, const char *name);
// An absent array is the one without data.
ntk_array array(const std::optional<Input> &array, const char *name);
// Numbers behind one index of the first axis.
int64_t entry_size(const ntk_array &array);

// The elements of a contiguous float64 array; TypeError or ValueError otherwise.
std::pair<const double *, int64_t> doubles(const Input &array, const char *name);

// ---------------------------------------------------------------- arrays out

// A NumPy array in signatures.
struct Array : nb::object {
  static bool is_array(nb::handle object) { return nb::ndarray_check(object); }
  NB_OBJECT_DEFAULT(Array, nb::object, "numpy.typing.NDArray", is_array)
  Array(const nb::object &object) : nb::object(object) {}
};

// A new array with its view. Over 4 MiB it is aligned to 2 MiB and huge pages are advised.
struct NewArray {
  Array array;
  ntk_matrix view;
};
// MemoryError where the system has no room; ValueError for a negative size.
NewArray new_matrix(int64_t rows, int64_t cols, ntk_dtype dtype);
NewArray new_vector(int64_t count, ntk_dtype dtype);

// Bytes of a matrix; MemoryError where they cannot be counted in 63 bits.
int64_t matrix_bytes(int64_t rows, int64_t cols, ntk_dtype dtype, const char *op);

// MemoryError, naming the bytes, where `bytes` is over the limit of the call (0: half of the available memory).
// Returns what is left of the limit.
int64_t reserve(int64_t bytes, int64_t memory_limit, const char *op);

// ---------------------------------------------------------------- calls

// Raises the Python exception that belongs to the status.
[[noreturn]] void raise(int32_t status, const ntk_error &error);

// One call into the core: its threads, memory limit and progress; the Python exception that a callback left behind.
class Call {
 public:
  Call(int32_t threads, int64_t memory_limit, nb::object progress);
  Call(const Call &) = delete;
  Call &operator=(const Call &) = delete;

  // Runs body(const ntk_call *, ntk_error *) -> status without the GIL, and raises where it fails.
  template <typename Body>
  void run(Body &&body) {
    ntk_error error{};
    int32_t status;
    {
      nb::gil_scoped_release release;
      status = body(static_cast<const ntk_call *>(&call_), &error);
    }
    finish(status, error);
  }

  void set_memory_limit(int64_t bytes) { call_.memory_limit = bytes; }
  // Keeps the Python exception that is being handled; the first one wins. Needs the GIL.
  void keep_exception() noexcept;

 private:
  static int32_t on_progress(void *context, double fraction) noexcept;
  void finish(int32_t status, const ntk_error &error);

  ntk_call call_{};
  nb::object progress_;
  std::exception_ptr pending_;
};

// Runs body(ntk_error *) -> status with the GIL, for what takes no time.
template <typename Body>
void check(Body &&body) {
  ntk_error error{};
  const int32_t status = body(&error);
  if (status != NTK_OK) raise(status, error);
}

}  // namespace ntkswift

// The keyword arguments of every function that computes.
#define NTK_CALL_ARGUMENTS \
  nb::arg("threads") = 0, nb::arg("memory_limit") = 0, nb::arg("progress").none() = nb::none()
