// Infinitely wide networks with a bottleneck: training runs, the outer function, the deep linear case.
#include <cstring>
#include <vector>

#include "architecture.h"
#include "training_record.h"

using namespace ntkswift;

namespace {

// The initial outer function as a dict: {"kind": "zero"}, {"kind": "draw", "key", "width"}, {"kind": "weights", "hidden",
// "hidden_bias", "readout", "output_bias"}, {"kind": "function", "function"}. Owns what the core points to.
struct Start {
  nb::object function = nb::none();
  std::vector<nb::object> kept;
  int64_t outputs = 0;
  Call *call = nullptr;

  ntk_outer describe(const Architecture &outer, const nb::dict &given) {
    ntk_outer result{};
    result.architecture = outer.handle();
    const std::string kind = nb::cast<std::string>(given["kind"]);
    if (kind == "draw") {
      const auto key = nb::cast<std::pair<uint64_t, uint64_t>>(given["key"]);
      result.start = NTK_START_DRAW;
      result.key[0] = key.first;
      result.key[1] = key.second;
      result.start_width = nb::cast<int64_t>(given["width"]);
    } else if (kind == "weights") {
      result.start = NTK_START_WEIGHTS;
      result.hidden = optional(given, "hidden");
      result.hidden_bias = optional(given, "hidden_bias");
      result.readout = optional(given, "readout");
      result.output_bias = optional(given, "output_bias");
    } else if (kind == "function") {
      result.start = NTK_START_FUNCTION;
      function = nb::object(given["function"]);
      result.function = evaluate;
      result.function_context = this;
    } else if (kind != "zero") {
      throw nb::value_error("[Bottleneck] the start must be zero, draw, weights or function. Received another kind.");
    }
    return result;
  }

  static int32_t evaluate(void *context, const double *positions, int64_t count, double *values, double *gradients) noexcept {
    auto *self = static_cast<Start *>(context);
    nb::gil_scoped_acquire gil;
    try {
      const NewArray z = new_matrix(count, self->units, NTK_FLOAT64);
      std::memcpy(z.view.data, positions, static_cast<size_t>(count * self->units) * sizeof(double));
      const nb::tuple answer = nb::cast<nb::tuple>(self->function(z.array));
      if (answer.size() != 2) throw nb::value_error("[Bottleneck] initial must return (values, gradients). Received another number.");
      copy(answer[0], values, count * self->outputs);
      copy(answer[1], gradients, count * self->outputs * self->units);
      return 0;
    } catch (...) {
      if (self->call) self->call->keep_exception();
      return 1;
    }
  }

  int64_t units = 0;

 private:
  ntk_matrix optional(const nb::dict &given, const char *name) {
    if (!given.contains(name) || nb::object(given[name]).is_none()) return ntk_matrix{};
    kept.push_back(nb::object(given[name]));
    return matrix(nb::cast<Input>(kept.back()), name);
  }

  static void copy(nb::handle value, double *out, int64_t expected) {
    const nb::object array = nb::module_::import_("numpy").attr("ascontiguousarray")(value, "float64");
    const nb::object flat = array.attr("reshape")(-1);
    const auto [numbers, length] = doubles(nb::cast<Input>(flat), "the result of initial");
    if (length != expected) {
      const std::string message = "[Bottleneck] initial must return values (n, outputs) and gradients (n, outputs, units), here " +
                                  std::to_string(expected) + " numbers. Received " + std::to_string(length) + ".";
      throw nb::value_error(message.c_str());
    }
    std::memcpy(out, numbers, static_cast<size_t>(length) * sizeof(double));
  }
};

// A training run; owns its handle. Not for two threads at once (the core refuses).
class BottleneckRun {
 public:
  BottleneckRun(const Architecture &outer, const nb::dict &start, const Input &inner, const Input &positions, const Input &targets,
                double learning_rate, double compression, double flow_tolerance, double divergence, int32_t threads,
                int64_t memory_limit, nb::object progress) {
    Call call(threads, memory_limit, std::move(progress));
    const ntk_matrix k = matrix(inner, "inner"), z = matrix(positions, "positions"), y = matrix(targets, "targets");
    shape_ = {z.rows, y.rows, y.cols, z.cols};
    start_.outputs = y.cols;
    start_.units = z.cols;
    const ntk_outer network = start_.describe(outer, start);
    const ntk_bottleneck_options options{learning_rate, compression, flow_tolerance, divergence};
    start_.call = &call;
    call.run([&](const ntk_call *how, ntk_error *error) {
      return ntk_bottleneck_create(&network, &k, &z, &y, &options, &handle_, how, error);
    });
    start_.call = nullptr;
    start_.kept.clear();
  }
  ~BottleneckRun() {
    if (handle_ != 0) ntk_bottleneck_destroy(handle_, nullptr);
  }
  BottleneckRun(const BottleneckRun &) = delete;
  BottleneckRun &operator=(const BottleneckRun &) = delete;

