// The gradient of the loss with respect to every parameter, through the ten kernels.
#include <gmock/gmock.h>

#include "base/tolerance.h"
#include "tests/training/forwarding_device.h"
#include "tests/training/gradient_check.h"

namespace millwright::testing {
namespace {

// ||g - g_num|| / ||g_num|| that the exact gradient must reach. Programs hold their constants
// (rotary tables, scales, eps) in fp32, which the host steps do not round: 2^-24 each, a few of
// them in a row.
double ExactTolerance() { return 1e-6; }

std::string NameOfGradient(const ::testing::TestParamInfo<GradientCase>& info) {
  const GradientCase& test = info.param;
  std::string name = ConfigName(test.config) + "_" + std::string(BindingName(test.binding));
  if (test.residual_alpha != 1.0) name += "_alpha";
  if (test.act_clip > 0) name += "_clip";
  if (test.lora.enabled()) name += "_lora";
  if (test.batch > 1) name += "_batch" + std::to_string(test.batch);
  if (test.recompute) name += "_recompute";
  if (test.offload.any()) name += "_" + kernels::OffloadNames(test.offload);
  std::erase_if(name, [](char c) { return c == ',' || c == '-'; });
  return name;
}

std::vector<GradientCase> AllGradientCases() {
  std::vector<GradientCase> cases;
  for (const model::ModelConfig& config : TinyConfigs()) {
    for (kernels::Binding binding : kBindings) {
      cases.push_back({.config = config, .binding = binding});
      // Adapters and their bases both trained, so that every way of a gradient is seen.
      cases.push_back({.config = config, .binding = binding, .lora = LoraEverywhere()});
    }
  }
  cases.push_back({.config = Untied(TinyMha())});
  cases.push_back({.config = Untied(TinyGqa(model::RotaryLayout::kHalfSplit))});
  cases.push_back({.config = TinyMha(), .residual_alpha = 0.35});
  cases.push_back({.config = TinyGqa(model::RotaryLayout::kHalfSplit), .act_clip = 0.4});
  for (const char* name : {"rmsnorm", "classifier", "softmax", "rmsnorm-bwd"}) {
    cases.push_back({.config = Untied(TinyMha()), .offload = *kernels::ParseOffload(name)});
  }
  for (kernels::Binding binding : kBindings) {
    const auto gqa = TinyGqa(model::RotaryLayout::kHalfSplit);
    cases.push_back({.config = gqa, .binding = binding, .batch = 2});
    cases.push_back({.config = gqa, .binding = binding, .offload = OffloadEverything()});
    cases.push_back({.config = TinyMha(), .binding = binding, .batch = 3, .recompute = true});
    cases.push_back({.config = gqa,
                     .binding = binding,
                     .act_clip = 0.4,
                     .lora = LoraEverywhere(),
                     .batch = 2,
                     .recompute = true});
  }
  return cases;
}

// The cases of which `keep` holds.
template <class Keep>
std::vector<GradientCase> CasesWhere(const Keep& keep) {
  std::vector<GradientCase> cases = AllGradientCases();
  std::erase_if(cases, [&](const GradientCase& test) { return !keep(test); });
  return cases;
}

class Gradient : public ::testing::TestWithParam<GradientCase> {};
class UnclippedGradient : public Gradient {};
class BatchGradient : public Gradient {};

TEST_P(Gradient, EqualsComplexStepThroughTheScalarModel) {
  GradientRun<double> run(GetParam());
  ScalarModel<std::complex<double>> model(run.network->session().spec(), GetParam().act_clip);
  CopyParameters(*run.network, &model);
  EXPECT_NEAR(run.Loss(), model.Loss(run.rows, run.targets).real(),
              Gamma(DType::kFp32, run.network->config().layers * 8));
  const Gradients actual = run.Backward();
  const Gradients expected = ComplexStep(model, run.rows, run.targets);
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, gradient] : expected) {
    EXPECT_GT(Norm2(std::span(gradient)), 0.0) << name;
    EXPECT_LE(NormError(std::span(actual.at(name)), std::span(gradient)), ExactTolerance()) << name;
  }
}

