/* Curvature and gradient noise along training. */
#ifndef NTKSWIFT_CURVATURE_H
#define NTKSWIFT_CURVATURE_H

#include "finite_width.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of L gradients g_i with mean g: K = mean (g_i - g)(g_i - g)^T. Jastrzebski et al., arXiv:2002.09572. */
typedef struct ntk_gradient_covariance {
  double largest_uncentred;    /* eigenvalue of mean g_i g_i^T */
  double trace, trace_uncentred;
  double mean_norm;            /* ||g|| */
  double mean_share;           /* ||P g||^2 / ||g||^2, P onto the top eigenvectors of K */
  double norm_ratio;           /* mean of ||g_i|| / ||P g_i||; NaN where K vanishes */
} ntk_gradient_covariance;

/* Gradients of the loss on rows k batch ..< (k + 1) batch of x, or (batch 0) of each row by itself; eigenvalues: contiguous column with
 * room for all L - 1 (O(L^3)) or for the largest ones, descending; `top` eigenvectors for the shares. */
int32_t ntk_network_gradient_covariance(const ntk_network *network, int32_t loss, const ntk_matrix *x, const ntk_matrix *targets,
                                        int64_t batch, int64_t top, const ntk_matrix *eigenvalues, ntk_gradient_covariance *result,
                                        const ntk_call *call, ntk_error *error);

/* The same for gradients that the caller has: one per row (float32 or float64), or (is_gram) their L x L Gram matrix, float64. */
int32_t ntk_gradient_covariance_of(const ntk_matrix *gradients, int32_t is_gram, int64_t top, const ntk_matrix *eigenvalues,
                                   ntk_gradient_covariance *result, const ntk_call *call, ntk_error *error);

/* out (n x 1, contiguous) = second derivative along direction of the loss of each row of x. */
int32_t ntk_network_sample_curvatures(const ntk_network *network, int32_t loss, const ntk_matrix *x, const ntk_matrix *targets,
                                      const ntk_matrix *direction, const ntk_matrix *out, const ntk_call *call, ntk_error *error);

/* The smallest alpha with loss(parameters - alpha update) >= factor loss(parameters), to a relative 1e-3; infinity beyond `most`. */
int32_t ntk_network_step_to_raise(const ntk_network *network, int32_t loss, const ntk_matrix *x, const ntk_matrix *targets,
                                  const ntk_matrix *update, double factor, double most, double *alpha, const ntk_call *call,
                                  ntk_error *error);

/* (1 - rate mean)^2 + rate^2 variance (N - S) / (S (N - 1)), S = batch, N = examples. */
int32_t ntk_stability_factor(double rate, int64_t batch, int64_t examples, double mean, double variance, double *factor,
                             ntk_error *error);

/* 2 / rate - (alpha / psi^2) (N - S) / (S (N - 1)). */
int32_t ntk_break_even_curvature(double rate, int64_t batch, int64_t examples, double alpha, double psi, double *curvature,
                                 ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
