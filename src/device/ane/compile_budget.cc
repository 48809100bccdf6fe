#include "device/ane/compile_budget.h"

#include <atomic>

namespace millwright::device::ane {
namespace {

// The limit is the process's: so is the count.
std::atomic<int>& Count() {
  static std::atomic<int> count = 0;
  return count;
}

}  // namespace

int CompilationsOfProcess() { return Count(); }

Status SpendCompilation(int budget) {
  int spent = Count();
  do {
    if (spent >= budget) {
      return Failed(
          "the compile budget of this process is spent: {} programs of {}; weights as inputs "
          "(--binding packed or separate) need no more, others must go on in a new process",
          spent, budget);
    }
  } while (!Count().compare_exchange_weak(spent, spent + 1));
  return {};
}

}  // namespace millwright::device::ane