  void descend(int64_t steps, int64_t interval, int32_t threads, int64_t memory_limit, nb::object progress) {
    work(threads, memory_limit, std::move(progress), [&](const ntk_call *how, ntk_error *error) {
      return ntk_bottleneck_descend(handle_, steps, interval, how, error);
    });
  }

  void flow(const Input &times, bool every_step, int32_t threads, int64_t memory_limit, nb::object progress) {
    const std::pair<const double *, int64_t> t = doubles(times, "times");
    work(threads, memory_limit, std::move(progress), [&](const ntk_call *how, ntk_error *error) {
      return ntk_bottleneck_flow(handle_, t.first, t.second, every_step, how, error);
    });
  }

  void complete(int32_t threads, int64_t memory_limit, nb::object progress) {
    work(threads, memory_limit, std::move(progress),
         [&](const ntk_call *how, ntk_error *error) { return ntk_bottleneck_complete(handle_, how, error); });
  }

  nb::typed<nb::dict, nb::str, nb::any> read() {
    ntk_bottleneck_info info{};
    check([&](ntk_error *error) { return ntk_bottleneck_describe(handle_, &info, error); });
    const auto [points, train, outputs, units] = shape_;
    nb::typed<nb::dict, nb::str, nb::any> result;
    ntk_bottleneck_arrays arrays{};
    const auto room = [&](const char *name, int64_t rows, int64_t cols) {
      const NewArray made = new_matrix(rows, cols, NTK_FLOAT64);
      result[name] = made.array;
      return made.view;
    };
    arrays.loss_times = room("loss_times", info.losses, 1);
    arrays.losses = room("losses", info.losses, 1);
    arrays.state_steps = room("state_steps", info.states, 1);
    arrays.state_times = room("state_times", info.states, 1);
    arrays.values = room("values", info.states, points * outputs);
    arrays.z = room("z", info.states, points * units);
    arrays.gradients = room("gradients", info.states, points * outputs * units);
    arrays.anchors = room("anchors", info.anchors, units);
    arrays.weights = room("weights", info.anchors, outputs);
    arrays.drive = room("drive", train, units);
    check([&](ntk_error *error) { return ntk_bottleneck_read(handle_, &arrays, error); });
    result["steps"] = info.steps;
    result["time"] = info.time;
    result["compression_error"] = info.compression_error;
    return result;
  }

  const nb::object &function() const { return start_.function; }
  void forget_function() { start_.function.reset(); }

 private:
  struct Shape {
    int64_t points = 0, train = 0, outputs = 0, units = 0;
  };

  template <typename Body>
  void work(int32_t threads, int64_t memory_limit, nb::object progress, Body &&body) {
    Call call(threads, memory_limit, std::move(progress));
    start_.call = &call;
    try {
      call.run(body);
    } catch (...) {
      start_.call = nullptr;
      throw;
    }
    start_.call = nullptr;
  }

  int64_t handle_ = 0;
  Start start_;
  Shape shape_;
};

int traverse(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(self));
  if (nb::inst_ready(self)) Py_VISIT(nb::inst_ptr<BottleneckRun>(self)->function().ptr());
  return 0;
}

int clear(PyObject *self) {
  if (nb::inst_ready(self)) nb::inst_ptr<BottleneckRun>(self)->forget_function();
  return 0;
}

PyType_Slot kCollected[] = {
    {Py_tp_traverse, reinterpret_cast<void *>(traverse)}, {Py_tp_clear, reinterpret_cast<void *>(clear)}, {0, nullptr}};

