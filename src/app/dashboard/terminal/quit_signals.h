// Signals that ask a program with a terminal to end, as something that its loop can look at.
#pragma once

namespace millwright::app::dashboard {

// For the length of its life SIGINT, SIGTERM, SIGQUIT and SIGHUP end nothing but are counted.
// One object at a time.
class QuitSignals {
 public:
  QuitSignals();
  ~QuitSignals();
  QuitSignals(const QuitSignals&) = delete;
  QuitSignals& operator=(const QuitSignals&) = delete;

  int asked() const;     // SIGINT, SIGTERM and SIGQUIT so far
  bool hung_up() const;  // SIGHUP: the terminal is gone
};

}  // namespace millwright::app::dashboard
