/* Infinite-width kernels. */
#ifndef NTKSWIFT_KERNEL_H
#define NTKSWIFT_KERNEL_H

#include "architecture.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where a kernel computation starts: rows of inputs, or (x.data == NULL) the kernel of an earlier network. */
typedef struct ntk_kernel_source {
  ntk_matrix x1, x2;           /* x2.data == NULL: x1 against itself */
  ntk_matrix nngp, ntk;        /* given kernel (ntk may be absent) */
  ntk_matrix cov1, cov2;       /* its variances, n x 1; cov2 absent: same inputs */
  int64_t width;               /* channels behind the given kernel (standard parameterization) */
  int32_t is_gaussian;
  int32_t x1_is_x2;
} ntk_kernel_source;

/* What to compute; data == NULL: not wanted. All outputs of one call share one dtype. cov1, cov2 are n x 1, float64. */
typedef struct ntk_kernel_result {
  ntk_matrix nngp, ntk, cov1, cov2;
} ntk_kernel_result;

int32_t ntk_kernel(int64_t architecture, const ntk_kernel_source *source, ntk_user_function function, void *function_context,
                   const ntk_kernel_result *result, const ntk_call *call, ntk_error *error);

/* Directional derivative of the kernels: dense_W[k], dense_b[k] are the changes of W_std and b_std of Dense layer k.
 * float64 only; `result` receives the derivatives. */
int32_t ntk_kernel_tangent(int64_t architecture, const ntk_kernel_source *source, const double *dense_W, const double *dense_b,
                           int64_t dense_count, const ntk_kernel_result *result, const ntk_call *call, ntk_error *error);

/* Bytes that ntk_kernel would allocate beside its arguments, and the threads it would use. */
int32_t ntk_kernel_plan(int64_t architecture, int64_t n1, int64_t n2, int64_t width, int32_t dtype, const ntk_call *call,
                        int64_t *bytes, int32_t *threads, ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
