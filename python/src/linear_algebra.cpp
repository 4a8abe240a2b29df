// Factorisations, solves, products and eigenvalues.
#include "common.h"

using namespace ntkswift;

namespace {

// Room for a result, taken from the call's memory limit.
NewArray result(Call &call, int64_t rows, int64_t cols, int64_t memory_limit, const char *op) {
  const int64_t left = reserve(matrix_bytes(rows, cols, NTK_FLOAT64, op), memory_limit, op);
  call.set_memory_limit(std::max<int64_t>(1, left));
  return new_matrix(rows, cols, NTK_FLOAT64);
}

nb::tuple cholesky(const nb::object &a, double ridge, bool relative, double largest_jitter, bool overwrite, int32_t threads,
                   int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_regularization wishes{ridge, relative, 0, largest_jitter};
  ntk_factor_report report{};
  const ntk_matrix source = matrix(nb::cast<Input>(a), "a");
  NewArray factor{a, source};
  if (overwrite) {
    factor.view = matrix(nb::cast<Output>(a), "a");  // TypeError for a read-only array
  } else {
    factor = result(call, source.rows, source.cols, memory_limit, "cholesky");
  }
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_cholesky(&source, &wishes, &factor.view, &report, how, error); });
  return nb::make_tuple(factor.array, report.ridge, report.jitter, report.log_determinant, report.reciprocal_condition);
}

nb::object symmetry_fault(const Input &a, double tolerance, bool is_kernel, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix source = matrix(a, "a");
  ntk_symmetry_fault fault{};
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_symmetry(&source, tolerance, is_kernel, &fault, how, error); });
  if (fault.kind == 0) return nb::none();
  return nb::make_tuple(fault.row, fault.column, fault.kind == 2 ? nb::cast(fault.eigenvalue) : nb::none());
}

Array solve(const Input &factor, const Input &b, int32_t system, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix l = matrix(factor, "factor"), right = matrix(b, "b");
  if (right.dtype != NTK_FLOAT64) throw nb::type_error("[solve] b must have dtype float64. Received float32.");
  NewArray x = result(call, right.rows, right.cols, memory_limit, "solve");
  const auto *source = static_cast<const double *>(right.data);
  auto *target = static_cast<double *>(x.view.data);
  for (int64_t i = 0; i < right.rows; ++i) {
    for (int64_t j = 0; j < right.cols; ++j) *target++ = source[i * right.row_stride + j * right.col_stride];
  }
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_solve(system, &l, &x.view, how, error); });
  return x.array;
}

Array multiply(const Input &a, const Input &b, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix left = matrix(a, "a"), right = matrix(b, "b");
  const auto dtype = static_cast<ntk_dtype>(left.dtype);
  const int64_t rest = reserve(matrix_bytes(left.rows, right.cols, dtype, "multiply"), memory_limit, "multiply");
  call.set_memory_limit(std::max<int64_t>(1, rest));
  const NewArray product = new_matrix(left.rows, right.cols, dtype);
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_multiply(&left, &right, &product.view, how, error); });
  return product.array;
}

nb::tuple eigh(const Input &a, double ridge, bool relative, bool vectors, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix source = matrix(a, "a");
  const ntk_regularization wishes{ridge, relative, 0, 0};
  const NewArray values = new_vector(source.rows, NTK_FLOAT64);
  ntk_matrix room{};
  nb::object array = nb::none();
  if (vectors) {
    const NewArray made = result(call, source.rows, source.rows, memory_limit, "eigh");
    room = made.view;
    array = made.array;
  }
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_eigh(&source, &wishes, &values.view, &room, how, error); });
  return nb::make_tuple(values.array, array);
}

double largest_eigenvalue(const Input &a, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix source = matrix(a, "a");
  double value = 0;
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_largest_eigenvalue(&source, &value, how, error); });
  return value;
}

}  // namespace

void bind_linear_algebra(nb::module_ &m) {
  m.def("cholesky", &cholesky, nb::arg("a"), nb::arg("ridge") = 0.0, nb::arg("relative") = true, nb::arg("largest_jitter") = 1e-6,
        nb::arg("overwrite") = false, NTK_CALL_ARGUMENTS,
        "Cholesky factor of a + ridge I (float32 or float64 in, float64 out): (factor, ridge in absolute units, jitter, log determinant,\n"
        "reciprocal condition number).\n"
        "overwrite: the factor takes the place of a, which must be symmetric, float64 and C-contiguous.");
  m.def("symmetry_fault", &symmetry_fault, nb::arg("a"), nb::arg("tolerance"), nb::arg("is_kernel"), NTK_CALL_ARGUMENTS,
        "The first fault of a matrix that should be symmetric (and, a kernel, not indefinite) to a relative tolerance: (row, column, negative\n"
        "eigenvalue of their block, or None where the two elements differ); None where there is none.");
  m.def("solve", &solve, nb::arg("factor"), nb::arg("b"), nb::arg("system") = 0, NTK_CALL_ARGUMENTS,
        "Solution with a Cholesky factor L: system 0 is L L^T x = b, 1 is L x = b, 2 is L^T x = b.");
  m.def("multiply", &multiply, nb::arg("a"), nb::arg("b"), NTK_CALL_ARGUMENTS, "Matrix product, both float64 or both float32.");
  m.def("eigh", &eigh, nb::arg("a"), nb::arg("ridge") = 0.0, nb::arg("relative") = true, nb::arg("vectors") = true, NTK_CALL_ARGUMENTS,
        "Eigenvalues of a + ridge I, ascending, and eigenvectors as rows (or None): (values, vectors), float64.");
  m.def("largest_eigenvalue", &largest_eigenvalue, nb::arg("a"), NTK_CALL_ARGUMENTS,
        "Largest eigenvalue of a symmetric matrix, to a relative error of 1e-10.");
}
