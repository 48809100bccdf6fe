#include "app/gemm_guard.h"

#include <gmock/gmock.h>

#include <chrono>

#include "base/threads.h"

namespace millwright::app {
namespace {

using ::testing::HasSubstr;

// Computes for a millisecond: `gflop` of it is a rate of a thousand times as many GFLOP/s.
GemmProbe Busy(const std::string& name, double gflop) {
  return {.name = name, .implementation = "injected", .gflop = gflop, .run = [] {
            using Clock = std::chrono::steady_clock;
            const auto end = Clock::now() + std::chrono::milliseconds(1);
            while (Clock::now() < end) {
            }
          }};
}

TEST(SlowGemmWarning, IsSilentWhereProductsAreFast) {
  EXPECT_EQ(SlowGemmWarning({Busy("forward", 0.1), Busy("backward", 0.08)}, 100), "");
}

TEST(SlowGemmWarning, NamesTheSlowestProduct) {
  const std::string line = SlowGemmWarning(
      {Busy("forward", 0.1), Busy("backward", 0.001), Busy("gradient", 0.002)}, 1e4);
  EXPECT_THAT(line, HasSubstr("backward products (injected)"));
  EXPECT_THAT(line, HasSubstr("10000.0 GFLOP/s"));
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

// A library generates code in the first run.
TEST(SlowGemmWarning, DoesNotCountTheFirstRun) {
  GemmProbe probe = Busy("forward", 0.1);
  probe.run = [first = true, busy = probe.run]() mutable {
    for (int i = 0; i < (first ? 50 : 1); ++i) busy();
    first = false;
  };
  EXPECT_EQ(SlowGemmWarning({probe}, 100), "");
}

TEST(SlowGemmWarning, KnowsReferenceLoopsByTheirName) {
  GemmProbe probe = Busy("gradient", 1e9);
  probe.implementation = "ref:any";
  EXPECT_THAT(SlowGemmWarning({probe}, 1), HasSubstr("ref:any"));
}

// The library of this machine knows its CPU, and the process keeps its threads.
TEST(WarnOfSlowGemm, IsSilentHereAndLeavesTheThreadsAlone) {
  SetThreads(2);
  ::testing::internal::CaptureStderr();
  WarnOfSlowGemm(nullptr);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(GetThreads(), 2);
  SetThreads(0);
}

}  // namespace
}  // namespace millwright::app
