// The extension module: the list of its topics.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

void bind_system(nb::module_ &m);
void bind_random(nb::module_ &m);
void bind_architecture(nb::module_ &m);
void bind_kernels(nb::module_ &m);
void bind_forward(nb::module_ &m);
void bind_linear_algebra(nb::module_ &m);
void bind_kernel_methods(nb::module_ &m);

NB_MODULE(_core, m) {
  m.doc() = "The Swift core of ntkswift: what it computes, without the checks and conveniences of the package.";
  bind_system(m);
  bind_random(m);
  bind_architecture(m);
  bind_kernels(m);
  bind_forward(m);
#ifndef NTK_WITHOUT_linear_algebra
  bind_linear_algebra(m);
#endif
#ifndef NTK_WITHOUT_kernel_methods
  bind_kernel_methods(m);
#endif
}
