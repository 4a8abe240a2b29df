// Symmetric operators: products, rows, diagonal, eigenvalues at one end, trace, density.
#include "operators.h"

#include <vector>

#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

using namespace ntkswift;

namespace ntkswift {
namespace {

// A Python function as the core calls it: on the calling thread, with the GIL taken back.
struct PythonFunction {
  const nb::object &function;
  Call &call;

  template <typename Body>
  static int32_t guarded(void *context, Body &&body) noexcept {
    auto *self = static_cast<PythonFunction *>(context);
    nb::gil_scoped_acquire gil;
    try {
      body(self->function);
      return 0;
    } catch (...) {
      self->call.keep_exception();
      return 1;
    }
  }

  // The ntk_operator: y = A x.
  static int32_t product(void *context, const double *x, double *y, int64_t dimension) noexcept {
    return guarded(context, [&](const nb::object &function) {
      const NewArray copy = new_vector(dimension, NTK_FLOAT64);
      const size_t bytes = static_cast<size_t>(dimension) * sizeof(double);
      std::memcpy(copy.view.data, x, bytes);
      const nb::object answer = function(copy.array);
      const auto [values, length] = doubles(nb::cast<Input>(answer), "the operator's product");
      if (length != dimension) throw nb::value_error("[operator] the product must have as many numbers as the vector. Received another size.");
      std::memcpy(y, values, bytes);
    });
  }

  // The ntk_operator_block: function(row, rows, column, columns) -> array of rows x columns.
  static int32_t block(void *context, int64_t row, int64_t rows, int64_t column, int64_t columns, double *out, int64_t leading) noexcept {
    return guarded(context, [&](const nb::object &function) {
      const nb::object answer = function(row, rows, column, columns);
      const ntk_matrix values = matrix(nb::cast<Input>(answer), "the operator's block");
      if (values.dtype != NTK_FLOAT64 || values.rows != rows || values.cols != columns) {
        throw nb::value_error("[operator] a block must be float64 with the rows and columns that were asked for. Received another.");
      }
      const auto *source = static_cast<const double *>(values.data);
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t j = 0; j < columns; ++j) out[i * leading + j] = source[i * values.row_stride + j * values.col_stride];
      }
    });
  }
};

int64_t checked(int64_t dimension) {
  if (dimension < 1) throw nb::value_error("[operator] the dimension must be 1 or more.");
  return dimension;
}

}  // namespace

SymmetricOperator::SymmetricOperator(int32_t kind, int64_t dimension) {
  described_.kind = kind;
  described_.dimension = checked(dimension);
}

std::unique_ptr<SymmetricOperator> SymmetricOperator::product(nb::object function, int64_t dimension) {
  std::unique_ptr<SymmetricOperator> made(new SymmetricOperator(NTK_OPERATOR_PRODUCT, dimension));
  made->function_ = std::move(function);
  return made;
}

std::unique_ptr<SymmetricOperator> SymmetricOperator::blocks(nb::object function, int64_t dimension, double shift, int64_t store) {
  std::unique_ptr<SymmetricOperator> made(new SymmetricOperator(NTK_OPERATOR_BLOCKS, dimension));
  made->function_ = std::move(function);
  made->described_.shift = shift;
  made->store_bytes_ = store;
  return made;
}

std::unique_ptr<SymmetricOperator> SymmetricOperator::dense(Input given) {
  std::unique_ptr<SymmetricOperator> made(new SymmetricOperator(NTK_OPERATOR_DENSE, matrix(given, "matrix").rows));
  made->matrix_ = std::move(given);
  return made;
}

std::unique_ptr<SymmetricOperator> SymmetricOperator::kernel(const Architecture &architecture, Input x, bool ntk, double shift,
                                                             int64_t store) {
  std::unique_ptr<SymmetricOperator> made(new SymmetricOperator(NTK_OPERATOR_KERNEL, matrix(x, "x").rows));
  made->architecture_ = &architecture;
  made->described_.which = ntk;
  made->described_.shift = shift;
  made->matrix_ = std::move(x);
  made->store_bytes_ = store;
  return made;
}

