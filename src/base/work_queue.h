// Work that goes on beside the thread that hands it out.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "base/result.h"

namespace millwright {

// Runs jobs one after another, in the order in which they come, on a thread of its own. Its loops
// have as many threads as those of the thread that made it, so that results are the same bits
// wherever a job runs. After a job that fails no other is run.
class WorkQueue {
 public:
  WorkQueue();
  ~WorkQueue();  // runs what is left
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // The job's ticket: the number of jobs so far.
  int64_t Push(std::function<Status()> job);

  // Waits for the job of `ticket`, and so for all before it; the error of the first job that
  // failed.
  Status Wait(int64_t ticket);
  Status WaitAll();

  int64_t pushed() const;
  int64_t finished() const;

 private:
  void Work(int threads);

  mutable std::mutex mutex_;
  std::condition_variable pushed_, finished_changed_;
  std::deque<std::function<Status()>> jobs_;
  int64_t tickets_ = 0, finished_ = 0;
  std::optional<Error> error_;
  bool closing_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace millwright
