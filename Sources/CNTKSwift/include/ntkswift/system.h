/* System. */
#ifndef NTKSWIFT_SYSTEM_H
#define NTKSWIFT_SYSTEM_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

const char *ntk_version(void);
/* 2, 3 or 4 on x86-64 (micro-architecture level in use), 0 elsewhere. */
int32_t ntk_cpu_level(void);
/* Highest level this processor can run. */
int32_t ntk_cpu_level_available(void);
/* Chooses a level; NTK_INVALID_ARGUMENT if the processor lacks it. */
int32_t ntk_set_cpu_level(int32_t level, ntk_error *error);
/* CPUs this process may use. */
int32_t ntk_cpu_count(void);
int64_t ntk_available_memory(void);
/* Asked on the calling thread, at most every 50 ms, by functions that take no ntk_call; non-zero asks to stop (NTK_CANCELLED). */
typedef int32_t (*ntk_interrupt)(void);
/* Who is asked from now on; NULL: nobody. */
void ntk_set_interrupt(ntk_interrupt interrupt);

#ifdef __cplusplus
}
#endif
#endif