std::unique_ptr<SymmetricOperator> SymmetricOperator::curvature(const Network &network, Input parameters, int32_t kind, int32_t loss,
                                                                Input x, Input targets, Seed seed) {
  std::unique_ptr<SymmetricOperator> made(new SymmetricOperator(NTK_OPERATOR_CURVATURE, network.info().parameter_count));
  made->network_ = &network;
  made->parameters_ = std::move(parameters);
  made->described_.which = kind;
  made->described_.loss = loss;
  made->matrix_ = std::move(x);
  made->targets_ = std::move(targets);
  made->seed_ = seed;
  return made;
}

std::unique_ptr<SymmetricOperator> SymmetricOperator::covariance(Input vectors, bool centred) {
  std::unique_ptr<SymmetricOperator> made(new SymmetricOperator(NTK_OPERATOR_COVARIANCE, matrix(vectors, "vectors").cols));
  made->matrix_ = std::move(vectors);
  made->described_.which = centred;
  return made;
}

void SymmetricOperator::shift_by(Input numbers) {
  matrix(numbers, "shifts");  // an array that the core takes, or an error
  shifts_ = std::move(numbers);
}

// Memory for the blocks, at the first call.
void SymmetricOperator::open_store() const {
  if (kept_.array.is_valid() || store_bytes_ <= 0) return;
  int64_t numbers = 0;
  check([&](ntk_error *error) { return ntk_operator_store_size(described_.dimension, store_bytes_, &numbers, error); });
  kept_ = new_vector(numbers, NTK_FLOAT64);
}

void SymmetricOperator::run(Call &call,
                            const std::function<int32_t(const ntk_symmetric_operator *, const ntk_call *, ntk_error *)> &body) const {
  ntk_symmetric_operator self = described_;
  if (matrix_) self.matrix = matrix(*matrix_, "matrix");
  if (targets_) self.targets = matrix(*targets_, "targets");
  if (shifts_) self.shifts = matrix(*shifts_, "shifts");
  const std::unique_lock<std::mutex> lock(store_in_use_, std::try_to_lock);
  if (lock.owns_lock()) open_store();
  if (lock.owns_lock() && kept_.array.is_valid()) {
    self.store = kept_.view;
    self.stored = &stored_;
  }
  PythonFunction python{function_, call};
  self.product = PythonFunction::product;
  self.block = PythonFunction::block;
  self.context = &python;
  const auto core = [&](const ntk_call *how, ntk_error *error) { return body(&self, how, error); };
  if (architecture_) {
    UserFunctions functions{*architecture_, call};
    self.architecture = architecture_->handle();
    self.function = UserFunctions::evaluate;
    self.function_context = &functions;
    call.run(core);
  } else if (network_) {
    UserFunctions functions{network_->architecture(), call};
    const ntk_network opened = network_->open(*parameters_, seed_, functions);
    self.network = &opened;
    call.run(core);
  } else {
    call.run(core);
  }
}

}  // namespace ntkswift

