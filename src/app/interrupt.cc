#include "app/interrupt.h"

#include <csignal>

namespace millwright::app {
namespace {

std::atomic<bool>& Flag() {
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

}  // namespace millwright::app
