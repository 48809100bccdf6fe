// This program once more, in a process of its own.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace millwright::app::dashboard {

// How a process ended.
struct ProcessEnd {
  int exit_code = 0;  // 0 where a signal ended it
  int signal = 0;     // 0: none did
  // "exit code 2", "signal 9 (Killed)".
  std::string ToString() const;
};

// The path of the running binary. Fails where the system does not tell.
Result<std::string> ExecutablePath();

// Runs in a session of its own: neither Ctrl-C nor the end of the terminal reaches it. It is not
// ended with the object; whoever started it decides.
class ChildProcess {
 public:
  // What it writes to: file descriptors, which stay the caller's.
  struct Outputs {
    int out = -1, err = -1;
  };
  // "BINARY ARGUMENTS" with nothing to read. `background`: it only takes what others leave of the
  // CPUs.
  static Result<ChildProcess> Start(const std::string& binary,
                                    const std::vector<std::string>& arguments, Outputs outputs,
                                    bool background = false);

  pid_t pid() const { return pid_; }

  // How it ended; nullopt while it runs. Does not wait.
  const std::optional<ProcessEnd>& Poll();
  // Waits at most so long.
  const std::optional<ProcessEnd>& WaitFor(double seconds);
  // Nothing if it has ended.
  void Signal(int signal);

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}

  pid_t pid_;
  std::optional<ProcessEnd> end_;
};

}  // namespace millwright::app::dashboard
