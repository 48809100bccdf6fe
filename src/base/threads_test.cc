#include "base/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace millwright {
namespace {

// Sets the number of threads for one scope.
class WithThreads {
 public:
  explicit WithThreads(int threads) : before_(GetThreads()) { SetThreads(threads); }
  ~WithThreads() { SetThreads(before_); }
  WithThreads(const WithThreads&) = delete;
  WithThreads& operator=(const WithThreads&) = delete;

 private:
  int before_;
};

TEST(Threads, ForCoversAllInPartsOfTheGrain) {
  for (const int threads : {1, 2, 3}) {
    const WithThreads with(threads);
    for (const int64_t count : {0, 1, 7, 64, 100}) {
      std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
      ParallelFor(count, 8, [&](int64_t begin, int64_t end) {
        EXPECT_EQ(begin % 8, 0);
        for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
      });
      for (const auto& times : visits) EXPECT_EQ(times, 1) << threads << " threads, " << count;
    }
  }
}

TEST(Threads, UnitsRunOnceEachOnThreadsThatAreApart) {
  for (const int threads : {1, 2, 3}) {
    const WithThreads with(threads);
    for (const int64_t count : {0, 1, 2, 50}) {
      std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
      std::vector<std::atomic<int>> busy(static_cast<size_t>(threads));
      ParallelUnits(count, [&](int64_t unit, int thread) {
        ASSERT_GE(thread, 0);
        ASSERT_LT(thread, threads);
        EXPECT_EQ(busy[static_cast<size_t>(thread)]++, 0)
            << "two units at once on thread " << thread;
        ++visits[static_cast<size_t>(unit)];
        --busy[static_cast<size_t>(thread)];
      });
      for (const auto& times : visits) EXPECT_EQ(times, 1) << threads << " threads, " << count;
    }
  }
}

// A thread that is held up in its first unit leaves the rest of its part to the others.
TEST(Threads, RunsCoverAllAndAreTakenOver) {
  for (const int threads : {1, 2, 3}) {
    const WithThreads with(threads);
    for (const int64_t count : {0, 1, 2, 50}) {
      std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
      ParallelRuns(count, [&](int64_t unit) { ++visits[static_cast<size_t>(unit)]; });
      for (const auto& times : visits) EXPECT_EQ(times, 1) << threads << " threads, " << count;
    }
  }
  const WithThreads with(2);
  std::atomic<int> done = 0;
  ParallelRuns(50, [&](int64_t unit) {
    const Stopwatch watch;
    while (unit == 0 && done < 49 && watch.ms() < 20e3) std::this_thread::yield();
    if (unit == 0) {
      EXPECT_EQ(done, 49);
    }
    ++done;
  });
  EXPECT_EQ(done, 50);
}

}  // namespace
}  // namespace millwright
