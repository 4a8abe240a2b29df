// The record of a training run, in arrays of the caller.
#include "training_record.h"

#include <string>

namespace ntkswift {

namespace {

double *contiguous(const Output &array, size_t axes, const char *op) {
  if (array.dtype() != nb::dtype<double>() || array.ndim() != axes) {
    throw nb::value_error((std::string("[") + op + "] the record must be a float64 array of two axes, what was done of one. Received another array.").c_str());
  }
  int64_t expected = 1;
  for (size_t axis = axes; axis-- > 0;) {
    if (array.shape(axis) > 1 && array.stride(axis) != expected) {
      throw nb::value_error((std::string("[") + op + "] the record must be contiguous. Received an array with gaps.").c_str());
    }
    expected *= static_cast<int64_t>(array.shape(axis));
  }
  return static_cast<double *>(array.data());
}

}  // namespace

Record::Record(const Output &columns, const Output &done, int64_t window, const char *op)
    : done_(contiguous(done, 1, op)) {
  double *rows = contiguous(columns, 2, op);
  if (done.shape(0) != 4 || (columns.shape(0) != 3 && columns.shape(0) != 4)) {
    throw nb::value_error((std::string("[") + op + "] the record must have 3 or 4 rows, what was done 4 numbers. Received others.").c_str());
  }
  const auto room = static_cast<int64_t>(columns.shape(1));
  record_.loss = rows;
  record_.rate = rows + room;
  record_.time = rows + 2 * room;
  record_.gradient_norm = columns.shape(0) == 4 ? rows + 3 * room : nullptr;
  record_.room = room;
  record_.window = window;
  record_.first = done_[3];
}

Record::~Record() {
  done_[0] = static_cast<double>(record_.steps);
  done_[1] = static_cast<double>(record_.count);
  done_[2] = record_.outcome;
  done_[3] = record_.first;
}

}  // namespace ntkswift
