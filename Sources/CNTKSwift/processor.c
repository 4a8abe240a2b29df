#define _GNU_SOURCE
#include "include/processor.h"

#if defined(__linux__)
#include <sched.h>
#endif

int32_t ntk_probe_cpu_level(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  int32_t v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  int32_t v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd");
  return v4 ? 4 : v3 ? 3 : 2;
#else
  return 0;
#endif
}

int32_t ntk_probe_cpu_count(void) {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return 0;
}
