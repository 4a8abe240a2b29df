/* The C ABI of ntkswift: the contract between the Swift core and every caller.
 *
 * Conventions
 *   - Every function that can fail returns a status code (ntk_status) and, where `error` is not NULL, fills it.
 *   - Sizes are int64_t. Strides count elements, not bytes, and may be negative or zero.
 *   - The core never writes to inputs, never keeps a pointer after the call, and never traps on bad arguments.
 *   - Handles are numbers, not pointers: a destroyed or invented handle is an error, not a crash.
 */
#ifndef NTKSWIFT_H
#define NTKSWIFT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- common */

typedef enum ntk_status {
  NTK_OK = 0,
  NTK_INVALID_ARGUMENT = 1,     /* ValueError */
  NTK_OUT_OF_MEMORY = 2,        /* MemoryError; `bytes` needed */
  NTK_NOT_POSITIVE_DEFINITE = 3,/* NotPositiveDefiniteError; `index[0]` pivot, `value` largest jitter tried */
  NTK_CANCELLED = 4,            /* the progress callback asked to stop */
  NTK_OVERFLOW = 5,             /* OverflowError: a variance or kernel left the range of its dtype */
  NTK_NOT_CONVERGED = 6,        /* RuntimeError: a tolerance could not be met */
  NTK_CALLBACK_FAILED = 7,      /* a caller's function reported failure */
  NTK_INTERNAL = 8              /* RuntimeError: a bug in ntkswift */
} ntk_status;

typedef struct ntk_error {
  int32_t code;          /* an ntk_status */
  int32_t reserved;
  int64_t index[2];      /* first bad row and column, or a pivot; -1 where there is none */
  int64_t bytes;         /* bytes that were needed; 0 where that is not the trouble */
  double value;          /* a number that belongs to the message (a jitter, a tolerance) */
  char message[1024];    /* UTF-8, zero-terminated: "[op] what is required. Received what." */
} ntk_error;

typedef enum ntk_dtype { NTK_FLOAT32 = 0, NTK_FLOAT64 = 1 } ntk_dtype;

/* A strided matrix. data == NULL means "absent" where a parameter is optional. */
typedef struct ntk_matrix {
  void *data;
  int64_t rows, cols;
  int64_t row_stride, col_stride;
  int32_t dtype;         /* an ntk_dtype */
  int32_t reserved;
} ntk_matrix;

/* Called on the calling thread at most every 50 ms with the fraction done; non-zero asks to stop. */
typedef int32_t (*ntk_progress)(void *context, double fraction);

/* How a call may use the machine. */
typedef struct ntk_call {
  int32_t threads;       /* >= 1; 0 means one per CPU this process may use */
  int32_t reserved;
  int64_t memory_limit;  /* bytes this call may allocate beside its arguments; 0 means half of what is available */
  ntk_progress progress; /* may be NULL */
  void *context;
} ntk_call;

/* ---------------------------------------------------------------- system */

const char *ntk_version(void);
/* 2, 3 or 4 on x86-64 (micro-architecture level in use), 0 elsewhere. */
int32_t ntk_cpu_level(void);
/* Highest level this processor can run. */
int32_t ntk_cpu_level_available(void);
/* Chooses a level; NTK_INVALID_ARGUMENT if the processor lacks it. */
int32_t ntk_set_cpu_level(int32_t level, ntk_error *error);
/* CPUs this process may use. */
int32_t ntk_cpu_count(void);
int64_t ntk_available_memory(void);

/* ---------------------------------------------------------------- random streams */

/* Philox4x64-10, the stream of numpy.random.Philox(counter=, key=): the next `count` raw 64-bit words. */
int32_t ntk_philox_raw(const uint64_t key[2], const uint64_t counter[4], uint64_t *out, int64_t count, ntk_error *error);
/* Standard normal numbers, reproducible for any thread count (one Box-Muller pair per two words). */
int32_t ntk_philox_normal(const uint64_t key[2], const uint64_t counter[4], double *out, int64_t count, ntk_error *error);

/* ---------------------------------------------------------------- architectures */

/* One record of an op table. The table lists a layer tree in postfix order: the children of a node, then the node. */
typedef struct ntk_op {
  int32_t kind;          /* an ntk_op_kind */
  int32_t arity;         /* number of children (SERIAL, PARALLEL); 0 for every other kind */
  int64_t integers[4];
  double reals[6];
} ntk_op;

