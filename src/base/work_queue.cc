#include "base/work_queue.h"

#include <utility>

#include "base/threads.h"

namespace millwright {

WorkQueue::WorkQueue() : thread_([this, threads = GetThreads()] { Work(threads); }) {}

WorkQueue::~WorkQueue() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  pushed_.notify_one();
  thread_.join();
}

int64_t WorkQueue::Push(std::function<Status()> job) {
  const std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  pushed_.notify_one();
  return ++tickets_;
}

Status WorkQueue::Wait(int64_t ticket) {
  std::unique_lock lock(mutex_);
  finished_changed_.wait(lock, [&] { return finished_ >= ticket; });
  if (error_) return *error_;
  return {};
}

Status WorkQueue::WaitAll() {
  int64_t last = 0;
  {
    const std::lock_guard lock(mutex_);
    last = tickets_;
  }
  return Wait(last);
}

int64_t WorkQueue::pushed() const {
  const std::lock_guard lock(mutex_);
  return tickets_;
}

int64_t WorkQueue::finished() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

void WorkQueue::Work(int threads) {
  SetThreads(threads);
  std::unique_lock lock(mutex_);
  while (true) {
    pushed_.wait(lock, [&] { return closing_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const std::function<Status()> job = std::move(jobs_.front());
    jobs_.pop_front();
    if (!error_) {
      lock.unlock();
      const Status status = job();
      lock.lock();
      if (!status) error_ = status.error();
    }
    ++finished_;
    finished_changed_.notify_all();
  }
}

}  // namespace millwright
