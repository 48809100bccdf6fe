#include "app/interrupt.h"

#include <array>
#include <csignal>
#include <cstddef>

namespace millwright::app {
namespace {

std::atomic<bool>& Flag() {
  static std::atomic<bool> flag{false};
  return flag;
}

std::atomic<bool>& SampleFlag() {
  static std::atomic<bool> flag{false};
  return flag;
}

// On a stack of its own: oneDNN's products keep values below the stack pointer, further than the
// 128 bytes that a signal spares there (System V ABI for x86-64, section 3.2.2), and would go on
// with what the signal's frame has left of them. Of this thread, which is the one that a process's
// signals come to.
void Catch(int signal, void (*handler)(int), int flags) {
  static std::array<std::byte, size_t{64} << 10> memory;
  stack_t stack = {};
  stack.ss_sp = memory.data();
  stack.ss_size = memory.size();
  sigaltstack(&stack, nullptr);
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_ONSTACK | SA_RESTART | flags;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

}  // namespace

const std::atomic<bool>& CatchInterrupts() {
  Flag() = false;
  // The second one ends the process.
  for (const int signal : {SIGINT, SIGTERM}) {
    Catch(
        signal, [](int) { Flag() = true; }, static_cast<int>(SA_RESETHAND));
  }
  return Flag();
}

std::atomic<bool>& CatchSampleRequests() {
  SampleFlag() = false;
  Catch(
      SIGUSR1, [](int) { SampleFlag() = true; }, 0);
  return SampleFlag();
}

}  // namespace millwright::app
