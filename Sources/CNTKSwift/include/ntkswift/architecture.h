/* Architectures. */
#ifndef NTKSWIFT_ARCHITECTURE_H
#define NTKSWIFT_ARCHITECTURE_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One record of an op table. The table lists a layer tree in postfix order: the children of a node, then the node. What a record needs
 * beyond its kind stands in two pools, whole numbers and real ones, of which it takes a part each. */
typedef struct ntk_op {
  int32_t kind;          /* an ntk_op_kind, or the code of an activation */
  int32_t arity;         /* number of children (SERIAL, PARALLEL); 0 for every other kind */
  int64_t first_integer, integer_count;
  int64_t first_real, real_count;
} ntk_op;

/* The kinds of layers, written here only. Numbers never change their meaning. */
typedef enum ntk_op_kind {
  NTK_SERIAL = 1,          /* arity children in order */
  NTK_PARALLEL = 2,        /* arity children side by side */
  NTK_IDENTITY = 3,
  NTK_DENSE = 4,           /* integers: out_dim, flags (NTK_DENSE_*), s[0], s[1]; reals: W_std, b_std */
  NTK_FAN_OUT = 5,         /* integers: num */
  NTK_FAN_IN_SUM = 6,
  NTK_FAN_IN_PROD = 7,
  NTK_FAN_IN_CONCAT = 8,   /* integers: axis (0 batch, 1 channel) */
  NTK_LAYER_NORM = 9,      /* reals: eps */
  NTK_DROPOUT = 10,        /* integers: 1 train, 0 test; reals: keep rate */
  /* A window: axes (1 or 2), padding (0 valid, 1 same, 2 circular), then for each axis its size, then for each its stride. */
  NTK_CONVOLUTION = 11,    /* integers: channels, flags (NTK_DENSE_*), s[0], s[1], window; reals: W_std, b_std */
  NTK_POOL = 12,           /* integers: 1 mean or 0 sum, 1 normalize edges, window */
  NTK_GLOBAL_POOL = 13,    /* integers: 1 mean or 0 sum */
  NTK_FLATTEN = 14,
  NTK_BATCH_NORM = 15,     /* integers: 1 with trained scale and shift; reals: eps */
  NTK_FIRST_ACTIVATION = 100 /* from here on activations, as ntk_activation_describe lists them */
} ntk_op_kind;

enum { NTK_DENSE_BIAS = 1, NTK_DENSE_STANDARD = 2, NTK_DENSE_FROZEN = 4 };

/* Evaluates caller function `index` on n points, from any thread. `what` says which:
 *   0  y = f(a)      1  y = f'(a)      2  y = E[f(u)f(v)] for cov a, variances b, c      3  its derivative by the covariance
 * Non-zero reports failure and ends the call with NTK_CALLBACK_FAILED. */
typedef int32_t (*ntk_user_function)(void *context, int64_t index, int32_t what, const double *a, const double *b,
                                     const double *c, double *y, int64_t n);

int32_t ntk_architecture_create(const ntk_op *ops, int64_t count, const int64_t *integers, int64_t integer_count,
                                const double *reals, int64_t real_count, int64_t *handle, ntk_error *error);
int32_t ntk_architecture_destroy(int64_t handle, ntk_error *error);

/* What a network is, whatever enters it. */
typedef struct ntk_architecture_info {
  int64_t dense_count;          /* Dense layers, numbered in the order of the op table */
  int32_t uses_user_functions;
  int32_t trains_with_dropout;  /* a Dropout in train mode is inside: outputs of finite networks are random */
  int32_t starts_with_flatten;  /* inputs of any shape become flat before anything else */
  int32_t reserved;
} ntk_architecture_info;

int32_t ntk_architecture_describe(int64_t handle, ntk_architecture_info *info, ntk_error *error);

/* What is known of a signal's distribution over random weights in the infinite limit. */
typedef enum ntk_law {
  NTK_LAW_DATA = 0,             /* no random weights came before */
  NTK_LAW_GAUSSIAN = 1,
  NTK_LAW_OTHER = 2
} ntk_law;

enum { NTK_SPATIAL_AXES = 6 };  /* most axes between batch and channels that cross */

/* What flows between layers. */
typedef struct ntk_signal {
  int64_t channels;             /* numbers at each position */
  int64_t blocks;               /* rows per input: > 1 after FanInConcat along the batch; 1 for inputs */
  int32_t law;                  /* an ntk_law */
  int32_t spatial_axes;         /* 0 flat */
  int64_t spatial[NTK_SPATIAL_AXES];
} ntk_signal;

typedef enum ntk_width_regime {
  NTK_INFINITE = 0,             /* kernels: nonlinearities need Gaussian inputs; no parameters */
  NTK_FINITE = 1                /* real weights */
} ntk_width_regime;

/* What enters a network, and for what it is asked. */
typedef struct ntk_network_input {
  const ntk_signal *signals;
  int64_t count;
  int32_t is_branched;          /* one signal for each branch, else count is 1 */
  int32_t regime;               /* an ntk_width_regime */
  int32_t wants_one_output;     /* an error where the network ends in branches */
  int32_t reserved;
} ntk_network_input;

typedef enum ntk_parameter_role { NTK_WEIGHT = 0, NTK_BIAS = 1, NTK_SCALE = 2, NTK_SHIFT = 3 } ntk_parameter_role;

/* One array in the flat vector of a finite network's parameters. */
typedef struct ntk_parameter_slot {
  int32_t role;                 /* an ntk_parameter_role */
  int32_t is_trainable;
  int64_t layer;                /* number of its layer in the order of the op table, from 1, SERIAL and PARALLEL not counted */
  int64_t offset;               /* first number in the vector */
  int64_t fan_in;               /* numbers of the input that one output reads */
  double initial_deviation;     /* of a random start; 0: scales start at 1, shifts at 0 */
  int64_t axes;
  int64_t shape[NTK_SPATIAL_AXES + 2]; /* weights: window, inputs, outputs; biases: 1 ... 1, outputs; scale and shift: channels */
} ntk_parameter_slot;

typedef struct ntk_flow_info {
  int64_t output_count;         /* signals at the end */
  int32_t output_is_branched;
  int32_t reserved;
  int64_t slot_count;           /* arrays of parameters; 0 in the infinite regime */
  int64_t parameter_count;      /* numbers in them */
} ntk_flow_info;

/* Follows signals through a network: sizes, and (where not NULL) the signals at its end and the arrays of its parameters. Rooms are in
 * elements and must hold all of them. An error names the first layer that does not fit what comes before it. */
int32_t ntk_architecture_flow(int64_t handle, const ntk_network_input *input, ntk_flow_info *info, ntk_signal *outputs, int64_t output_room,
                              ntk_parameter_slot *slots, int64_t slot_room, ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
