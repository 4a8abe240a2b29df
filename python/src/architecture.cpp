// Architectures: op tables from NumPy columns, and the Python functions of user-defined layers.
#include "architecture.h"

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <nanobind/stl/vector.h>

using namespace ntkswift;

namespace ntkswift {
namespace {

// Numbers of one record in the rows of `ops`: the fields of ntk_op in their order.
constexpr size_t kFields = 6;

// The elements of a C-contiguous int64 array with `width` elements per row.
std::pair<const int64_t *, size_t> whole_numbers(const Input &array, size_t width, const char *name) {
  const bool flat = array.ndim() == 1 && width == 1;
  const bool wide = array.ndim() == 2 && array.shape(1) == width;
  if (array.dtype() == nb::dtype<int64_t>() && (flat || wide)) {
    const bool contiguous = (flat || array.stride(1) == 1) && (array.shape(0) < 2 || array.stride(0) == static_cast<int64_t>(width));
    if (contiguous) return {static_cast<const int64_t *>(array.data()), array.shape(0)};
  }
  const std::string message = std::string("[Architecture] ") + name + " must be a C-contiguous int64 array with " +
                              std::to_string(width) + " numbers per row. Received another array.";
  throw nb::value_error(message.c_str());
}

std::vector<ntk_op> op_table(const Input &records) {
  const auto [field, count] = whole_numbers(records, kFields, "ops");
  std::vector<ntk_op> ops(count);
  for (size_t i = 0; i < count; ++i) {
    const int64_t *record = field + i * kFields;
    for (size_t k = 0; k < 2; ++k) {
      if (record[k] != static_cast<int32_t>(record[k])) {
        throw nb::value_error("[Architecture] kinds and arities of ops must fit 32 bits. Received others.");
      }
    }
    ops[i] = {static_cast<int32_t>(record[0]), static_cast<int32_t>(record[1]), record[2], record[3], record[4], record[5]};
  }
  return ops;
}

// A catalogue entry as Python reads it.
nb::typed<nb::dict, nb::str, nb::any> describe_activation(int64_t index) {
  ntk_activation_info info{};
  check([&](ntk_error *error) { return ntk_activation_describe(index, &info, error); });
  static const char *const kKinds[] = {"real", "integer", "flag", "list", "function"};
  nb::list parameters;
  for (int32_t i = 0; i < info.parameter_count; ++i) {
    const ntk_activation_parameter &parameter = info.parameters[i];
    nb::dict described;
    described["name"] = parameter.name;
    described["kind"] = kKinds[parameter.kind];
    described["least"] = parameter.least;
    described["most"] = parameter.most;
    described["is_open"] = parameter.is_open != 0;
    described["default"] = std::isnan(parameter.standard) ? nb::none() : nb::object(nb::float_(parameter.standard));
    parameters.append(described);
  }
  nb::typed<nb::dict, nb::str, nb::any> result;
  result["code"] = info.code;
  result["name"] = info.name;
  result["parameters"] = parameters;
  return result;
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

// What a caller left out.
const char *missing(int32_t what) {
  switch (what) {
    case 0: return "[Elementwise] finite networks need fn. Received nngp_fn only: a kernel without its function.";
    case 1: return "[Elementwise] derivatives of finite networks need the derivative of fn. Received fn only.";
    default: return "[Elementwise] kernels need nngp_fn. Received fn only: a function without its kernel.";
  }
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

Architecture::Architecture(const Input &ops, const Input &integers, const Input &reals, nb::list functions)
    : functions_(std::move(functions)) {
  const std::vector<ntk_op> table = op_table(ops);
  const auto integer_pool = whole_numbers(integers, 1, "integers");
  const auto real_pool = doubles(reals, "reals");
  check([&](ntk_error *error) {
    return ntk_architecture_create(table.data(), static_cast<int64_t>(table.size()), integer_pool.first,
                                   static_cast<int64_t>(integer_pool.second), real_pool.first, real_pool.second, &handle_, error);
  });
  check([&](ntk_error *error) { return ntk_architecture_describe(handle_, &info_, error); });
}

Architecture::~Architecture() {
  if (handle_ != 0) ntk_architecture_destroy(handle_, nullptr);
}

ntk_signal Architecture::output(const ntk_signal &input, ntk_width_regime regime) const {
  const ntk_network_input entering{&input, 1, 0, regime, 1, 0};
  ntk_flow_info info{};
  ntk_signal result{};
  check([&](ntk_error *error) { return ntk_architecture_flow(handle_, &entering, &info, &result, 1, nullptr, 0, error); });
  return result;
}

int64_t Architecture::output_blocks(int64_t input_width) const {
  ntk_signal input{};
  input.channels = input_width;
  input.blocks = 1;
  return output(input, NTK_INFINITE).blocks;
}

int32_t UserFunctions::evaluate(void *context, int64_t index, int32_t what, const double *a, const double *b, const double *c,
                                double *y, int64_t n) noexcept {
  auto *self = static_cast<UserFunctions *>(context);
  nb::gil_scoped_acquire gil;
  try {
    const nb::object known = self->architecture.functions();
    if (!known.is_valid()) throw nb::value_error("[Architecture] the functions of this network are gone.");
    const nb::list functions = nb::cast<nb::list>(known);
    if (index < 0 || static_cast<size_t>(index) >= functions.size()) {
      throw nb::index_error("[Architecture] functions must hold every function that the op table names.");
    }
    const nb::tuple slots = nb::cast<nb::tuple>(functions[static_cast<size_t>(index)]);
    if (what < 0 || static_cast<size_t>(what) >= slots.size() || slots[static_cast<size_t>(what)].is_none()) {
      throw nb::value_error(missing(what));
    }
    apply(slots[static_cast<size_t>(what)], a, b, c, y, n);
    return 0;
  } catch (...) {
    self->call.keep_exception();
    return 1;
  }
}

}  // namespace ntkswift

namespace {

using Shape = std::vector<int64_t>;

nb::tuple tuple_of(const int64_t *lengths, int64_t count) {
  nb::list list;
  for (int64_t k = 0; k < count; ++k) list.append(lengths[k]);
  return nb::tuple(list);
}

// A signal of data: lengths of the spatial axes, then channels.
ntk_signal signal(const Shape &shape) {
  ntk_signal result{};
  if (shape.empty() || shape.size() > NTK_SPATIAL_AXES + 1) {
    throw nb::value_error("[Architecture] a shape must hold 0 to 6 spatial axes and the channels. Received another length.");
  }
  result.spatial_axes = static_cast<int32_t>(shape.size() - 1);
  std::copy(shape.begin(), shape.end() - 1, result.spatial);
  result.channels = shape.back();
  result.blocks = 1;
  return result;
}

ntk_signal output(const Architecture &self, int64_t width, std::optional<bool> is_gaussian) {
  ntk_signal input = signal({width});
  if (is_gaussian) input.law = *is_gaussian ? NTK_LAW_GAUSSIAN : NTK_LAW_OTHER;
  return self.output(input, NTK_INFINITE);
}

using Parameters = nb::typed<nb::tuple, std::vector<ntk_signal>, bool, std::vector<ntk_parameter_slot>>;

Parameters parameters(const Architecture &self, const std::vector<Shape> &shapes, bool is_branched) {
  std::vector<ntk_signal> inputs;
  for (const Shape &shape : shapes) inputs.push_back(signal(shape));
  const ntk_network_input entering{inputs.data(), static_cast<int64_t>(inputs.size()), is_branched, NTK_FINITE, 0, 0};
  ntk_flow_info info{};
  check([&](ntk_error *error) {
    return ntk_architecture_flow(self.handle(), &entering, &info, nullptr, 0, nullptr, 0, error);
  });
  std::vector<ntk_signal> outputs(static_cast<size_t>(info.output_count));
  std::vector<ntk_parameter_slot> slots(static_cast<size_t>(info.slot_count));
  check([&](ntk_error *error) {
    return ntk_architecture_flow(self.handle(), &entering, &info, outputs.data(), info.output_count, slots.data(), info.slot_count,
                                 error);
  });
  return nb::borrow<Parameters>(nb::make_tuple(outputs, info.output_is_branched != 0, slots));
}

const char *role(const ntk_parameter_slot &slot) {
  switch (slot.role) {
    case NTK_WEIGHT: return "weight";
    case NTK_BIAS: return "bias";
    case NTK_SCALE: return "scale";
    default: return "shift";
  }
}

void bind_signals(nb::module_ &m) {
  nb::class_<ntk_signal>(m, "Signal", "What flows between layers.")
      .def_prop_ro("spatial", [](const ntk_signal &self) { return tuple_of(self.spatial, self.spatial_axes); },
                   "Lengths of the axes between batch and channels.")
      .def_ro("channels", &ntk_signal::channels, "Numbers at each position.")
      .def_ro("blocks", &ntk_signal::blocks, "Rows for each input: more than one after a concatenation along the batch.")
      .def_prop_ro("is_gaussian", [](const ntk_signal &self) { return self.law == NTK_LAW_GAUSSIAN; },
                   "Whether it is a Gaussian process in the infinite limit.");
  nb::class_<ntk_parameter_slot>(m, "ParameterSlot", "One array of a finite network's parameters.")
      .def_prop_ro("role", &role, "weight, bias, scale or shift.")
      .def_ro("layer", &ntk_parameter_slot::layer, "Number of its layer, from 1, compositions not counted.")
      .def_ro("offset", &ntk_parameter_slot::offset, "First number in the flat vector.")
      .def_ro("fan_in", &ntk_parameter_slot::fan_in, "Numbers of the input that one output reads.")
      .def_ro("initial_deviation", &ntk_parameter_slot::initial_deviation, "Standard deviation of a random start; 0 for scale and shift.")
      .def_prop_ro("shape", [](const ntk_parameter_slot &self) { return tuple_of(self.shape, self.axes); },
                   "Weights: window, inputs, outputs; biases: 1 ... 1, outputs; scale and shift: channels.")
      .def_prop_ro("is_trainable", [](const ntk_parameter_slot &self) { return self.is_trainable != 0; }, "Whether training moves it.");
}

}  // namespace

void bind_architecture(nb::module_ &m) {
  bind_signals(m);
  nb::enum_<ntk_op_kind>(m, "OpKind", nb::is_arithmetic(), "Kinds of layers in op tables; activations have codes of their own.")
      .value("SERIAL", NTK_SERIAL)
      .value("PARALLEL", NTK_PARALLEL)
      .value("IDENTITY", NTK_IDENTITY)
      .value("DENSE", NTK_DENSE)
      .value("FAN_OUT", NTK_FAN_OUT)
      .value("FAN_IN_SUM", NTK_FAN_IN_SUM)
      .value("FAN_IN_PROD", NTK_FAN_IN_PROD)
      .value("FAN_IN_CONCAT", NTK_FAN_IN_CONCAT)
      .value("LAYER_NORM", NTK_LAYER_NORM)
      .value("DROPOUT", NTK_DROPOUT)
      .value("CONVOLUTION", NTK_CONVOLUTION)
      .value("POOL", NTK_POOL)
      .value("GLOBAL_POOL", NTK_GLOBAL_POOL)
      .value("FLATTEN", NTK_FLATTEN)
      .value("BATCH_NORM", NTK_BATCH_NORM)
      .value("FIRST_ACTIVATION", NTK_FIRST_ACTIVATION);

  m.def(
      "activations",
      [] {
        nb::typed<nb::list, nb::dict> all;
        for (int64_t i = 0; i < ntk_activation_count(); ++i) all.append(describe_activation(i));
        return all;
      },
      "The catalogue of activations: for each its code in op tables, its name and its parameters (name, kind, least, most,\n"
      "is_open, default).");

  nb::class_<Architecture>(m, "Architecture", nb::type_slots(kCollected),
                           "A network, decoded from an op table (see ntkswift.h) and validated.")
      .def(nb::init<const Input &, const Input &, const Input &, nb::list>(), nb::arg("ops"), nb::arg("integers"),
           nb::arg("reals"), nb::arg("functions"),
           "The records of the op table, int64 (n, 6): kind, arity, first integer, integers, first real, reals; the pools of\n"
           "integers, int64 (i,), and of reals, float64 (r,), that they take parts of; and for each user function a tuple\n"
           "(f, f', dual, derivative of the dual) with None where absent.")
      .def_prop_ro("dense_count", [](const Architecture &self) { return self.info().dense_count; },
                   "Dense layers, numbered in the order of the op table.")
      .def_prop_ro("trains_with_dropout", [](const Architecture &self) { return self.info().trains_with_dropout != 0; },
                   "Whether a Dropout in train mode is inside.")
      .def_prop_ro("starts_with_flatten", [](const Architecture &self) { return self.info().starts_with_flatten != 0; },
                   "Whether inputs of any shape become flat before anything else.")
      .def("output", &output, nb::arg("width"), nb::arg("is_gaussian") = nb::none(),
           "The signal at the end of the infinitely wide network for flat inputs of a width; `is_gaussian` says what the kernel of an\n"
           "earlier network is, None that data enter.")
      .def("parameters", &parameters, nb::arg("shapes"), nb::arg("is_branched"),
           "Signals at the end of the finite network, whether they are branches, and the arrays of its parameters. Shapes are those of one\n"
           "input each, one for each branch.");
}
