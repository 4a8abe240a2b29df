// Spectra of zonal kernels on the sphere.
#include <string>

#include "common.h"

using namespace ntkswift;

namespace {

int64_t positive(int64_t count, const char *what) {
  if (count < 1) throw nb::value_error((std::string("[spectra] ") + what + " must be 1 or more.").c_str());
  return count;
}

nb::tuple angle_rule(int64_t count) {
  if (positive(count, "count") > 100000) throw nb::value_error("[spectra] count must be at most 100000.");
  const NewArray a = new_vector(count, NTK_FLOAT64), w = new_vector(count, NTK_FLOAT64);
  const NewArray c = new_vector(count, NTK_FLOAT64), s = new_vector(count, NTK_FLOAT64);
  const NewArray packed = new_vector(4 * ((count + 1) / 2), NTK_FLOAT64);
  compute([&](ntk_error *error) { return ntk_angle_rule(&a.view, &w.view, &c.view, &s.view, &packed.view, error); });
  return nb::make_tuple(a.array, w.array, c.array, s.array, packed.array);
}

nb::tuple zonal_spectrum(const Input &values, const Input &packed, int64_t dimension, int64_t frequencies, int32_t threads,
                         int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix v = matrix(values, "values"), rule = matrix(packed, "packed");
  positive(frequencies, "frequencies");
  const NewArray found = new_vector(frequencies, NTK_FLOAT64), norms = new_vector(frequencies, NTK_FLOAT64);
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_zonal_spectrum(&v, &rule, dimension, &found.view, &norms.view, how, error);
  });
  return nb::make_tuple(found.array, norms.array);
}

Array legendre_polynomials(int64_t dimension, const Input &angles, int64_t frequencies) {
  const ntk_matrix a = matrix(angles, "angles");
  const NewArray out = new_matrix(positive(frequencies, "frequencies"), a.rows, NTK_FLOAT64);
  compute([&](ntk_error *error) { return ntk_legendre_polynomials(dimension, &a, &out.view, error); });
  return out.array;
}

nb::tuple endpoint_expansion(const Input &values, const Input &scales) {
  const ntk_matrix v = matrix(values, "values"), s = matrix(scales, "scales");
  const NewArray coefficients = new_vector(4, NTK_FLOAT64), errors = new_vector(4, NTK_FLOAT64);
  compute([&](ntk_error *error) { return ntk_endpoint_expansion(&v, &s, &coefficients.view, &errors.view, error); });
  return nb::make_tuple(coefficients.array, errors.array);
}

Array frequency_energies(const Input &points, const Input &values, int64_t frequencies, int32_t threads, int64_t memory_limit,
                         nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix x = matrix(points, "points"), y = matrix(values, "values");
  const NewArray energies = new_vector(positive(frequencies, "frequencies"), NTK_FLOAT64);
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_frequency_energies(&x, &y, &energies.view, how, error); });
  return energies.array;
}

nb::tuple learning_curve(const Input &eigenvalues, const Input &multiplicities, const Input &energies, double tail_trace,
                         double tail_energy, const Input &samples, double ridge, double noise) {
  const ntk_matrix values = matrix(eigenvalues, "eigenvalues"), counts = matrix(multiplicities, "multiplicities");
  const ntk_matrix shares = matrix(energies, "energies"), sizes = matrix(samples, "samples");
  const NewArray ridges = new_vector(sizes.rows, NTK_FLOAT64), errors = new_vector(sizes.rows, NTK_FLOAT64);
  const NewArray learned = new_matrix(sizes.rows, values.rows, NTK_FLOAT64);
  compute([&](ntk_error *error) {
    return ntk_learning_curve(&values, &counts, &shares, tail_trace, tail_energy, &sizes, ridge, noise, &ridges.view, &errors.view,
                              &learned.view, error);
  });
  return nb::make_tuple(ridges.array, errors.array, learned.array);
}

}  // namespace

void bind_spectra(nb::module_ &m) {
  m.def("angle_rule", &angle_rule, nb::arg("count"),
        "Gauss-Legendre rule over the angle, 0 to pi: (angles, weights, cosines, sines, packed).");
  m.def("zonal_spectrum", &zonal_spectrum, nb::arg("values"), nb::arg("packed"), nb::arg("dimension"),
        nb::arg("frequencies"), NTK_CALL_ARGUMENTS,
        "Eigenvalues of a zonal kernel on S^(d-1) from its values at the nodes of `angle_rule`, and the norms of their terms.");
  m.def("legendre_polynomials", &legendre_polynomials, nb::arg("dimension"), nb::arg("angles"), nb::arg("frequencies"),
        "Legendre polynomials of dimension d at the cosines of angles: shape (frequencies, angles).");
  m.def("endpoint_expansion", &endpoint_expansion, nb::arg("values"), nb::arg("scales"),
        "Taylor coefficients 0 to 3 at 0 of a function given at Chebyshev nodes of intervals [0, scale], and their errors.");
  m.def("frequency_energies", &frequency_energies, nb::arg("points"), nb::arg("values"), nb::arg("frequencies"), NTK_CALL_ARGUMENTS,
        "Energies per frequency of a function on the sphere, from its values at random unit vectors.");
  m.def("learning_curve", &learning_curve, nb::arg("eigenvalues"), nb::arg("multiplicities"), nb::arg("energies"), nb::arg("tail_trace"),
        nb::arg("tail_energy"), nb::arg("samples"), nb::arg("ridge"), nb::arg("noise"),
        "(effective ridges, errors, learnt shares) of kernel ridge regression, predicted from a spectrum for numbers of samples.");
}