typedef enum ntk_op_kind {
  NTK_SERIAL = 1,          /* arity children in order */
  NTK_PARALLEL = 2,        /* arity children side by side */
  NTK_IDENTITY = 3,        /* also Flatten of flat input */
  NTK_DENSE = 4,           /* integers: out_dim, flags (NTK_DENSE_*), s[0], s[1]; reals: W_std, b_std */
  NTK_FAN_OUT = 5,         /* integers: num */
  NTK_FAN_IN_SUM = 6,
  NTK_FAN_IN_PROD = 7,
  NTK_FAN_IN_CONCAT = 8,   /* integers: axis (0 batch, 1 channel) */
  NTK_LAYER_NORM = 9,      /* reals: eps */
  NTK_DROPOUT = 10,        /* integers: 1 train, 0 test; reals: keep rate */
  /* finite networks only; sizes of two axes are height + (width << 32), padding is 0 valid, 1 same, 2 circular */
  NTK_CONVOLUTION = 11,    /* integers: channels, flags (NTK_DENSE_*) + (padding << 8), filter, strides; reals: W_std, b_std, s[0], s[1] */
  NTK_POOL = 12,           /* integers: 1 mean or 0 sum, normalize edges + (padding << 8), window, strides */
  NTK_GLOBAL_POOL = 13,    /* integers: 1 mean or 0 sum */
  NTK_FLATTEN = 14,
  NTK_BATCH_NORM = 15,     /* integers: 1 with trained scale and shift; reals: eps */
  /* nonlinearities */
  NTK_ABRELU = 100,        /* reals: a, b            a min(x,0) + b max(x,0) */
  NTK_ERF = 101,           /* reals: a, b, c         a erf(b x) + c */
  NTK_GELU = 102,          /* integers: approximate (finite networks only) */
  NTK_SIN = 103,           /* reals: a, b, c         a sin(b x + c) */
  NTK_RBF = 104,           /* reals: gamma           sqrt2 sin(sqrt(2 gamma) x + pi/4) */
  NTK_SIGN = 105,
  NTK_STEP = 106,          /* x > 0 */
  NTK_EXP = 107,           /* reals: a, b            a exp(b x) */
  NTK_GAUSSIAN = 108,      /* reals: a, b            a exp(b x^2) */
  NTK_GABOR = 109,         /* exp(-x^2) sin(x) */
  NTK_EXP_NORMALIZED = 110,/* reals: gamma, shift */
  NTK_HERMITE = 111,       /* integers: degree; inputs of unit variance */
  NTK_POLYNOMIAL = 112,    /* integers: first, count in the coefficient array; ascending powers */
  NTK_RECTIFIED_MONOMIAL = 113, /* integers: degree */
  NTK_NAMED = 114,         /* integers: an ntk_named_function; reals: parameter, tolerance. By Hermite expansion */
  NTK_USER_EXPANSION = 115,/* integers: function index; reals: tolerance. Caller's function, Hermite expansion */
  NTK_USER_QUADRATURE = 116,/* integers: function index, degree. Caller's function and derivative, 2-D Gauss-Hermite */
  NTK_USER_DUAL = 117      /* integers: function index, has_derivative. Caller's E[f(u)f(v)] of (cov, var1, var2) */
} ntk_op_kind;

enum { NTK_DENSE_BIAS = 1, NTK_DENSE_STANDARD = 2, NTK_DENSE_FROZEN = 4 };

typedef enum ntk_named_function {
  NTK_TANH = 0, NTK_SIGMOID = 1, NTK_SOFTPLUS = 2, NTK_SWISH = 3, NTK_ELU = 4, NTK_SELU = 5
} ntk_named_function;

/* Evaluates caller function `index` on n points, from any thread. `what` says which:
 *   0  y = f(a)      1  y = f'(a)      2  y = E[f(u)f(v)] for cov a, variances b, c      3  its derivative by the covariance
 * Non-zero reports failure and ends the call with NTK_CALLBACK_FAILED. */
typedef int32_t (*ntk_user_function)(void *context, int64_t index, int32_t what, const double *a, const double *b,
                                     const double *c, double *y, int64_t n);

int32_t ntk_architecture_create(const ntk_op *ops, int64_t count, const double *coefficients, int64_t coefficient_count,
                                int64_t *handle, ntk_error *error);
int32_t ntk_architecture_destroy(int64_t handle, ntk_error *error);

typedef struct ntk_architecture_info {
  int64_t dense_count;     /* Dense layers, numbered in the order of the op table */
  int64_t output_width;    /* out_dim after the last layer (input width where no Dense sets it) */
  int64_t output_blocks;   /* rows of the kernel per input: > 1 after FanInConcat along the batch */
  int32_t is_gaussian;     /* the output is a Gaussian process */
  int32_t uses_user_functions;
} ntk_architecture_info;

int32_t ntk_architecture_describe(int64_t handle, int64_t input_width, ntk_architecture_info *info, ntk_error *error);

