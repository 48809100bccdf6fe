// LoRA: what an adapted network computes, learns, saves and exports. Its gradients are held to
// complex steps in gradient_test.cc, its kernels to their formulas in kernel_test.cc.
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include "base/tolerance.h"
#include "checkpoint/hf_folder.h"
#include "checkpoint/peft_adapter.h"
#include "tests/python_judge.h"
#include "tests/training/gradient_check.h"
#include "tests/training/trainer_run.h"

namespace millwright::testing {
namespace {

using model::LoraConfig;
using model::LoraPart;
using model::TensorRole;
using ::testing::HasSubstr;

LoraConfig SomeLora() {
  return {.rank = 2, .alpha = 3, .targets = {TensorRole::kWq, TensorRole::kWv, TensorRole::kW2}};
}

// Base weights that are far from their first values, adapters as they begin.
template <class T>
void FillBase(train::ParameterSet<T>& parameters) {
  FillForGradients(parameters, 11);
  for (auto& p : parameters.all()) {
    if (p.spec.part != LoraPart::kNone) model::InitAdapter(p.spec, 5, p.value.data());
  }
}

TEST(Lora, FirstLossIsThatOfTheBase) {
  for (const model::ModelConfig& config : TinyConfigs()) {
    for (const kernels::Binding binding : kBindings) {
      for (const char* device : {"reference", "cpu"}) {
        GradientCase test = {
            .config = config, .binding = binding, .device = device, .precision = Precision::kFp32};
        GradientRun<float> base(test);
        test.lora = LoraEverywhere();
        GradientRun<float> adapted(test);
        FillBase(adapted.network->parameters());
        adapted.Stage();
        EXPECT_EQ(adapted.Loss(), base.Loss()) << ConfigName(config) << " " << device;
      }
    }
  }
}

TEST(Lora, FirstValuesAreThoseOfPeft) {
  const auto table = model::AdapterTable(TinyMha(), SomeLora());
  ASSERT_EQ(table.size(), 12u);
  EXPECT_EQ(table[0].name, "model.layers.0.self_attn.q_proj.lora_A.weight");
  EXPECT_EQ(table[0].shape, (Shape{2, 16}));
  EXPECT_EQ(table[5].name, "model.layers.0.mlp.down_proj.lora_B.weight");
  EXPECT_EQ(table[5].shape, (Shape{16, 2}));
  const model::TensorSpec big = {.name = "a", .shape = {64, 400}, .part = LoraPart::kA};
  std::vector<float> values(64 * 400);
  model::InitAdapter(big, 1, values.data());
  double squares = 0, highest = 0;
  for (const float v : values) {
    squares += static_cast<double>(v) * v;
    highest = std::max(highest, std::fabs(static_cast<double>(v)));
  }
  // Uniform in +-1/20: of variance 1/1200.
  EXPECT_LE(highest, 0.05);
  EXPECT_GT(highest, 0.0499);
  EXPECT_NEAR(squares / static_cast<double>(values.size()), 1.0 / 1200, 2e-5);
}

class LoraOn : public ::testing::TestWithParam<const char*> {};

TEST_P(LoraOn, TrainsAdaptersAndNothingElse) {
  TrainerRun run(GetParam());
  run.options.lora = SomeLora();
  EventLog log;
  const auto before = run.Fresh(), after = run.Fresh();
  RunToEnd(*after, log);
  const auto& old = before->network().parameters().all();
  const auto& now = after->network().parameters().all();
  for (size_t i = 0; i < old.size(); ++i) {
    const bool adapter = old[i].spec.part != LoraPart::kNone;
    EXPECT_EQ(now[i].trained, adapter);
    EXPECT_EQ(SameBits(old[i].value, now[i].value), !adapter) << old[i].spec.name;
    if (!adapter) {
      EXPECT_EQ(now[i].grad.size() + now[i].m.size() + now[i].v.size(), 0u);
    }
  }
  EXPECT_EQ(after->network().parameters().trained_count(), 2 * 2 * (32 + 32 + 36));
}

// Eight words in a fixed order: predictable where the adapters learn it.
TEST_P(LoraOn, OverfitsAToy) {
  TrainerRun run(GetParam());
  run.options.lora = {.rank = 4, .alpha = 32, .targets = LoraEverywhere().targets};
  run.options.steps = 200;
  run.options.accum = 1;
  run.options.lr = 1e-2;  // at 3e-2 the loss jumps, and where it ends hangs on the last bits
  run.options.weight_decay = 0;
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < 200; ++i) ids.push_back(1 + i % 8);
  run.train = data::MakeTokenList(ids, "toy");
  run.options.vocab = data::VocabMode::kFull;
  EventLog log;
  const auto trainer = run.Create();
  FillBase(trainer->network().parameters());
  ASSERT_TRUE(trainer->network().StageWeights().ok());
  RunToEnd(*trainer, log);
  const auto losses = log.Losses();
  EXPECT_GT(losses.at(1), 2.0f);
  EXPECT_LT(losses.at(200), 0.2f * losses.at(1));
}

TEST_P(LoraOn, ResumesBitByBit) {
  for (const model::ModelConfig& config : TinyConfigs()) {
    TrainerRun straight(GetParam()), stopped(GetParam());
    for (TrainerRun* run : {&straight, &stopped}) {
      run->options.config = config;
      run->options.lora = SomeLora();
      run->train = data::MakeTokenList(DrawWords({1, 2, 3, 5, 8, 13}, 200, 1), "train");
    }
    EventLog log, first, second;
    const auto whole = straight.Fresh();
    RunToEnd(*whole, log);
    first.stop_after = 8;
    RunToEnd(*stopped.Fresh(), first, train::RunEnd::kInterrupted);
    const auto resumed = stopped.Resumed();
    EXPECT_EQ(resumed->micro_steps_done(), 6);
    RunToEnd(*resumed, second);
    ExpectSameParameters(*whole, *resumed);
    EXPECT_EQ(second.Losses().at(12), log.Losses().at(12));
    stopped.options.lora.alpha = 4;
    const auto other = stopped.Create();
    const Status refused = other->Load(stopped.Latest());
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, HasSubstr("lora-alpha"));
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, LoraOn, ::testing::Values("reference", "cpu"));

std::vector<float> ReadTensor(const checkpoint::Safetensors& file, const std::string& name,
                              const Shape& shape) {
  std::vector<float> data(static_cast<size_t>(NumElements(shape)));
  const Status status = file.Read(name, shape, data);
  EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
  return data;
}

// A base in Hugging Face's format, a run that adapts it, and what the run exports.
class ExportedLora : public ::testing::TestWithParam<model::ModelConfig> {
 protected:
  void SetUp() override {
    run_.options.config = GetParam();
    run_.options.vocab = data::VocabMode::kFull;
    run_.options.lora = LoraEverywhere();
    run_.train = data::MakeTokenList(DrawWords({1, 2, 3, 5, 8, 13}, 200, 1), "train");
    trainer_ = run_.Create();
    FillBase(trainer_->network().parameters());
    ASSERT_TRUE(trainer_->network().StageWeights().ok());
    WriteBase();
    EventLog log;
    RunToEnd(*trainer_, log);
  }

