#include "app/dashboard/web/answer_pool.h"

namespace millwright::app::web {

AnswerPool::AnswerPool(std::vector<std::unique_ptr<Router>> routers, const WakePipe& wake)
    : routers_(std::move(routers)), wake_(wake) {
  for (const auto& router : routers_) {
    threads_.emplace_back([this, &router] { Work(*router); });
  }
}

AnswerPool::~AnswerPool() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  asked_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void AnswerPool::Ask(uint64_t id, std::string request) {
  {
    const std::lock_guard lock(mutex_);
    requests_.emplace_back(id, std::move(request));
  }
  asked_.notify_one();
}

std::vector<std::pair<uint64_t, Answer>> AnswerPool::TakeAnswers() {
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

void AnswerPool::Work(Router& router) {
  std::unique_lock lock(mutex_);
  for (;;) {
    asked_.wait(lock, [this] { return ended_ || !requests_.empty(); });
    if (ended_) return;
    auto [id, request] = std::move(requests_.front());
    requests_.pop_front();
    lock.unlock();
    Answer answer = router.Handle(request);
    lock.lock();
    answers_.emplace_back(id, std::move(answer));
    wake_.Wake();
  }
}

}  // namespace millwright::app::web
