#include "app/dashboard/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

extern char** environ;  // NOLINT(readability-redundant-declaration): macOS declares it nowhere

namespace millwright::app::dashboard {
namespace {

// Owns what posix_spawn is told.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawnattr_init(&attributes_);
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  void ConnectTo(ChildProcess::Outputs outputs) {
    ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files_, outputs.out, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&files_, outputs.err, STDERR_FILENO);
  }

  // A session of its own, with signals as a shell hands them on.
  void Detach() {
    sigset_t set;
    ::sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes_, &set);
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) ::sigaddset(&set, signal);
    ::posix_spawnattr_setsigdefault(&attributes_, &set);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }

  int Spawn(pid_t* pid, const std::string& binary, char** argv) const {
    return ::posix_spawn(pid, binary.c_str(), &files_, &attributes_, argv, environ);
  }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

std::string ProcessEnd::ToString() const {
  if (signal == 0) return fmt::format("exit code {}", exit_code);
  return fmt::format("signal {} ({})", signal, ::strsignal(signal));
}

Result<std::string> ExecutablePath() {
  std::string path(4096, '\0');
#ifdef __APPLE__
  auto size = static_cast<uint32_t>(path.size());
  if (::_NSGetExecutablePath(path.data(), &size) != 0) return Failed("this binary has no path");
  path.resize(std::strlen(path.c_str()));
#else
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return Failed("/proc/self/exe: cannot be read: {}", std::strerror(errno));
  path.resize(static_cast<size_t>(size));
#endif
  return path;
}

Result<ChildProcess> ChildProcess::Start(const std::string& binary,
                                         const std::vector<std::string>& arguments, Outputs outputs,
                                         bool background) {
  std::vector<std::string> words = {binary};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  SpawnPlan plan;
  plan.ConnectTo(outputs);
  plan.Detach();
  pid_t pid = 0;
  const int error = plan.Spawn(&pid, binary, argv.data());
  if (error != 0) return Failed("{}: cannot be started: {}", binary, std::strerror(error));
  if (background) ::setpriority(PRIO_PROCESS, static_cast<id_t>(pid), 19);
  return ChildProcess(pid);
}

const std::optional<ProcessEnd>& ChildProcess::Poll() {
  int status = 0;
  if (end_ || ::waitpid(pid_, &status, WNOHANG) != pid_) return end_;
  end_ = WIFSIGNALED(status) ? ProcessEnd{.exit_code = 0, .signal = WTERMSIG(status)}
                             : ProcessEnd{.exit_code = WEXITSTATUS(status), .signal = 0};
  return end_;
}

const std::optional<ProcessEnd>& ChildProcess::WaitFor(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!Poll() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return end_;
}

void ChildProcess::Signal(int signal) {
  if (!Poll()) ::kill(pid_, signal);
}

}  // namespace millwright::app::dashboard
