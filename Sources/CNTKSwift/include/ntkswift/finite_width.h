/* Finite networks.
 * Parameters are one flat vector: for each layer with weights in op-table order its W (inputs x outputs, row after row; a convolution's
 * inputs are height x width x channels of its window), then its b where it has one; for BatchNorm its scale, then its shift. Inputs x are
 * n x (height * width * channels), outputs (blocks * n) x output size. All float64. */
#ifndef NTKSWIFT_FINITE_WIDTH_H
#define NTKSWIFT_FINITE_WIDTH_H

#include "architecture.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ntk_network {
  int64_t architecture;
  int64_t input_shape[3];      /* height, width, channels of one input; 1, 1, d for flat input */
  int32_t spatial_axes;        /* 0 flat, 1 a line (width 1), 2 an image */
  int32_t reserved;
  const double *parameters;    /* may be NULL for ntk_network_describe */
  int64_t parameter_count;
  ntk_user_function function;  /* of the caller's nonlinearities; what 0 and 1 */
  void *function_context;
  uint64_t seed[2];            /* for Dropout in train mode */
} ntk_network;

typedef struct ntk_network_info {
  int64_t parameter_count;
  int64_t output_shape[3];     /* height, width, channels of one output */
  int32_t output_spatial_axes;
  int32_t couples_batch;       /* BatchNorm: outputs depend on the other inputs of the batch */
  int64_t output_blocks;       /* rows per input */
} ntk_network_info;

int32_t ntk_network_describe(const ntk_network *network, ntk_network_info *info, ntk_error *error);

/* outs[k] = the mixed derivative of the outputs along the directions in the bit mask sets[k]; 0 is the output itself. directions: rows
 * are vectors of parameters, at most 3 (absent: none). */
int32_t ntk_network_derivatives(const ntk_network *network, const ntk_matrix *x, const ntk_matrix *directions, const int64_t *sets,
                                const ntk_matrix *outs, int64_t count, const ntk_call *call, ntk_error *error);

/* gradient (1 x parameters, contiguous) = sum over rows of J^T cotangent. */
int32_t ntk_network_pull_back(const ntk_network *network, const ntk_matrix *x, const ntk_matrix *cotangents,
                              const ntk_matrix *gradient, const ntk_call *call, ntk_error *error);

typedef enum ntk_output_loss {
  NTK_MEAN_SQUARED_ERROR = 0,  /* 0.5 mean (f - y)^2 over inputs and outputs */
  NTK_CROSS_ENTROPY = 1,       /* -mean over inputs of sum_k y_k log softmax(f)_k; two outputs or more */
  NTK_LOGISTIC = 2             /* mean over inputs of log(1 + exp f) - y f; one output */
} ntk_output_loss;

/* The loss and (unless absent) its gradient, 1 x parameters, contiguous. */
int32_t ntk_network_loss(const ntk_network *network, int32_t loss, const ntk_matrix *x, const ntk_matrix *targets, double *value,
                         const ntk_matrix *gradient, const ntk_call *call, ntk_error *error);

typedef enum ntk_curvature {
  NTK_HESSIAN = 0,
  NTK_GAUSS_NEWTON = 1,
  NTK_EMPIRICAL_FISHER = 2,    /* mean g_i g_i^T, g_i the gradient of one input's loss */
  NTK_GRADIENT_COVARIANCE = 3  /* mean (g_i - g)(g_i - g)^T */
} ntk_curvature;

/* out (n1 x n2 x kept x kept x diagonal, contiguous) = empirical NTK; outputs[(f * diagonal + d) * traced + t] is the number of output
 * (f, d, t): f is kept for both inputs, d is the same in both, t is averaged over. x2 absent: x1. */
int32_t ntk_network_ntk(const ntk_network *network, const ntk_matrix *x1, const ntk_matrix *x2, const int64_t *outputs, int64_t kept,
                        int64_t diagonal, int64_t traced, double *out, const ntk_call *call, ntk_error *error);

/* gram[i, j] = product of the gradients of <combination1[i], f(x1[i])> and <combination2[j], f(x2[j])>. x2, combination2 absent: x1. */
int32_t ntk_network_gradient_gram(const ntk_network *network, const ntk_matrix *x1, const ntk_matrix *combination1,
                                  const ntk_matrix *x2, const ntk_matrix *combination2, const ntk_matrix *gram, const ntk_call *call,
                                  ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