namespace {

// Room for a result, taken from the call's memory limit.
NewArray result(Call &call, int64_t rows, int64_t cols, int64_t memory_limit, const char *op) {
  call.set_memory_limit(std::max<int64_t>(1, reserve(matrix_bytes(rows, cols, NTK_FLOAT64, op), memory_limit, op)));
  return new_matrix(rows, cols, NTK_FLOAT64);
}

Array multiply(const SymmetricOperator &self, const Input &vectors, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix x = row(vectors, "vectors");
  const NewArray products = result(call, x.rows, self.dimension(), memory_limit, "multiply");
  self.run(call, [&](const ntk_symmetric_operator *op, const ntk_call *how, ntk_error *error) {
    return ntk_operator_multiply(op, &x, &products.view, how, error);
  });
  return products.array;
}

Array rows(const SymmetricOperator &self, const std::vector<int64_t> &indices, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const NewArray out = result(call, static_cast<int64_t>(indices.size()), self.dimension(), memory_limit, "rows");
  self.run(call, [&](const ntk_symmetric_operator *op, const ntk_call *how, ntk_error *error) {
    return ntk_operator_rows(op, indices.data(), &out.view, how, error);
  });
  return out.array;
}

Array diagonal(const SymmetricOperator &self, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const NewArray out = new_vector(self.dimension(), NTK_FLOAT64);
  self.run(call, [&](const ntk_symmetric_operator *op, const ntk_call *how, ntk_error *error) {
    return ntk_operator_diagonal(op, &out.view, how, error);
  });
  return out.array;
}

// Which end of the spectrum a caller names.
int32_t end_of(const std::string &name) {
  if (name == "largest") return 0;
  if (name == "smallest") return 1;
  if (name == "magnitude") return 2;
  throw nb::value_error(("[lanczos] end must be largest, smallest or magnitude. Received " + name + ".").c_str());
}

// A start vector, or NULL for a random one.
const double *start_of(const OptionalInput &start, int64_t dimension) {
  if (!start) return nullptr;
  const auto [values, length] = doubles(*start, "start");
  if (length != dimension) throw nb::value_error("[lanczos] start must have one number per dimension. Received another length.");
  return values;
}

nb::tuple eigen(const SymmetricOperator &self, int64_t count, const std::string &end, double tolerance, bool vectors,
                bool refines_vectors, bool finds_multiples, int64_t subspace, int64_t most_products, uint64_t seed,
                const OptionalInput &start, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  if (count < 1 || count > self.dimension()) throw nb::value_error("[eigenvalues] count must be between 1 and the dimension.");
  const ntk_lanczos_request request{count, end_of(end), refines_vectors, finds_multiples, 0, tolerance, subspace, most_products,
                                    seed, start_of(start, self.dimension())};
  ntk_matrix room{};
  nb::object array = nb::none();
  if (vectors) {
    const NewArray made = result(call, count, self.dimension(), memory_limit, "eigenvalues");
    room = made.view;
    array = made.array;
  }
  const NewArray values = new_vector(count, NTK_FLOAT64), residuals = new_vector(count, NTK_FLOAT64);
  int64_t products = 0;
  self.run(call, [&](const ntk_symmetric_operator *op, const ntk_call *how, ntk_error *error) {
    return ntk_operator_eigen(op, &request, &values.view, &residuals.view, &room, &products, how, error);
  });
  return nb::make_tuple(values.array, residuals.array, array, products);
}

Array trace(const SymmetricOperator &self, int64_t probes, uint64_t seed, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  if (probes < 1) throw nb::value_error("[trace] probes must be 1 or more.");
  const NewArray samples = new_vector(probes, NTK_FLOAT64);
  self.run(call, [&](const ntk_symmetric_operator *op, const ntk_call *how, ntk_error *error) {
    return ntk_operator_trace(op, seed, &samples.view, how, error);
  });
  return samples.array;
}

nb::tuple density(const SymmetricOperator &self, int64_t probes, int64_t steps, uint64_t seed, int32_t threads, int64_t memory_limit,
                  nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  if (probes < 1 || steps < 1) throw nb::value_error("[spectral_density] probes and steps must be 1 or more.");
  const int64_t columns = std::min(steps, self.dimension());
  const int64_t bytes = matrix_bytes(2 * probes, columns, NTK_FLOAT64, "spectral_density");
  call.set_memory_limit(std::max<int64_t>(1, reserve(bytes, memory_limit, "spectral_density")));
  const NewArray nodes = new_matrix(probes, columns, NTK_FLOAT64), weights = new_matrix(probes, columns, NTK_FLOAT64);
  self.run(call, [&](const ntk_symmetric_operator *op, const ntk_call *how, ntk_error *error) {
    return ntk_operator_density(op, seed, &nodes.view, &weights.view, how, error);
  });
  return nb::make_tuple(nodes.array, weights.array);
}

// Python functions may refer back to the operator (through what they close over): the garbage collector must see them.
int traverse(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(self));
  if (nb::inst_ready(self)) Py_VISIT(nb::inst_ptr<SymmetricOperator>(self)->function().ptr());
  return 0;
}

