#include "base/work_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "base/threads.h"

namespace millwright {
namespace {

TEST(WorkQueue, RunsJobsInOrderOnAnotherThread) {
  WorkQueue queue;
  std::vector<int> order;
  std::thread::id worker;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(queue.Push([&order, &worker, i]() -> Status {
      order.push_back(i);
      worker = std::this_thread::get_id();
      return {};
    }),
              i + 1);
  }
  ASSERT_TRUE(queue.WaitAll().ok());
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
  EXPECT_NE(worker, std::this_thread::get_id());
  EXPECT_EQ(queue.finished(), 100);
}

TEST(WorkQueue, WaitsForItsTicketOnly) {
  WorkQueue queue;
  std::atomic<bool> first = false, release = false, second = false;
  const int64_t ticket = queue.Push([&]() -> Status {
    first = true;
    return {};
  });
  queue.Push([&]() -> Status {
    while (!release) std::this_thread::yield();
    second = true;
    return {};
  });
  ASSERT_TRUE(queue.Wait(ticket).ok());
  EXPECT_TRUE(first);
  EXPECT_FALSE(second);
  release = true;
  ASSERT_TRUE(queue.WaitAll().ok());
  EXPECT_TRUE(second);
}

TEST(WorkQueue, StopsAtTheFirstFailureAndNamesIt) {
  WorkQueue queue;
  bool later = false;
  queue.Push([]() -> Status { return Failed("the first"); });
  queue.Push([&]() -> Status {
    later = true;
    return Failed("the second");
  });
  const Status status = queue.WaitAll();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "the first");
  EXPECT_FALSE(later);
}

TEST(WorkQueue, EndsWithWhatIsLeftDone) {
  int done = 0;
  {
    WorkQueue queue;
    for (int i = 0; i < 10; ++i) {
      queue.Push([&]() -> Status {
        ++done;
        return {};
      });
    }
  }
  EXPECT_EQ(done, 10);
}

TEST(WorkQueue, LoopsHaveTheThreadsOfItsMaker) {
  const int before = GetThreads();
  for (const int threads : {1, 3}) {
    SetThreads(threads);
    WorkQueue queue;
    int found = 0;
    queue.Push([&]() -> Status {
      found = GetThreads();
      return {};
    });
    ASSERT_TRUE(queue.WaitAll().ok());
    EXPECT_EQ(found, threads);
  }
  SetThreads(before);
}

}  // namespace
}  // namespace millwright
