// Training of finite networks: optimisers, their state in the caller's arrays, and evaluation on other data.
#include <string>
#include <vector>

#include <nanobind/stl/vector.h>

#include "network.h"
#include "training_record.h"

using namespace ntkswift;

namespace {

// How a network is trained; numbers are checked by the core.
class Training {
 public:
  Training(int32_t kind, double learning_rate, double momentum, bool is_nesterov, double b1, double b2, double epsilon,
           double weight_decay, int32_t shape, int64_t warmup, int64_t cosine_steps, double cosine_final,
           std::vector<int64_t> boundaries, std::vector<double> factors, double time, double tolerance, int32_t loss,
           bool is_linearised, int64_t batch_size, Seed key, double threshold)
      : boundaries_(std::move(boundaries)), factors_(std::move(factors)), given_{} {
    if (boundaries_.size() != factors_.size()) {
      throw nb::value_error("[train] a schedule needs a factor per boundary. Received lists of different lengths.");
    }
    given_.optimizer = {kind,         is_nesterov,  learning_rate,      momentum,        b1,
                        b2,           epsilon,      weight_decay,       shape,           0,
                        warmup,       cosine_steps, cosine_final,       nullptr,         nullptr,
                        0,            time,         tolerance};
    given_.optimizer.boundaries = boundaries_.data();
    given_.optimizer.factors = factors_.data();
    given_.optimizer.boundary_count = static_cast<int64_t>(factors_.size());
    given_.loss = loss;
    given_.is_linearised = is_linearised;
    given_.batch_size = batch_size;
    given_.key[0] = key.first;
    given_.key[1] = key.second;
    given_.threshold = threshold;
  }
  Training(const Training &) = delete;
  Training &operator=(const Training &) = delete;

  const ntk_training &given() const { return given_; }

 private:
  std::vector<int64_t> boundaries_;
  std::vector<double> factors_;
  ntk_training given_;
};

// The elements of a contiguous float64 array that is written to.
std::pair<double *, int64_t> numbers(const Output &array, const char *name) {
  if (array.dtype() != nb::dtype<double>() || array.ndim() < 1 || array.ndim() > 2) {
    throw nb::value_error((std::string("[train] ") + name + " must be a float64 array of one or two axes. Received another array.").c_str());
  }
  int64_t expected = 1;
  for (size_t axis = array.ndim(); axis-- > 0;) {
    if (array.shape(axis) > 1 && array.stride(axis) != expected) {
      throw nb::value_error((std::string("[train] ") + name + " must be contiguous. Received an array with gaps.").c_str());
    }
    expected *= static_cast<int64_t>(array.shape(axis));
  }
  return {static_cast<double *>(array.data()), expected};
}

// state: step, time, next step, scale; written also where the call fails.
void train(const Network &network, const Training &training, const Input &x, const Input &targets, int64_t steps,
           const Output &parameters, const Input &start, const Output &moments, const Output &gradient, const Output &state,
           const Output &record, const Output &done, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  UserFunctions functions{network.architecture(), call};
  const ntk_network opened = network.open(start, Seed(0, 0), functions);
  const ntk_matrix input = matrix(x, "x"), wanted = matrix(targets, "targets");
  const auto [theta, count] = numbers(parameters, "parameters");
  const auto [memory, memory_count] = numbers(moments, "moments");
  const auto [slope, slope_count] = numbers(gradient, "gradient");
  const auto [now, now_count] = numbers(state, "state");
  if (now_count != 4 || slope_count != count || opened.parameter_count != count) {
    throw nb::value_error("[train] state needs 4 numbers, gradient and start as many numbers as parameters. Received others.");
  }
  ntk_training_state at{theta, opened.parameters, memory, slope, count, memory_count, static_cast<int64_t>(now[0]), now[1], now[2], now[3]};
  Record journal(record, done, 1, "train");
  const auto note = [&, now = now] {
    now[0] = static_cast<double>(at.step);
    now[1] = at.time;
    now[2] = at.next_step;
    now[3] = at.scale;
  };
  try {
    call.run([&](const ntk_call *how, ntk_error *error) {
      return ntk_network_train(&opened, &training.given(), &input, &wanted, steps, &at, journal.get(), how, error);
    });
  } catch (...) {
    note();
    throw;
  }
  note();
}

nb::tuple evaluate(const Network &network, const Training &training, const Input &parameters, const Input &start, const Input &x,
                   const Input &targets, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  UserFunctions functions{network.architecture(), call};
  const ntk_network opened = network.open(parameters, Seed(0, 0), functions);
  const ntk_matrix from = row(start, "start"), input = matrix(x, "x"), wanted = matrix(targets, "targets");
  double loss = 0, accuracy = 0;
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_network_evaluate(&opened, &training.given(), &from, &input, &wanted, &loss, &accuracy, how, error);
  });
  return nb::make_tuple(loss, accuracy);
}

