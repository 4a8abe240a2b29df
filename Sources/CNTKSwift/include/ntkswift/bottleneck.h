/* Bottlenecks. */
#ifndef NTKSWIFT_BOTTLENECK_H
#define NTKSWIFT_BOTTLENECK_H

#include "architecture.h"
#include "training_record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* (positions count x units) -> values (count x outputs), gradients (count x outputs x units); non-zero: it failed. */
typedef int32_t (*ntk_outer_function)(void *context, const double *positions, int64_t count, double *values, double *gradients);

typedef enum ntk_outer_start {
  NTK_START_ZERO = 0,     /* f_0 = 0 */
  NTK_START_DRAW = 1,     /* a wide random network: key, start_width (0: chosen) */
  NTK_START_WEIGHTS = 2,  /* one hidden layer: hidden (units x width), readout (width x outputs), biases absent or one column */
  NTK_START_FUNCTION = 3  /* the caller's function */
} ntk_outer_start;

/* The infinitely wide network behind a bottleneck, and what it is before training. */
typedef struct ntk_outer {
  int64_t architecture;
  int32_t start;          /* an ntk_outer_start */
  int32_t reserved;
  uint64_t key[2];
  int64_t start_width;
  ntk_matrix hidden, hidden_bias, readout, output_bias;
  ntk_outer_function function;
  void *function_context;
} ntk_outer;

typedef struct ntk_bottleneck_options {
  double learning_rate;
  double compression;     /* 0: exact */
  double flow_tolerance;
  double divergence;      /* largest loss over that at the start */
} ntk_bottleneck_options;

typedef struct ntk_bottleneck_info {
  int64_t steps;          /* taken */
  int64_t losses;         /* recorded: steps + 1 */
  int64_t states;         /* recorded */
  int64_t anchors;        /* positions of the learned function */
  double time;
  double compression_error;
} ntk_bottleneck_info;

/* inner: N x n, the NTK of the inner network; positions: z_0, N x units; targets: n x outputs. Everything is copied but `function_context`,
 * which must live as long as the handle. */
int32_t ntk_bottleneck_create(const ntk_outer *outer, const ntk_matrix *inner, const ntk_matrix *positions, const ntk_matrix *targets,
                              const ntk_bottleneck_options *options, int64_t *handle, const ntk_call *call, ntk_error *error);
int32_t ntk_bottleneck_destroy(int64_t handle, ntk_error *error);
/* `steps` steps of gradient descent, every `interval`-th state recorded. After a failure the records up to it remain. */
int32_t ntk_bottleneck_descend(int64_t handle, int64_t steps, int64_t interval, const ntk_call *call, ntk_error *error);
/* Gradient flow to ascending times, recorded there, and after each step of the integrator if `every_step`. */
int32_t ntk_bottleneck_flow(int64_t handle, const double *times, int64_t count, int32_t every_step, const ntk_call *call, ntk_error *error);
/* Adds f_0 to the recorded test values; call it before ntk_bottleneck_read. */
int32_t ntk_bottleneck_complete(int64_t handle, const ntk_call *call, ntk_error *error);
int32_t ntk_bottleneck_describe(int64_t handle, ntk_bottleneck_info *info, ntk_error *error);
/* Copies of the records; contiguous, of the sizes that ntk_bottleneck_describe states: times and losses (losses x 1); state_steps,
 * state_times (states x 1), values (states x N outputs), z (states x N units), gradients (states x N outputs units); anchors (anchors x
 * units), weights (anchors x outputs), drive (n x units). Any may be absent. */
typedef struct ntk_bottleneck_arrays {
  ntk_matrix loss_times, losses, state_steps, state_times, values, z, gradients, anchors, weights, drive;
} ntk_bottleneck_arrays;
int32_t ntk_bottleneck_read(int64_t handle, const ntk_bottleneck_arrays *out, ntk_error *error);

/* f and its gradient (N x outputs units) at positions z (N x units): f_0 plus sum_a weights_a Kf(., anchors_a). */
int32_t ntk_outer_evaluate(const ntk_outer *outer, const ntk_matrix *z, const ntk_matrix *anchors, const ntk_matrix *weights,
                           const ntk_matrix *values, const ntk_matrix *gradients, const ntk_call *call, ntk_error *error);
/* NTK or NNGP of a smooth fully connected network and its gradient (n1 x n2 d) by the rows of z1. */
int32_t ntk_input_gradient(int64_t architecture, int32_t is_ntk, const ntk_matrix *z1, const ntk_matrix *z2, const ntk_matrix *out,
                           const ntk_matrix *gradient, const ntk_call *call, ntk_error *error);

/* A deep linear network with a bottleneck, F = scale w . A x. A state is A (units x d) row after row, then w. */
typedef struct ntk_linear_bottleneck {
  ntk_matrix inputs, targets;   /* n x d, n x 1 */
  int64_t units;
  double scale, inner_depth, outer_depth;
} ntk_linear_bottleneck;
/* state: one contiguous row, advanced in place by up to `steps` steps; the record has windows of one step, and gets the loss at the end. */
int32_t ntk_linear_descend(const ntk_linear_bottleneck *problem, const ntk_matrix *state, int64_t steps, double learning_rate,
                           double divergence, ntk_training_record *record, const ntk_call *call, ntk_error *error);
/* states: times x (units d + units); losses: one row. */
int32_t ntk_linear_flow(const ntk_linear_bottleneck *problem, const ntk_matrix *state, const double *times, int64_t count,
                        double tolerance, const ntk_matrix *states, const ntk_matrix *losses, const ntk_call *call, ntk_error *error);
/* Gradient descent with a constant kernel: residuals (n x outputs, contiguous) in place, losses (one row) of every step and the start. */
int32_t ntk_constant_kernel_descent(const ntk_matrix *kernel, const ntk_matrix *residuals, double learning_rate,
                                    const ntk_matrix *losses, const ntk_call *call, ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
