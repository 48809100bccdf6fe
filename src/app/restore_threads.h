// Puts the process's number of threads back at the end of a scope.
#pragma once

#include "base/threads.h"

namespace millwright::app {

class RestoreThreads {
 public:
  RestoreThreads() : threads_(GetThreads()) {}
  ~RestoreThreads() { SetThreads(threads_); }
  RestoreThreads(const RestoreThreads&) = delete;
  RestoreThreads& operator=(const RestoreThreads&) = delete;

 private:
  int threads_;
};

}  // namespace millwright::app
