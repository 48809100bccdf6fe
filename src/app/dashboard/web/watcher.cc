#include "app/dashboard/web/watcher.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

namespace millwright::app::web {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kBetweenLooks{500};

std::string FolderName(const std::string& dir) {
  std::error_code error;
  const fs::path path = fs::weakly_canonical(dir, error);
  const std::string name = path.filename().string();
  return name.empty() ? dir : name;
}

}  // namespace

Result<WatchedRuns> OpenRuns(const std::vector<std::string>& dirs) {
  std::vector<std::string> names;
  for (const std::string& dir : dirs) {
    std::error_code error;
    if (fs::exists(dir, error) && !fs::is_directory(dir, error))
      return BadInput("{}: is not a run folder", dir);
    names.push_back(FolderName(dir));
  }
  WatchedRuns runs;
  for (size_t i = 0; i < dirs.size(); ++i) {
    const bool unique = std::count(names.begin(), names.end(), names[i]) == 1;
    runs.push_back(std::make_unique<WatchedRun>(i, unique ? names[i] : dirs[i], dirs[i]));
  }
  return runs;
}

Watcher::Watcher(const WatchedRuns& runs, MessageLog& log)
    : runs_(runs), log_(log), thread_([this] { Work(); }) {}

Watcher::~Watcher() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ended_changed_.notify_all();
  thread_.join();
}

void Watcher::Work() {
  std::unique_lock lock(mutex_);
  while (!ended_) {
    lock.unlock();
    bool more = false;
    for (const auto& run : runs_) more |= run->Look(log_);
    lock.lock();
    if (!more) ended_changed_.wait_for(lock, kBetweenLooks, [this] { return ended_; });
  }
}

}  // namespace millwright::app::web
