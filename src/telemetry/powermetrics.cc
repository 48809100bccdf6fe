#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "telemetry/power_meter.h"

namespace millwright::telemetry {
namespace {

struct Label {
  std::string_view text;
  const char* name;
};
constexpr std::array kLabels = {Label{"CPU Power: ", "cpu"}, Label{"GPU Power: ", "gpu"},
                                Label{"ANE Power: ", "ane"}};

// The program runs until the meter goes away, and prints a sample a second into a pipe.
class Powermetrics : public PowerMeter {
 public:
  Powermetrics(pid_t child, int pipe) : child_(child), pipe_(pipe) {}
  ~Powermetrics() override {
    ::close(pipe_);
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
  }
  Powermetrics(const Powermetrics&) = delete;
  Powermetrics& operator=(const Powermetrics&) = delete;

  std::map<std::string, double> Watts() override {
    std::array<char, 4096> bytes;
    for (;;) {
      const ssize_t got = ::read(pipe_, bytes.data(), bytes.size());
      if (got <= 0) break;
      text_.append(bytes.data(), static_cast<size_t>(got));
    }
    constexpr size_t kKept = size_t{64} << 10;
    if (text_.size() > kKept) text_.erase(0, text_.size() - kKept);
    return ParsePowermetrics(text_);
  }

 private:
  pid_t child_;
  int pipe_;
  std::string text_;
};

}  // namespace

std::map<std::string, double> ParsePowermetrics(const std::string& text) {
  std::map<std::string, double> watts;
  for (const Label& label : kLabels) {
    const size_t at = text.rfind(label.text);
    if (at == std::string::npos) continue;
    const char* number = text.c_str() + at + label.text.size();
    char* end = nullptr;
    const double milliwatts = std::strtod(number, &end);
    if (end != number && std::string_view(end).starts_with(" mW")) {
      watts[label.name] = milliwatts / 1000;
    }
  }
  return watts;
}

std::unique_ptr<PowerMeter> StartPowermetrics(const std::string& command) {
  if (::access(command.c_str(), X_OK) != 0) return nullptr;
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return nullptr;
  for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::array<std::string, 5> words = {command, "--samplers", "cpu_power,gpu_power,ane_power", "-i",
                                      "1000"};
  std::array<char*, 6> arguments{};
  for (size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
  pid_t child = 0;
  std::array<char*, 1> environment{};
  const int failed = ::posix_spawn(&child, command.c_str(), &actions, nullptr, arguments.data(),
                                   environment.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (failed == 0) return std::make_unique<Powermetrics>(child, ends[0]);
  ::close(ends[0]);
  return nullptr;
}

}  // namespace millwright::telemetry
