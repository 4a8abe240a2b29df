/* What every call shares: status codes, errors, matrices, and how it may use the machine. */
#ifndef NTKSWIFT_COMMON_H
#define NTKSWIFT_COMMON_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

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

#define NTK_MAX_RANK 8

/* A strided array of any rank up to NTK_MAX_RANK; the first `rank` numbers of shape and strides count. data == NULL means "absent". */
typedef struct ntk_array {
  void *data;
  int64_t shape[NTK_MAX_RANK];
  int64_t strides[NTK_MAX_RANK];  /* in elements */
  int32_t rank;
  int32_t dtype;         /* an ntk_dtype */
} ntk_array;

/* Bytes that the core made; free them with ntk_bytes_free. */
typedef struct ntk_bytes {
  uint8_t *data;
  int64_t size;
} ntk_bytes;

void ntk_bytes_free(ntk_bytes *bytes);

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

#ifdef __cplusplus
}
#endif
#endif
