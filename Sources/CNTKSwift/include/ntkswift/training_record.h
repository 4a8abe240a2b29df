/* What training runs of all kinds write down. */
#ifndef NTKSWIFT_TRAINING_RECORD_H
#define NTKSWIFT_TRAINING_RECORD_H

#include "common.h"

/* Entry k is that of the k-th window of steps of this call: loss before its step (of several steps the mean), and of its last step the
 * learning rate (gradient flow: its length), the norm of the gradient and the time before it (the step's number, or the time of the flow).
 * One entry more where the loss at the end is known. Right also where the call fails or is cancelled. */
typedef struct ntk_training_record {
  double *loss, *rate, *gradient_norm, *time; /* all but the loss may be NULL */
  int64_t room;                /* numbers in each: at least one more than the windows */
  int64_t window;              /* steps to an entry, at least 1 */
  double first;                /* in and out: the first loss of the whole run; NaN where this call begins one */
  int64_t steps;               /* out: whole steps done */
  int64_t count;               /* out: entries written */
  int32_t outcome;             /* out: 0 finished, 1 threshold reached, 2 the loss is not finite or grew beyond its bound */
  int32_t reserved;
} ntk_training_record;

#endif