NewArray room(int64_t rows, int64_t cols, int64_t memory_limit, const char *op) {
  reserve(matrix_bytes(rows, cols, NTK_FLOAT64, op), memory_limit, op);
  return new_matrix(rows, cols, NTK_FLOAT64);
}

nb::tuple outer_evaluate(const Architecture &outer, const nb::dict &start, const Input &z, const Input &anchors, const Input &weights,
                         int64_t outputs, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  Start begin;
  const ntk_matrix points = matrix(z, "z"), y = matrix(anchors, "anchors"), w = matrix(weights, "weights");
  if (outputs < 1) throw nb::value_error("[Bottleneck] outputs must be at least 1. Received less.");
  begin.outputs = outputs;
  begin.units = points.cols;
  begin.call = &call;
  const ntk_outer network = begin.describe(outer, start);
  const NewArray values = room(points.rows, outputs, memory_limit, "Bottleneck");
  const NewArray gradients = room(points.rows, outputs * points.cols, memory_limit, "Bottleneck");
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_outer_evaluate(&network, &points, &y, &w, &values.view, &gradients.view, how, error);
  });
  return nb::make_tuple(values.array, gradients.array);
}

nb::tuple input_gradient(const Architecture &network, bool is_ntk, const Input &z1, const Input &z2, int32_t threads,
                         int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix left = matrix(z1, "z1"), right = matrix(z2, "z2");
  const int64_t pairs = matrix_bytes(left.rows, right.rows, NTK_FLOAT64, "input_gradient") / 8;
  reserve(matrix_bytes(pairs, left.cols + 1, NTK_FLOAT64, "input_gradient"), memory_limit, "input_gradient");
  const NewArray values = new_matrix(left.rows, right.rows, NTK_FLOAT64);
  const NewArray gradient = new_matrix(left.rows, right.rows * left.cols, NTK_FLOAT64);
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_input_gradient(network.handle(), is_ntk, &left, &right, &values.view, &gradient.view, how, error);
  });
  return nb::make_tuple(values.array, gradient.array);
}

ntk_linear_bottleneck linear(const Input &inputs, const Input &targets, int64_t units, double scale, double inner_depth,
                             double outer_depth) {
  return {matrix(inputs, "inputs"), matrix(targets, "targets"), units, scale, inner_depth, outer_depth};
}

// The state, one contiguous vector, changes in place, also where the call raises.
void linear_descend(const Input &inputs, const Input &targets, int64_t units, double scale, double inner_depth, double outer_depth,
                    const Output &state, double learning_rate, int64_t steps, double divergence, const Output &record, const Output &done,
                    int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_linear_bottleneck problem = linear(inputs, targets, units, scale, inner_depth, outer_depth);
  ntk_matrix now = matrix(state, "state");
  std::swap(now.rows, now.cols);
  std::swap(now.row_stride, now.col_stride);
  Record journal(record, done, 1, "LinearBottleneck");
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_linear_descend(&problem, &now, steps, learning_rate, divergence, journal.get(), how, error);
  });
}

// losses (times) and states (times, numbers of a state) are written as they come, also where the call raises.
void linear_flow(const Input &inputs, const Input &targets, int64_t units, double scale, double inner_depth, double outer_depth,
                 const Input &state, const Input &times, double tolerance, const Output &losses, const Output &states, int32_t threads,
                 int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_linear_bottleneck problem = linear(inputs, targets, units, scale, inner_depth, outer_depth);
  const std::pair<const double *, int64_t> t = doubles(times, "times");
  const ntk_matrix start = row(state, "state"), path = matrix(states, "states");
  ntk_matrix out = matrix(losses, "losses");
  std::swap(out.rows, out.cols);
  std::swap(out.row_stride, out.col_stride);
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_linear_flow(&problem, &start, t.first, t.second, tolerance, &path, &out, how, error);
  });
}