/* ---------------------------------------------------------------- infinite-width kernels */

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
  double *missed_tolerance;    /* may be NULL; largest share of energy that a Hermite expansion cut off beyond its tolerance */
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

/* ---------------------------------------------------------------- finite networks
 * Parameters are one flat vector: for each layer with weights in op-table order its W (inputs x outputs, row after row; a convolution's
 * inputs are height x width x channels of its window), then its b where it has one; for BatchNorm its scale, then its shift. Inputs x are
 * n x (height * width * channels), outputs (blocks * n) x output size. All float64. */

typedef struct ntk_network {
  int64_t architecture;
  int64_t input_shape[3];      /* height, width, channels of one input; 1, 1, d for flat input */
  int32_t spatial_axes;        /* 0 flat, 1 a line (width 1), 2 an image */
  int32_t reserved;
  const double *parameters;    /* may be NULL for ntk_network_describe */
  int64_t parameter_count;
  ntk_user_function function;  /* of the caller's nonlinearities; what 0 and 1 */
  void *function_context;
  uint64_t seed[2];            /* for Dropout in train mode */
} ntk_network;

typedef struct ntk_network_info {
  int64_t parameter_count;
  int64_t array_count;         /* arrays in the vector of parameters */
  int64_t output_shape[3];     /* height, width, channels of one output */
  int32_t output_spatial_axes;
  int32_t couples_batch;       /* BatchNorm: outputs depend on the other inputs of the batch */
  int64_t output_blocks;       /* rows per input */
} ntk_network_info;

int32_t ntk_network_describe(const ntk_network *network, ntk_network_info *info, ntk_error *error);

/* outs[k] = the mixed derivative of the outputs along the directions in the bit mask sets[k]; 0 is the output itself. directions: rows
 * are vectors of parameters, at most 3 (absent: none). */
int32_t ntk_network_derivatives(const ntk_network *network, const ntk_matrix *x, const ntk_matrix *directions, const int64_t *sets,
                                const ntk_matrix *outs, int64_t count, const ntk_call *call, ntk_error *error);

/* gradient (1 x parameters, contiguous) = sum over rows of J^T cotangent. */
int32_t ntk_network_pull_back(const ntk_network *network, const ntk_matrix *x, const ntk_matrix *cotangents,
                              const ntk_matrix *gradient, const ntk_call *call, ntk_error *error);

typedef enum ntk_output_loss {
  NTK_MEAN_SQUARED_ERROR = 0,  /* 0.5 mean (f - y)^2 over inputs and outputs */
  NTK_CROSS_ENTROPY = 1        /* -mean over inputs of sum_k y_k log softmax(f)_k */
} ntk_output_loss;

/* The loss and (unless absent) its gradient, 1 x parameters, contiguous. */
int32_t ntk_network_loss(const ntk_network *network, int32_t loss, const ntk_matrix *x, const ntk_matrix *targets, double *value,
                         const ntk_matrix *gradient, const ntk_call *call, ntk_error *error);

typedef enum ntk_curvature { NTK_HESSIAN = 0, NTK_GAUSS_NEWTON = 1 } ntk_curvature;

/* Row k of products = the matrix times row k of directions; rows contiguous. */
int32_t ntk_network_curvature(const ntk_network *network, int32_t kind, int32_t loss, const ntk_matrix *x, const ntk_matrix *targets,
                              const ntk_matrix *directions, const ntk_matrix *products, const ntk_call *call, ntk_error *error);

/* out (n1 x n2 x kept x kept x diagonal, contiguous) = empirical NTK; outputs[(f * diagonal + d) * traced + t] is the number of output
 * (f, d, t): f is kept for both inputs, d is the same in both, t is averaged over. x2 absent: x1. */
int32_t ntk_network_ntk(const ntk_network *network, const ntk_matrix *x1, const ntk_matrix *x2, const int64_t *outputs, int64_t kept,
                        int64_t diagonal, int64_t traced, double *out, const ntk_call *call, ntk_error *error);

/* gram[i, j] = product of the gradients of <combination1[i], f(x1[i])> and <combination2[j], f(x2[j])>. x2, combination2 absent: x1. */
int32_t ntk_network_gradient_gram(const ntk_network *network, const ntk_matrix *x1, const ntk_matrix *combination1,
                                  const ntk_matrix *x2, const ntk_matrix *combination2, const ntk_matrix *gram, const ntk_call *call,
                                  ntk_error *error);

/* ---------------------------------------------------------------- neural tangent hierarchy
 * Huang & Yau, arXiv:1909.08156, of networks with one output. K_r has an index for all inputs and r - 1 indices for the first `train` of
 * them, the last one fastest: a contiguous matrix of (inputs * train^(r - 2)) x train. */

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