  // Before training, B is zero: the model is the base.
  void WriteBase() {
    const auto source = [&](const model::TensorSpec& spec, std::span<float> out) -> Status {
      const auto& value = trainer_->network().parameters().Get(spec.role, spec.layer).value;
      std::copy(value.span().begin(), value.span().end(), out.begin());
      return {};
    };
    const Status status = checkpoint::WriteHfFolder(Base(), GetParam(), source, {});
    ASSERT_TRUE(status.ok()) << status.error().message;
  }

  std::string Base() const { return run_.folder.File("base"); }
  std::string Model() const { return run_.folder.File("run/model"); }
  std::string Adapter() const { return run_.folder.File("run/adapter"); }

  TrainerRun run_{"cpu"};
  std::unique_ptr<train::Trainer> trainer_;
};

// In Hugging Face's layout, tensor by tensor: base + scale * B A is the merged model.
TEST_P(ExportedLora, AdapterOnTheBaseIsTheMergedModel) {
  const auto base = checkpoint::Safetensors::Open(Base() + "/model.safetensors");
  const auto merged = checkpoint::Safetensors::Open(Model() + "/model.safetensors");
  const auto adapter = checkpoint::Safetensors::Open(Adapter() + "/adapter_model.safetensors");
  ASSERT_TRUE(base.ok() && merged.ok() && adapter.ok());
  const LoraConfig& lora = run_.options.lora;
  EXPECT_EQ(adapter->entries().size(), 2u * 7u * 2u);
  for (const model::TensorSpec& spec : model::TensorTable(GetParam())) {
    std::vector<float> expected = ReadTensor(*base, spec.name, spec.shape);
    const std::vector<float> actual = ReadTensor(*merged, spec.name, spec.shape);
    if (!lora.Adapts(spec.role)) {
      EXPECT_EQ(actual, expected) << spec.name;
      continue;
    }
    EXPECT_NE(actual, expected) << spec.name;
    const std::string stem =
        "base_model.model." + spec.name.substr(0, spec.name.size() - std::string("weight").size());
    const auto a = ReadTensor(*adapter, stem + "lora_A.weight", {lora.rank, spec.shape[1]});
    const auto b = ReadTensor(*adapter, stem + "lora_B.weight", {spec.shape[0], lora.rank});
    model::MergeAdapter(lora.rank, lora.scale(), a, b, expected);
    EXPECT_LE(NormError(std::span<const float>(actual), std::span<const float>(expected)),
              Gamma(DType::kFp32, 1))
        << spec.name;
  }
}

// The merged model is an ordinary one, with the loss of the adapted network.
TEST_P(ExportedLora, MergedModelHasTheLossOfTheAdaptedNetwork) {
  const auto model = checkpoint::HfFolder::Open(Model());
  ASSERT_TRUE(model.ok()) << model.error().message;
  model::ModelConfig config = model->config();
  config.seq = GetParam().seq;
  const auto device = *app::OpenDevice("cpu", {});
  auto network = train::Network<float>::Create(
      *device, {.config = config, .moments = train::Moments::kNone, .gradients = false},
      FullVocab(config));
  ASSERT_TRUE(network.ok()) << network.error().message;
  for (auto& p : (*network)->parameters().all()) {
    ASSERT_TRUE(model->Read(p.spec, p.value.span()).ok());
  }
  ASSERT_TRUE((*network)->StageWeights().ok());
  const auto rows = RandomRows(config, 1), targets = RandomRows(config, 2);
  const double expected = *trainer_->network().Loss(rows, targets);
  EXPECT_LE(RelativeError(*(*network)->Loss(rows, targets), expected),
            Gamma(DType::kFp32, 64 * config.layers));
}

TEST_P(ExportedLora, ConfigIsPefts) {
  const auto config = nlohmann::json::parse(
      checkpoint::ReadBytes(Adapter() + "/adapter_config.json"), nullptr, false);
  ASSERT_TRUE(config.is_object());
  EXPECT_EQ(config["peft_type"], "LORA");
  EXPECT_EQ(config["r"], 2);
  EXPECT_EQ(config["lora_alpha"], 3.0);
  EXPECT_EQ(config["target_modules"], (nlohmann::json{"q_proj", "k_proj", "v_proj", "o_proj",
                                                      "gate_proj", "up_proj", "down_proj"}));
}

// Base and adapter, put together by PEFT, compute what the adapted network computes.
TEST_P(ExportedLora, PeftComputesTheSameLogits) {
  if (!PythonImports("torch, transformers, peft")) GTEST_SKIP() << "PEFT is not installed";
  const auto rows = RandomRows(GetParam(), 1);
  const auto judged = RunPythonJudge(
      {"tests/training/peft_judge.py", Base(), Adapter(), fmt::format("{}", fmt::join(rows, ","))});
  ASSERT_TRUE(judged.is_object());
  const auto logits = trainer_->network().Logits(rows);
  ASSERT_TRUE(logits.ok());
  std::vector<float> expected(logits->size());
  for (size_t t = 0; t < rows.size(); ++t) {
    const auto& position = judged["logits"].at(t);
    ASSERT_EQ(position.size() * rows.size(), expected.size());
    for (size_t w = 0; w < position.size(); ++w) {
      expected[w * rows.size() + t] = position[w].get<float>();
    }
  }
  EXPECT_LE(NormError(*logits, std::span<const float>(expected)),
            Gamma(DType::kFp32, 64 * GetParam().layers));
}

INSTANTIATE_TEST_SUITE_P(Configs, ExportedLora, ::testing::ValuesIn(TinyConfigs()),
                         [](const auto& test) { return ConfigName(test.param); });

TEST(Lora, TargetsAreProjections) {
  const auto targets = model::ParseLoraTargets("v_proj,q_proj");
  ASSERT_TRUE(targets.ok());
  EXPECT_EQ(*targets, (std::vector{TensorRole::kWq, TensorRole::kWv}));
  EXPECT_EQ(model::LoraTargetNames({.rank = 1, .alpha = 1, .targets = *targets}), "q_proj,v_proj");
  for (const auto& [list, what] : {std::pair{"q_proj,lm_head", "'lm_head'"},
                                   {"q_proj,q_proj", "twice"},
                                   {"", "no projection"},
                                   {"q_proj,,v_proj", "''"}}) {
    const auto refused = model::ParseLoraTargets(list);
    ASSERT_FALSE(refused.ok()) << list;
    EXPECT_THAT(refused.error().message, HasSubstr(what));
  }
  LoraConfig lora = SomeLora();
  EXPECT_TRUE(Validate(lora, TinyMha()).ok());
  lora.rank = 17;
  EXPECT_THAT(Validate(lora, TinyMha()).error().message, HasSubstr("--lora-rank 17"));
  lora = SomeLora();
  lora.alpha = 0;
  EXPECT_THAT(Validate(lora, TinyMha()).error().message, HasSubstr("--lora-alpha 0"));
}

}  // namespace
}  // namespace millwright::testing
