// Calls into the core: progress, cancellation, and statuses as Python exceptions.
#include "common.h"

namespace ntkswift {
namespace {

// Raises ntkswift._errors.<name>(message, **attributes).
template <typename... Attributes>
[[noreturn]] void raise_own(const char *name, const char *message, Attributes... attributes) {
  nb::object type = nb::module_::import_("ntkswift._errors").attr(name);
  nb::object exception = type(message, attributes...);
  PyErr_SetObject(type.ptr(), exception.ptr());
  throw nb::python_error();
}

PyObject *builtin_exception(int32_t status) {
  switch (status) {
    case NTK_INVALID_ARGUMENT: return PyExc_ValueError;
    case NTK_OUT_OF_MEMORY: return PyExc_MemoryError;
    case NTK_CANCELLED: return PyExc_KeyboardInterrupt;
    case NTK_OVERFLOW: return PyExc_OverflowError;
    default: return PyExc_RuntimeError;
  }
}

}  // namespace

int32_t is_interrupted() noexcept {
  if (is_abandoned()) return 1;
  WithGil gil;
  return PyErr_CheckSignals() != 0;
}

void raise(int32_t status, const ntk_error &error) {
  if (PyErr_Occurred()) throw nb::python_error();
  const char *message = error.message[0] ? error.message : "[core] failed without a message. Please report this.";
  if (status == NTK_NOT_POSITIVE_DEFINITE) {
    raise_own("NotPositiveDefiniteError", message, error.index[0], error.value);
  }
  if (status == NTK_NOT_CONVERGED) raise_own("ConvergenceError", message);
  PyErr_SetString(builtin_exception(status), message);
  throw nb::python_error();
}

Call::Call(int32_t threads, int64_t memory_limit, nb::object progress) : progress_(std::move(progress)) {
  call_.threads = threads;
  call_.memory_limit = memory_limit;
  call_.progress = on_progress;
  call_.context = this;
}

void Call::keep_exception() noexcept {
  if (!pending_) pending_ = std::current_exception();
}

int32_t Call::on_progress(void *context, double fraction) noexcept {
  if (is_abandoned()) return 1;
  auto *self = static_cast<Call *>(context);
  WithGil gil;
  try {
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    if (!self->progress_.is_none()) self->progress_(fraction);
    return 0;
  } catch (...) {
    self->keep_exception();
    return 1;
  }
}

void Call::finish(int32_t status, const ntk_error &error) {
  if (pending_ && status != NTK_OK) std::rethrow_exception(std::exchange(pending_, nullptr));
  if (status != NTK_OK) raise(status, error);
}

}  // namespace ntkswift