/* ---------------------------------------------------------------- autoencoders
 * Two-layer ReLU networks u(x) = scale sum_r a_r relu(<w_r, x>), m neurons, on n inputs of length d. */

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

/* What was done, also where the call failed or was cancelled: the losses and weights are those of `steps` whole steps. */
typedef struct ntk_autoencoder_progress {
  int64_t steps;
  int32_t has_diverged;        /* the last of these losses is not finite or a million times the first */
  int32_t reserved;
} ntk_autoencoder_progress;

/* Trains encoder and decoder in place on 1/2 sum_i ||u_i - x_i||^2; loss has room for steps + 1 numbers. */
int32_t ntk_autoencoder_train(const ntk_autoencoder *network, const ntk_autoencoder_training *training, double *loss,
                              ntk_autoencoder_progress *progress, const ntk_call *call, ntk_error *error);

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

/* ---------------------------------------------------------------- training of finite networks */

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

/* Entry k is that of step k of this call: loss before it, learning rate (flow: its length), norm of the gradient, time before it. */
typedef struct ntk_training_record {
  double *loss, *rate, *gradient_norm, *time; /* the last two may be NULL */
  int64_t room;                /* numbers in each: at least one more than the steps */
  int64_t count;               /* out: entries written */
  int32_t outcome;             /* out: 0 finished, 1 threshold reached, 2 the loss is not finite */
  int32_t reserved;
} ntk_training_record;

/* Takes up to `steps` steps. state and record hold whole steps also where the call fails or is cancelled. */
int32_t ntk_network_train(const ntk_network *network, const ntk_training *training, const ntk_matrix *x, const ntk_matrix *targets,
                          int64_t steps, ntk_training_state *state, ntk_training_record *record, const ntk_call *call, ntk_error *error);

/* Loss and share of right answers of the trained model on other data. start: where is_linearised, 1 x parameters. */
int32_t ntk_network_evaluate(const ntk_network *network, const ntk_training *training, const ntk_matrix *start, const ntk_matrix *x,
                             const ntk_matrix *targets, double *loss, double *accuracy, const ntk_call *call, ntk_error *error);

/* The numbers of the inputs that step `step` sees; indices has room for batch_size of them. */
int32_t ntk_training_batch(const uint64_t key[2], int64_t count, int64_t batch_size, int64_t step, int64_t *indices, int64_t *written,
                           ntk_error *error);

/* ---------------------------------------------------------------- linear algebra
 * Matrices here are float64 unless said otherwise. "Contiguous rows" means col_stride 1 (or at most one column).
 * Results are the same to the bit for any number of threads. */

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
} ntk_factor_report;

/* factor (contiguous rows) = the Cholesky factor L of a + ridge I (+ jitter I): lower triangle, zeros above. `a` may be float32; only
 * its lower triangle is read. factor == a (the same memory and layout) overwrites a; all of a must be given then. */
int32_t ntk_cholesky(const ntk_matrix *a, const ntk_regularization *regularization, const ntk_matrix *factor,
                     ntk_factor_report *report, const ntk_call *call, ntk_error *error);

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

/* ---------------------------------------------------------------- kernel methods
 * n training points, m test points, c outputs per point. `factor`: Cholesky factor of the train-train kernel (n x n). */

/* out (m x m) = k_test_test - k_test_train K^-1 k_test_train^T. With k_test_test and out of m x 1: the diagonals only. */
int32_t ntk_posterior_covariance(const ntk_matrix *factor, const ntk_matrix *k_test_train, const ntk_matrix *k_test_test,
                                 const ntk_matrix *out, const ntk_call *call, ntk_error *error);

/* The kernels that the spread of an ensemble of trained networks needs. */
typedef struct ntk_ensemble_kernels {
  ntk_matrix ntk_test_train;   /* kernel of the trained network; the NNGP where that is what is trained */
  ntk_matrix nngp_train_train; /* absent for the NNGP */
  ntk_matrix nngp_test_train;  /* absent for the NNGP */
  ntk_matrix nngp_test_test;
} ntk_ensemble_kernels;

/* out (m x m) = covariance of the outputs after training to convergence; factor: of the NTK. */
int32_t ntk_ensemble_covariance(const ntk_matrix *factor, const ntk_ensemble_kernels *kernels, const ntk_matrix *out,
                                const ntk_call *call, ntk_error *error);

/* Log marginal likelihood of the targets (n x c), with solution = K^-1 targets. sensitivity (n x n, or absent) receives the matrix whose
 * inner product with dK is the derivative. */
int32_t ntk_log_marginal_likelihood(const ntk_matrix *factor, const ntk_matrix *targets, const ntk_matrix *solution,
                                    const ntk_matrix *sensitivity, double *value, const ntk_call *call, ntk_error *error);

