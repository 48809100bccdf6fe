// Training with products in 8 bits.
#include <gmock/gmock.h>

#include "base/tolerance.h"
#include "tests/training/gradient_check.h"

namespace millwright::testing {
namespace {

// The tiny models, with sides that are large enough for 8 bits.
std::vector<model::ModelConfig> Int8Configs() {
  model::ModelConfig mha = TinyMha();
  mha.dim = 36, mha.hidden_dim = 52, mha.head_dim = 9 * 2, mha.seq = 19;
  model::ModelConfig gqa = TinyGqa(model::RotaryLayout::kHalfSplit);
  gqa.dim = 40, gqa.hidden_dim = 52, gqa.head_dim = 16, gqa.seq = 21;
  return {mha, gqa};
}

// The error of a gradient. Rounding to steps of absmax / 127 moves an element by step / sqrt(12) in
// the mean; the largest of k normal values is about sqrt(2 ln k) deviations. Both operands of the
// fourteen products of a layer are rounded, independently; the factor 4 stands for the network's
// conditioning.
double Int8Tolerance(const model::ModelConfig& config) {
  const auto longest = static_cast<double>(std::max(config.hidden_dim, config.q_dim()));
  const double rounding = std::sqrt(2 * std::log(longest)) / (127 * std::sqrt(12.0));
  return 4 * std::sqrt(2.0 * 14.0 * static_cast<double>(config.layers)) * rounding;
}

TEST(Int8, GradientIsThatOfFp32ButForRounding) {
  for (const model::ModelConfig& config : Int8Configs()) {
    GradientRun<float> narrow({.config = config, .device = "cpu", .precision = Precision::kInt8});
    GradientRun<float> fp32({.config = config, .device = "cpu", .precision = Precision::kFp32});
    const double loss = fp32.Loss();
    EXPECT_NEAR(narrow.Loss(), loss, Int8Tolerance(config) * loss);
    const Gradients actual = narrow.Backward(), expected = fp32.Backward();
    ASSERT_EQ(actual.size(), expected.size());
    for (const auto& [name, gradient] : expected) {
      const double error = NormError(actual.at(name), gradient);
      EXPECT_LE(error, Int8Tolerance(config)) << ConfigName(config) << " " << name;
      // An error as small as fp32's would mean that nothing was rounded.
      EXPECT_GE(error, Gamma(DType::kFp32, 1000)) << ConfigName(config) << " " << name;
    }
  }
}

// The 8-bit copies follow the weights: after an update the loss has the bits that a network which
// never had other weights gives.
TEST(Int8, CopiesFollowUpdates) {
  const GradientCase test = {
      .config = Int8Configs()[1], .device = "cpu", .precision = Precision::kInt8};
  const auto change = [](train::Network<float>& network) {
    for (auto& p : network.parameters().all()) {
      for (float& value : p.value.span()) value *= 0.75f;
    }
  };
  GradientRun<float> updated(test), fresh(test);
  const double before = updated.Loss();
  updated.Backward();
  change(*updated.network);
  updated.Stage();
  change(*fresh.network);
  fresh.Stage();
  EXPECT_EQ(updated.Loss(), fresh.Loss());
  EXPECT_NE(updated.Loss(), before);
  EXPECT_EQ(updated.Backward(), fresh.Backward());
}

TEST(Int8, EveryBindingHasIt) {
  std::vector<Gradients> all;
  for (const kernels::Binding binding : kBindings) {
    GradientRun<float> run({.config = Int8Configs()[0],
                            .binding = binding,
                            .device = "cpu",
                            .precision = Precision::kInt8});
    all.push_back(run.Backward());
  }
  for (const auto& [name, gradient] : all[0]) {
    for (size_t i = 1; i < all.size(); ++i) {
      EXPECT_LE(NormError(all[i].at(name), gradient), Int8Tolerance(Int8Configs()[0])) << name;
    }
  }
}

}  // namespace
}  // namespace millwright::testing