std::vector<int64_t> training_batch(Seed key, int64_t count, int64_t batch_size, int64_t step) {
  if (count < 1 || batch_size < 1 || batch_size > count) {
    throw nb::value_error("[training_batch] batch_size must be in 1...count. Received another number.");
  }
  const uint64_t words[2] = {key.first, key.second};
  std::vector<int64_t> indices(static_cast<size_t>(batch_size));
  int64_t written = 0;
  check([&](ntk_error *error) { return ntk_training_batch(words, count, batch_size, step, indices.data(), &written, error); });
  indices.resize(static_cast<size_t>(written));
  return indices;
}

}  // namespace

void bind_training(nb::module_ &m) {
  nb::class_<Training>(m, "Training", "How a network is trained: optimiser, schedule, loss, batches.")
      .def(nb::init<int32_t, double, double, bool, double, double, double, double, int32_t, int64_t, int64_t, double,
                    std::vector<int64_t>, std::vector<double>, double, double, int32_t, bool, int64_t, Seed, double>(),
           nb::kw_only(), nb::arg("kind"), nb::arg("learning_rate"), nb::arg("momentum"), nb::arg("is_nesterov"), nb::arg("b1"),
           nb::arg("b2"), nb::arg("epsilon"), nb::arg("weight_decay"), nb::arg("shape"), nb::arg("warmup"), nb::arg("cosine_steps"),
           nb::arg("cosine_final"), nb::arg("boundaries"), nb::arg("factors"), nb::arg("time"), nb::arg("tolerance"), nb::arg("loss"),
           nb::arg("is_linearised"), nb::arg("batch_size"), nb::arg("key"), nb::arg("threshold"), "As in ntk_training.");
  m.def("network_train", &train, nb::arg("network"), nb::arg("training"), nb::arg("x"), nb::arg("targets"), nb::arg("steps"),
        nb::arg("parameters"), nb::arg("start"), nb::arg("moments"), nb::arg("gradient"), nb::arg("state"), nb::arg("record"),
        nb::arg("done"), NTK_CALL_ARGUMENTS,
        "Takes steps in the given arrays. state: step, time, next step, scale. record: rows of loss, learning rate, time and, where there are\n"
        "four, norm of the gradient, of at least steps + 1 columns. done: steps, entries of the record, outcome (0 finished, 1 threshold,\n"
        "2 diverged), and the first loss of the whole run, read too where the run goes on (NaN: it begins). All are right also where the call is\n"
        "interrupted.");
  m.def("network_evaluate", &evaluate, nb::arg("network"), nb::arg("training"), nb::arg("parameters"), nb::arg("start"), nb::arg("x"),
        nb::arg("targets"), NTK_CALL_ARGUMENTS, "(loss, share of right answers) of the trained model.");
  m.def("training_batch", &training_batch, nb::arg("key"), nb::arg("count"), nb::arg("batch_size"), nb::arg("step"),
        "Numbers of the inputs that a step sees.");
}
