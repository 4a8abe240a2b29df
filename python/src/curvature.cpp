// Instruments along a training run: covariance of gradients, curvature along a line, the break-even model.
#include "network.h"

using namespace ntkswift;

namespace {

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

void bind_curvature(nb::module_ &m) {
  const Seed unseeded{0, 0};
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