// Fourth-order central differences of the loss that the kernels themselves compute; a few elements
// of every tensor, since the test above has them all. Not with act_clip, whose factor is a constant
// to the gradient and none to the loss.
TEST_P(UnclippedGradient, EqualsCentralDifferencesThroughTheKernels) {
  GradientRun<double> run(GetParam());
  const Gradients actual = run.Backward();
  constexpr double kStep = 0x1p-10;
  for (auto& p : run.network->parameters().all()) {
    std::vector<double> analytic, numeric;
    for (int64_t pick = 0; pick < 4; ++pick) {
      const auto i = static_cast<size_t>(pick * (p.count() - 1) / 3);
      const double before = p.value[i];
      double sum = 0;
      for (const auto& [offset, weight] :
           {std::pair{1.0, 8.0}, {-1.0, -8.0}, {2.0, -1.0}, {-2.0, 1.0}}) {
        p.value[i] = before + offset * kStep;
        run.Stage();
        sum += weight * run.Loss();
      }
      p.value[i] = before;
      numeric.push_back(sum / (12 * kStep));
      analytic.push_back(actual.at(p.spec.name)[i]);
    }
    // Relative to the whole tensor's gradient, as the few elements may be small by chance.
    const double scale = Norm2(std::span(actual.at(p.spec.name)));
    for (size_t i = 0; i < numeric.size(); ++i) {
      EXPECT_NEAR(analytic[i], numeric[i], ExactTolerance() * scale)
          << p.spec.name << " pick " << i;
    }
  }
}

// A gradient is linear in the scale of dlogits; no step may drop the factor.
TEST_P(Gradient, IsLinearInTheLossScale) {
  GradientRun<double> run(GetParam());
  const Gradients plain = run.Backward(), scaled = run.Backward(256.0);
  for (const auto& [name, gradient] : plain) {
    EXPECT_LE(NormError(std::span(scaled.at(name)), std::span(gradient)), Gamma(DType::kFp64, 4096))
        << name;
  }
}

// The loss of a batch is the mean of its sequences' losses, and so is its gradient. Both sum the
// positions in another order.
TEST_P(BatchGradient, IsTheMeanOfItsSequences) {
  const GradientCase& test = GetParam();
  GradientRun<double> all(test);
  const double loss = all.Loss();
  const Gradients expected = all.Backward();
  GradientCase alone = test;
  alone.batch = 1;
  GradientRun<double> one(alone);
  const auto rows = all.rows, targets = all.targets;
  double mean = 0;
  Gradients sum;
  for (int64_t n = 0; n < test.batch; ++n) {
    const auto begin = n * test.config.seq, end = begin + test.config.seq;
    one.rows.assign(rows.begin() + begin, rows.begin() + end);
    one.targets.assign(targets.begin() + begin, targets.begin() + end);
    mean += one.Loss() / static_cast<double>(test.batch);
    for (const auto& [name, gradient] : one.Backward()) {
      auto& total = sum[name];
      total.resize(gradient.size());
      for (size_t i = 0; i < gradient.size(); ++i) {
        total[i] += gradient[i] / static_cast<double>(test.batch);
      }
    }
  }
  EXPECT_NEAR(loss, mean, Gamma(DType::kFp64, 4096));
  for (const auto& [name, gradient] : expected) {
    EXPECT_LE(NormError(std::span(gradient), std::span(std::as_const(sum).at(name))),
              Gamma(DType::kFp64, 65536))
        << name;
  }
}