Array constant_kernel_descent(const Input &kernel, const Input &residuals, double learning_rate, int64_t steps, int32_t threads,
                              int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix k = matrix(kernel, "kernel"), given = matrix(residuals, "residuals");
  if (steps < 0 || steps > (int64_t{1} << 40)) {
    throw nb::value_error("[constant_kernel_descent] steps must be at least 0. Received another number.");
  }
  const NewArray r = room(given.rows, given.cols, memory_limit, "constant_kernel_descent");
  auto *target = static_cast<double *>(r.view.data);
  if (given.dtype != NTK_FLOAT64) throw nb::type_error("[constant_kernel_descent] residuals must be float64. Received float32.");
  for (int64_t i = 0; i < given.rows; ++i) {
    for (int64_t j = 0; j < given.cols; ++j) {
      target[i * given.cols + j] = static_cast<const double *>(given.data)[i * given.row_stride + j * given.col_stride];
    }
  }
  const NewArray losses = room(1, steps + 1, memory_limit, "constant_kernel_descent");
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_constant_kernel_descent(&k, &r.view, learning_rate, &losses.view, how, error);
  });
  return losses.array;
}

}  // namespace

void bind_bottleneck(nb::module_ &m) {
  nb::class_<BottleneckRun>(m, "BottleneckRun", nb::type_slots(kCollected),
                            "One training run of an infinitely wide network with a bottleneck, in function space.")
      .def(nb::init<const Architecture &, const nb::dict &, const Input &, const Input &, const Input &, double, double, double, double,
                    int32_t, int64_t, nb::object>(),
           nb::arg("outer"), nb::arg("start"), nb::arg("inner"), nb::arg("positions"), nb::arg("targets"), nb::arg("learning_rate"),
           nb::arg("compression"), nb::arg("flow_tolerance"), nb::arg("divergence"), NTK_CALL_ARGUMENTS,
           "outer with its start (a dict, see bottleneck.cpp), the inner NTK (N, n), z_0 (N, units), targets (n, outputs).")
      .def("descend", &BottleneckRun::descend, nb::arg("steps"), nb::arg("interval"), NTK_CALL_ARGUMENTS,
           "Steps of gradient descent; every interval-th state is recorded.")
      .def("flow", &BottleneckRun::flow, nb::arg("times"), nb::arg("every_step"), NTK_CALL_ARGUMENTS,
           "Gradient flow to ascending times, recorded there and, if every_step, after each step of the integrator.")
      .def("complete", &BottleneckRun::complete, NTK_CALL_ARGUMENTS, "Adds f_0 to the recorded test values.")
      .def("read", &BottleneckRun::read, "The records and the state of the outer function as a dict of arrays.");
  m.def("outer_evaluate", &outer_evaluate, nb::arg("outer"), nb::arg("start"), nb::arg("z"), nb::arg("anchors"), nb::arg("weights"),
        nb::arg("outputs"), NTK_CALL_ARGUMENTS, "(values, gradients) of the outer function at positions z, from the arrays of a run.");
  m.def("input_gradient", &input_gradient, nb::arg("network"), nb::arg("is_ntk"), nb::arg("z1"), nb::arg("z2"), NTK_CALL_ARGUMENTS,
        "(kernel (n1, n2), gradient (n1, n2 d)) of a smooth fully connected network by the rows of z1.");
  m.def("linear_descend", &linear_descend, nb::arg("inputs"), nb::arg("targets"), nb::arg("units"), nb::arg("scale"),
        nb::arg("inner_depth"), nb::arg("outer_depth"), nb::arg("state"), nb::arg("learning_rate"), nb::arg("steps"),
        nb::arg("divergence"), nb::arg("record"), nb::arg("done"), NTK_CALL_ARGUMENTS,
        "Gradient descent on a deep linear network with a bottleneck, whose state changes in place. record, done: as of network_train;\n"
        "the loss at the end too.");
  m.def("linear_flow", &linear_flow, nb::arg("inputs"), nb::arg("targets"), nb::arg("units"), nb::arg("scale"), nb::arg("inner_depth"),
        nb::arg("outer_depth"), nb::arg("state"), nb::arg("times"), nb::arg("tolerance"), nb::arg("losses"), nb::arg("states"),
        NTK_CALL_ARGUMENTS,
        "Gradient flow on a deep linear network with a bottleneck: writes the losses and states at ascending times, also where it is interrupted.");
  m.def("constant_kernel_descent", &constant_kernel_descent, nb::arg("kernel"), nb::arg("residuals"), nb::arg("learning_rate"),
        nb::arg("steps"), NTK_CALL_ARGUMENTS, "Losses mean r^2 / 2 of gradient descent with a constant kernel, at every step.");
}
