/* Autoencoders.
 * Two-layer ReLU networks u(x) = scale sum_r a_r relu(<w_r, x>), m neurons, on n inputs of length d. */
#ifndef NTKSWIFT_AUTOENCODER_H
#define NTKSWIFT_AUTOENCODER_H

#include "common.h"
#include "training_record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Contiguous float64: x (n x d), encoder (m x d, row r is w_r), decoder (m x d, row r is a_r; absent: tied weights, a_r = w_r). */
typedef struct ntk_autoencoder {
  ntk_matrix x, encoder, decoder;
  double scale;
} ntk_autoencoder;

typedef struct ntk_autoencoder_training {
  int32_t trains_decoder;      /* 0: only the encoder learns; tied weights always learn */
  int32_t is_flow;             /* gradient flow, by Heun's method with adaptive steps, instead of gradient descent */
  double rate;                 /* step size; in gradient flow the time between two recorded losses */
  double tolerance;            /* gradient flow: local error of the outputs relative to the norm of x */
  int64_t steps;
} ntk_autoencoder_training;

/* Trains encoder and decoder in place on 1/2 sum_i ||u_i - x_i||^2; the record has windows of one step, and gets the loss at the end. */
int32_t ntk_autoencoder_train(const ntk_autoencoder *network, const ntk_autoencoder_training *training, ntk_training_record *record,
                              const ntk_call *call, ntk_error *error);

/* outputs (n x d) and hidden activations (n x m); either may be absent. */
int32_t ntk_autoencoder_outputs(const ntk_autoencoder *network, const ntk_matrix *outputs, const ntk_matrix *hidden,
                                const ntk_call *call, ntk_error *error);

/* out (n d x n d, contiguous) = the tangent kernel of the outputs, by the gradients of layers: 1 encoder, 2 decoder, 3 both. */
int32_t ntk_autoencoder_kernel(const ntk_autoencoder *network, int32_t layers, const ntk_matrix *out, const ntk_call *call,
                               ntk_error *error);

/* Expectations over one neuron: encoder = <x, y> P(w x > 0, w y > 0), decoder = E[relu(w x) relu(w y)], n1 x n2; either may be absent. */
int32_t ntk_autoencoder_limits(const ntk_matrix *x, const ntk_matrix *y, const ntk_matrix *encoder, const ntk_matrix *decoder,
                               const ntk_call *call, ntk_error *error);

/* out (n1 d x n2 d) = the kernel per neuron of infinitely many tied neurons. */
int32_t ntk_autoencoder_tied_limit(const ntk_matrix *x, const ntk_matrix *y, const ntk_matrix *out, const ntk_call *call,
                                   ntk_error *error);

typedef struct ntk_autoencoder_movement_result {
  double encoder, decoder;     /* relative Frobenius distances */
  double largest_neuron;       /* largest ||w_r - w_r(0)|| */
  double flipped;              /* share of changed activation patterns */
} ntk_autoencoder_movement_result;

/* How far `network` is from `start` (the same x and shapes). */
int32_t ntk_autoencoder_movement(const ntk_autoencoder *network, const ntk_autoencoder *start,
                                 ntk_autoencoder_movement_result *result, const ntk_call *call, ntk_error *error);

/* Loss 1/2 ||R_k||^2, k = 0..steps, under a constant kernel with this eigendecomposition (ntk_eigh), from residual R_0 (n x c); spread (n x n,
 * or absent): covariance of random R_0 about residual, summed over columns. loss has room for steps + 1 numbers. */
int32_t ntk_predicted_loss(const ntk_matrix *values, const ntk_matrix *vectors, const ntk_matrix *residual, const ntk_matrix *spread,
                           double rate, int32_t is_flow, int64_t steps, double *loss, const ntk_call *call, ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
