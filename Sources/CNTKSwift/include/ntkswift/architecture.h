/* Architectures. */
#ifndef NTKSWIFT_ARCHITECTURE_H
#define NTKSWIFT_ARCHITECTURE_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One record of an op table. The table lists a layer tree in postfix order: the children of a node, then the node. */
typedef struct ntk_op {
  int32_t kind;          /* an ntk_op_kind */
  int32_t arity;         /* number of children (SERIAL, PARALLEL); 0 for every other kind */
  int64_t integers[4];
  double reals[6];
} ntk_op;

typedef enum ntk_op_kind {
  NTK_SERIAL = 1,          /* arity children in order */
  NTK_PARALLEL = 2,        /* arity children side by side */
  NTK_IDENTITY = 3,        /* also Flatten of flat input */
  NTK_DENSE = 4,           /* integers: out_dim, flags (NTK_DENSE_*), s[0], s[1]; reals: W_std, b_std */
  NTK_FAN_OUT = 5,         /* integers: num */
  NTK_FAN_IN_SUM = 6,
  NTK_FAN_IN_PROD = 7,
  NTK_FAN_IN_CONCAT = 8,   /* integers: axis (0 batch, 1 channel) */
  NTK_LAYER_NORM = 9,      /* reals: eps */
  NTK_DROPOUT = 10,        /* integers: 1 train, 0 test; reals: keep rate */
  /* finite networks only; sizes of two axes are height + (width << 32), padding is 0 valid, 1 same, 2 circular */
  NTK_CONVOLUTION = 11,    /* integers: channels, flags (NTK_DENSE_*) + (padding << 8), filter, strides; reals: W_std, b_std, s[0], s[1] */
  NTK_POOL = 12,           /* integers: 1 mean or 0 sum, normalize edges + (padding << 8), window, strides */
  NTK_GLOBAL_POOL = 13,    /* integers: 1 mean or 0 sum */
  NTK_FLATTEN = 14,
  NTK_BATCH_NORM = 15,     /* integers: 1 with trained scale and shift; reals: eps */
  /* nonlinearities */
  NTK_ABRELU = 100,        /* reals: a, b            a min(x,0) + b max(x,0) */
  NTK_ERF = 101,           /* reals: a, b, c         a erf(b x) + c */
  NTK_GELU = 102,          /* integers: approximate (finite networks only) */
  NTK_SIN = 103,           /* reals: a, b, c         a sin(b x + c) */
  NTK_RBF = 104,           /* reals: gamma           sqrt2 sin(sqrt(2 gamma) x + pi/4) */
  NTK_SIGN = 105,
  NTK_STEP = 106,          /* x > 0 */
  NTK_EXP = 107,           /* reals: a, b            a exp(b x) */
  NTK_GAUSSIAN = 108,      /* reals: a, b            a exp(b x^2) */
  NTK_GABOR = 109,         /* exp(-x^2) sin(x) */
  NTK_EXP_NORMALIZED = 110,/* reals: gamma, shift */
  NTK_HERMITE = 111,       /* integers: degree; inputs of unit variance */
  NTK_POLYNOMIAL = 112,    /* integers: first, count in the coefficient array; ascending powers */
  NTK_RECTIFIED_MONOMIAL = 113, /* integers: degree */
  NTK_NAMED = 114,         /* integers: an ntk_named_function; reals: parameter, tolerance. By Hermite expansion */
  NTK_USER_EXPANSION = 115,/* integers: function index; reals: tolerance. Caller's function, Hermite expansion */
  NTK_USER_QUADRATURE = 116,/* integers: function index, degree. Caller's function and derivative, 2-D Gauss-Hermite */
  NTK_USER_DUAL = 117      /* integers: function index, has_derivative. Caller's E[f(u)f(v)] of (cov, var1, var2) */
} ntk_op_kind;

enum { NTK_DENSE_BIAS = 1, NTK_DENSE_STANDARD = 2, NTK_DENSE_FROZEN = 4 };

typedef enum ntk_named_function {
  NTK_TANH = 0, NTK_SIGMOID = 1, NTK_SOFTPLUS = 2, NTK_SWISH = 3, NTK_ELU = 4, NTK_SELU = 5
} ntk_named_function;

/* Evaluates caller function `index` on n points, from any thread. `what` says which:
 *   0  y = f(a)      1  y = f'(a)      2  y = E[f(u)f(v)] for cov a, variances b, c      3  its derivative by the covariance
 * Non-zero reports failure and ends the call with NTK_CALLBACK_FAILED. */
typedef int32_t (*ntk_user_function)(void *context, int64_t index, int32_t what, const double *a, const double *b,
                                     const double *c, double *y, int64_t n);

int32_t ntk_architecture_create(const ntk_op *ops, int64_t count, const double *coefficients, int64_t coefficient_count,
                                int64_t *handle, ntk_error *error);
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
