#include "app/gemm_guard.h"

#include <gmock/gmock.h>

#include "base/threads.h"

namespace millwright::app {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(SlowGemmWarning, IsSilentWhereProductsAreFast) {
  EXPECT_EQ(SlowGemmWarning({{"forward", "jit", 80}, {"backward", "jit", 34}}, 100), "");
}

TEST(SlowGemmWarning, NamesTheSlowestProduct) {
  const std::string line = SlowGemmWarning(
      {{"forward", "jit", 90}, {"backward", "sse4", 10}, {"gradient", "sse4", 20}}, 100);
  EXPECT_THAT(line, HasSubstr("backward products (sse4) reach 10.0 of the 100.0 GFLOP/s"));
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(SlowGemmWarning, KnowsReferenceLoopsByTheirName) {
  EXPECT_THAT(SlowGemmWarning({{"gradient", "ref:any", 1e9}}, 1), HasSubstr("ref:any"));
}

// Runs that take as long as they are told to, on a clock of their own.
struct Rehearsed {
  std::vector<double> seconds;  // of each run; the last of them of all that follow
  double now = 0;
  size_t runs = 0;

  double Best(double gflop) {
    const auto run = [this] { now += seconds[std::min(runs++, seconds.size() - 1)]; };
    return BestGflops({.gflop = gflop, .run = run}, [this] { return now; });
  }
};

// A library generates its code in the first run.
TEST(BestGflops, IsThatOfTheBestRunAfterTheFirst) {
  Rehearsed rehearsed{.seconds = {1, 0.004, 0.001, 0.002}};
  EXPECT_NEAR(rehearsed.Best(0.1), 100, 1e-6);
  EXPECT_GT(rehearsed.runs, 3u);
}

TEST(BestGflops, SlowLoopsRunOnceMore) {
  Rehearsed rehearsed{.seconds = {0.5, 0.5}};
  EXPECT_NEAR(rehearsed.Best(1), 2, 1e-6);
  EXPECT_EQ(rehearsed.runs, 2u);
}

// How fast the products of this machine are is a matter for `bench gemm`.
TEST(WarnOfSlowGemm, SaysOneLineAtMostAndLeavesTheThreadsAlone) {
  SetThreads(2);
  ::testing::internal::CaptureStderr();
  WarnOfSlowGemm(nullptr);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, AnyOf("", StartsWith("warning: ")));
  EXPECT_TRUE(said.find('\n') == std::string::npos || said.find('\n') == said.size() - 1) << said;
  EXPECT_EQ(GetThreads(), 2);
  SetThreads(0);
}

}  // namespace
}  // namespace millwright::app