/* Sum of the products of corresponding elements. */
int32_t ntk_inner_product(const ntk_matrix *a, const ntk_matrix *b, double *value, ntk_error *error);

/* Eigendecomposition of the train-train kernel (ntk_eigh), and the times (not negative, infinity allowed) in units of the learning rate. */
typedef struct ntk_flow {
  ntk_matrix values, vectors;
  const double *times;
  int64_t time_count;
  double size;               /* training outputs, by which the loss is averaged */
} ntk_flow;

/* Changes of the outputs during gradient flow on 0.5 mean (f - y)^2 from residual = f_0 - y (n x c): train (n x times c), test
 * (m x times c, with k_test_train); either may be absent. */
int32_t ntk_gradient_flow(const ntk_flow *flow, const ntk_matrix *residual, const ntk_matrix *train, const ntk_matrix *k_test_train,
                          const ntk_matrix *test, const ntk_call *call, ntk_error *error);

/* Covariance of an ensemble during gradient flow; is_ntk: all layers are trained, else the last one. Block t of out is that of time t.
 * kernels->nngp_test_test present: on the test points, out (times m x m). Absent: on the training points, out (times n x n). */
int32_t ntk_flow_covariance(const ntk_flow *flow, int32_t is_ntk, const ntk_ensemble_kernels *kernels, const ntk_matrix *out,
                            const ntk_call *call, ntk_error *error);

/* A caller's loss at `count` outputs; called on the calling thread. what 0: out[0] = the loss; 1: out = its gradient. Non-zero reports
 * failure and ends the call with NTK_CALLBACK_FAILED. */
typedef int32_t (*ntk_loss_function)(void *context, int32_t what, const double *outputs, double *out, int64_t count);

typedef enum ntk_loss_kind {
  NTK_LOSS_MSE = 0,           /* 0.5 mean (f - y)^2 */
  NTK_LOSS_CROSS_ENTROPY = 1, /* -mean(log_softmax(f) y) over `classes` consecutive outputs */
  NTK_LOSS_GRADIENT = 2,      /* the caller's function, what = 1 */
  NTK_LOSS_VALUE = 3          /* the caller's function, what = 0; central differences */
} ntk_loss_kind;

/* Training in continuous time: df/dt = -K g(f), du/dt = g(f); with momentum df/dt = q, dq/dt = -K g(f) + damping q, du/dt = p,
 * dp/dt = g(f) + damping p. */
typedef struct ntk_descent {
  int32_t loss;               /* an ntk_loss_kind */
  int32_t has_momentum;
  int64_t classes;
  ntk_matrix targets;         /* n x c, contiguous; for the ready-made losses */
  ntk_loss_function function;
  void *function_context;
  double damping;
  double tolerance;           /* relative local error of a step */
  int64_t most_steps;         /* towards an infinite time */
  const double *times;        /* ascending, not negative */
  int64_t time_count;
} ntk_descent;

/* start: the state f, u (, q, p) at time 0 as one contiguous row of n c numbers each; out: one such row per time. */
int32_t ntk_gradient_descent(const ntk_descent *descent, const ntk_matrix *k_train_train, const ntk_matrix *start,
                             const ntk_matrix *out, const ntk_call *call, ntk_error *error);

/* out (m x samples c, contiguous rows), column s c + j = column j of mean (m x c) plus a draw from N(0, covariance). */
int32_t ntk_sample_posterior(const ntk_matrix *mean, const ntk_matrix *covariance, const uint64_t key[2], const uint64_t counter[4],
                             int64_t samples, const ntk_matrix *out, double *jitter, const ntk_call *call, ntk_error *error);

/* ---------------------------------------------------------------- operators known by their products (Lanczos) */

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

/* ---------------------------------------------------------------- trajectory: curvature and gradient noise along training */

/* A symmetric matrix known by its products: the curvature of a network's loss at (x, targets), or (network == NULL) a caller's. */
typedef struct ntk_symmetric_operator {
  const ntk_network *network;
  int32_t kind, loss;          /* ntk_curvature, ntk_output_loss */
  ntk_matrix x, targets;
  ntk_operator product;
  void *product_context;
  int64_t dimension;           /* of a caller's operator */
} ntk_symmetric_operator;

/* As ntk_lanczos; the dimension in the request is not read. */
int32_t ntk_operator_eigen(const ntk_symmetric_operator *op, const ntk_lanczos_request *request, const ntk_matrix *values,
                           const ntk_matrix *residuals, const ntk_matrix *vectors, int64_t *products, const ntk_call *call,
                           ntk_error *error);

