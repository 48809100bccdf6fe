#include "app/interrupt.h"

#include <csignal>

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

void Handle(int signal) {
  Flag() = true;
  std::signal(signal, SIG_DFL);
}

}  // namespace

const std::atomic<bool>& CatchInterrupts() {
  Flag() = false;
  std::signal(SIGINT, Handle);
  std::signal(SIGTERM, Handle);
  return Flag();
}

std::atomic<bool>& CatchSampleRequests() {
  SampleFlag() = false;
  std::signal(SIGUSR1, [](int) { SampleFlag() = true; });
  return SampleFlag();
}

}  // namespace millwright::app
