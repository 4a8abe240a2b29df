// Architectures: op tables from NumPy columns, and the Python functions of user-defined layers.
#include "architecture.h"

#include <cstring>
#include <string>
#include <vector>

using namespace ntkswift;

namespace ntkswift {
namespace {

constexpr size_t kIntegers = sizeof(ntk_op::integers) / sizeof(int64_t);
constexpr size_t kReals = sizeof(ntk_op::reals) / sizeof(double);

// The elements of a C-contiguous column of the op table with `width` elements per record.
template <typename Element>
const Element *column(const Input &array, size_t count, size_t width, const char *name) {
  const bool flat = array.ndim() == 1 && width == 1;
  const bool wide = array.ndim() == 2 && array.shape(1) == width;
  const bool contiguous = (flat && (count < 2 || array.stride(0) == 1)) ||
                          (wide && array.stride(1) == 1 && (count < 2 || array.stride(0) == static_cast<int64_t>(width)));
  if (array.dtype() == nb::dtype<Element>() && contiguous && array.shape(0) == count) {
    return static_cast<const Element *>(array.data());
  }
  const std::string message = std::string("[Architecture] ") + name + " must be a C-contiguous column of the op table with " +
                              std::to_string(count) + " x " + std::to_string(width) + " elements. Received another array.";
  throw nb::value_error(message.c_str());
}

std::vector<ntk_op> op_table(const Input &kinds, const Input &arities, const Input &integers, const Input &reals) {
  if (kinds.ndim() != 1) throw nb::value_error("[Architecture] kinds must be one-dimensional. Received another array.");
  const size_t count = kinds.shape(0);
  const auto *kind = column<int32_t>(kinds, count, 1, "kinds");
  const auto *arity = column<int32_t>(arities, count, 1, "arities");
  const auto *integer = column<int64_t>(integers, count, kIntegers, "integers");
  const auto *real = column<double>(reals, count, kReals, "reals");
  std::vector<ntk_op> ops(count);
  for (size_t i = 0; i < count; ++i) {
    ops[i].kind = kind[i];
    ops[i].arity = arity[i];
    std::memcpy(ops[i].integers, integer + i * kIntegers, sizeof(ops[i].integers));
    std::memcpy(ops[i].reals, real + i * kReals, sizeof(ops[i].reals));
  }
  return ops;
}

// A new float64 array with a copy of the core's numbers: the function may keep it.
nb::object copied(const double *values, int64_t count) {
  NewArray copy = new_vector(count, NTK_FLOAT64);
  std::memcpy(copy.view.data, values, static_cast<size_t>(count) * sizeof(double));
  return copy.array;
}

// Calls the function and stores its values.
void apply(const nb::object &function, const double *a, const double *b, const double *c, double *y, int64_t n) {
  nb::object value = b && c ? function(copied(a, n), copied(b, n), copied(c, n)) : function(copied(a, n));
  nb::object numpy = nb::module_::import_("numpy");
  nb::object array = numpy.attr("ascontiguousarray")(value, "float64");
  const nb::object shape = nb::object(numpy.attr("shape")(value));
  if (!shape.equal(nb::make_tuple(n))) {
    const std::string message = "[Elementwise] a function must return an array of the shape of its argument, (" +
                                std::to_string(n) + ",). Received shape " + nb::cast<std::string>(nb::str(shape)) + ".";
    throw nb::value_error(message.c_str());
  }
  const auto values = nb::cast<nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>>(array);
  std::memcpy(y, values.data(), static_cast<size_t>(n) * sizeof(double));
}

// Python functions may refer back to the network (through their module, say): the garbage collector must see them.
int traverse(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(self));
  if (nb::inst_ready(self)) Py_VISIT(nb::inst_ptr<Architecture>(self)->functions().ptr());
  return 0;
}

int clear(PyObject *self) {
  if (nb::inst_ready(self)) nb::inst_ptr<Architecture>(self)->forget_functions();
  return 0;
}

PyType_Slot kCollected[] = {
    {Py_tp_traverse, reinterpret_cast<void *>(traverse)}, {Py_tp_clear, reinterpret_cast<void *>(clear)}, {0, nullptr}};

}  // namespace

Architecture::Architecture(const Input &kinds, const Input &arities, const Input &integers, const Input &reals,
                           const Input &coefficients, nb::list functions)
    : functions_(std::move(functions)) {
  const std::vector<ntk_op> ops = op_table(kinds, arities, integers, reals);
  const auto [coefficient, coefficient_count] = doubles(coefficients, "coefficients");
  const double *first = coefficient;
  const int64_t total = coefficient_count;
  check([&](ntk_error *error) {
    return ntk_architecture_create(ops.data(), static_cast<int64_t>(ops.size()), first, total, &handle_, error);
  });
}

Architecture::~Architecture() {
  if (handle_ != 0) ntk_architecture_destroy(handle_, nullptr);
}

ntk_architecture_info Architecture::describe(int64_t input_width) const {
  ntk_architecture_info info{};
  check([&](ntk_error *error) { return ntk_architecture_describe(handle_, input_width, &info, error); });
  return info;
}

int32_t UserFunctions::evaluate(void *context, int64_t index, int32_t what, const double *a, const double *b, const double *c,
                                double *y, int64_t n) noexcept {
  auto *self = static_cast<UserFunctions *>(context);
  WithGil gil;
  try {
    const nb::object known = self->architecture.functions();
    if (!known.is_valid()) throw nb::value_error("[Architecture] the functions of this network are gone.");
    const nb::list functions = nb::cast<nb::list>(known);
    if (index < 0 || static_cast<size_t>(index) >= functions.size()) {
      throw nb::index_error("[Architecture] functions must hold every function that the op table names.");
    }
    const nb::tuple slots = nb::cast<nb::tuple>(functions[static_cast<size_t>(index)]);
    if (what < 0 || static_cast<size_t>(what) >= slots.size() || slots[static_cast<size_t>(what)].is_none()) {
      throw nb::value_error("[Elementwise] this network needs a function or derivative that was not given.");
    }
    apply(slots[static_cast<size_t>(what)], a, b, c, y, n);
    return 0;
  } catch (...) {
    self->call.keep_exception();
    return 1;
  }
}

}  // namespace ntkswift

void bind_architecture(nb::module_ &m) {
  nb::class_<Architecture>(m, "Architecture", nb::type_slots(kCollected),
                           "A network, decoded from an op table (see ntkswift.h) and validated.")
      .def(nb::init<const Input &, const Input &, const Input &, const Input &, const Input &, nb::list>(), nb::arg("kinds"),
           nb::arg("arities"), nb::arg("integers"), nb::arg("reals"), nb::arg("coefficients"), nb::arg("functions"),
           "Columns of the op table: int32 (n,), int32 (n,), int64 (n, 4), float64 (n, 6); the coefficients of polynomials,\n"
           "float64 (m,); and for each user function a tuple (f, f', dual, derivative of the dual) with None where absent.")
      .def(
          "describe",
          [](const Architecture &self, int64_t input_width) {
            const ntk_architecture_info info = self.describe(input_width);
            nb::typed<nb::dict, nb::str, nb::any> result;
            result["dense_count"] = info.dense_count;
            result["output_width"] = info.output_width;
            result["output_blocks"] = info.output_blocks;
            result["is_gaussian"] = info.is_gaussian != 0;
            result["uses_user_functions"] = info.uses_user_functions != 0;
            return result;
          },
          nb::arg("input_width"), "Shapes and properties of the network for inputs of this width.");
}