/* samples (probes x 1, contiguous): v A v for vectors v of random signs; each has the trace as its mean (Hutchinson). */
int32_t ntk_operator_trace(const ntk_symmetric_operator *op, uint64_t seed, const ntk_matrix *samples, const ntk_call *call,
                           ntk_error *error);

/* Stochastic Lanczos quadrature: nodes, weights (probes x steps); all weights add up to 1. */
int32_t ntk_operator_density(const ntk_symmetric_operator *op, uint64_t seed, const ntk_matrix *nodes, const ntk_matrix *weights,
                             const ntk_call *call, ntk_error *error);

/* Of L gradients g_i with mean g: K = mean (g_i - g)(g_i - g)^T. Jastrzebski et al., arXiv:2002.09572. */
typedef struct ntk_gradient_covariance {
  double largest_uncentred;    /* eigenvalue of mean g_i g_i^T */
  double trace, trace_uncentred;
  double mean_norm;            /* ||g|| */
  double mean_share;           /* ||P g||^2 / ||g||^2, P onto the top eigenvectors of K */
  double norm_ratio;           /* mean of ||g_i|| / ||P g_i||; NaN where K vanishes */
} ntk_gradient_covariance;

/* Gradients of the loss on rows k batch ..< (k + 1) batch of x, or (batch 0) of each row by itself; eigenvalues: contiguous column with
 * room for all L - 1 (O(L^3)) or for the largest ones, descending; `top` eigenvectors for the shares. */
int32_t ntk_network_gradient_covariance(const ntk_network *network, int32_t loss, const ntk_matrix *x, const ntk_matrix *targets,
                                        int64_t batch, int64_t top, const ntk_matrix *eigenvalues, ntk_gradient_covariance *result,
                                        const ntk_call *call, ntk_error *error);

/* The same for gradients that the caller has: one per row (float32 or float64), or (is_gram) their L x L Gram matrix, float64. */
int32_t ntk_gradient_covariance_of(const ntk_matrix *gradients, int32_t is_gram, int64_t top, const ntk_matrix *eigenvalues,
                                   ntk_gradient_covariance *result, const ntk_call *call, ntk_error *error);

/* out (n x 1, contiguous) = second derivative along direction of the loss of each row of x. */
int32_t ntk_network_sample_curvatures(const ntk_network *network, int32_t loss, const ntk_matrix *x, const ntk_matrix *targets,
                                      const ntk_matrix *direction, const ntk_matrix *out, const ntk_call *call, ntk_error *error);

/* The smallest alpha with loss(parameters - alpha update) >= factor loss(parameters), to a relative 1e-3; infinity beyond `most`. */
int32_t ntk_network_step_to_raise(const ntk_network *network, int32_t loss, const ntk_matrix *x, const ntk_matrix *targets,
                                  const ntk_matrix *update, double factor, double most, double *alpha, const ntk_call *call,
                                  ntk_error *error);

/* (1 - rate mean)^2 + rate^2 variance (N - S) / (S (N - 1)), S = batch, N = examples. */
int32_t ntk_stability_factor(double rate, int64_t batch, int64_t examples, double mean, double variance, double *factor,
                             ntk_error *error);

/* 2 / rate - (alpha / psi^2) (N - S) / (S (N - 1)). */
int32_t ntk_break_even_curvature(double rate, int64_t batch, int64_t examples, double alpha, double psi, double *curvature,
                                 ntk_error *error);

/* ---------------------------------------------------------------- two-layer networks in three regimes */

/* y = c + sum_i a_i s(<w_i, x>) with s(t) = t^2 is the quadratic form c + x^T M x. Ghorbani et al., arXiv:1906.08899. */

typedef enum ntk_regime { NTK_REGIME_RF = 0, NTK_REGIME_NT = 1, NTK_REGIME_NN = 2 } ntk_regime;

/* What is learnt, symmetric d x d float64 matrices: kind 0, y = offset + x^T first x with x ~ N(0, I), `second` absent; kind 1, y = +-1
 * with x | y ~ N(0, first - y second). */
typedef struct ntk_quadratic_task {
  int32_t kind;
  int32_t reserved;
  ntk_matrix first, second;
  double offset;
} ntk_quadratic_task;

/* out (d x d) = W^T diag(outputs) W + W^T tangents + tangents^T W; `outputs` (N x 1) and `tangents` (N x d) may be absent. */
int32_t ntk_quadratic_form(const ntk_matrix *weights, const ntk_matrix *outputs, const ntk_matrix *tangents, const ntk_matrix *out,
                           const ntk_call *call, ntk_error *error);

/* E (y - offset - x^T form x)^2, and the risk of the best constant. */
int32_t ntk_quadratic_risk(const ntk_quadratic_task *task, const ntk_matrix *form, double offset, double *risk, double *variance,
                           const ntk_call *call, ntk_error *error);

