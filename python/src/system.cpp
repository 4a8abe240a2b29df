// The machine: version, CPU level, processors, memory.
#include "common.h"

using namespace ntkswift;

void bind_system(nb::module_ &m) {
  ntk_set_interrupt(is_interrupted);
  nb::module_::import_("atexit").attr("register")(nb::cpp_function(end_calls));
  m.def("version", &ntk_version, "Version of the core.");
  m.def("cpu_level", &ntk_cpu_level, "x86-64 level in use (2, 3 or 4); 0 on other processors.");
  m.def("cpu_level_available", &ntk_cpu_level_available, "Highest x86-64 level that this processor runs; 0 on others.");
  m.def(
      "set_cpu_level", [](int32_t level) { check([&](ntk_error *error) { return ntk_set_cpu_level(level, error); }); },
      nb::arg("level"), "Chooses the x86-64 level. ValueError where the processor lacks it.");
  m.def("cpu_count", &ntk_cpu_count, "Processors that this process may use.");
  m.def("available_memory", &ntk_available_memory, "Bytes that can be allocated without swapping.");
}
