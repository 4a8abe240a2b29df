// The record of a training run, in arrays of the caller.
#pragma once

#include "common.h"

namespace ntkswift {

// Columns of the core's record are rows of an array: loss, learning rate, time and, where there are four, norm of the gradient. What was
// done goes into `done` also where the call raises: steps, entries, outcome (0 finished, 1 threshold, 2 diverged), and the first loss of
// the whole run, which is read too where the run goes on (NaN: it begins).
class Record {
 public:
  // Contiguous float64 arrays, (3 or 4, room) and (4,).
  Record(const Output &columns, const Output &done, int64_t window, const char *op);
  Record(const Record &) = delete;
  Record &operator=(const Record &) = delete;
  ~Record();

  ntk_training_record *get() { return &record_; }

 private:
  ntk_training_record record_{};
  double *done_;
};

}  // namespace ntkswift
