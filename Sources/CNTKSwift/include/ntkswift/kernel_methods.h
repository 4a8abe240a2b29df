/* Kernel methods.
 * n training points, m test points, c outputs per point. `factor`: Cholesky factor of the train-train kernel (n x n). */
#ifndef NTKSWIFT_KERNEL_METHODS_H
#define NTKSWIFT_KERNEL_METHODS_H

#include "linear_algebra.h"

#ifdef __cplusplus
extern "C" {
#endif

/* out (m x m) = k_test_test - k_test_train K^-1 k_test_train^T. With k_test_test and out of m x 1: the diagonals only. */
int32_t ntk_posterior_covariance(const ntk_matrix *factor, const ntk_matrix *k_test_train, const ntk_matrix *k_test_test,
                                 const ntk_matrix *out, const ntk_call *call, ntk_error *error);

/* The kernels that the spread of an ensemble of trained networks needs. */
typedef struct ntk_ensemble_kernels {
  ntk_matrix ntk_test_train;   /* kernel of the trained network; the NNGP where that is what is trained */
  ntk_matrix nngp_train_train; /* absent for the NNGP */
  ntk_matrix nngp_test_train;  /* absent for the NNGP */
  ntk_matrix nngp_test_test;
} ntk_ensemble_kernels;

/* out (m x m) = covariance of the outputs after training to convergence; factor: of the NTK. */
int32_t ntk_ensemble_covariance(const ntk_matrix *factor, const ntk_ensemble_kernels *kernels, const ntk_matrix *out,
                                const ntk_call *call, ntk_error *error);

/* Log marginal likelihood of the targets (n x c), with solution = K^-1 targets. sensitivity (n x n, or absent) receives the matrix whose
 * inner product with dK is the derivative. */
int32_t ntk_log_marginal_likelihood(const ntk_matrix *factor, const ntk_matrix *targets, const ntk_matrix *solution,
                                    const ntk_matrix *sensitivity, double *value, const ntk_call *call, ntk_error *error);

/* Sum of the products of corresponding elements. */
int32_t ntk_inner_product(const ntk_matrix *a, const ntk_matrix *b, double *value, ntk_error *error);

/* Eigendecomposition of the train-train kernel (ntk_eigh), and the times (not negative, infinity allowed) in units of the learning rate. */
typedef struct ntk_flow {
  ntk_matrix values, vectors;
  const double *times;
  int64_t time_count;
  double size;               /* training outputs, by which the loss is averaged */
} ntk_flow;

/* Changes of the outputs during gradient flow on 0.5 mean (f - y)^2 from residual = f_0 - y (n x c): train (n x times c), test
 * (m x times c, with k_test_train); either may be absent. */
int32_t ntk_gradient_flow(const ntk_flow *flow, const ntk_matrix *residual, const ntk_matrix *train, const ntk_matrix *k_test_train,
                          const ntk_matrix *test, const ntk_call *call, ntk_error *error);

/* Covariance of an ensemble during gradient flow; is_ntk: all layers are trained, else the last one. Block t of out is that of time t.
 * kernels->nngp_test_test present: on the test points, out (times m x m). Absent: on the training points, out (times n x n). */
int32_t ntk_flow_covariance(const ntk_flow *flow, int32_t is_ntk, const ntk_ensemble_kernels *kernels, const ntk_matrix *out,
                            const ntk_call *call, ntk_error *error);

/* A caller's loss at `count` outputs; called on the calling thread. what 0: out[0] = the loss; 1: out = its gradient. Non-zero reports
 * failure and ends the call with NTK_CALLBACK_FAILED. */
typedef int32_t (*ntk_loss_function)(void *context, int32_t what, const double *outputs, double *out, int64_t count);

typedef enum ntk_loss_kind {
  NTK_LOSS_MSE = 0,           /* 0.5 mean (f - y)^2 */
  NTK_LOSS_CROSS_ENTROPY = 1, /* -sum(log_softmax(f) y) / divisor over `classes` consecutive outputs */
  NTK_LOSS_LOGISTIC = 2,      /* mean(log(1 + exp f) - y f) */
  NTK_LOSS_GRADIENT = 3,      /* the caller's function, what = 1 */
  NTK_LOSS_VALUE = 4          /* the caller's function, what = 0; central differences */
} ntk_loss_kind;

/* Training in continuous time: df/dt = -K g(f), du/dt = g(f); with momentum df/dt = q, dq/dt = -K g(f) + damping q, du/dt = p,
 * dp/dt = g(f) + damping p. */
typedef struct ntk_descent {
  int32_t loss;               /* an ntk_loss_kind */
  int32_t has_momentum;
  int64_t classes;            /* of cross-entropy, 2 or more */
  double divisor;             /* of cross-entropy; the mean over inputs: their number */
  ntk_matrix targets;         /* n x c, contiguous; for the ready-made losses */
  ntk_loss_function function;
  void *function_context;
  double damping;
  double tolerance;           /* relative local error of a step */
  int64_t most_steps;         /* towards an infinite time */
  const double *times;        /* ascending, not negative */
  int64_t time_count;
} ntk_descent;

/* start: the state f, u (, q, p) at time 0 as one contiguous row of n c numbers each; out: one such row per time. */
int32_t ntk_gradient_descent(const ntk_descent *descent, const ntk_matrix *k_train_train, const ntk_matrix *start,
                             const ntk_matrix *out, const ntk_call *call, ntk_error *error);

/* out (m x samples c, contiguous rows), column s c + j = column j of mean (m x c) plus a draw from N(0, covariance). */
int32_t ntk_sample_posterior(const ntk_matrix *mean, const ntk_matrix *covariance, const uint64_t key[2], const uint64_t counter[4],
                             int64_t samples, const ntk_matrix *out, double *jitter, const ntk_call *call, ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
