#ifndef NTKSWIFT_PROCESSOR_H
#define NTKSWIFT_PROCESSOR_H

#include <stdint.h>

/* Highest x86-64 micro-architecture level (2, 3, 4) that this processor and its system can run; 0 elsewhere. */
int32_t ntk_probe_cpu_level(void);

/* CPUs in this process's affinity mask; 0 where the system has no such mask. */
int32_t ntk_probe_cpu_count(void);

#endif
