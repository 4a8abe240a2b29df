// Instruments along a training run: curvature, its spectrum, covariance of gradients, the break-even model.
#include "network.h"
#include "operators.h"

using namespace ntkswift;

namespace {

// The Hessian or Gauss-Newton matrix of a network's loss, or a Python function that multiplies by a symmetric matrix.
class SymmetricOperator {
 public:
  SymmetricOperator(const Network &network, Input parameters, int32_t kind, int32_t loss, Input x, Input targets, Seed seed)
      : network_(&network), parameters_(std::move(parameters)), x_(std::move(x)), targets_(std::move(targets)), kind_(kind),
        loss_(loss), seed_(seed), dimension_(network.info().parameter_count) {}
  SymmetricOperator(nb::object function, int64_t dimension) : function_(std::move(function)), dimension_(dimension) {
    if (dimension < 1) throw nb::value_error("[operator] the dimension must be 1 or more.");
  }

  nb::tuple eigen(int64_t count, const std::string &end, double tolerance, bool vectors, bool refines_vectors, uint64_t seed,
                  const OptionalInput &start, int32_t threads, int64_t memory_limit, nb::object progress) const {
    Call call(threads, memory_limit, std::move(progress));
    if (count < 1 || count > dimension_) throw nb::value_error("[eigenvalues] count must be between 1 and the dimension.");
    const ntk_lanczos_request request{dimension_, count, end_of(end), refines_vectors, 0, 0,
                                      tolerance, 0, 0, seed, start_of(start, dimension_)};
    ntk_matrix room{};
    nb::object array = nb::none();
    if (vectors) {
      const int64_t bytes = matrix_bytes(count, dimension_, NTK_FLOAT64, "eigenvalues");
      call.set_memory_limit(std::max<int64_t>(1, reserve(bytes, memory_limit, "eigenvalues")));
      const NewArray made = new_matrix(count, dimension_, NTK_FLOAT64);
      room = made.view;
      array = made.array;
    }
    const NewArray values = new_vector(count, NTK_FLOAT64), residuals = new_vector(count, NTK_FLOAT64);
    int64_t products = 0;
    run(call, [&](const ntk_symmetric_operator *self, const ntk_call *how, ntk_error *error) {
      return ntk_operator_eigen(self, &request, &values.view, &residuals.view, &room, &products, how, error);
    });
    return nb::make_tuple(values.array, residuals.array, array, products);
  }

  Array trace(int64_t probes, uint64_t seed, int32_t threads, int64_t memory_limit, nb::object progress) const {
    Call call(threads, memory_limit, std::move(progress));
    if (probes < 1) throw nb::value_error("[trace] probes must be 1 or more.");
    const NewArray samples = new_vector(probes, NTK_FLOAT64);
    run(call, [&](const ntk_symmetric_operator *self, const ntk_call *how, ntk_error *error) {
      return ntk_operator_trace(self, seed, &samples.view, how, error);
    });
    return samples.array;
  }

  nb::tuple density(int64_t probes, int64_t steps, uint64_t seed, int32_t threads, int64_t memory_limit, nb::object progress) const {
    Call call(threads, memory_limit, std::move(progress));
    if (probes < 1 || steps < 1) throw nb::value_error("[spectral_density] probes and steps must be 1 or more.");
    const int64_t bytes = matrix_bytes(checked_product(2, probes), std::min(steps, dimension_), NTK_FLOAT64, "spectral_density");
    call.set_memory_limit(std::max<int64_t>(1, reserve(bytes, memory_limit, "spectral_density")));
    const NewArray nodes = new_matrix(probes, std::min(steps, dimension_), NTK_FLOAT64);
    const NewArray weights = new_matrix(probes, std::min(steps, dimension_), NTK_FLOAT64);
    run(call, [&](const ntk_symmetric_operator *self, const ntk_call *how, ntk_error *error) {
      return ntk_operator_density(self, seed, &nodes.view, &weights.view, how, error);
    });
    return nb::make_tuple(nodes.array, weights.array);
  }

  int64_t dimension() const { return dimension_; }

