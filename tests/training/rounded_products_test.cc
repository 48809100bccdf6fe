// Training with products of operands in 8 bits or bf16.
#include <gmock/gmock.h>

#include "base/tolerance.h"
#include "tests/training/forwarding_device.h"
#include "tests/training/gradient_check.h"

namespace millwright::testing {
namespace {

// The tiny models, with sides that are large enough to be rounded.
std::vector<model::ModelConfig> WideConfigs() {
  model::ModelConfig mha = TinyMha();
  mha.dim = 36, mha.hidden_dim = 52, mha.head_dim = 9 * 2, mha.seq = 19;
  model::ModelConfig gqa = TinyGqa(model::RotaryLayout::kHalfSplit);
  gqa.dim = 40, gqa.hidden_dim = 52, gqa.head_dim = 16, gqa.seq = 21;
  return {mha, gqa};
}

// By how much rounding moves an operand in the mean, relative to its own size. int8: steps of
// absmax / 127 move an element by step / sqrt(12), and the largest of k normal values is about
// sqrt(2 ln k) deviations. bf16: at most u, spread evenly.
double MeanRounding(const model::ModelConfig& config, Precision precision) {
  if (precision == Precision::kBf16) return UnitRoundoff(DType::kBf16) / std::sqrt(3.0);
  const auto longest = static_cast<double>(std::max(config.hidden_dim, config.q_dim()));
  return std::sqrt(2 * std::log(longest)) / (127 * std::sqrt(12.0));
}

// The error of a gradient: both operands of the fourteen products of a layer, and of the gradient's
// own, are rounded independently; the factor 4 stands for the network's conditioning.
double RoundedTolerance(const model::ModelConfig& config, Precision precision) {
  const double products = 14.0 * static_cast<double>(config.layers) + 1;
  return 4 * std::sqrt(2.0 * products) * MeanRounding(config, precision);
}

// An error as small as fp32's would mean that nothing was rounded.
double LeastError() { return Gamma(DType::kFp32, 1000); }

class RoundedProducts : public ::testing::TestWithParam<Precision> {
 protected:
  static GradientCase Case(const model::ModelConfig& config) {
    return {.config = config, .device = "cpu", .precision = GetParam()};
  }
};

TEST_P(RoundedProducts, GradientIsThatOfFp32ButForRounding) {
  for (const model::ModelConfig& config : WideConfigs()) {
    const double tolerance = RoundedTolerance(config, GetParam());
    GradientRun<float> narrow(Case(config));
    GradientRun<float> fp32({.config = config, .device = "cpu", .precision = Precision::kFp32});
    const double loss = fp32.Loss();
    EXPECT_NEAR(narrow.Loss(), loss, tolerance * loss);
    EXPECT_NE(narrow.Loss(), loss);
    const Gradients actual = narrow.Backward(), expected = fp32.Backward();
    ASSERT_EQ(actual.size(), expected.size());
    for (const auto& [name, gradient] : expected) {
      const double error = NormError(actual.at(name), gradient);
      EXPECT_LE(error, tolerance) << ConfigName(config) << " " << name;
      EXPECT_GE(error, LeastError()) << ConfigName(config) << " " << name;
    }
  }
}

// The narrow copies follow the weights: after an update the loss has the bits that a network which
// never had other weights gives.
TEST_P(RoundedProducts, CopiesFollowUpdates) {
  const GradientCase test = Case(WideConfigs()[1]);
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

TEST_P(RoundedProducts, EveryBindingHasThem) {
  const double tolerance = RoundedTolerance(WideConfigs()[0], GetParam());
  GradientRun<float> fp32(
      {.config = WideConfigs()[0], .device = "cpu", .precision = Precision::kFp32});
  const Gradients expected = fp32.Backward();
  for (const kernels::Binding binding : kBindings) {
    GradientCase test = Case(WideConfigs()[0]);
    test.binding = binding;
    const Gradients actual = GradientRun<float>(test).Backward();
    for (const auto& [name, gradient] : expected) {
      const double error = NormError(actual.at(name), gradient);
      EXPECT_LE(error, tolerance) << name;
      EXPECT_GE(error, LeastError()) << name;
    }
  }
}

TEST_P(RoundedProducts, SeveralSequencesAndRecomputationHaveThem) {
  GradientCase test = Case(WideConfigs()[1]);
  test.batch = 2;
  const Gradients kept = GradientRun<float>(test).Backward();
  test.recompute = true;
  EXPECT_EQ(GradientRun<float>(test).Backward(), kept);
  GradientCase plain = test;
  plain.precision = Precision::kFp32;
  for (const auto& [name, gradient] : GradientRun<float>(plain).Backward()) {
    EXPECT_LE(NormError(kept.at(name), gradient), RoundedTolerance(test.config, GetParam()))
        << name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, RoundedProducts,
                         ::testing::Values(Precision::kInt8, Precision::kBf16),
                         [](const auto& test) { return std::string(PrecisionName(test.param)); });

// A device that computes in fp32 and asks for gradients of rounded operands.
class AsksForRoundedGradients : public ForwardingDevice {
 public:
  explicit AsksForRoundedGradients(std::unique_ptr<device::Device> device)
      : ForwardingDevice(std::move(device)) {
    caps_.gradient_operands = DType::kBf16;
  }
};

// Everything else has the same bits: the gradients of a layer's matrices are the ends of the
// backward step.
TEST(RoundedGradients, AreThoseOfTheLayersMatricesAlone) {
  for (const model::ModelConfig& config : WideConfigs()) {
    GradientCase test = {.config = config, .device = "cpu", .precision = Precision::kFp32};
    const Gradients expected = GradientRun<float>(test).Backward();
    test.wrap = [](std::unique_ptr<device::Device> device) -> std::unique_ptr<device::Device> {
      return std::make_unique<AsksForRoundedGradients>(std::move(device));
    };
    GradientRun<float> run(test);
    const Gradients actual = run.Backward();
    // Of one product, whose two operands are rounded.
    const double tolerance = 4 * std::sqrt(2.0) * MeanRounding(config, Precision::kBf16);
    for (const auto& p : run.network->parameters().all()) {
      const std::string& name = p.spec.name;
      if (p.spec.is_norm() || p.spec.has_vocab_rows()) {
        EXPECT_EQ(actual.at(name), expected.at(name)) << name;
        continue;
      }
      const double error = NormError(actual.at(name), expected.at(name));
      EXPECT_LE(error, tolerance) << name;
      EXPECT_GE(error, LeastError()) << name;
    }
  }
}

// Several micro-steps add up in fp32.
TEST(RoundedGradients, AddUp) {
  GradientRun<float> run(
      {.config = WideConfigs()[0], .device = "cpu", .precision = Precision::kBf16});
  const Gradients once = run.Backward();
  ASSERT_TRUE(run.network->LossAndGradient(run.rows, run.targets, 1.0).ok());
  for (const auto& p : run.network->parameters().all()) {
    const std::vector<double> both(p.grad.span().begin(), p.grad.span().end());
    std::vector<double> twice = once.at(p.spec.name);
    for (double& value : twice) value *= 2;
    EXPECT_LE(NormError(both, twice), Gamma(DType::kFp32, 1000)) << p.spec.name;
  }
}

}  // namespace
}  // namespace millwright::testing
