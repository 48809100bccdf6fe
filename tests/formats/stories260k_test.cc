// A published model (llama2.c's stories260K: 8 query heads on 4 kv heads) through every format.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/tolerance.h"
#include "checkpoint/test_folder.h"
#include "data/token_file.h"
#include "model/rotary_layout.h"
#include "tests/app/greedy_golden.h"
#include "tests/formats/loaded_model.h"
#include "tests/python_judge.h"
#include "tests/shared_folder.h"

namespace millwright::testing {
namespace {

using checkpoint::TestFolder;
using nlohmann::json;
using ::testing::HasSubstr;

constexpr int64_t kSeq = 64;

class Stories260K : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto shared = SharedFolder();
    if (!shared) GTEST_SKIP() << "the folder of sample data is absent";
    v0_ = (*shared / "data/stories260K/stories260K.bin").string();
    v1_ = (*shared / "data/stories260K/checkpoint_v1.bin").string();
    const auto shard = (*shared / "data/tinystories/valid.tok512.bin").string();
    auto tokens = data::OpenTokenFile(shard, {.vocab = 512});
    ASSERT_TRUE(tokens.ok()) << tokens.error().message;
    window_.resize(kSeq + 1);
    (*tokens)->Copy(0, window_);
  }

  std::vector<int32_t> Tokens() const { return {window_.begin(), window_.end() - 1}; }

  double Loss(const std::string& path) const {
    LoadedModel model(path, kSeq);
    EXPECT_NE(model.network, nullptr);
    const std::span<const int32_t> all(window_);
    const auto loss = model.network->Loss(all.first(kSeq), all.subspan(1));
    EXPECT_TRUE(loss.ok());
    return *loss;
  }

  // The weights of a file of version 0, without the rotary tables, which are computed anew.
  static void ExpectSameWeights(const std::string& actual, const std::string& expected) {
    const auto a = app::OpenStoredModel(actual), e = app::OpenStoredModel(expected);
    ASSERT_TRUE(a.ok()) << a.error().message;
    ASSERT_TRUE(e.ok()) << e.error().message;
    for (const auto& spec : model::TensorTable(e->config)) {
      std::vector<float> x = ReadTensor(*a, spec), y = ReadTensor(*e, spec);
      model::ConvertRotary(a->config, spec, a->config.rotary, e->config.rotary, x);
      EXPECT_EQ(std::memcmp(x.data(), y.data(), x.size() * sizeof(float)), 0) << spec.name;
    }
  }

  static std::vector<float> Judged(const std::string& path, const std::vector<int32_t>& tokens) {
    const json judged = RunPythonJudge({"tools/judge_llama2c.py", path, JoinIds(tokens)});
    EXPECT_TRUE(judged.is_object()) << path;
    std::vector<float> logits;
    for (const json& row : judged["logits"]) {
      for (const json& value : row) logits.push_back(value.get<float>());
    }
    return logits;
  }

  std::string v0_, v1_;
  std::vector<int32_t> window_;
};

// It was trained on these stories.
TEST_F(Stories260K, PredictsStories) {
  EXPECT_LT(Loss(v0_), 2.0);
  EXPECT_EQ(Loss(v0_), Loss(v1_));
}

TEST_F(Stories260K, EveryFormatHoldsTheSameWeights) {
  const TestFolder out;
  const double loss = Loss(v0_);
  const GreedyGolden golden = Stories260KGolden();
  std::string from = v0_;
  int step = 0;
  for (const char* format : {"hf", "llama2c-v1", "blzt", "hf", "llama2c", "llama2c-v1", "llama2c",
                             "blzt", "llama2c-v1", "hf"}) {
    const std::string to = out.File(std::to_string(step++));
    ConvertModel(from, to, {"--format", format});
    EXPECT_EQ(std::string(format) == "hf", std::filesystem::is_directory(to));
    // BLZT's scale, 1/sqrt(2 * 5 layers), is no power of two: its weights round once.
    const bool rounded = std::string(format) == "blzt" || step > 3;
    if (!rounded) ExpectSameWeights(to, v0_);
    EXPECT_NEAR(Loss(to), loss, 1e-5) << format;
    ExpectGreedyTokens(to, golden);
    from = to;
  }
}

// llama2.c reads version 0: an independent reader continues our file as it does the published one.
TEST_F(Stories260K, JudgeContinuesWhatWeWrite) {
  if (!PythonImports("numpy")) GTEST_SKIP() << "NumPy is not installed";
  const TestFolder out;
  ConvertModel(v0_, out.File("hf"), {"--format", "hf"});
  ConvertModel(out.File("hf"), out.File("v0.bin"), {"--format", "llama2c"});
  const GreedyGolden golden = Stories260KGolden();
  const json judged =
      RunPythonJudge({"tools/judge_llama2c.py", out.File("v0.bin"), JoinIds(golden.context),
                      "--greedy", std::to_string(golden.drawn.size())});
  ASSERT_TRUE(judged.is_object());
  EXPECT_EQ(judged["tokens"].get<std::vector<int32_t>>(), golden.drawn);
}

