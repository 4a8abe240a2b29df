/* Activations. */
#ifndef NTKSWIFT_ACTIVATIONS_H
#define NTKSWIFT_ACTIVATIONS_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The catalogue of activations. In its record (an ntk_op) an activation's integers, flags and functions come from the pool of integers, its real
 * numbers and lists from that of reals, both in the order of its parameters. */
typedef enum ntk_parameter_kind {
  NTK_REAL_PARAMETER = 0,
  NTK_INTEGER_PARAMETER = 1,
  NTK_FLAG_PARAMETER = 2,
  NTK_LIST_PARAMETER = 3,     /* least to most finite numbers; the last parameter of an activation */
  NTK_FUNCTION_PARAMETER = 4  /* index of a caller's function */
} ntk_parameter_kind;

typedef struct ntk_activation_parameter {
  char name[32];           /* UTF-8, zero-terminated */
  int32_t kind;            /* an ntk_parameter_kind */
  int32_t is_open;         /* 1 where least and most themselves are not allowed */
  double least, most;      /* infinite where there is no bound */
  double standard;         /* the default; NaN where the parameter must be given */
} ntk_activation_parameter;

typedef struct ntk_activation_info {
  int32_t code;            /* the kind of its record */
  int32_t parameter_count;
  char name[32];           /* as users write it */
  ntk_activation_parameter parameters[8];
} ntk_activation_info;

int64_t ntk_activation_count(void);
/* Entry number `index`, from 0. */
int32_t ntk_activation_describe(int64_t index, ntk_activation_info *info, ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
