// The command line in a process of its own, which may be interrupted or killed.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "app/command_line.h"

namespace millwright::testing {

class Child {
 public:
  // "millwright ARGUMENTS", its output to nowhere. Pass --threads 1: threads that a parallel loop
  // of this process has started do not exist in the new one.
  Child(const model::ModelConfig& config, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "millwright");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::fflush(nullptr);
    pid_ = ::fork();
    if (pid_ != 0) return;
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::_exit(app::RunCommandLine(static_cast<int>(arguments.size()), argv.data(), config));
  }
  ~Child() {
    if (!waited_) ::kill(pid_, SIGKILL);
    Wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void Signal(int signal) { ::kill(pid_, signal); }

  // The exit code, or minus the signal that ended the process.
  int Wait() {
    if (!waited_) ::waitpid(pid_, &status_, 0);
    waited_ = true;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
  }

  // Waits until `done()`, at most a minute, or until the process ends. True if it is done.
  bool WaitUntil(const std::function<bool()>& done) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::minutes(1);
    while (!done()) {
      if (!waited_) waited_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
      if (waited_ || Clock::now() > end) return done();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

 private:
  pid_t pid_ = 0;
  int status_ = 0;
  bool waited_ = false;
};

}  // namespace millwright::testing
