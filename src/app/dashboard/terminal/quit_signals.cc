#include "app/dashboard/terminal/quit_signals.h"

#include <atomic>
#include <csignal>

namespace millwright::app::dashboard {
namespace {

struct Counts {
  std::atomic<int> asked{0};
  std::atomic<bool> hung_up{false};
};

// A handler is told nothing but the signal.
Counts& Counted() {
  static Counts counts;
  return counts;
}

void Handle(int signal) {
  if (signal == SIGHUP) {
    Counted().hung_up = true;
  } else {
    ++Counted().asked;
  }
}

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP};

}  // namespace

QuitSignals::QuitSignals() {
  Counted().asked = 0;
  Counted().hung_up = false;
  struct sigaction action {};
  action.sa_handler = Handle;  // without SA_RESTART: a wait for keys ends
  for (const int signal : kSignals) ::sigaction(signal, &action, nullptr);
}

QuitSignals::~QuitSignals() {
  for (const int signal : kSignals) std::signal(signal, SIG_DFL);
}

int QuitSignals::asked() const { return Counted().asked; }

bool QuitSignals::hung_up() const { return Counted().hung_up; }

}  // namespace millwright::app::dashboard
