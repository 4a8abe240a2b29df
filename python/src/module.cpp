// The extension module: the list of its topics.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

void bind_system(nb::module_ &m);
void bind_random(nb::module_ &m);
void bind_architecture(nb::module_ &m);
void bind_kernels(nb::module_ &m);
void bind_networks(nb::module_ &m);
void bind_training(nb::module_ &m);
void bind_autoencoder(nb::module_ &m);
void bind_linear_algebra(nb::module_ &m);
void bind_kernel_methods(nb::module_ &m);
void bind_bottleneck(nb::module_ &m);
void bind_operators(nb::module_ &m);
void bind_solvers(nb::module_ &m);
void bind_curvature(nb::module_ &m);
void bind_two_layer(nb::module_ &m);
void bind_spectra(nb::module_ &m);
void bind_hierarchy(nb::module_ &m);

NB_MODULE(_core, m) {
  m.doc() = "The Swift core of ntkswift: what it computes, without the checks and conveniences of the package.";
  nb::set_leak_warnings(false);  // networks may live until the interpreter ends
  bind_system(m);
  bind_random(m);
  bind_architecture(m);
  bind_kernels(m);
  bind_networks(m);
  bind_training(m);
  bind_autoencoder(m);
  bind_linear_algebra(m);
  bind_kernel_methods(m);
  bind_bottleneck(m);
  bind_operators(m);
  bind_solvers(m);
  bind_curvature(m);
  bind_two_layer(m);
  bind_spectra(m);
  bind_hierarchy(m);
}
