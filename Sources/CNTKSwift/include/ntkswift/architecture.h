/* Architectures. */
#ifndef NTKSWIFT_ARCHITECTURE_H
#define NTKSWIFT_ARCHITECTURE_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One record of an op table. The table lists a layer tree in postfix order: the children of a node, then the node. What a record needs
 * beyond its kind stands in two pools, whole numbers and real ones, of which it takes a part each. */
typedef struct ntk_op {
  int32_t kind;          /* an ntk_op_kind, or the code of an activation */
  int32_t arity;         /* number of children (SERIAL, PARALLEL); 0 for every other kind */
  int64_t first_integer, integer_count;
  int64_t first_real, real_count;
} ntk_op;

/* The kinds of layers, written here only. Numbers never change their meaning. */
typedef enum ntk_op_kind {
  NTK_SERIAL = 1,          /* arity children in order */
  NTK_PARALLEL = 2,        /* arity children side by side */
  NTK_IDENTITY = 3,
  NTK_DENSE = 4,           /* integers: out_dim, flags (NTK_DENSE_*), s[0], s[1]; reals: W_std, b_std */
  NTK_FAN_OUT = 5,         /* integers: num */
  NTK_FAN_IN_SUM = 6,
  NTK_FAN_IN_PROD = 7,
  NTK_FAN_IN_CONCAT = 8,   /* integers: axis (0 batch, 1 channel) */
  NTK_LAYER_NORM = 9,      /* reals: eps */
  NTK_DROPOUT = 10,        /* integers: 1 train, 0 test; reals: keep rate */
  /* A window: axes (1 or 2), padding (0 valid, 1 same, 2 circular), then for each axis its size, then for each its stride. */
  NTK_CONVOLUTION = 11,    /* integers: channels, flags (NTK_DENSE_*), s[0], s[1], window; reals: W_std, b_std */
  NTK_POOL = 12,           /* integers: 1 mean or 0 sum, 1 normalize edges, window */
  NTK_GLOBAL_POOL = 13,    /* integers: 1 mean or 0 sum */
  NTK_FLATTEN = 14,
  NTK_BATCH_NORM = 15,     /* integers: 1 with trained scale and shift; reals: eps */
  NTK_FIRST_ACTIVATION = 100 /* from here on activations, as ntk_activation_describe lists them */
} ntk_op_kind;

enum { NTK_DENSE_BIAS = 1, NTK_DENSE_STANDARD = 2, NTK_DENSE_FROZEN = 4 };

/* Evaluates caller function `index` on n points, from any thread. `what` says which:
 *   0  y = f(a)      1  y = f'(a)      2  y = E[f(u)f(v)] for cov a, variances b, c      3  its derivative by the covariance
 * Non-zero reports failure and ends the call with NTK_CALLBACK_FAILED. */
typedef int32_t (*ntk_user_function)(void *context, int64_t index, int32_t what, const double *a, const double *b,
                                     const double *c, double *y, int64_t n);

int32_t ntk_architecture_create(const ntk_op *ops, int64_t count, const int64_t *integers, int64_t integer_count,
                                const double *reals, int64_t real_count, int64_t *handle, ntk_error *error);
int32_t ntk_architecture_destroy(int64_t handle, ntk_error *error);

typedef struct ntk_architecture_info {
  int64_t dense_count;     /* Dense layers, numbered in the order of the op table */
  int64_t output_width;    /* out_dim after the last layer (input width where no Dense sets it) */
  int64_t output_blocks;   /* rows of the kernel per input: > 1 after FanInConcat along the batch */
  int32_t is_gaussian;     /* the output is a Gaussian process */
  int32_t uses_user_functions;
} ntk_architecture_info;

int32_t ntk_architecture_describe(int64_t handle, int64_t input_width, ntk_architecture_info *info, ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
