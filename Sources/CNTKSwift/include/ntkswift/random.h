/* Random streams. */
#ifndef NTKSWIFT_RANDOM_H
#define NTKSWIFT_RANDOM_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Philox4x64-10, the stream of numpy.random.Philox(counter=, key=): the next `count` raw 64-bit words. */
int32_t ntk_philox_raw(const uint64_t key[2], const uint64_t counter[4], uint64_t *out, int64_t count, ntk_error *error);
/* Standard normal numbers, reproducible for any thread count (one Box-Muller pair per two words). */
int32_t ntk_philox_normal(const uint64_t key[2], const uint64_t counter[4], double *out, int64_t count, ntk_error *error);

/* `strips` times 32 float32 normal numbers of a stream (Philox4x32-10, Box-Muller), from strip `first` on. */
int32_t ntk_normal_strips(uint64_t key, uint64_t stream, int64_t first, float *out, int64_t strips, ntk_error *error);
/* 32 raw words of Philox4x32-10, from block `first` of a stream on. */
int32_t ntk_philox32_raw(uint64_t key, uint64_t stream, uint64_t first, uint32_t *out, ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
