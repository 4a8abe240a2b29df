// The GIL around calls into the core, also while the interpreter ends.
#pragma once

#include <nanobind/nanobind.h>

namespace ntkswift {

// Takes the GIL in a callback from the core. Unlike nanobind's, it does not end the process where Python ends meanwhile:
// before 3.14 Python then unwinds the thread, which no C++ function of a library survives; as 3.14 does, the thread waits for the end.
class WithGil {
 public:
  WithGil() noexcept;
  ~WithGil() { PyGILState_Release(state_); }
  WithGil(const WithGil &) = delete;
  WithGil &operator=(const WithGil &) = delete;

 private:
  PyGILState_STATE state_;
};

// Gives the GIL away for a call into the core. A thread whose interpreter is about to end does not come back (see `end_calls`).
class WithoutGil {
 public:
  WithoutGil() noexcept;
  ~WithoutGil();
  WithoutGil(const WithoutGil &) = delete;
  WithoutGil &operator=(const WithoutGil &) = delete;

 private:
  PyThreadState *state_;
};

// Whether the interpreter is about to end and this thread is one of those that it does not wait for.
bool is_abandoned() noexcept;

// Run by atexit: stops the calls of all other threads (daemons) and waits until they have left the core, at most a second.
void end_calls();

}  // namespace ntkswift
