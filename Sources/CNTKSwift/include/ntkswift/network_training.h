/* Training of finite networks. */
#ifndef NTKSWIFT_NETWORK_TRAINING_H
#define NTKSWIFT_NETWORK_TRAINING_H

#include "finite_width.h"
#include "training_record.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ntk_optimizer_kind {
  NTK_DESCENT = 0,             /* gradient descent with momentum, stochastic where batches are smaller than the data */
  NTK_ADAM = 1,
  NTK_FLOW = 2                 /* gradient flow by an adaptive integrator */
} ntk_optimizer_kind;

/* After a linear warm-up: no change; at boundaries[k] times factors[k]; half a cosine to cosine_final in cosine_steps. */
typedef enum ntk_rate_shape { NTK_RATE_CONSTANT = 0, NTK_RATE_PIECEWISE = 1, NTK_RATE_COSINE = 2 } ntk_rate_shape;

typedef struct ntk_optimizer {
  int32_t kind;                /* an ntk_optimizer_kind */
  int32_t is_nesterov;
  double learning_rate, momentum, b1, b2, epsilon, weight_decay;
  int32_t shape;               /* an ntk_rate_shape */
  int32_t reserved;
  int64_t warmup, cosine_steps;
  double cosine_final;
  const int64_t *boundaries;
  const double *factors;
  int64_t boundary_count;
  double time, tolerance;      /* of gradient flow: where it ends, and its local error */
} ntk_optimizer;

typedef struct ntk_training {
  ntk_optimizer optimizer;
  int32_t loss;                /* an ntk_output_loss */
  int32_t is_linearised;       /* train f + J (parameters - start) instead of f */
  int64_t batch_size;          /* the number of inputs: all of them in their own order */
  uint64_t key[2];             /* of the order of the inputs and of Dropout */
  double threshold;            /* training ends at a loss of at most this */
} ntk_training;

/* The caller's memory in which training goes on. All zero but parameters and start at the start. */
typedef struct ntk_training_state {
  double *parameters;
  const double *start;         /* the parameters at the start */
  double *moments;             /* as many vectors as the optimiser remembers: momentum 1, Adam 2, flow 1 */
  double *gradient;            /* room for one */
  int64_t parameter_count, moment_count; /* numbers in parameters, start, gradient; in moments */
  int64_t step;                /* steps done */
  double time, next_step, scale; /* of gradient flow */
} ntk_training_state;

/* Takes up to `steps` steps. state and record hold whole steps also where the call fails or is cancelled. */
int32_t ntk_network_train(const ntk_network *network, const ntk_training *training, const ntk_matrix *x, const ntk_matrix *targets,
                          int64_t steps, ntk_training_state *state, ntk_training_record *record, const ntk_call *call, ntk_error *error);

/* Loss and share of right answers of the trained model on other data. start: where is_linearised, 1 x parameters. */
int32_t ntk_network_evaluate(const ntk_network *network, const ntk_training *training, const ntk_matrix *start, const ntk_matrix *x,
                             const ntk_matrix *targets, double *loss, double *accuracy, const ntk_call *call, ntk_error *error);

/* The numbers of the inputs that step `step` sees; indices has room for batch_size of them. */
int32_t ntk_training_batch(const uint64_t key[2], int64_t count, int64_t batch_size, int64_t step, int64_t *indices, int64_t *written,
                           ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