/* Least squares under the distribution of the task. RF: weights in, coefficients (N x 1) out. NT: weights in, tangent coefficients (N x d)
 * out. NN: weights and coefficients (N x 1) out. `offset` and `jitter` receive the constant and what the ladder added. */
int32_t ntk_quadratic_fit(const ntk_quadratic_task *task, int32_t regime, const ntk_matrix *weights, const ntk_matrix *coefficients,
                          double *offset, double *jitter, const ntk_call *call, ntk_error *error);

/* Risk over that of the best constant as d and N = rho d go to infinity, for a target with these eigenvalues (a column). */
int32_t ntk_lazy_limit(int32_t regime, const ntk_matrix *spectrum, double rho, double *risk, ntk_error *error);
/* Its mean for NT over isotropic weights at d = number of eigenvalues and N = width. */
int32_t ntk_mean_tangent_risk(const ntk_matrix *spectrum, int64_t width, double *risk, ntk_error *error);
/* ---------------------------------------------------------------- spectra of kernels on the sphere S^(d-1)
 * Columns are contiguous, float64. Eigenvalues are with respect to the uniform probability measure. */

/* Gauss-Legendre rule over the angle, 0 to pi, ascending and symmetric: angles, weights, cosines, sines (n x 1 each), and the first half
 * of angles and weights to 32 digits, packed in 4 ((n + 1) / 2) numbers. */
int32_t ntk_angle_rule(const ntk_matrix *angles, const ntk_matrix *weights, const ntk_matrix *cosines, const ntk_matrix *sines,
                       const ntk_matrix *packed, ntk_error *error);

/* Eigenvalues of a zonal kernel from its values at the nodes of ntk_angle_rule (n x 1, with the packed rule), one per
 * frequency; norms: root of the sum of squares of each one's terms, which times the values' relative error is its rounding error. */
int32_t ntk_zonal_spectrum(const ntk_matrix *values, const ntk_matrix *packed, int64_t dimension, const ntk_matrix *eigenvalues,
                           const ntk_matrix *norms, const ntk_call *call, ntk_error *error);

/* out (frequencies x m): Legendre polynomials P_k of dimension d at the cosines of m angles in 0 ... pi. */
int32_t ntk_legendre_polynomials(int64_t dimension, const ntk_matrix *angles, const ntk_matrix *out, ntk_error *error);

/* Taylor coefficients 0 to 3 of f at 0 and their errors (4 x 1 each). Row r of values: f(scales[r] (1 - cos(pi j / (m - 1))) / 2). */
int32_t ntk_endpoint_expansion(const ntk_matrix *values, const ntk_matrix *scales, const ntk_matrix *coefficients,
                               const ntk_matrix *errors, ntk_error *error);

/* Energies of a function per frequency (column), from its values (n x 1) at random unit vectors (n x d). */
int32_t ntk_frequency_energies(const ntk_matrix *points, const ntk_matrix *values, const ntk_matrix *energies, const ntk_call *call,
                               ntk_error *error);

/* Kernel ridge regression predicted from a spectrum: eigenvalues, multiplicities, energies (levels x 1), numbers of samples (m x 1);
 * ridges, errors (m x 1), learned (m x levels, contiguous rows). */
int32_t ntk_learning_curve(const ntk_matrix *eigenvalues, const ntk_matrix *multiplicities, const ntk_matrix *energies,
                           double tail_trace, double tail_energy, const ntk_matrix *samples, double ridge, double noise,
                           const ntk_matrix *ridges, const ntk_matrix *errors, const ntk_matrix *learned, ntk_error *error);
/* ---------------------------------------------------------------- bottlenecks */

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

/* A finite network with a bottleneck: two chains Dense, activation, Dense without biases, weights trained in place (hidden: inputs x width,
 * readout: width x outputs, contiguous). losses: one row, before the first and after each step; positions, outputs: at the end. */
typedef struct ntk_finite_half {
  int64_t architecture;
  ntk_matrix hidden, readout;
} ntk_finite_half;
int32_t ntk_finite_bottleneck(const ntk_finite_half *inner, const ntk_finite_half *outer, const ntk_matrix *inputs,
                              const ntk_matrix *targets, double learning_rate, const ntk_matrix *losses, const ntk_matrix *positions,
                              const ntk_matrix *outputs, const ntk_call *call, ntk_error *error);

