/* Three things that Swift has no name for: the processor's reciprocal square root estimate, good to 14 bits, stores of whole
 * cache lines that do not read the line first, and the announcement that a line will be written soon. */
#ifndef NTKSWIFT_VECTOR_SEEDS_H
#define NTKSWIFT_VECTOR_SEEDS_H

typedef double ntk_double8 __attribute__((ext_vector_type(8)));
typedef float ntk_float16 __attribute__((ext_vector_type(16)));

/* Writes 64 bytes at `to`, which must be a multiple of 64, past the caches. */
static inline __attribute__((always_inline)) void ntk_stream8(void *to, ntk_double8 line) {
  __builtin_nontemporal_store(line, (ntk_double8 *)to);
}

static inline __attribute__((always_inline)) void ntk_stream16(void *to, ntk_float16 line) {
  __builtin_nontemporal_store(line, (ntk_float16 *)to);
}

/* Brings the cache line at `at` close, without waiting for it. */
static inline __attribute__((always_inline)) void ntk_prefetch(const void *at) {
  __builtin_prefetch(at, 1, 3);
}

/* Orders streamed lines before everything that follows. */
static inline __attribute__((always_inline)) void ntk_stream_end(void) {
  __sync_synchronize();
}

#if defined(__AVX512F__)
static inline __attribute__((always_inline)) ntk_double8 ntk_reciprocal_root_seed8(ntk_double8 x) {
  typedef double v8 __attribute__((vector_size(64)));
  v8 zero = {0};
  return (ntk_double8)__builtin_ia32_rsqrt14pd512_mask((v8)x, zero, (unsigned char)-1);
}

static inline __attribute__((always_inline)) ntk_float16 ntk_reciprocal_root_seed16(ntk_float16 x) {
  typedef float v16 __attribute__((vector_size(64)));
  v16 zero = {0};
  return (ntk_float16)__builtin_ia32_rsqrt14ps512_mask((v16)x, zero, (unsigned short)-1);
}
#endif

#endif
