#include "inspect/cost.h"

#include <gtest/gtest.h>

#include "inspect/ane_time.h"
#include "mil/builder.h"

namespace millwright::inspect {
namespace {

using mil::Builder;
using mil::Type;
using mil::ValueId;

// A chain of `depth` 1x1 convolutions between `channels` channels on `height` x `width` positions.
mil::Program Convolutions(int depth, int64_t channels, int64_t height, int64_t width) {
  Builder b;
  ValueId x = b.Input("x", Type{DType::kFp16, {1, channels, height, width}});
  for (int i = 0; i < depth; ++i) {
    const ValueId w =
        b.WeightsRef(fmt::format("w{}.bin", i), Type{DType::kFp16, {channels, channels, 1, 1}});
    x = b.Op("conv", "y", {{"x", x}, {"weight", w}});
  }
  auto built = std::move(b).Finish({x});
  EXPECT_TRUE(built.ok()) << (built.ok() ? "" : built.error().message);
  return built->program;
}

TEST(CostTest, CountsConvolutions) {
  const mil::Program program = Convolutions(3, 8, 2, 5);
  const ProgramCost cost = CostOf(program.main());
  EXPECT_EQ(cost.flops, 3 * 2 * 8 * 8 * 10);
  EXPECT_EQ(cost.weight_bytes, 3 * 8 * 8 * 2);
  EXPECT_EQ(cost.input_bytes, 160);
  EXPECT_EQ(cost.output_bytes, 160);
  EXPECT_EQ(cost.peak_bytes, 160 + 160 + 128);  // an operand, a result and the weights between
  EXPECT_EQ(cost.largest, "x");
  ASSERT_EQ(cost.operations.size(), 3u);
  EXPECT_TRUE(cost.operations[0].constant_weights);
  EXPECT_EQ(cost.operations[1].bytes(), 448);
}

TEST(CostTest, CountsProductsOfActivations) {
  Builder b;
  const ValueId x = b.Input("x", Type{DType::kFp16, {2, 3, 7}});
  const ValueId y = b.Input("y", Type{DType::kFp16, {2, 7, 5}});
  const ValueId xt = b.Transpose("xt", x, {0, 2, 1});
  const ValueId z = b.Matmul("z", xt, y, /*transpose_x=*/true, /*transpose_y=*/false);
  const ValueId s = b.ReduceSum("s", z, -1);
  const auto built = std::move(b).Finish({s});
  ASSERT_TRUE(built.ok()) << built.error().message;
  const ProgramCost cost = CostOf(built->program.main());
  ASSERT_EQ(cost.operations.size(), 3u);
  EXPECT_EQ(cost.operations[0].flops, 0);
  EXPECT_EQ(cost.operations[1].flops, 2 * 2 * 3 * 5 * 7);
  EXPECT_FALSE(cost.operations[1].constant_weights);
  EXPECT_EQ(cost.operations[2].flops, 2 * 3 * 5);
}

// The published peak, 14.8 ms for 128 convolutions of 512 channels on 64 x 64 positions (M4).
TEST(AneTimeTest, MeetsThePublishedPeak) {
  const mil::Program program = Convolutions(128, 512, 64, 64);
  const auto m4 = FindAneFigures("m4");
  ASSERT_TRUE(m4.ok());
  const AneTime time = EstimateAneTime(CostOf(program.main()), **m4);
  EXPECT_NEAR(time.total_us() / 14800, 1, 0.02);
  EXPECT_EQ(time.total_us(), time.dispatch_us + std::max(time.compute_us, time.stream_us));
  EXPECT_FALSE(FindAneFigures("m9").ok());
}

}  // namespace
}  // namespace millwright::inspect
