#include "base/threads.h"

#include <omp.h>

namespace millwright {

int SetThreads(int threads) {
  omp_set_dynamic(0);
  omp_set_num_threads(threads > 0 ? threads : omp_get_num_procs());
  return omp_get_max_threads();
}

int GetThreads() { return omp_get_max_threads(); }

int ThreadOfLoop() { return omp_get_thread_num(); }

}  // namespace millwright
