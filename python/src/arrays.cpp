// Arrays in and out: NumPy memory as the strided matrices of the C ABI.
#include <sys/mman.h>

#include <cstdlib>
#include <string>

#include "common.h"

namespace ntkswift {
namespace {

constexpr int64_t kHugePage = 2 << 20;
constexpr int64_t kLarge = 4 << 20;
constexpr int64_t kCacheLine = 64;

std::string subject(const char *name) { return std::string("[_core] ") + name; }

template <typename Array>
int32_t element_type(const Array &array, const char *name) {
  if (array.dtype() == nb::dtype<float>()) return NTK_FLOAT32;
  if (array.dtype() == nb::dtype<double>()) return NTK_FLOAT64;
  throw nb::type_error((subject(name) + " must have dtype float32 or float64. Received another dtype.").c_str());
}

template <typename Array>
void check_alignment(const Array &array, int32_t dtype, const char *name) {
  const uintptr_t size = dtype == NTK_FLOAT32 ? sizeof(float) : sizeof(double);
  if (reinterpret_cast<uintptr_t>(array.data()) % size != 0) {
    throw nb::value_error((subject(name) + " must be aligned to its elements. Received unaligned memory.").c_str());
  }
}

template <typename Array>
ntk_matrix strided(const Array &array, const char *name, bool one_dimension_is_row) {
  ntk_matrix view{};
  view.dtype = element_type(array, name);
  view.data = const_cast<void *>(static_cast<const void *>(array.data()));
  if (array.ndim() == 2) {
    view.rows = static_cast<int64_t>(array.shape(0));
    view.cols = static_cast<int64_t>(array.shape(1));
    view.row_stride = array.stride(0);
    view.col_stride = array.stride(1);
  } else if (array.ndim() == 1) {
    const int64_t count = static_cast<int64_t>(array.shape(0));
    view.rows = one_dimension_is_row ? 1 : count;
    view.cols = one_dimension_is_row ? count : 1;
    view.row_stride = one_dimension_is_row ? count : array.stride(0);
    view.col_stride = one_dimension_is_row ? array.stride(0) : 1;
  } else {
    throw nb::value_error((subject(name) + " must have one or two dimensions. Received " + std::to_string(array.ndim()) +
                           " dimensions.").c_str());
  }
  check_alignment(array, view.dtype, name);
  return view;
}

void *allocate(int64_t bytes) {
  void *memory = nullptr;
  const bool large = bytes >= kLarge;
  const size_t alignment = static_cast<size_t>(large ? kHugePage : kCacheLine);
  const size_t size = bytes > 0 ? static_cast<size_t>(bytes) : 1;
  if (posix_memalign(&memory, alignment, size) != 0) {
    const std::string message = "[allocate] the result needs " + std::to_string(bytes) + " bytes, which the system does not have.";
    PyErr_SetString(PyExc_MemoryError, message.c_str());
    throw nb::python_error();
  }
#ifdef MADV_HUGEPAGE
  if (large) madvise(memory, size, MADV_HUGEPAGE);
#endif
  return memory;
}

NewArray new_array(size_t dimensions, int64_t rows, int64_t cols, ntk_dtype dtype) {
  if (rows < 0 || cols < 0) throw nb::value_error("[allocate] sizes must not be negative. Received a negative size.");
  void *memory = allocate(matrix_bytes(rows, cols, dtype, "allocate"));
  nb::capsule owner(memory, [](void *pointer) noexcept { std::free(pointer); });
  const size_t shape[2] = {static_cast<size_t>(rows), static_cast<size_t>(cols)};
  const auto element = dtype == NTK_FLOAT32 ? nb::dtype<float>() : nb::dtype<double>();
  nb::ndarray<nb::numpy> array(memory, dimensions, shape, owner, nullptr, element);
  return {nb::borrow<Array>(nb::cast(array)), {memory, rows, cols, cols, 1, dtype, 0}};
}

}  // namespace

ntk_matrix matrix(const Input &array, const char *name) { return strided(array, name, false); }
ntk_matrix matrix(const Output &array, const char *name) { return strided(array, name, false); }
ntk_matrix row(const Input &array, const char *name) { return strided(array, name, true); }

ntk_matrix matrix(const std::optional<Input> &array, const char *name) {
  return array ? matrix(*array, name) : ntk_matrix{};
}

ntk_array array(const Input &input, const char *name) {
  if (input.ndim() < 1 || input.ndim() > NTK_MAX_RANK) {
    throw nb::value_error((subject(name) + " must have 1 to " + std::to_string(NTK_MAX_RANK) + " dimensions. Received " +
                           std::to_string(input.ndim()) + " dimensions.").c_str());
  }
  ntk_array view{};
  view.dtype = element_type(input, name);
  view.data = const_cast<void *>(input.data());
  view.rank = static_cast<int32_t>(input.ndim());
  for (size_t axis = 0; axis < input.ndim(); ++axis) {
    view.shape[axis] = static_cast<int64_t>(input.shape(axis));
    view.strides[axis] = input.stride(axis);
  }
  check_alignment(input, view.dtype, name);
  return view;
}

ntk_array array(const std::optional<Input> &input, const char *name) { return input ? array(*input, name) : ntk_array{}; }

int64_t entry_size(const ntk_array &array) {
  int64_t size = 1;
  for (int32_t axis = 1; axis < array.rank; ++axis) {
    if (__builtin_mul_overflow(size, array.shape[axis], &size)) throw nb::value_error("[_core] sizes must fit in 63 bits.");
  }
  return size;
}

std::pair<const double *, int64_t> doubles(const Input &array, const char *name) {
  if (array.dtype() != nb::dtype<double>()) {
    throw nb::type_error((subject(name) + " must have dtype float64. Received another dtype.").c_str());
  }
  if (array.ndim() != 1 || (array.shape(0) > 1 && array.stride(0) != 1)) {
    throw nb::value_error((subject(name) + " must be one-dimensional and contiguous. Received another layout.").c_str());
  }
  return {static_cast<const double *>(array.data()), static_cast<int64_t>(array.shape(0))};
}

NewArray new_matrix(int64_t rows, int64_t cols, ntk_dtype dtype) { return new_array(2, rows, cols, dtype); }
NewArray new_vector(int64_t count, ntk_dtype dtype) { return new_array(1, count, 1, dtype); }

int64_t matrix_bytes(int64_t rows, int64_t cols, ntk_dtype dtype, const char *op) {
  int64_t bytes = 0;
  const int64_t size = dtype == NTK_FLOAT32 ? 4 : 8;
  if (__builtin_mul_overflow(rows, cols, &bytes) || __builtin_mul_overflow(bytes, size, &bytes)) {
    const std::string message = std::string("[") + op + "] the result must have fewer than 2^63 bytes. Received " +
                                std::to_string(rows) + " x " + std::to_string(cols) + " elements.";
    PyErr_SetString(PyExc_MemoryError, message.c_str());
    throw nb::python_error();
  }
  return bytes;
}

int64_t reserve(int64_t bytes, int64_t memory_limit, const char *op) {
  const int64_t limit = memory_limit > 0 ? memory_limit : ntk_available_memory() / 2;
  if (memory_limit >= 0 && bytes <= limit) return limit - bytes;
  std::string message = std::string("[") + op + "] memory_limit must ";
  if (memory_limit < 0) {
    message += "not be negative. Received " + std::to_string(memory_limit) + ".";
    throw nb::value_error(message.c_str());
  }
  message += "be at least the " + std::to_string(bytes) + " bytes that this call needs. Received a limit of " + std::to_string(limit) +
             " bytes" + (memory_limit == 0 ? " (half of the available memory)" : "") +
             ". Use fewer rows at a time, float32, an `out` array in a numpy.memmap, or a larger memory_limit.";
  PyErr_SetString(PyExc_MemoryError, message.c_str());
  throw nb::python_error();
}

}  // namespace ntkswift
