/* Operators known by their products (Lanczos). */
#ifndef NTKSWIFT_LANCZOS_H
#define NTKSWIFT_LANCZOS_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* y = A x, both of `dimension` numbers; called on the calling thread. Non-zero reports failure and ends the call with
 * NTK_CALLBACK_FAILED. */
typedef int32_t (*ntk_operator)(void *context, const double *x, double *y, int64_t dimension);

typedef struct ntk_lanczos_request {
  int64_t dimension;
  int64_t count;             /* eigenvalues wanted (ntk_lanczos), or steps (ntk_lanczos_quadrature) */
  int32_t end;               /* 0 largest, 1 smallest, 2 largest magnitude */
  int32_t refines_vectors;   /* the tolerance holds for the residual norms, not only for the values */
  int32_t finds_multiples;   /* look for further copies of multiple eigenvalues */
  int32_t reserved;
  double tolerance;          /* relative to each value */
  int64_t subspace;          /* most basis vectors; 0: automatic */
  int64_t most_products;     /* 0: automatic */
  uint64_t seed;
  const double *start;       /* `dimension` numbers; NULL: random */
} ntk_lanczos_request;

/* values, residuals: count x 1 contiguous. vectors: count x dimension with contiguous rows, or absent. */
int32_t ntk_lanczos(const ntk_lanczos_request *request, ntk_operator product, void *product_context, const ntk_matrix *values,
                    const ntk_matrix *residuals, const ntk_matrix *vectors, int64_t *products, const ntk_call *call,
                    ntk_error *error);

/* Gauss rule of the spectral measure at `start`: nodes, weights: count x 1 contiguous, of which the first *found are filled. */
int32_t ntk_lanczos_quadrature(const ntk_lanczos_request *request, ntk_operator product, void *product_context,
                               const ntk_matrix *nodes, const ntk_matrix *weights, int64_t *found, const ntk_call *call,
                               ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
