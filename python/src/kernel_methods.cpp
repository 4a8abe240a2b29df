// What is done with a kernel: posteriors, likelihoods, training dynamics, samples.
#include <cstring>
#include <string>

#include "common.h"

using namespace ntkswift;

namespace {

using OptionalInput = std::optional<Input>;

// Room for a result, taken from the call's memory limit.
NewArray result(Call &call, int64_t rows, int64_t cols, int64_t memory_limit, const char *op) {
  const int64_t left = reserve(matrix_bytes(rows, cols, NTK_FLOAT64, op), memory_limit, op);
  call.set_memory_limit(std::max<int64_t>(1, left));
  return new_matrix(rows, cols, NTK_FLOAT64);
}

int64_t multiplied(int64_t a, int64_t b) {
  int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) throw nb::value_error("[predict] the result must have fewer than 2^63 rows or columns.");
  return product;
}

// ---------------------------------------------------------------- posteriors

Array posterior_covariance(const Input &factor, const Input &k_test_train, const Input &k_test_test, int32_t threads,
                                int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix l = matrix(factor, "factor"), cross = matrix(k_test_train, "k_test_train"), prior = matrix(k_test_test, "k_test_test");
  const NewArray out = result(call, prior.rows, prior.cols, memory_limit, "posterior_covariance");
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_posterior_covariance(&l, &cross, &prior, &out.view, how, error); });
  return out.array;
}

Array ensemble_covariance(const Input &factor, const Input &ntk_test_train, const Input &nngp_train_train,
                               const Input &nngp_test_train, const Input &nngp_test_test, int32_t threads, int64_t memory_limit,
                               nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix l = matrix(factor, "factor");
  const ntk_ensemble_kernels kernels{matrix(ntk_test_train, "ntk_test_train"), matrix(nngp_train_train, "nngp_train_train"),
                                     matrix(nngp_test_train, "nngp_test_train"), matrix(nngp_test_test, "nngp_test_test")};
  const NewArray out = result(call, kernels.ntk_test_train.rows, kernels.ntk_test_train.rows, memory_limit, "ensemble_covariance");
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_ensemble_covariance(&l, &kernels, &out.view, how, error); });
  return out.array;
}

nb::tuple log_marginal_likelihood(const Input &factor, const Input &targets, const Input &solution, bool sensitivity, int32_t threads,
                                  int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix l = matrix(factor, "factor"), y = matrix(targets, "targets"), x = matrix(solution, "solution");
  ntk_matrix room{};
  nb::object array = nb::none();
  if (sensitivity) {
    const NewArray made = result(call, l.rows, l.rows, memory_limit, "log_marginal_likelihood");
    room = made.view;
    array = made.array;
  }
  double value = 0;
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_log_marginal_likelihood(&l, &y, &x, &room, &value, how, error); });
  return nb::make_tuple(value, array);
}

double inner_product(const Input &a, const Input &b) {
  const ntk_matrix left = matrix(a, "a"), right = matrix(b, "b");
  double value = 0;
  check([&](ntk_error *error) { return ntk_inner_product(&left, &right, &value, error); });
  return value;
}

nb::tuple sample_posterior(const Input &mean, const Input &covariance, std::pair<uint64_t, uint64_t> key, int64_t samples,
                           int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix center = matrix(mean, "mean"), spread = matrix(covariance, "covariance");
  const NewArray out = result(call, center.rows, multiplied(samples, center.cols), memory_limit, "sample_posterior");
  const uint64_t words[2] = {key.first, key.second}, counter[4] = {0, 0, 0, 0};
  double jitter = 0;
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_sample_posterior(&center, &spread, words, counter, samples, &out.view, &jitter, how, error);
  });
  return nb::make_tuple(out.array, jitter);
}

// ---------------------------------------------------------------- gradient flow

ntk_flow flow_of(const Input &values, const Input &vectors, const Input &times, double size) {
  const std::pair<const double *, int64_t> t = doubles(times, "times");
  return {matrix(values, "values"), matrix(vectors, "vectors"), t.first, t.second, size};
}

