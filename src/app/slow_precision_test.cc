#include "app/slow_precision.h"

#include <gmock/gmock.h>

#include "math/gemm.h"
#include "math/int8.h"

namespace millwright::app {
namespace {

using ::testing::HasSubstr;

TEST(SlowPrecision, IsSaidWhereTheCpuHasNoInstructions) {
  EXPECT_EQ(SlowPrecisionNote(Precision::kInt8, {}).empty(), math::HasInt8Dot());
  EXPECT_EQ(SlowPrecisionNote(Precision::kBf16, {}).empty(), math::HasFastBf16());
  for (const Precision precision : {Precision::kInt8, Precision::kBf16}) {
    const std::string note = SlowPrecisionNote(precision, {});
    if (note.empty()) continue;
    EXPECT_THAT(note, HasSubstr("--precision " + std::string(PrecisionName(precision))));
    EXPECT_THAT(note, HasSubstr("fp32 is faster here"));
  }
}

TEST(SlowPrecision, OthersAndDevicesThatComputeNothingAreNeverSlow) {
  for (const Precision precision : {Precision::kExact, Precision::kFp32, Precision::kFp16,
                                    Precision::kBf16, Precision::kInt8, Precision::kAne}) {
    EXPECT_EQ(SlowPrecisionNote(precision, {.computes = false}), "");
    if (HasRoundedProducts(precision)) continue;
    EXPECT_EQ(SlowPrecisionNote(precision, {}), "");
  }
}

}  // namespace
}  // namespace millwright::app
