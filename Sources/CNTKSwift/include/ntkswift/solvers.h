/* Solvers: A x = b for symmetric operators A. */
#ifndef NTKSWIFT_SOLVERS_H
#define NTKSWIFT_SOLVERS_H

#include "operators.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a solver ended. */
typedef enum ntk_solve_status {
  NTK_SOLVE_CONVERGED = 0,
  NTK_SOLVE_ITERATION_LIMIT = 1,
  NTK_SOLVE_STALLED = 2,                /* rounding, or what A does not reach of b, keeps a residual above the tolerance */
  NTK_SOLVE_NOT_POSITIVE_DEFINITE = 3   /* a direction with x A x <= 0, in a method that needs a positive definite matrix */
} ntk_solve_status;

typedef struct ntk_solver_info {
  char name[32], summary[160];          /* UTF-8, zero-terminated */
} ntk_solver_info;

typedef struct ntk_solve_request {
  int32_t solver;            /* place in the table; -1: chosen by size and memory */
  int32_t reserved;
  double tolerance;          /* largest ||b - A x|| / ||b|| */
  int64_t most_iterations;   /* 0: automatic */
} ntk_solve_request;

typedef struct ntk_solve_result {
  int32_t status;            /* an ntk_solve_status, the worst of the right-hand sides */
  int32_t solver;            /* the place of the one that was used */
  int64_t iterations;
  double jitter;             /* what was added to the diagonal of a matrix that is singular to working precision */
} ntk_solve_result;

/* The table: how many there are, and what they are. */
int32_t ntk_solver_count(void);
int32_t ntk_solver_describe(int32_t solver, ntk_solver_info *info, ntk_error *error);

/* The place of the solver that -1 chooses for an operator of `dimension` rows within this call's memory. */
int32_t ntk_solver_automatic(int64_t dimension, int32_t *solver, const ntk_call *call, ntk_error *error);

/* b, x: one right-hand side and its solution per row, contiguous rows. residuals: one per row of b, a contiguous column. */
int32_t ntk_operator_solve(const ntk_symmetric_operator *op, const ntk_solve_request *request, const ntk_matrix *b,
                           const ntk_matrix *x, const ntk_matrix *residuals, ntk_solve_result *result, const ntk_call *call,
                           ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
