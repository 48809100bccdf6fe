// The thread that looks at all run folders.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/dashboard/web/message_log.h"
#include "app/dashboard/web/watched_run.h"

namespace millwright::app::web {

using WatchedRuns = std::vector<std::unique_ptr<WatchedRun>>;

// The runs of `dirs`, each named by its folder, or by its path as given where two folders have the
// same name. A folder may come later. Bad input if one is something else.
Result<WatchedRuns> OpenRuns(const std::vector<std::string>& dirs);

class Watcher {
 public:
  // Looks at `runs` twice a second from now on.
  Watcher(const WatchedRuns& runs, MessageLog& log);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

 private:
  void Work();

  const WatchedRuns& runs_;
  MessageLog& log_;
  std::mutex mutex_;
  std::condition_variable ended_changed_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace millwright::app::web