TEST_F(Stories260K, Fp32FormatsGiveBackTheVeryFile) {
  const TestFolder out;
  ConvertModel(v0_, out.File("hf"), {"--format", "hf"});
  ConvertModel(out.File("hf"), out.File("v1.bin"), {"--format", "llama2c-v1"});
  EXPECT_EQ(checkpoint::ReadBytes(out.File("v1.bin")), checkpoint::ReadBytes(v1_));
  ConvertModel(out.File("v1.bin"), out.File("v0.bin"), {"--format", "llama2c"});
  const std::string written = checkpoint::ReadBytes(out.File("v0.bin"));
  const std::string published = checkpoint::ReadBytes(v0_);
  ASSERT_EQ(written.size(), published.size());
  // The rotary tables come last here; ours are rounded once, llama2.c's angles are floats.
  const size_t tables = size_t{512} * 8 * sizeof(float);
  const size_t weights = published.size() - tables;
  EXPECT_EQ(written.substr(0, weights), published.substr(0, weights));
  std::vector<float> a(512 * 8), e(512 * 8);
  std::memcpy(a.data(), written.data() + weights, tables);
  std::memcpy(e.data(), published.data() + weights, tables);
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], e[i], 1e-4) << i;
}

TEST_F(Stories260K, NarrowFoldersKeepTheirDtype) {
  const TestFolder out;
  for (const char* dtype : {"bf16", "fp16"}) {
    ConvertModel(v0_, out.File(dtype), {"--format", "hf", "--dtype", dtype});
    EXPECT_NEAR(Loss(out.File(dtype)), Loss(v0_), 0.02) << dtype;
    const CommandResult info = RunCommand(TinyMha(), {"info", out.File(dtype)});
    EXPECT_THAT(info.out, HasSubstr(std::string("weights     ") + dtype));
  }
}

TEST_F(Stories260K, JudgeComputesTheSameFromEveryVersion) {
  if (!PythonImports("numpy")) GTEST_SKIP() << "NumPy is not installed";
  const TestFolder out;
  ConvertModel(v0_, out.File("hf"), {"--format", "hf"});
  LoadedModel model(out.File("hf"), kSeq);
  ASSERT_NE(model.network, nullptr);
  const std::vector<float> logits = model.Logits(Tokens());
  EXPECT_LE((NormError<float, float>(logits, Judged(v0_, Tokens()))), 1e-5);
  for (const char* format : {"llama2c", "llama2c-v1", "llama2c-v2"}) {
    const std::string path = out.File(std::string(format) + ".bin");
    ConvertModel(out.File("hf"), path, {"--format", format});
    LoadedModel again(path, kSeq);
    ASSERT_NE(again.network, nullptr);
    EXPECT_LE((NormError<float, float>(again.Logits(Tokens()), Judged(path, Tokens()))), 1e-5)
        << format;
  }
}

// Groups of four: 172, the hidden size, holds no larger power of two.
TEST_F(Stories260K, Version2RoundsToHalfAScale) {
  const TestFolder out;
  ConvertModel(v0_, out.File("q8.bin"), {"--format", "llama2c-v2"});
  const CommandResult info = RunCommand(TinyMha(), {"info", out.File("q8.bin")});
  EXPECT_THAT(info.out, HasSubstr("llama2.c model, version 2"));
  EXPECT_THAT(info.out, HasSubstr("Q8_0 in groups of 4"));
  const auto a = app::OpenStoredModel(out.File("q8.bin")), e = app::OpenStoredModel(v0_);
  ASSERT_TRUE(a.ok()) << a.error().message;
  for (const auto& spec : model::TensorTable(e->config)) {
    const std::vector<float> x = ReadTensor(*a, spec), y = ReadTensor(*e, spec);
    if (spec.is_norm()) {
      EXPECT_EQ(x, y) << spec.name;
      continue;
    }
    for (size_t g = 0; g < x.size(); g += 4) {
      float largest = 0;
      for (size_t i = g; i < g + 4; ++i) largest = std::max(largest, std::fabs(y[i]));
      for (size_t i = g; i < g + 4; ++i) {
        ASSERT_NEAR(x[i], y[i], 0.5001f * largest / 127) << spec.name << " element " << i;
      }
    }
  }
  EXPECT_NEAR(Loss(out.File("q8.bin")), Loss(v0_), 0.02);
}

}  // namespace
}  // namespace millwright::testing