nb::tuple gradient_flow(const Input &values, const Input &vectors, const Input &times, double size, const Input &residual, bool train,
                        const OptionalInput &k_test_train, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_flow flow = flow_of(values, vectors, times, size);
  const ntk_matrix start = matrix(residual, "residual"), cross = matrix(k_test_train, "k_test_train");
  const int64_t width = multiplied(start.cols, flow.time_count);
  NewArray on_train{nb::none(), {}}, on_test{nb::none(), {}};
  int64_t bytes = 0;
  if (train) bytes += matrix_bytes(flow.vectors.rows, width, NTK_FLOAT64, "gradient_flow");
  if (k_test_train) bytes += matrix_bytes(cross.rows, width, NTK_FLOAT64, "gradient_flow");
  call.set_memory_limit(std::max<int64_t>(1, reserve(bytes, memory_limit, "gradient_flow")));
  if (train) on_train = new_matrix(flow.vectors.rows, width, NTK_FLOAT64);
  if (k_test_train) on_test = new_matrix(cross.rows, width, NTK_FLOAT64);
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_gradient_flow(&flow, &start, &on_train.view, &cross, &on_test.view, how, error);
  });
  return nb::make_tuple(on_train.array, on_test.array);
}

Array flow_covariance(const Input &values, const Input &vectors, const Input &times, double size, bool is_ntk,
                           const OptionalInput &k_test_train, const OptionalInput &nngp_train_train,
                           const OptionalInput &nngp_test_train, const OptionalInput &nngp_test_test, int32_t threads,
                           int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_flow flow = flow_of(values, vectors, times, size);
  const ntk_ensemble_kernels kernels{matrix(k_test_train, "k_test_train"), matrix(nngp_train_train, "nngp_train_train"),
                                     matrix(nngp_test_train, "nngp_test_train"), matrix(nngp_test_test, "nngp_test_test")};
  const int64_t points = nngp_test_test ? kernels.nngp_test_test.rows : flow.vectors.rows;
  const NewArray out = result(call, multiplied(points, flow.time_count), points, memory_limit, "flow_covariance");
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_flow_covariance(&flow, is_ntk, &kernels, &out.view, how, error); });
  return out.array;
}

// ---------------------------------------------------------------- gradient descent

// A Python loss as the core calls it: on the calling thread, with the GIL taken back.
struct PythonLoss {
  nb::object function;
  Call &call;

  static int32_t evaluate(void *context, int32_t what, const double *outputs, double *out, int64_t count) noexcept {
    auto *self = static_cast<PythonLoss *>(context);
    nb::gil_scoped_acquire gil;
    try {
      const NewArray copy = new_vector(count, NTK_FLOAT64);
      std::memcpy(copy.view.data, outputs, static_cast<size_t>(count) * sizeof(double));
      const nb::object answer = self->function(copy.array);
      if (what == 0) {
        *out = nb::cast<double>(answer);
        return 0;
      }
      const auto [values, length] = doubles(nb::cast<Input>(answer), "the gradient of the loss");
      if (length != count) throw nb::value_error("[gradient_descent] the gradient must have the shape of the outputs. Received another size.");
      std::memcpy(out, values, static_cast<size_t>(count) * sizeof(double));
      return 0;
    } catch (...) {
      self->call.keep_exception();
      return 1;
    }
  }
};

int32_t loss_kind(const std::string &name) {
  if (name == "mse") return NTK_LOSS_MSE;
  if (name == "cross_entropy") return NTK_LOSS_CROSS_ENTROPY;
  if (name == "logistic") return NTK_LOSS_LOGISTIC;
  if (name == "gradient") return NTK_LOSS_GRADIENT;
  if (name == "value") return NTK_LOSS_VALUE;
  throw nb::value_error(("[gradient_descent] loss must be mse, cross_entropy, logistic, gradient or value. Received " + name + ".").c_str());
}

