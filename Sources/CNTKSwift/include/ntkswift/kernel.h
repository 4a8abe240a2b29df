/* Infinite-width kernels. */
#ifndef NTKSWIFT_KERNEL_H
#define NTKSWIFT_KERNEL_H

#include "architecture.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where a kernel computation starts: inputs, or (x1.data == NULL) the kernel of an earlier network. */
typedef struct ntk_kernel_source {
  ntk_array x1, x2;            /* one input per index of the first axis; x2.data == NULL: x1 against itself */
  int64_t place1, place2;      /* has_places: x1 and x2 are parts of one set of inputs, and begin at these places in it */
  int32_t has_places;
  int32_t reserved;
  ntk_matrix nngp, ntk;        /* given kernel (ntk may be absent) */
  ntk_matrix cov1, cov2;       /* its variances, n x 1; cov2 absent: same inputs */
  int64_t width;               /* channels behind the given kernel (standard parameterization) */
  int32_t is_gaussian;
  int32_t x1_is_x2;
} ntk_kernel_source;

/* What to compute; data == NULL: not wanted. All outputs of one call share one dtype. cov1, cov2 are n x 1, float64. */
typedef struct ntk_kernel_result {
  ntk_matrix nngp, ntk, cov1, cov2;
  ntk_matrix ntk_diagonal;     /* n x 1, float64: the NTK of each input of x1 with itself */
  double *missed_tolerance;    /* may be NULL; largest share of energy that a Hermite expansion cut off beyond its tolerance */
} ntk_kernel_result;

/* `plan` (may be NULL): what ntk_kernel_plan made from all inputs of which these are parts. */
int32_t ntk_kernel(int64_t architecture, const ntk_kernel_source *source, const ntk_bytes *plan, ntk_user_function function,
                   void *function_context, const ntk_kernel_result *result, const ntk_call *call, ntk_error *error);

/* What has to be decided from all inputs together, as bytes: with them a kernel has the same bits however it is cut. */
int32_t ntk_kernel_plan(int64_t architecture, const ntk_kernel_source *source, int32_t wants_nngp, int32_t wants_ntk,
                        ntk_user_function function, void *function_context, const ntk_call *call, ntk_bytes *plan,
                        ntk_error *error);

typedef struct ntk_plan_info {
  int64_t input_width;         /* numbers of one input */
  int32_t dtype;
  int32_t has_nngp, has_ntk;   /* the kernels that it is for */
  int32_t reserved;
} ntk_plan_info;

/* Reads a plan; an error where the bytes are none. */
int32_t ntk_kernel_plan_describe(const ntk_bytes *plan, ntk_plan_info *info, ntk_error *error);

/* Directional derivative of the kernels: dense_W[k], dense_b[k] are the changes of W_std and b_std of Dense layer k.
 * float64 only; `result` receives the derivatives. */
int32_t ntk_kernel_tangent(int64_t architecture, const ntk_kernel_source *source, const double *dense_W, const double *dense_b,
                           int64_t dense_count, const ntk_kernel_result *result, const ntk_call *call, ntk_error *error);

/* Bytes that ntk_kernel would allocate beside its arguments, and the threads it would use. */
int32_t ntk_kernel_memory(int64_t architecture, int64_t n1, int64_t n2, int64_t width, int32_t dtype, const ntk_call *call,
                          int64_t *bytes, int32_t *threads, ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
