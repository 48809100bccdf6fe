#include "app/dashboard/run_process.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <utility>

namespace millwright::app::dashboard {
namespace {

namespace fs = std::filesystem;

constexpr int kBadInputExit = 2;

}  // namespace

RunPlan RunPlan::Resume(const std::string& run_dir) {
  return {.run_dir = run_dir, .arguments = {"--resume", "--out", run_dir}};
}

RunProcess::RunProcess(ChildProcess child, std::string run_dir, std::string log_path,
                       bool made_folder)
    : child_(child),
      run_dir_(std::move(run_dir)),
      log_path_(std::move(log_path)),
      made_folder_(made_folder) {}

Result<std::unique_ptr<RunProcess>> RunProcess::Start(const RunPlan& plan,
                                                      const std::string& binary) {
  auto own = binary.empty() ? ExecutablePath() : Result<std::string>(binary);
  if (!own) return own.error();
  std::error_code error;
  const bool made_folder = fs::create_directories(plan.run_dir, error);
  if (error) return Failed("{}: cannot be created: {}", plan.run_dir, error.message());
  const std::string log_path = plan.run_dir + "/" + kTrainLog;
  const bool resumes = std::ranges::find(plan.arguments, "--resume") != plan.arguments.end();
  const int log = ::open(log_path.c_str(),
                         O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (resumes ? 0 : O_TRUNC), 0644);
  if (log < 0) return Failed("{}: cannot be written: {}", log_path, std::strerror(errno));
  std::vector<std::string> arguments = {"train"};
  arguments.insert(arguments.end(), plan.arguments.begin(), plan.arguments.end());
  auto child = ChildProcess::Start(*own, arguments, {.out = log, .err = log});
  ::close(log);
  if (!child) return child.error();
  return std::unique_ptr<RunProcess>(new RunProcess(*child, plan.run_dir, log_path, made_folder));
}

const std::optional<ProcessEnd>& RunProcess::Poll() {
  const auto& end = child_.Poll();
  if (end && end->exit_code == kBadInputExit) RemoveTraces();
  return end;
}

const std::optional<ProcessEnd>& RunProcess::WaitFor(double seconds) {
  child_.WaitFor(seconds);
  return Poll();
}

void RunProcess::RemoveTraces() {
  if (!std::exchange(made_folder_, false)) return;
  std::error_code ignored;
  const auto entries = std::distance(fs::directory_iterator(run_dir_, ignored), {});
  if (entries != 1) return;
  fs::remove(log_path_, ignored);
  fs::remove(run_dir_, ignored);
}

void RunProcess::StopAndSave() {
  if (!std::exchange(stopping_, true)) child_.Signal(SIGINT);
}

}  // namespace millwright::app::dashboard
