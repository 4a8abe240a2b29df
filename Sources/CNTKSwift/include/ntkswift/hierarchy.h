/* Neural tangent hierarchy.
 * Huang & Yau, arXiv:1909.08156, of networks with one output. K_r has an index for all inputs and r - 1 indices for the first `train` of
 * them, the last one fastest: a contiguous matrix of (inputs * train^(r - 2)) x train. */
#ifndef NTKSWIFT_HIERARCHY_H
#define NTKSWIFT_HIERARCHY_H

#include "finite_width.h"

#ifdef __cplusplus
extern "C" {
#endif

/* kernels[k] = K_{k + 2}, count of them, at most 3. */
int32_t ntk_hierarchy_kernels(const ntk_network *network, const ntk_matrix *x, int64_t train, const ntk_matrix *kernels, int64_t count,
                              const ntk_call *call, ntk_error *error);

/* out[i, j] = derivative of K2(x_i, x_j) along direction (1 x parameters, contiguous). */
int32_t ntk_hierarchy_kernel_derivative(const ntk_network *network, const ntk_matrix *x, const ntk_matrix *direction,
                                        const ntk_matrix *out, const ntk_call *call, ntk_error *error);

/* Gradient flow of the hierarchy cut after the last of `kernels`, from outputs start (1 x inputs) towards targets (1 x train): a row of
 * outputs for each of times (1 x T, ascending), and of K2 (absent: not wanted). */
int32_t ntk_hierarchy_truncated(const ntk_matrix *start, const ntk_matrix *targets, const ntk_matrix *kernels, int64_t count,
                                const ntk_matrix *times, double tolerance, const ntk_matrix *outputs, const ntk_matrix *ntk,
                                const ntk_call *call, ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
