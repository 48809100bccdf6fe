// Twenty updates of two tiny models, micro-step by micro-step, against PyTorch's
// (goldens/README.md).
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "app/open_device.h"
#include "base/tolerance.h"
#include "checkpoint/safetensors.h"
#include "tests/training/tiny_models.h"
#include "train/network.h"
#include "train/optimizer.h"
#include "train/options.h"
#include "train/schedule.h"

namespace millwright::testing {
namespace {

struct Golden {
  nlohmann::json json;
  model::ModelConfig config;
};

Golden ReadGolden(const std::string& name) {
  std::ifstream file("tests/training/goldens/" + name + ".json");
  Golden golden{nlohmann::json::parse(file), {}};
  nlohmann::json config = golden.json["config"];
  config["title"] = name;
  auto parsed = train::ConfigFromJson(config);
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().message);
  golden.config = *parsed;
  return golden;
}

struct TrajectoryCase {
  std::string golden, device;
  kernels::Binding binding;
};

std::string NameOfTrajectory(const ::testing::TestParamInfo<TrajectoryCase>& info) {
  return info.param.golden + "_" + info.param.device + "_" +
         std::string(BindingName(info.param.binding));
}

class Trajectory : public ::testing::TestWithParam<TrajectoryCase> {
 protected:
  void SetUp() override {
    golden_ = ReadGolden(GetParam().golden);
    auto device = app::OpenDevice(GetParam().device, {.precision = Precision::kFp32});
    ASSERT_TRUE(device.ok()) << device.error().message;
    device_ = std::move(*device);
    auto network = train::Network<float>::Create(
        *device_,
        {.config = golden_.config,
         .binding = GetParam().binding,
         .residual_alpha = golden_.json["training"]["residual_alpha"]},
        FullVocab(golden_.config));
    ASSERT_TRUE(network.ok()) << network.error().message;
    network_ = std::move(*network);
    auto tensors = checkpoint::Safetensors::Open("tests/training/goldens/" + GetParam().golden +
                                                 ".safetensors");
    ASSERT_TRUE(tensors.ok()) << tensors.error().message;
    for (auto& p : network_->parameters().all()) {
      const Status read = tensors->Read("init." + p.spec.name, p.spec.shape, p.value.span());
      ASSERT_TRUE(read.ok()) << read.error().message;
      auto& gradient = first_gradient_[p.spec.name];
      gradient.resize(static_cast<size_t>(p.count()));
      ASSERT_TRUE(tensors->Read("grad." + p.spec.name, p.spec.shape, gradient).ok());
    }
    ASSERT_TRUE(network_->StageWeights().ok());
  }

  double MicroStep(size_t index) {
    const auto window = golden_.json["windows"][index].get<std::vector<int32_t>>();
    const std::span<const int32_t> tokens(window);
    auto loss = network_->LossAndGradient(tokens.first(tokens.size() - 1), tokens.subspan(1), 1.0);
    EXPECT_TRUE(loss.ok());
    return *loss;
  }

  Golden golden_;
  std::unique_ptr<device::Device> device_;
  std::unique_ptr<train::Network<float>> network_;
  std::map<std::string, std::vector<float>> first_gradient_;
};

TEST_P(Trajectory, FirstGradientEqualsPyTorchs) {
  MicroStep(0);
  const auto& c = golden_.config;
  const double tolerance =
      16 * Gamma(DType::kFp32, 10 * c.layers * std::max(c.hidden_dim, c.vocab));
  for (const auto& p : network_->parameters().all()) {
    const auto& expected = first_gradient_.at(p.spec.name);
    EXPECT_LE((NormError<float, float>(p.grad.span(), expected)), tolerance) << p.spec.name;
  }
}

TEST_P(Trajectory, LossesEqualPyTorchs) {
  const auto& t = golden_.json["training"];
  const int64_t accum = t["accum"], updates = t["updates"], total = t["total_micro_steps"];
  size_t step = 0;
  for (int64_t update = 0; update < updates; ++update) {
    for (int64_t i = 0; i < accum; ++i, ++step) {
      // The bound for twenty updates of a chaotic process in another arithmetic.
      EXPECT_NEAR(MicroStep(step), golden_.json["loss"][step].get<double>(), 1e-4)
          << "step " << step;
    }
    const double scale = 1.0 / static_cast<double>(accum);
    const auto norms = train::MeasureGradients(network_->parameters(), network_->vocab(), scale);
    const double expected_norm = golden_.json["grad_norm"][static_cast<size_t>(update)];
    EXPECT_LE(RelativeError(norms.total, expected_norm), 1e-3) << "update " << update;
    const double lr =
        train::LearningRate(static_cast<int64_t>(step) - 1, t["lr"], t["warmup"], total);
    EXPECT_LE(RelativeError(lr, golden_.json["lr"][static_cast<size_t>(update)]),
              Gamma(DType::kFp64, 16));
    train::Update(network_->parameters(), norms,
                  {.lr = lr,
                   .clip = t["clip"],
                   .weight_decay = t["weight_decay"],
                   .gradient_scale = scale,
                   .adam_step = update + 1});
    ASSERT_TRUE(network_->StageWeights().ok());
  }
}

std::vector<TrajectoryCase> AllTrajectoryCases() {
  std::vector<TrajectoryCase> cases;
  for (const char* golden : {"tiny_mha", "tiny_gqa"}) {
    for (const char* device : {"reference", "cpu"}) {
      for (kernels::Binding binding : kBindings) cases.push_back({golden, device, binding});
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, Trajectory, ::testing::ValuesIn(AllTrajectoryCases()),
                         NameOfTrajectory);

}  // namespace
}  // namespace millwright::testing