int clear(PyObject *self) {
  if (nb::inst_ready(self)) nb::inst_ptr<SymmetricOperator>(self)->forget_function();
  return 0;
}

PyType_Slot kCollected[] = {
    {Py_tp_traverse, reinterpret_cast<void *>(traverse)}, {Py_tp_clear, reinterpret_cast<void *>(clear)}, {0, nullptr}};

}  // namespace

void bind_operators(nb::module_ &m) {
  nb::class_<SymmetricOperator>(m, "SymmetricOperator", nb::type_slots(kCollected), "A symmetric matrix that is known by what it does.")
      .def_static("product", &SymmetricOperator::product, nb::arg("function"), nb::arg("dimension"),
                  "A function x -> A x on float64 vectors.")
      .def_static("blocks", &SymmetricOperator::blocks, nb::arg("function"), nb::arg("dimension"), nb::arg("shift") = 0.0,
                  nb::arg("store") = 0,
                  "A function (row, rows, column, columns) -> block of A; up to `store` bytes of blocks are kept.")
      .def_static("dense", &SymmetricOperator::dense, nb::arg("matrix"), "A symmetric float64 matrix.")
      .def_static("kernel", &SymmetricOperator::kernel, nb::arg("architecture"), nb::arg("x"), nb::arg("ntk"), nb::arg("shift") = 0.0,
                  nb::arg("store") = 0, nb::keep_alive<0, 1>(), "The kernel of a network on the rows of x, computed by blocks.")
      .def_static("curvature", &SymmetricOperator::curvature, nb::arg("network"), nb::arg("parameters"), nb::arg("kind"),
                  nb::arg("loss"), nb::arg("x"), nb::arg("targets"), nb::arg("seed") = Seed{0, 0}, nb::keep_alive<0, 1>(),
                  "The Hessian (kind 0) or Gauss-Newton matrix (1) of a network's loss.")
      .def_static("covariance", &SymmetricOperator::covariance, nb::arg("vectors"), nb::arg("centred") = true,
                  "The covariance of the rows of a float64 matrix, or their uncentred second moments.")
      .def("shift_by", &SymmetricOperator::shift_by, nb::arg("numbers"), "Adds one column of numbers to the diagonal from now on.")
      .def_prop_ro("dimension", &SymmetricOperator::dimension, "Rows and columns.")
      .def_prop_ro("stored_bytes", &SymmetricOperator::stored_bytes, "Bytes of the blocks that are kept.")
      .def("multiply", &multiply, nb::arg("vectors"), NTK_CALL_ARGUMENTS, "Products with the rows of a block of vectors, as rows.")
      .def("rows", &rows, nb::arg("indices"), NTK_CALL_ARGUMENTS, "Rows of the matrix.")
      .def("diagonal", &diagonal, NTK_CALL_ARGUMENTS, "Its diagonal.")
      .def("eigen", &eigen, nb::arg("count"), nb::arg("end") = "largest", nb::arg("tolerance") = 1e-10, nb::arg("vectors") = false,
           nb::arg("refines_vectors") = false, nb::arg("finds_multiples") = false, nb::arg("subspace") = 0,
           nb::arg("most_products") = 0, nb::arg("seed") = 0, nb::arg("start").none() = nb::none(), NTK_CALL_ARGUMENTS,
           "Eigenvalues at one end: (values, residual norms, vectors as rows or None, number of products).")
      .def("trace", &trace, nb::arg("probes"), nb::arg("seed") = 0, NTK_CALL_ARGUMENTS,
           "Products v A v with random signs v, one per probe.")
      .def("density", &density, nb::arg("probes"), nb::arg("steps"), nb::arg("seed") = 0, NTK_CALL_ARGUMENTS,
           "(nodes, weights) of stochastic Lanczos quadrature, probes x steps.");
}
