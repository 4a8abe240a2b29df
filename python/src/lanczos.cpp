// Eigenvalues of operators that are known by their products only.
#include "operators.h"

using namespace ntkswift;

namespace {

nb::tuple lanczos(nb::object product, int64_t dimension, int64_t count, const std::string &end, double tolerance, bool vectors,
                  bool refines_vectors, bool finds_multiples, int64_t subspace, int64_t most_products, uint64_t seed,
                  const OptionalInput &start, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  PythonOperator python{std::move(product), call};
  if (dimension < 1 || count < 1 || count > dimension) throw nb::value_error("[lanczos] count must be between 1 and the dimension.");
  const ntk_lanczos_request request{dimension, count, end_of(end), refines_vectors, finds_multiples, 0,
                                    tolerance, subspace, most_products, seed, start_of(start, dimension)};
  ntk_matrix room{};
  nb::object array = nb::none();
  if (vectors) {
    call.set_memory_limit(std::max<int64_t>(1, reserve(matrix_bytes(count, dimension, NTK_FLOAT64, "lanczos"), memory_limit, "lanczos")));
    const NewArray made = new_matrix(count, dimension, NTK_FLOAT64);
    room = made.view;
    array = made.array;
  }
  const NewArray values = new_vector(count, NTK_FLOAT64), residuals = new_vector(count, NTK_FLOAT64);
  int64_t products = 0;
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_lanczos(&request, PythonOperator::evaluate, &python, &values.view, &residuals.view, &room, &products, how, error);
  });
  return nb::make_tuple(values.array, residuals.array, array, products);
}

nb::tuple lanczos_quadrature(nb::object product, int64_t dimension, int64_t steps, uint64_t seed, const OptionalInput &start,
                             int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  PythonOperator python{std::move(product), call};
  if (dimension < 1 || steps < 1) throw nb::value_error("[lanczos] the dimension and steps must be 1 or more.");
  const int64_t count = std::min(steps, dimension);
  ntk_lanczos_request request{};
  request.dimension = dimension;
  request.count = count;
  request.seed = seed;
  request.start = start_of(start, dimension);
  const NewArray nodes = new_vector(count, NTK_FLOAT64), weights = new_vector(count, NTK_FLOAT64);
  int64_t found = 0;
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_lanczos_quadrature(&request, PythonOperator::evaluate, &python, &nodes.view, &weights.view, &found, how, error);
  });
  return nb::make_tuple(nodes.array, weights.array, found);
}

}  // namespace

void bind_lanczos(nb::module_ &m) {
  m.def("lanczos", &lanczos, nb::arg("product"), nb::arg("dimension"), nb::arg("count"), nb::arg("end") = "largest",
        nb::arg("tolerance") = 1e-10, nb::arg("vectors") = false, nb::arg("refines_vectors") = false,
        nb::arg("finds_multiples") = false, nb::arg("subspace") = 0, nb::arg("most_products") = 0, nb::arg("seed") = 0,
        nb::arg("start").none() = nb::none(), NTK_CALL_ARGUMENTS,
        "Eigenvalues at one end (largest, smallest, magnitude) of a symmetric operator given by product(x) -> y on float64 vectors:\n"
        "(values, residual norms, vectors as rows or None, number of products).");
  m.def("lanczos_quadrature", &lanczos_quadrature, nb::arg("product"), nb::arg("dimension"), nb::arg("steps"), nb::arg("seed") = 0,
        nb::arg("start").none() = nb::none(), NTK_CALL_ARGUMENTS,
        "Gauss rule of the spectral measure of a symmetric operator at a start vector (None: random): (nodes, weights, how many).");
}
