/* Symmetric operators: what is known by its products, and what can be asked of it. */
#ifndef NTKSWIFT_OPERATORS_H
#define NTKSWIFT_OPERATORS_H

#include "finite_width.h"
#include "kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

/* y = A x, both of `dimension` numbers; called on the calling thread. Non-zero reports failure and ends the call with
 * NTK_CALLBACK_FAILED. */
typedef int32_t (*ntk_operator)(void *context, const double *x, double *y, int64_t dimension);

/* out[i, j] = A[row + i, column + j] for rows x columns elements, row after row `leading` numbers apart. As ntk_operator otherwise. */
typedef int32_t (*ntk_operator_block)(void *context, int64_t row, int64_t rows, int64_t column, int64_t columns, double *out,
                                      int64_t leading);

typedef enum ntk_operator_kind {
  NTK_OPERATOR_PRODUCT = 0,    /* a caller's product: product, context, dimension */
  NTK_OPERATOR_BLOCKS = 1,     /* a caller's blocks: block, context, dimension; store */
  NTK_OPERATOR_DENSE = 2,      /* matrix */
  NTK_OPERATOR_KERNEL = 3,     /* architecture, function, matrix (the inputs); which: 0 NNGP, 1 NTK; store */
  NTK_OPERATOR_CURVATURE = 4,  /* network, matrix (the inputs), targets, loss (ntk_output_loss); which: ntk_curvature */
  NTK_OPERATOR_COVARIANCE = 5  /* of the rows of matrix (contiguous rows); which: 0 uncentred, 1 centred */
} ntk_operator_kind;

/* A symmetric matrix, by what its kind reads of this. */
typedef struct ntk_symmetric_operator {
  int32_t kind, which, loss, reserved;
  int64_t dimension;
  double shift;                /* added to the diagonal */
  ntk_matrix shifts;           /* one contiguous column, added to the diagonal as well; absent: none */
  ntk_matrix matrix, targets;  /* float64 */
  int64_t architecture;
  ntk_user_function function;
  void *function_context;
  const ntk_network *network;
  ntk_operator product;
  ntk_operator_block block;
  void *context;
  ntk_matrix store;            /* one contiguous column that keeps blocks from call to call; absent: they are computed each time */
  int64_t *stored;             /* how much of it is valid: 0 at first, then left as the last call left it */
} ntk_symmetric_operator;

/* Numbers that a store needs to keep as many blocks of a matrix of `dimension` rows as `bytes` hold. */
int32_t ntk_operator_store_size(int64_t dimension, int64_t bytes, int64_t *numbers, ntk_error *error);

/* Row i of products = A times row i of vectors; (count x dimension), contiguous rows. */
int32_t ntk_operator_multiply(const ntk_symmetric_operator *op, const ntk_matrix *vectors, const ntk_matrix *products,
                              const ntk_call *call, ntk_error *error);

/* Row i of out = row indices[i] of A; contiguous rows. */
int32_t ntk_operator_rows(const ntk_symmetric_operator *op, const int64_t *indices, const ntk_matrix *out, const ntk_call *call,
                          ntk_error *error);

/* The diagonal, a contiguous column. */
int32_t ntk_operator_diagonal(const ntk_symmetric_operator *op, const ntk_matrix *out, const ntk_call *call, ntk_error *error);

typedef struct ntk_lanczos_request {
  int64_t count;             /* eigenvalues wanted */
  int32_t end;               /* 0 largest, 1 smallest, 2 largest magnitude */
  int32_t refines_vectors;   /* the tolerance holds for the residual norms, not only for the values */
  int32_t finds_multiples;   /* look for further copies of multiple eigenvalues */
  int32_t reserved;
  double tolerance;          /* relative to each value */
  int64_t subspace;          /* most basis vectors; 0: automatic */
  int64_t most_products;     /* 0: automatic */
  uint64_t seed;
  const double *start;       /* `dimension` numbers; NULL: the operator's own promising start, or random */
} ntk_lanczos_request;

/* values, residuals: count x 1 contiguous. vectors: count x dimension with contiguous rows, or absent. */
int32_t ntk_operator_eigen(const ntk_symmetric_operator *op, const ntk_lanczos_request *request, const ntk_matrix *values,
                           const ntk_matrix *residuals, const ntk_matrix *vectors, int64_t *products, const ntk_call *call,
                           ntk_error *error);

/* samples (probes x 1, contiguous): v A v for vectors v of random signs; each has the trace as its mean (Hutchinson). */
int32_t ntk_operator_trace(const ntk_symmetric_operator *op, uint64_t seed, const ntk_matrix *samples, const ntk_call *call,
                           ntk_error *error);

/* Stochastic Lanczos quadrature: nodes, weights (probes x steps); all weights add up to 1. */
int32_t ntk_operator_density(const ntk_symmetric_operator *op, uint64_t seed, const ntk_matrix *nodes, const ntk_matrix *weights,
                             const ntk_call *call, ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
