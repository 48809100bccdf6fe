// A run folder that is being watched.
#pragma once

#include <cstdint>
#include <shared_mutex>
#include <string>

#include "app/dashboard/web/message_log.h"
#include "app/dashboard/web/run_record.h"
#include "telemetry/metrics_tail.h"

namespace millwright::app::web {

// One thread looks; any may read meanwhile, each under Lock.
class WatchedRun {
 public:
  WatchedRun(size_t index, std::string name, std::string dir);

  // Reads what the run wrote since the last look and tells the viewers: `news` with the new rows,
  // or `reset` if what they have is wrong or they are better off with an overview. A folder that is
  // gone, comes back or holds another run is told like that. Returns whether there is more to read
  // at once.
  bool Look(MessageLog& log);

  std::shared_lock<std::shared_mutex> Lock() const { return std::shared_lock(mutex_); }
  // Under Lock:
  const RunRecord& record() const { return record_; }
  const std::string& status() const { return status_; }  // JSON
  // Changes whenever rows that were told are not so any more.
  int64_t epoch() const { return restarts_ + record_.rewinds(); }

  size_t index() const { return index_; }
  const std::string& name() const { return name_; }
  const std::string& dir() const { return dir_; }

 private:
  // How far the viewers know the run.
  struct Told {
    int64_t epoch = -1;  // none: nothing yet
    int64_t steps = 0, updates = 0, validations = 0, system = 0;
    int64_t samples = 0, log = 0, kernels = 0, tensors = 0;
    std::string status;

    bool operator==(const Told&) const = default;
  };

  std::string Assess(const std::string& trouble) const;
  Told Now() const;
  std::string NewsJson(const Told& now) const;
  void Tell(MessageLog& log);

  const size_t index_;
  const std::string name_, dir_;
  telemetry::MetricsTail tail_;
  bool another_ = false;  // what comes next is not of the run in record_
  Told told_;

  mutable std::shared_mutex mutex_;
  RunRecord record_;
  int64_t restarts_ = 0;
  std::string status_ = R"({"state":"reading","headline":"reading metrics.jsonl"})";
};

}  // namespace millwright::app::web