// What is computed again is what was there.
TEST_P(Gradient, RecomputationChangesNoBit) {
  GradientCase test = GetParam();
  for (const char* device : {"reference", "cpu"}) {
    test.device = device;
    test.precision = Precision::kFp32;
    test.recompute = false;
    GradientRun<float> kept(test);
    test.recompute = true;
    GradientRun<float> again(test);
    EXPECT_EQ(kept.Loss(), again.Loss()) << device;
    EXPECT_EQ(kept.Backward(), again.Backward()) << device;
    EXPECT_LT(again.network->plan().buffers.size(), kept.network->plan().buffers.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Reference, Gradient, ::testing::ValuesIn(AllGradientCases()),
                         NameOfGradient);
INSTANTIATE_TEST_SUITE_P(Reference, UnclippedGradient,
                         ::testing::ValuesIn(CasesWhere([](const GradientCase& test) {
                           return test.act_clip == 0;
                         })),
                         NameOfGradient);
INSTANTIATE_TEST_SUITE_P(Reference, BatchGradient,
                         ::testing::ValuesIn(CasesWhere([](const GradientCase& test) {
                           return test.batch > 1;
                         })),
                         NameOfGradient);

// The roundings that a gradient element passes: per layer about ten products, the longest of
// hidden_dim or head terms; their effect is amplified by the network's conditioning, for which the
// factor 16 stands.
double Fp32Tolerance(const model::ModelConfig& config) {
  const int64_t longest = std::max({config.hidden_dim, config.q_dim(), config.vocab, config.seq});
  return 16 * Gamma(DType::kFp32, 10 * config.layers * longest);
}

class CpuGradient : public ::testing::TestWithParam<GradientCase> {};

TEST_P(CpuGradient, EqualsTheExactGradient) {
  GradientCase cpu = GetParam();
  cpu.device = "cpu";
  cpu.precision = Precision::kFp32;
  for (const bool fuse : {true, false}) {
    cpu.fuse_attention_backward = fuse;
    GradientRun<float> run(cpu);
    GradientRun<double> exact(GetParam());
    const Gradients actual = run.Backward(), expected = exact.Backward();
    for (const auto& [name, gradient] : expected) {
      EXPECT_LE(NormError(std::span(actual.at(name)), std::span(gradient)),
                Fp32Tolerance(cpu.config))
          << name << (fuse ? " fused" : " split");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cpu, CpuGradient, ::testing::ValuesIn(AllGradientCases()), NameOfGradient);

// Multiplies by Wo where backward needs its transpose: the seeds' bug. All shapes fit, since dim
// and q_dim are equal, and the loss still falls for a while.
class UntransposedWo : public ForwardingDevice {
 public:
  using ForwardingDevice::ForwardingDevice;
  Result<std::unique_ptr<device::Executable>> Compile(const mil::Program& program,
                                                      const mil::WeightStore& weights) override {
    mil::Program wrong = program;
    mil::Function& function = wrong.functions.front();
    const auto is_wo = [&](mil::ValueId input) { return function.value(input).id == "wo"; };
    if (std::ranges::any_of(function.inputs, is_wo)) {
      for (mil::Operation& operation : function.operations) Untranspose(operation);
    }
    return ForwardingDevice::Compile(wrong, weights);
  }

 private:
  // woFwd has no transpose; wotBwd has one.
  static void Untranspose(mil::Operation& operation) {
    for (mil::Attribute& attribute : operation.attributes) {
      const bool flag = attribute.key == "val" && attribute.value.type().dtype == DType::kBool;
      if (flag) attribute.value = mil::Constant::Bool(false);
    }
  }
};

TEST(GradientMutation, AWeightOfTheWrongOrientationIsNoticed) {
  const GradientCase right = {.config = TinyMha()};
  GradientCase wrong = right;
  wrong.wrap = [](std::unique_ptr<device::Device> device) {
    return std::make_unique<UntransposedWo>(std::move(device));
  };
  GradientRun<double> good(right), bad(wrong);
  EXPECT_EQ(good.Loss(), bad.Loss()) << "forward is as it was";
  const Gradients expected = good.Backward(), actual = bad.Backward();
  ASSERT_EQ(actual.size(), expected.size());
  for (const char* projection : {"q_proj", "k_proj", "v_proj"}) {
    const std::string name = std::string("model.layers.0.self_attn.") + projection + ".weight";
    EXPECT_GT(NormError(std::span(actual.at(name)), std::span(expected.at(name))),
              1e5 * ExactTolerance())
        << name;
  }
}

}  // namespace
}  // namespace millwright::testing