Array gradient_descent(const std::string &loss, nb::object function, const OptionalInput &targets, int64_t classes,
                            double divisor, const Input &k_train_train, const Input &start, const Input &times, std::optional<double> damping,
                            double tolerance, int64_t most_steps, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  PythonLoss python{std::move(function), call};
  const std::pair<const double *, int64_t> t = doubles(times, "times");
  ntk_descent descent{};
  descent.loss = loss_kind(loss);
  descent.has_momentum = damping.has_value();
  descent.classes = classes;
  descent.divisor = divisor;
  descent.targets = matrix(targets, "targets");
  descent.function = PythonLoss::evaluate;
  descent.function_context = &python;
  descent.damping = damping.value_or(0.0);
  descent.tolerance = tolerance;
  descent.most_steps = most_steps;
  descent.times = t.first;
  descent.time_count = t.second;
  const ntk_matrix kernel = matrix(k_train_train, "k_train_train"), first = row(start, "start");
  const NewArray out = result(call, t.second, first.cols, memory_limit, "gradient_descent");
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_gradient_descent(&descent, &kernel, &first, &out.view, how, error);
  });
  return out.array;
}

}  // namespace

void bind_kernel_methods(nb::module_ &m) {
  m.def("posterior_covariance", &posterior_covariance, nb::arg("factor"), nb::arg("k_test_train"), nb::arg("k_test_test"),
        NTK_CALL_ARGUMENTS,
        "Posterior covariance of a Gaussian process from the Cholesky factor of its train-train kernel; with k_test_test of shape (m, 1),\n"
        "the prior variances, the posterior variances of shape (m, 1).");
  m.def("ensemble_covariance", &ensemble_covariance, nb::arg("factor"), nb::arg("ntk_test_train"), nb::arg("nngp_train_train"),
        nb::arg("nngp_test_train"), nb::arg("nngp_test_test"), NTK_CALL_ARGUMENTS,
        "Covariance of infinitely many networks trained to convergence, from the Cholesky factor of the NTK.");
  m.def("log_marginal_likelihood", &log_marginal_likelihood, nb::arg("factor"), nb::arg("targets"), nb::arg("solution"),
        nb::arg("sensitivity") = false, NTK_CALL_ARGUMENTS,
        "(log marginal likelihood, matrix whose inner product with dK is its derivative, or None); solution = K^-1 targets.");
  m.def("inner_product", &inner_product, nb::arg("a"), nb::arg("b"), "Sum of the products of corresponding elements.");
  m.def("sample_posterior", &sample_posterior, nb::arg("mean"), nb::arg("covariance"), nb::arg("key"), nb::arg("samples"),
        NTK_CALL_ARGUMENTS,
        "(draws, jitter): draws of shape (m, samples * c), column s * c + j = column j of mean (m, c) plus a draw from N(0, covariance).");
  m.def("gradient_flow", &gradient_flow, nb::arg("values"), nb::arg("vectors"), nb::arg("times"), nb::arg("size"), nb::arg("residual"),
        nb::arg("train"), nb::arg("k_test_train").none(), NTK_CALL_ARGUMENTS,
        "Changes of the (train, test) outputs, or None, during gradient flow on the mean squared error; columns run over times, then outputs.");
  m.def("flow_covariance", &flow_covariance, nb::arg("values"), nb::arg("vectors"), nb::arg("times"), nb::arg("size"),
        nb::arg("is_ntk"), nb::arg("k_test_train").none(), nb::arg("nngp_train_train").none(), nb::arg("nngp_test_train").none(),
        nb::arg("nngp_test_test").none(), NTK_CALL_ARGUMENTS,
        "Covariance of an ensemble during gradient flow, shape (times * m, m); on the training points where nngp_test_test is None.");
  m.def("gradient_descent", &gradient_descent, nb::arg("loss"), nb::arg("function").none(), nb::arg("targets").none(),
        nb::arg("classes"), nb::arg("divisor"), nb::arg("k_train_train"), nb::arg("start"), nb::arg("times"), nb::arg("damping").none(),
        nb::arg("tolerance") = 1e-9, nb::arg("most_steps") = 100000, NTK_CALL_ARGUMENTS,
        "States of gradient descent in continuous time at ascending times, one row each: f, u (, q, p). loss: mse, cross_entropy, logistic, or\n"
        "gradient or value with a Python function of the outputs as a vector.");
}