 private:
  // Calls body(operator, call, error) -> status.
  template <typename Body>
  void run(Call &call, Body &&body) const {
    ntk_symmetric_operator self{};
    self.dimension = dimension_;
    if (!network_) {
      PythonOperator python{function_, call};
      self.product = PythonOperator::evaluate;
      self.product_context = &python;
      call.run([&](const ntk_call *how, ntk_error *error) { return body(&self, how, error); });
      return;
    }
    UserFunctions functions{network_->architecture(), call};
    const ntk_network opened = network_->open(*parameters_, seed_, functions);
    self.network = &opened;
    self.kind = kind_;
    self.loss = loss_;
    self.x = matrix(*x_, "x");
    self.targets = matrix(*targets_, "targets");
    call.run([&](const ntk_call *how, ntk_error *error) { return body(&self, how, error); });
  }

  const Network *network_ = nullptr;
  std::optional<Input> parameters_, x_, targets_;
  nb::object function_;
  int32_t kind_ = 0, loss_ = 0;
  Seed seed_{0, 0};
  int64_t dimension_;
};

// (eigenvalues, the other numbers in the order of ntk_gradient_covariance).
nb::tuple answer(const NewArray &eigenvalues, const ntk_gradient_covariance &c) {
  return nb::make_tuple(eigenvalues.array, c.largest_uncentred, c.trace, c.trace_uncentred, c.mean_norm, c.mean_share, c.norm_ratio);
}

// Room for the eigenvalues of `count` gradients: `wanted` of them, or (0) all.
NewArray room_for(int64_t wanted, int64_t count) {
  const int64_t all = std::max<int64_t>(1, count - 1);
  return new_vector(wanted > 0 ? std::min(wanted, all) : all, NTK_FLOAT64);
}

nb::tuple loss_gradient_covariance(const Network &network, const Input &parameters, int32_t loss, const Input &x, const Input &targets,
                                   int64_t batch, int64_t top, int64_t wanted_values, Seed seed, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  UserFunctions functions{network.architecture(), call};
  const ntk_network opened = network.open(parameters, seed, functions);
  const ntk_matrix input = matrix(x, "x"), wanted = matrix(targets, "targets");
  const int64_t count = batch > 0 ? input.rows / batch : input.rows;
  const NewArray eigenvalues = room_for(wanted_values, count);
  ntk_gradient_covariance result{};
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_network_gradient_covariance(&opened, loss, &input, &wanted, batch, top, &eigenvalues.view, &result, how, error);
  });
  return answer(eigenvalues, result);
}

nb::tuple gradient_covariance(const Input &gradients, bool is_gram, int64_t top, int64_t wanted_values, int32_t threads, int64_t memory_limit,
                              nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix given = matrix(gradients, "gradients");
  const NewArray eigenvalues = room_for(wanted_values, given.rows);
  ntk_gradient_covariance result{};
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_gradient_covariance_of(&given, is_gram, top, &eigenvalues.view, &result, how, error);
  });
  return answer(eigenvalues, result);
}

Array sample_curvatures(const Network &network, const Input &parameters, int32_t loss, const Input &x, const Input &targets,
                        const Input &direction, Seed seed, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  UserFunctions functions{network.architecture(), call};
  const ntk_network opened = network.open(parameters, seed, functions);
  const ntk_matrix input = matrix(x, "x"), wanted = matrix(targets, "targets"), along = row(direction, "direction");
  const NewArray out = new_vector(input.rows, NTK_FLOAT64);
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_network_sample_curvatures(&opened, loss, &input, &wanted, &along, &out.view, how, error);
  });
  return out.array;
}

double step_to_raise(const Network &network, const Input &parameters, int32_t loss, const Input &x, const Input &targets,
                     const Input &update, double factor, double most, Seed seed, int32_t threads, int64_t memory_limit,
                     nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  UserFunctions functions{network.architecture(), call};
  const ntk_network opened = network.open(parameters, seed, functions);
  const ntk_matrix input = matrix(x, "x"), wanted = matrix(targets, "targets"), along = row(update, "update");
  double alpha = 0;
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_network_step_to_raise(&opened, loss, &input, &wanted, &along, factor, most, &alpha, how, error);
  });
  return alpha;
}

double stability_factor(double rate, int64_t batch, int64_t examples, double mean, double variance) {
  double factor = 0;
  check([&](ntk_error *error) { return ntk_stability_factor(rate, batch, examples, mean, variance, &factor, error); });
  return factor;
}