/* A deep linear network with a bottleneck, F = scale w . A x. A state is A (units x d) row after row, then w. */
typedef struct ntk_linear_bottleneck {
  ntk_matrix inputs, targets;   /* n x d, n x 1 */
  int64_t units;
  double scale, inner_depth, outer_depth;
} ntk_linear_bottleneck;
/* state: one contiguous row, advanced in place; losses: steps + 1 numbers in a row, NaN after a divergence; taken: steps before it. */
int32_t ntk_linear_descend(const ntk_linear_bottleneck *problem, const ntk_matrix *state, double learning_rate, double divergence,
                           const ntk_matrix *losses, int64_t *taken, const ntk_call *call, ntk_error *error);
/* states: times x (units d + units); losses: one row. */
int32_t ntk_linear_flow(const ntk_linear_bottleneck *problem, const ntk_matrix *state, const double *times, int64_t count,
                        double tolerance, const ntk_matrix *states, const ntk_matrix *losses, const ntk_call *call, ntk_error *error);
/* Gradient descent with a constant kernel: residuals (n x outputs, contiguous) in place, losses (one row) of every step and the start. */
int32_t ntk_constant_kernel_descent(const ntk_matrix *kernel, const ntk_matrix *residuals, double learning_rate,
                                    const ntk_matrix *losses, const ntk_call *call, ntk_error *error);

/* A network c + sum_i a_i s(<w_i, x>) + sum_i s'(<w_i, x>) <g_i, x>: `activation` is the handle of an architecture that is one
 * nonlinearity; weights w (N x d), outputs a (N x 1) and tangents g (N x d, or absent) are contiguous and of one dtype. */
typedef struct ntk_two_layer {
  int64_t activation;
  ntk_matrix weights, outputs, tangents;
  ntk_user_function function;  /* where the nonlinearity is the caller's; what 0 and 1 */
  void *function_context;
} ntk_two_layer;

/* out (n x 1) = the network on inputs (n x d); float64. */
int32_t ntk_two_layer_predict(const ntk_two_layer *network, double offset, const ntk_matrix *inputs, const ntk_matrix *out,
                              const ntk_call *call, ntk_error *error);

enum { NTK_RIDGE_OUTPUTS = 1, NTK_RIDGE_OFFSET = 2 };

/* Least squares with a ridge on samples, for fixed weights: writes the outputs (zero without NTK_RIDGE_OUTPUTS), the tangents if they are
 * there, the constant (zero without NTK_RIDGE_OFFSET) and the jitter; float64. */
int32_t ntk_two_layer_ridge(const ntk_two_layer *network, const ntk_matrix *inputs, const ntk_matrix *targets, double ridge, int32_t flags,
                            double *offset, double *jitter, const ntk_call *call, ntk_error *error);

/* Largest eigenvalue of K / n, with K the Gram matrix of the gradients of the outputs on n inputs: by the tangents where they are there, by
 * the weights and the outputs where asked for, and by the constant; float64. */
int32_t ntk_two_layer_curvature(const ntk_two_layer *network, const ntk_matrix *inputs, int32_t trains_weights, int32_t trains_outputs,
                                double *value, const ntk_call *call, ntk_error *error);

typedef enum ntk_sample_source { NTK_FRESH_SAMPLES = 0, NTK_FIXED_SAMPLES = 1 } ntk_sample_source;

/* Stochastic gradient descent on (1/b) sum (y - f)^2. A part of the network moves with rate times learning rate. */
typedef struct ntk_sgd {
  int32_t source;             /* an ntk_sample_source */
  int32_t shares_outputs;     /* all output weights are one number */
  ntk_quadratic_task task;    /* fresh samples */
  ntk_matrix inputs, targets; /* fixed samples, float64, n x d and n x 1 */
  int64_t batch, first_step, steps, record_every;
  double weight_rate, tangent_rate, output_rate, offset_rate;
  ntk_matrix schedule;        /* k x 2 float64: first step and learning rate of each piece, the first from step 0 */
  uint64_t seed;
} ntk_sgd;

/* Trains the network in place, also where the call fails or is cancelled. losses (records x 1 float64, contiguous): mean batch loss of each
 * record_every steps. done: steps taken. diverged: 1 where the loss left the range of numbers. */
int32_t ntk_two_layer_sgd(const ntk_two_layer *network, double *offset, const ntk_sgd *sgd, const ntk_matrix *losses, int64_t *done,
                          int32_t *diverged, const ntk_call *call, ntk_error *error);

/* `strips` times 32 float32 normal numbers of a stream (Philox4x32-10, Box-Muller), from strip `first` on. */
int32_t ntk_normal_strips(uint64_t key, uint64_t stream, int64_t first, float *out, int64_t strips, ntk_error *error);
/* 32 raw words of Philox4x32-10, from block `first` of a stream on. */
int32_t ntk_philox32_raw(uint64_t key, uint64_t stream, uint64_t first, uint32_t *out, ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
