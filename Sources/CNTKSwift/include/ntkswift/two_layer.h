/* Two-layer networks in three regimes. */
#ifndef NTKSWIFT_TWO_LAYER_H
#define NTKSWIFT_TWO_LAYER_H

#include "architecture.h"
#include "training_record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* y = c + sum_i a_i s(<w_i, x>) with s(t) = t^2 is the quadratic form c + x^T M x. Ghorbani et al., arXiv:1906.08899. */

typedef enum ntk_regime { NTK_REGIME_RF = 0, NTK_REGIME_NT = 1, NTK_REGIME_NN = 2 } ntk_regime;

/* What is learnt, symmetric d x d float64 matrices: kind 0, y = offset + x^T first x with x ~ N(0, I), `second` absent; kind 1, y = +-1
 * with x | y ~ N(0, first - y second). */
typedef struct ntk_quadratic_task {
  int32_t kind;
  int32_t reserved;
  ntk_matrix first, second;
  double offset;
} ntk_quadratic_task;

/* out (d x d) = W^T diag(outputs) W + W^T tangents + tangents^T W; `outputs` (N x 1) and `tangents` (N x d) may be absent. */
int32_t ntk_quadratic_form(const ntk_matrix *weights, const ntk_matrix *outputs, const ntk_matrix *tangents, const ntk_matrix *out,
                           const ntk_call *call, ntk_error *error);

/* E (y - offset - x^T form x)^2, and the risk of the best constant. */
int32_t ntk_quadratic_risk(const ntk_quadratic_task *task, const ntk_matrix *form, double offset, double *risk, double *variance,
                           const ntk_call *call, ntk_error *error);

/* Least squares under the distribution of the task. RF: weights in, coefficients (N x 1) out. NT: weights in, tangent coefficients (N x d)
 * out. NN: weights and coefficients (N x 1) out. `offset` and `jitter` receive the constant and what the ladder added. */
int32_t ntk_quadratic_fit(const ntk_quadratic_task *task, int32_t regime, const ntk_matrix *weights, const ntk_matrix *coefficients,
                          double *offset, double *jitter, const ntk_call *call, ntk_error *error);

/* Risk over that of the best constant as d and N = rho d go to infinity, for a target with these eigenvalues (a column). */
int32_t ntk_lazy_limit(int32_t regime, const ntk_matrix *spectrum, double rho, double *risk, ntk_error *error);
/* Its mean for NT over isotropic weights at d = number of eigenvalues and N = width. */
int32_t ntk_mean_tangent_risk(const ntk_matrix *spectrum, int64_t width, double *risk, ntk_error *error);

/* A network c + sum_i a_i s(<w_i, x>) + sum_i s'(<w_i, x>) <g_i, x>: `activation` is the handle of an architecture that is one
 * nonlinearity; weights w (N x d), outputs a (N x 1) and tangents g (N x d, or absent) are contiguous and of one dtype. */
typedef struct ntk_two_layer {
  int64_t activation;
  ntk_matrix weights, outputs, tangents;
  ntk_user_function function;  /* where the nonlinearity is the caller's; what 0 and 1 */
  void *function_context;
} ntk_two_layer;

/* out (n x 1) = the network on inputs (n x d); float64. */
int32_t ntk_two_layer_predict(const ntk_two_layer *network, double offset, const ntk_matrix *inputs, const ntk_matrix *out,
                              const ntk_call *call, ntk_error *error);

enum { NTK_RIDGE_OUTPUTS = 1, NTK_RIDGE_OFFSET = 2 };

/* Least squares with a ridge on samples, for fixed weights: writes the outputs (zero without NTK_RIDGE_OUTPUTS), the tangents if they are
 * there, the constant (zero without NTK_RIDGE_OFFSET) and the jitter; float64. */
int32_t ntk_two_layer_ridge(const ntk_two_layer *network, const ntk_matrix *inputs, const ntk_matrix *targets, double ridge, int32_t flags,
                            double *offset, double *jitter, const ntk_call *call, ntk_error *error);

/* Largest eigenvalue of K / n, with K the Gram matrix of the gradients of the outputs on n inputs: by the tangents where they are there, by
 * the weights and the outputs where asked for, and by the constant; float64. */
int32_t ntk_two_layer_curvature(const ntk_two_layer *network, const ntk_matrix *inputs, int32_t trains_weights, int32_t trains_outputs,
                                double *value, const ntk_call *call, ntk_error *error);

typedef enum ntk_sample_source { NTK_FRESH_SAMPLES = 0, NTK_FIXED_SAMPLES = 1 } ntk_sample_source;

/* Stochastic gradient descent on (1/b) sum (y - f)^2. A part of the network moves with rate times learning rate. */
typedef struct ntk_sgd {
  int32_t source;             /* an ntk_sample_source */
  int32_t shares_outputs;     /* all output weights are one number */
  ntk_quadratic_task task;    /* fresh samples */
  ntk_matrix inputs, targets; /* fixed samples, float64, n x d and n x 1 */
  int64_t batch, first_step, steps;
  double weight_rate, tangent_rate, output_rate, offset_rate;
  ntk_matrix schedule;        /* k x 2 float64: first step and learning rate of each piece, the first from step 0 */
  uint64_t seed;
} ntk_sgd;

/* Trains the network in place, also where the call fails or is cancelled. */
int32_t ntk_two_layer_sgd(const ntk_two_layer *network, double *offset, const ntk_sgd *sgd, ntk_training_record *record,
                          const ntk_call *call, ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
