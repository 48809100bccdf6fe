// A few threads that answer requests, so that none waits for a slow one.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app/dashboard/web/router.h"
#include "app/dashboard/web/wake_pipe.h"

namespace millwright::app::web {

class AnswerPool {
 public:
  // A thread for each router. `wake` is woken when there is an answer.
  AnswerPool(std::vector<std::unique_ptr<Router>> routers, const WakePipe& wake);
  // Ends the threads; what still waits is not answered.
  ~AnswerPool();
  AnswerPool(const AnswerPool&) = delete;
  AnswerPool& operator=(const AnswerPool&) = delete;

  // `id` comes back with the answer.
  void Ask(uint64_t id, std::string request);
  std::vector<std::pair<uint64_t, Answer>> TakeAnswers();

 private:
  void Work(Router& router);

  const std::vector<std::unique_ptr<Router>> routers_;
  const WakePipe& wake_;
  std::mutex mutex_;
  std::condition_variable asked_;
  std::deque<std::pair<uint64_t, std::string>> requests_;
  std::vector<std::pair<uint64_t, Answer>> answers_;
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace millwright::app::web