double break_even_curvature(double rate, int64_t batch, int64_t examples, double alpha, double psi) {
  double curvature = 0;
  check([&](ntk_error *error) { return ntk_break_even_curvature(rate, batch, examples, alpha, psi, &curvature, error); });
  return curvature;
}

}  // namespace

void bind_trajectory(nb::module_ &m) {
  const Seed unseeded{0, 0};
  nb::class_<SymmetricOperator>(m, "SymmetricOperator", "A symmetric matrix that is known by its products.")
      .def(nb::init<const Network &, Input, int32_t, int32_t, Input, Input, Seed>(), nb::arg("network"), nb::arg("parameters"),
           nb::arg("kind"), nb::arg("loss"), nb::arg("x"), nb::arg("targets"), nb::arg("seed") = unseeded, nb::keep_alive<1, 2>(),
           "The Hessian (kind 0) or Gauss-Newton matrix (1) of a network's loss.")
      .def(nb::init<nb::object, int64_t>(), nb::arg("product"), nb::arg("dimension"), "A function product(x) -> y on float64 vectors.")
      .def_prop_ro("dimension", &SymmetricOperator::dimension, "Rows and columns.")
      .def("eigen", &SymmetricOperator::eigen, nb::arg("count"), nb::arg("end") = "largest", nb::arg("tolerance") = 1e-10,
           nb::arg("vectors") = false, nb::arg("refines_vectors") = false, nb::arg("seed") = 0,
           nb::arg("start").none() = nb::none(), NTK_CALL_ARGUMENTS, "(values, residual norms, vectors as rows or None, number of products).")
      .def("trace", &SymmetricOperator::trace, nb::arg("probes"), nb::arg("seed") = 0, NTK_CALL_ARGUMENTS,
           "Products v A v with random signs v, one per probe.")
      .def("density", &SymmetricOperator::density, nb::arg("probes"), nb::arg("steps"), nb::arg("seed") = 0, NTK_CALL_ARGUMENTS,
           "(nodes, weights) of stochastic Lanczos quadrature, probes x steps.");
  m.def("loss_gradient_covariance", &loss_gradient_covariance, nb::arg("network"), nb::arg("parameters"), nb::arg("loss"),
        nb::arg("x"), nb::arg("targets"), nb::arg("batch"), nb::arg("top") = 5, nb::arg("count") = 0, nb::arg("seed") = unseeded, NTK_CALL_ARGUMENTS,
        "Covariance of the gradients of mini-batches (batch 0: of single inputs): (`count` eigenvalues or all, largest uncentred, trace,\n"
        "uncentred trace, norm of the mean, its share in the top eigenvectors, mean ratio of norms).");
  m.def("gradient_covariance", &gradient_covariance, nb::arg("gradients"), nb::arg("is_gram"), nb::arg("top") = 5, nb::arg("count") = 0, NTK_CALL_ARGUMENTS,
        "The same for rows of gradients (float32 or float64), or for their Gram matrix.");
  m.def("sample_curvatures", &sample_curvatures, nb::arg("network"), nb::arg("parameters"), nb::arg("loss"), nb::arg("x"),
        nb::arg("targets"), nb::arg("direction"), nb::arg("seed") = unseeded, NTK_CALL_ARGUMENTS,
        "Second derivative along a direction of the loss of each input.");
  m.def("step_to_raise", &step_to_raise, nb::arg("network"), nb::arg("parameters"), nb::arg("loss"), nb::arg("x"), nb::arg("targets"),
        nb::arg("update"), nb::arg("factor"), nb::arg("most"), nb::arg("seed") = unseeded, NTK_CALL_ARGUMENTS,
        "The smallest alpha with loss(parameters - alpha update) >= factor loss(parameters); infinity beyond `most`.");
  m.def("stability_factor", &stability_factor, nb::arg("rate"), nb::arg("batch"), nb::arg("examples"), nb::arg("mean"),
        nb::arg("variance"), "Growth of psi^2 in one step of SGD.");
  m.def("break_even_curvature", &break_even_curvature, nb::arg("rate"), nb::arg("batch"), nb::arg("examples"), nb::arg("alpha"),
        nb::arg("psi"), "The largest eigenvalue of the Hessian at the break-even point.");
}
