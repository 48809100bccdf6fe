// What a run says it needs against what it allocates.
#include <gtest/gtest.h>

#include "tests/training/trainer_run.h"
#include "train/footprint.h"

namespace millwright::testing {
namespace {

uint64_t ParameterBytes(const train::ParameterSet<float>& parameters) {
  uint64_t bytes = 0;
  for (const auto& p : parameters.all()) {
    bytes += (p.value.size() + p.grad.size() + p.m.size() + p.v.size()) * sizeof(float);
    bytes += (p.m_bf16.size() + p.v_bf16.size()) * sizeof(Bf16);
  }
  return bytes;
}

uint64_t ActivationBytes(train::Network<float>& network) {
  uint64_t elements = static_cast<uint64_t>(network.vocab().rows() * network.positions());
  for (const auto& [name, buffer] : network.plan().buffers) {
    EXPECT_EQ(static_cast<int64_t>(network.Buffer(name).size()), buffer.rows * buffer.columns)
        << name;
    elements += network.Buffer(name).size();
  }
  return elements * sizeof(float);
}

struct FootprintCase {
  int64_t batch;
  const char* moments;
  bool recompute;
};

std::string NameOfFootprint(const ::testing::TestParamInfo<FootprintCase>& info) {
  return std::string(info.param.moments) + "_batch" + std::to_string(info.param.batch) +
         (info.param.recompute ? "_recompute" : "");
}

class Footprint : public ::testing::TestWithParam<FootprintCase> {
 protected:
  static train::Footprint Estimate(TrainerRun& run, train::Trainer& trainer) {
    return train::EstimateFootprint(run.options, *run.devices.back(),
                                    trainer.network().vocab().rows());
  }
};

TEST_P(Footprint, IsWhatTheNetworkAllocates) {
  TrainerRun run("cpu");
  run.options.batch = GetParam().batch;
  run.options.moments = GetParam().moments;
  run.options.recompute = GetParam().recompute;
  const auto trainer = run.Create();
  const train::Footprint footprint = Estimate(run, *trainer);
  EXPECT_EQ(footprint.parameter_bytes, ParameterBytes(trainer->network().parameters()));
  EXPECT_EQ(footprint.activation_bytes, ActivationBytes(trainer->network()));
}

INSTANTIATE_TEST_SUITE_P(All, Footprint,
                         ::testing::Values(FootprintCase{1, "fp32", false},
                                           FootprintCase{3, "fp32", false},
                                           FootprintCase{1, "bf16", true},
                                           FootprintCase{2, "bf16", true}),
                         NameOfFootprint);

// Recomputation keeps one vector of a position and layer instead of some forty.
TEST(FootprintOf, RecomputationGrowsWithLayersByTheirInputsAlone) {
  const auto bytes = [](int64_t layers, bool recompute) {
    TrainerRun run("cpu");
    run.options.config.layers = layers;
    run.options.recompute = recompute;
    const auto trainer = run.Create();
    return train::EstimateFootprint(run.options, *run.devices.back(),
                                    trainer->network().vocab().rows())
        .activation_bytes;
  };
  const model::ModelConfig config = TinyMha();
  const auto input = static_cast<uint64_t>(config.dim * config.seq) * sizeof(float);
  EXPECT_EQ(bytes(9, true) - bytes(2, true), 7 * input);
  EXPECT_GT(bytes(9, false) - bytes(2, false), 7 * 10 * input);
}

// A matrix of a layer has a copy for the product forward and one for that of the backward step.
TEST(FootprintOf, Bf16KeepsTwoCopiesOfEveryMatrix) {
  TrainerRun run("cpu");
  const auto trainer = run.Create();
  const auto surfaces = [&](const char* precision) {
    run.options.precision = precision;
    return train::EstimateFootprint(run.options, *run.devices.back(),
                                    trainer->network().vocab().rows())
        .surface_bytes;
  };
  uint64_t matrices = 0, norms = 0;
  for (const auto& p : trainer->network().parameters().all()) {
    if (!p.spec.has_vocab_rows()) (p.spec.is_norm() ? norms : matrices) += p.value.size();
  }
  const uint64_t copies = surfaces("bf16") - surfaces("fp32");
  EXPECT_GE(copies, 2 * sizeof(Bf16) * matrices);
  EXPECT_LE(copies, 2 * sizeof(Bf16) * (matrices + norms));
}

}  // namespace
}  // namespace millwright::testing
