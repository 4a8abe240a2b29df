// Threads that are inside the core when the interpreter ends.
#include "gil.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace ntkswift {
namespace {

std::atomic<int> inside{0};         // calls in the core
std::atomic<bool> is_ending{false};
std::thread::id last_thread;        // the one that ends the interpreter; set before `is_ending`

[[noreturn]] void wait_for_the_end() noexcept {
  for (;;) pause();
}

}  // namespace

bool is_abandoned() noexcept {
  return is_ending.load(std::memory_order_acquire) && std::this_thread::get_id() != last_thread;
}

void end_calls() {
  last_thread = std::this_thread::get_id();
  is_ending.store(true, std::memory_order_release);
  nanobind::gil_scoped_release release;  // callbacks that wait for the GIL go on
  const auto latest = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  while (inside.load(std::memory_order_acquire) > 0 && std::chrono::steady_clock::now() < latest) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

WithGil::WithGil() noexcept {
  try {
    state_ = PyGILState_Ensure();
  } catch (...) {
    wait_for_the_end();  // the unwinding of pthread_exit
  }
}

WithoutGil::WithoutGil() noexcept {
  inside.fetch_add(1, std::memory_order_relaxed);
  state_ = PyEval_SaveThread();
}

WithoutGil::~WithoutGil() {
  inside.fetch_sub(1, std::memory_order_release);
  if (is_abandoned()) wait_for_the_end();
  try {
    PyEval_RestoreThread(state_);
  } catch (...) {
    wait_for_the_end();
  }
}

}  // namespace ntkswift
