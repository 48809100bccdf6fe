// Weights are data: the kernels are compiled once, and changed weights take effect in place.
#include <gtest/gtest.h>

#include "app/open_device.h"
#include "base/tolerance.h"
#include "tests/training/kernel_check.h"
#include "train/network.h"
#include "train/optimizer.h"

namespace millwright::testing {
namespace {

class Recompilation : public ::testing::TestWithParam<const char*> {
 protected:
  // Programs compiled when the network stands, and after `updates` more updates.
  std::pair<int64_t, int64_t> Counts(kernels::Binding binding, bool fuse, int updates) {
    auto device = app::OpenDevice(GetParam(), {.precision = Precision::kFp32});
    auto network = train::Network<float>::Create(
        **device, {.config = TinyMha(), .binding = binding, .fuse_attention_backward = fuse},
        FullVocab(TinyMha()));
    EXPECT_TRUE(network.ok()) << network.error().message;
    FillForGradients((*network)->parameters(), 1);
    EXPECT_TRUE((*network)->StageWeights().ok());
    const int64_t before = (*network)->session().compiles().programs;
    for (int i = 0; i < updates; ++i) {
      const auto loss =
          (*network)->LossAndGradient(RandomRows(TinyMha(), 1), RandomRows(TinyMha(), 2), 1.0);
      EXPECT_TRUE(loss.ok());
      const auto norms =
          train::MeasureGradients((*network)->parameters(), (*network)->vocab(), 1.0);
      train::Update((*network)->parameters(), norms, {.lr = 1e-3, .adam_step = i + 1});
      EXPECT_TRUE((*network)->StageWeights().ok());
    }
    return {before, (*network)->session().compiles().programs};
  }
};

TEST_P(Recompilation, StaysAtTenWhereWeightsAreData) {
  EXPECT_EQ(Counts(kernels::Binding::kPacked, false, 5), std::pair(int64_t{10}, int64_t{10}));
  EXPECT_EQ(Counts(kernels::Binding::kSeparate, false, 5), std::pair(int64_t{10}, int64_t{10}));
}

TEST_P(Recompilation, FusedAttentionBackwardIsOneProgramLess) {
  auto device = app::OpenDevice(GetParam(), {});
  const int64_t programs = (*device)->caps().fused_attention_backward ? 9 : 10;
  EXPECT_EQ(Counts(kernels::Binding::kSeparate, true, 5), std::pair(programs, programs));
}

TEST_P(Recompilation, GrowsWhereWeightsAreBakedIn) {
  // Two layers times eight kernels with weights at every staging; the two without stay.
  const auto [before, after] = Counts(kernels::Binding::kConstant, false, 3);
  EXPECT_EQ(before, 2 + 2 * 8);
  EXPECT_EQ(after, before + 3 * 2 * 8);
}

// The reference's test_dynamic_matmul, with a reference in the right order and a bound that a wrong
// result cannot meet: [768, 768] times [768, 256], the packed surface's activations and weights.
TEST_P(Recompilation, DynamicMatmulFollowsItsWeights) {
  model::ModelConfig config = TinyMha();
  config.dim = 192;
  config.heads = config.kv_heads = 4;
  config.head_dim = 48;
  config.seq = 64;
  auto device = app::OpenDevice(GetParam(), {.precision = Precision::kFp32});
  const runtime::SessionOptions options = {.config = config, .binding = kernels::Binding::kPacked};
  auto session = runtime::Session<float>::Open(**device, options);
  ASSERT_TRUE(session.ok()) << session.error().message;
  const int64_t n = config.dim, s = config.seq;
  AlignedBuffer<float> x(static_cast<size_t>(n * s)), w(static_cast<size_t>(n * n)),
      y(static_cast<size_t>(n * s));
  const Rng rng(1, 1);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(0.05 * rng.Normal(i));
  auto launch = (*session)->Prepare(kernels::KernelId::kWoFwd, 0,
                                    {{"attn", x.data()}, {"wo", w.data()}, {"o", y.data()}});
  ASSERT_TRUE(launch.ok()) << launch.error().message;
  const auto compiled = (*session)->compiles().programs;
  for (uint64_t round = 0; round < 3; ++round) {
    for (size_t i = 0; i < w.size(); ++i) {
      w[i] = static_cast<float>(0.005 * rng.Normal((round + 1) * w.size() + i));
    }
    ASSERT_TRUE((*session)->StageWeights().ok());
    ASSERT_TRUE((*session)->Run(*launch).ok());
    std::vector<double> expected(y.size());
    for (int64_t o = 0; o < n; ++o) {
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t t = 0; t < s; ++t) {
          expected[static_cast<size_t>(o * s + t)] +=
              static_cast<double>(w[static_cast<size_t>(o * n + i)]) *
              static_cast<double>(x[static_cast<size_t>(i * s + t)]);
        }
      }
    }
    const double error = NormError<float, double>(y.span(), expected);
    EXPECT_LE(error, Gamma(DType::kFp32, n)) << "round " << round;
  }
  EXPECT_EQ((*session)->compiles().programs, compiled);
}

// The reference's test_weight_patch: x times 2 I is exactly twice x times I, in the same program.
TEST_P(Recompilation, DoubledWeightsDoubleTheOutputExactly) {
  for (const kernels::Binding binding : {kernels::Binding::kPacked, kernels::Binding::kSeparate}) {
    auto device = app::OpenDevice(GetParam(), {.precision = Precision::kFp32});
    auto session =
        runtime::Session<float>::Open(**device, {.config = TinyMha(), .binding = binding});
    ASSERT_TRUE(session.ok());
    const auto n = static_cast<size_t>(TinyMha().dim), s = static_cast<size_t>(TinyMha().seq);
    AlignedBuffer<float> x(n * s), w(n * n), y(n * s);
    const Rng rng(1, 2);
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(rng.Normal(i));
    for (size_t i = 0; i < n; ++i) w[i * n + i] = 1.0f;
    auto launch = (*session)->Prepare(kernels::KernelId::kWoFwd, 0,
                                      {{"attn", x.data()}, {"wo", w.data()}, {"o", y.data()}});
    ASSERT_TRUE(launch.ok());
    for (const float factor : {1.0f, 2.0f, -0.5f}) {
      for (size_t i = 0; i < n; ++i) w[i * n + i] = factor;
      ASSERT_TRUE((*session)->StageWeights().ok());
      ASSERT_TRUE((*session)->Run(*launch).ok());
      for (size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], factor * x[i]) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, Recompilation, ::testing::Values("reference", "cpu"));

}  // namespace
}  // namespace millwright::testing
