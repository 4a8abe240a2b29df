/* Linear algebra.
 * Matrices here are float64 unless said otherwise. "Contiguous rows" means col_stride 1 (or at most one column).
 * Results are the same to the bit for any number of threads. */
#ifndef NTKSWIFT_LINEAR_ALGEBRA_H
#define NTKSWIFT_LINEAR_ALGEBRA_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a matrix is made positive definite before it is factored. */
typedef struct ntk_regularization {
  double ridge;            /* added to the diagonal */
  int32_t is_relative;     /* ridge is in units of the mean diagonal */
  int32_t reserved;
  double largest_jitter;   /* the ladder 0, 1e-14, 1e-13, ... ends here, in units of the mean diagonal; 0 allows none */
} ntk_regularization;

typedef struct ntk_factor_report {
  double ridge;            /* what was added to the diagonal, in absolute units */
  double jitter;           /* what was added on top because that was not enough; 0 for most matrices */
  double log_determinant;  /* of the sum */
  double reciprocal_condition; /* of the sum, in the 1-norm: an estimate, sharp below 1e-6 */
} ntk_factor_report;

/* factor (contiguous rows) = the Cholesky factor L of a + ridge I (+ jitter I): lower triangle, zeros above. `a` may be float32; only
 * its lower triangle is read. factor == a (the same memory and layout) overwrites a; all of a must be given then. */
int32_t ntk_cholesky(const ntk_matrix *a, const ntk_regularization *regularization, const ntk_matrix *factor,
                     ntk_factor_report *report, const ntk_call *call, ntk_error *error);

/* Where a matrix is not what it should be, row by row: the first element of its lower triangle. */
typedef struct ntk_symmetry_fault {
  int32_t kind;            /* 0: none; 1: a[row, column] and a[column, row] differ; 2: the 2 x 2 block of both rows has a negative
                            * eigenvalue (row = column: a negative diagonal) */
  int32_t reserved;
  int64_t row, column;
  double eigenvalue;       /* of that block; the smallest of the whole matrix is not larger */
} ntk_symmetry_fault;

/* The first fault of a square matrix (float32 or float64, any strides). is_kernel: a matrix of inner products, whose elements are compared
 * with the square roots of their diagonal elements, and which must not be indefinite; else with the largest element. */
int32_t ntk_symmetry(const ntk_matrix *a, double tolerance, int32_t is_kernel, ntk_symmetry_fault *fault, const ntk_call *call,
                     ntk_error *error);

/* Which system with a Cholesky factor is solved: L L^T x = b, L x = b, or L^T x = b. */
typedef enum ntk_factor_system { NTK_SOLVE_WHOLE = 0, NTK_SOLVE_FORWARD = 1, NTK_SOLVE_BACKWARD = 2 } ntk_factor_system;

/* b (contiguous rows) <- x. */
int32_t ntk_solve(int32_t system, const ntk_matrix *factor, const ntk_matrix *b, const ntk_call *call, ntk_error *error);

/* c = a b; all float64 or all float32, any strides. */
int32_t ntk_multiply(const ntk_matrix *a, const ntk_matrix *b, const ntk_matrix *c, const ntk_call *call, ntk_error *error);

/* Eigenvalues (n x 1 contiguous, ascending) and eigenvectors (row j belongs to value j; contiguous rows; absent: values only) of
 * a + ridge I. `a` may be float32; only its upper triangle is read. largest_jitter is not used. */
int32_t ntk_eigh(const ntk_matrix *a, const ntk_regularization *regularization, const ntk_matrix *values, const ntk_matrix *vectors,
                 const ntk_call *call, ntk_error *error);

/* The largest eigenvalue of a symmetric matrix, to a relative error of at most 1e-10. */
int32_t ntk_largest_eigenvalue(const ntk_matrix *a, double *value, const ntk_call *call, ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
