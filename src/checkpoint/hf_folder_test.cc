#include "checkpoint/hf_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "checkpoint/test_folder.h"
#include "model/rotary_layout.h"

namespace millwright::checkpoint {
namespace {

namespace fs = std::filesystem;
using model::ModelConfig;
using model::RotaryLayout;
using model::TensorRole;
using model::TensorSpec;
using testing::AllOf;
using testing::HasSubstr;

ModelConfig TinyForHf() {
  ModelConfig config;
  config.name = config.title = "tiny";
  config.dim = 12;
  config.hidden_dim = 20;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 6;
  config.seq = 16;
  config.vocab = 30;
  return config;
}

std::vector<float> Draw(const TensorSpec& spec) {
  TensorSpec drawn = spec;
  drawn.init_std = 0.02;  // norms too: a permutation of ones shows nothing
  std::vector<float> data(static_cast<size_t>(NumElements(spec.shape)));
  model::InitRows(drawn, 5, 0, spec.shape[0], data.data());
  return data;
}

Status DrawSource(const TensorSpec& spec, std::span<float> out) {
  std::ranges::copy(Draw(spec), out.begin());
  return {};
}

class HfFolderTest : public testing::Test {
 protected:
  Status Write(const ModelConfig& config, const HfExport& options = {}) {
    return WriteHfFolder(dir_, config, DrawSource, options);
  }
  std::string OpenError() const {
    const auto folder = HfFolder::Open(dir_);
    return folder ? "no error" : folder.error().message;
  }
  void EditConfig(const char* key, const nlohmann::json& value) const {
    auto object = nlohmann::json::parse(ReadBytes(dir_ + "/config.json"));
    object[key] = value;
    WriteBytes(dir_ + "/config.json", object.dump());
  }

  TestFolder folder_;
  const std::string dir_ = folder_.File("tiny");
};

TEST_F(HfFolderTest, ImportsWhatItExportsUpToThePermutation) {
  for (const bool qk_norm : {false, true}) {
    for (const auto layout : {RotaryLayout::kInterleaved, RotaryLayout::kHalfSplit}) {
      ModelConfig config = TinyForHf();
      config.rotary = layout;
      config.qk_norm = qk_norm;
      ASSERT_TRUE(Write(config).ok());
      const auto folder = HfFolder::Open(dir_);
      ASSERT_TRUE(folder.ok()) << folder.error().message;
      ModelConfig expected = config;
      expected.rotary = RotaryLayout::kHalfSplit;
      EXPECT_TRUE(folder->config() == expected);
      for (const auto& spec : model::TensorTable(config)) {
        const std::vector<float> original = Draw(spec);
        std::vector<float> read(original.size());
        ASSERT_TRUE(folder->Read(spec, read).ok());
        const bool moves =
            layout == RotaryLayout::kInterleaved && model::FollowsRotaryLayout(spec.role);
        EXPECT_EQ(read != original, moves) << spec.name;
        model::ConvertRotary(config, spec, RotaryLayout::kHalfSplit, layout, read);
        EXPECT_EQ(read, original) << spec.name;
      }
    }
  }
}

TEST_F(HfFolderTest, HalvesAreRoundedAndTokensKept) {
  HfExport options;
  options.dtype = DType::kBf16;
  options.tokens = {1, 2, {9, 7}};
  const std::string tokenizer = folder_.File("tokenizer.json");
  WriteBytes(tokenizer, "{\"x\":1}");
  options.extra_files = {tokenizer};
  ASSERT_TRUE(Write(TinyForHf(), options).ok());
  EXPECT_EQ(ReadBytes(dir_ + "/tokenizer.json"), "{\"x\":1}");
  const auto generation = nlohmann::json::parse(ReadBytes(dir_ + "/generation_config.json"));
  EXPECT_EQ(generation["bos_token_id"], 1);
  const auto folder = HfFolder::Open(dir_);
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  EXPECT_EQ(folder->tokens(), options.tokens);
  const TensorSpec spec = model::TensorTable(TinyForHf()).front();
  const auto original = Draw(spec);
  std::vector<float> read(original.size());
  ASSERT_TRUE(folder->Read(spec, read).ok());
  for (size_t i = 0; i < read.size(); ++i) EXPECT_EQ(read[i], ToFloat(ToBf16(original[i])));
  uint64_t size = 0;
  for (const auto& entry : fs::directory_iterator(dir_)) size += entry.file_size();
  EXPECT_GE(HfFolderBytes(TinyForHf(), options), size);
}

TEST_F(HfFolderTest, GenerationConfigAddsEndTokens) {
  HfExport options;
  options.tokens = {1, 2};
  ASSERT_TRUE(Write(TinyForHf(), options).ok());
  const std::string file = dir_ + "/generation_config.json";
  WriteBytes(file, R"({"eos_token_id": [5, 2, 6, 5]})");
  EXPECT_EQ(HfFolder::Open(dir_)->tokens(), (model::TokenIds{1, 2, {5, 6}}));
  WriteBytes(file, R"({"eos_token_id": 4})");
  EXPECT_EQ(HfFolder::Open(dir_)->tokens(), (model::TokenIds{1, 2, {4}}));
  fs::remove(file);
  EXPECT_EQ(HfFolder::Open(dir_)->tokens(), options.tokens);
  WriteBytes(file, "[");
  EXPECT_THAT(OpenError(), HasSubstr("generation_config.json"));
}

TEST_F(HfFolderTest, ResidualAlphaIsFolded) {
  HfExport options;
  options.residual_alpha = 0.3;
  ASSERT_TRUE(Write(TinyForHf(), options).ok());
  const auto folder = HfFolder::Open(dir_);
  ASSERT_TRUE(folder.ok());
  for (const auto& spec : model::TensorTable(folder->config())) {
    if (model::FollowsRotaryLayout(spec.role)) continue;
    const auto original = Draw(spec);
    std::vector<float> read(original.size());
    ASSERT_TRUE(folder->Read(spec, read).ok());
    const bool residual = spec.role == TensorRole::kWo || spec.role == TensorRole::kW2;
    for (size_t i = 0; i < read.size(); ++i) {
      EXPECT_EQ(read[i], static_cast<float>(original[i] * (residual ? 0.3 : 1.0))) << spec.name;
    }
  }
}

TEST_F(HfFolderTest, AFailedExportLeavesTheOneBefore) {
  ASSERT_TRUE(Write(TinyForHf()).ok());
  const std::string before = ReadBytes(dir_ + "/model.safetensors");
  int calls = 0;
  const auto failing = [&calls](const TensorSpec& spec, std::span<float> out) -> Status {
    if (++calls == 5) return Failed("no more");
    return DrawSource(spec, out);
  };
  EXPECT_EQ(WriteHfFolder(dir_, TinyForHf(), failing, {}).error().message, "no more");
  HfExport options;
  options.extra_files = {folder_.File("missing.json")};
  EXPECT_THAT(Write(TinyForHf(), options).error().message, HasSubstr("missing.json"));
  EXPECT_EQ(ReadBytes(dir_ + "/model.safetensors"), before);
  EXPECT_FALSE(fs::exists(dir_ + ".tmp"));
  EXPECT_FALSE(WriteHfFolder(folder_.File("no/parent"), TinyForHf(), DrawSource, {}).ok());
}

TEST_F(HfFolderTest, MissingExtraAndMisshapenTensorsAreListed) {
  ASSERT_TRUE(Write(TinyForHf()).ok());
  EditConfig("num_hidden_layers", 3);
  EXPECT_THAT(OpenError(), HasSubstr("'model.layers.2.input_layernorm.weight' is missing"));
  EditConfig("num_hidden_layers", 1);
  EXPECT_THAT(OpenError(), AllOf(HasSubstr("9 tensors do not fit"),
                                 HasSubstr("\"model.layers.1.mlp.up_proj.weight\" is not"),
                                 HasSubstr("and 1 more")));
  EditConfig("num_hidden_layers", 2);
  EditConfig("vocab_size", 31);
  EXPECT_THAT(OpenError(), HasSubstr("has shape [30, 12], expected [31, 12]"));
  EditConfig("vocab_size", 30);
  EditConfig("tie_word_embeddings", false);
  EXPECT_THAT(OpenError(), HasSubstr("'lm_head.weight' is missing"));
  EditConfig("tie_word_embeddings", true);
  EXPECT_EQ(OpenError(), "no error");
  fs::resize_file(dir_ + "/model.safetensors", 1000);
  EXPECT_THAT(OpenError(), HasSubstr("model.safetensors"));
  fs::remove(dir_ + "/model.safetensors");
  EXPECT_THAT(OpenError(), HasSubstr("model.safetensors"));
  fs::remove(dir_ + "/config.json");
  EXPECT_THAT(OpenError(), HasSubstr("config.json"));
}

TEST_F(HfFolderTest, ListsTensorsOfOtherDtypes) {
  ASSERT_TRUE(Write(TinyForHf()).ok());
  const std::string path = dir_ + "/model.safetensors";
  std::string bytes = ReadBytes(path);
  // 30 * 12 elements of fp32 are as many bytes as 15 * 12 of I64.
  const std::string was = R"("dtype":"F32","shape":[30,12])";
  const size_t at = bytes.find(was);
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, was.size(), R"("dtype":"F64","shape":[15,12])");
  WriteBytes(path, bytes);
  EditConfig("vocab_size", 15);
  EXPECT_THAT(OpenError(), HasSubstr("'model.embed_tokens.weight' is F64, expected F32, F16 or"));
}

TEST_F(HfFolderTest, KeepsADtypeForEveryTensor) {
  HfExport options;
  options.dtype = DType::kBf16;
  options.other_dtypes = {{"model.norm.weight", DType::kFp32},
                          {"model.layers.1.mlp.up_proj.weight", DType::kFp16}};
  ASSERT_TRUE(Write(TinyForHf(), options).ok());
  const auto folder = HfFolder::Open(dir_);
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  EXPECT_EQ(folder->dtype(), DType::kBf16);
  EXPECT_EQ(folder->other_dtypes(), options.other_dtypes);
}

TEST_F(HfFolderTest, AnUntiedClassifierIsATensorLikeOthers) {
  ModelConfig config = TinyForHf();
  config.tied_embeddings = false;
  ASSERT_TRUE(Write(config).ok());
  const auto folder = HfFolder::Open(dir_);
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  EXPECT_FALSE(folder->config().tied_embeddings);
  EXPECT_FALSE(folder->repeats_tied_classifier());
  const TensorSpec spec = model::TensorTable(config).back();
  std::vector<float> read(static_cast<size_t>(NumElements(spec.shape)));
  ASSERT_TRUE(folder->Read(spec, read).ok());
  EXPECT_EQ(read, Draw(spec));
  EditConfig("tie_word_embeddings", true);
  EXPECT_THAT(OpenError(), HasSubstr("'lm_head.weight' is not equal to"));
}

TEST_F(HfFolderTest, WeightsThatAreNotFiniteAreCounted) {
  for (const float bad : {std::nanf(""), INFINITY, -INFINITY}) {
    const auto source = [bad](const TensorSpec& spec, std::span<float> out) -> Status {
      if (auto status = DrawSource(spec, out); !status) return status;
      if (spec.role == TensorRole::kW1 && spec.layer == 1) out[17] = out[200] = bad;
      return {};
    };
    ASSERT_TRUE(WriteHfFolder(dir_, TinyForHf(), source, {}).ok());
    const auto folder = HfFolder::Open(dir_);
    ASSERT_TRUE(folder.ok()) << folder.error().message;
    for (const TensorSpec& spec : model::TensorTable(folder->config())) {
      std::vector<float> read(static_cast<size_t>(NumElements(spec.shape)));
      const Status status = folder->Read(spec, read);
      if (spec.name != "model.layers.1.mlp.gate_proj.weight") {
        EXPECT_TRUE(status.ok());
        continue;
      }
      ASSERT_FALSE(status.ok());
      EXPECT_THAT(status.error().message,
                  AllOf(HasSubstr("model.safetensors"), HasSubstr("mlp.gate_proj.weight' holds 2"),
                        HasSubstr("at element 17")));
    }
  }
}

TEST_F(HfFolderTest, ValuesTooLargeForADtypeAreReported) {
  const auto source = [](const TensorSpec& spec, std::span<float> out) -> Status {
    std::ranges::fill(out, spec.role == TensorRole::kFinalNorm ? 65520.0f : 65519.0f);
    return {};
  };
  const Status status = WriteHfFolder(dir_, TinyForHf(), source, {.dtype = DType::kFp16});
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message,
              AllOf(HasSubstr("'model.norm.weight' holds 65520"), HasSubstr("too large for fp16")));
  EXPECT_FALSE(fs::exists(dir_));
  EXPECT_TRUE(WriteHfFolder(dir_, TinyForHf(), source, {.dtype = DType::kBf16}).ok());
}

class HfShards : public HfFolderTest {
 protected:
  void SetUp() override {
    HfExport options;
    options.max_shard_bytes = 4000;
    ASSERT_TRUE(Write(TinyForHf(), options).ok());
    index_ = nlohmann::json::parse(ReadBytes(Path()));
  }
  std::string Path() const { return dir_ + "/model.safetensors.index.json"; }
  std::string ErrorWith(const nlohmann::json& index) const {
    WriteBytes(Path(), index.dump());
    return OpenError();
  }

  nlohmann::json index_;
};

TEST_F(HfShards, AreFilledInOrderAndReadBack) {
  EXPECT_FALSE(fs::exists(dir_ + "/model.safetensors"));
  const auto folder = HfFolder::Open(dir_);
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  EXPECT_GT(folder->files(), 3u);
  EXPECT_EQ(index_["weight_map"]["model.embed_tokens.weight"],
            fmt::format("model-00001-of-{:05}.safetensors", folder->files()));
  for (const auto& spec : model::TensorTable(folder->config())) {
    if (model::FollowsRotaryLayout(spec.role)) continue;
    std::vector<float> read(static_cast<size_t>(NumElements(spec.shape)));
    ASSERT_TRUE(folder->Read(spec, read).ok());
    EXPECT_EQ(read, Draw(spec)) << spec.name;
  }
  uint64_t size = 0;
  for (const auto& entry : fs::directory_iterator(dir_)) size += entry.file_size();
  EXPECT_GE(HfFolderBytes(TinyForHf(), {.max_shard_bytes = 4000}), size);
}

TEST_F(HfShards, NamesThatLeadOutOfTheFolderAreRefused) {
  WriteBytes(folder_.File("outside.safetensors"), "x");
  for (const char* name : {"../outside.safetensors", "/etc/passwd", "..", "", "a/b.safetensors",
                           "..\\outside.safetensors", "model.bin"}) {
    auto index = index_;
    index["weight_map"]["model.norm.weight"] = name;
    EXPECT_THAT(ErrorWith(index), HasSubstr("tensor \"model.norm.weight\": expected the name"))
        << name;
  }
  auto index = index_;
  index["weight_map"]["model.norm.weight"] = 3;
  EXPECT_THAT(ErrorWith(index), HasSubstr("expected the name of a safetensors file"));
  index["weight_map"]["model.norm.weight"] = std::string("a\0.safetensors", 14);
  EXPECT_THAT(ErrorWith(index), HasSubstr("expected the name of a safetensors file"));
}

TEST_F(HfShards, AnIndexThatDoesNotFitItsShardsIsRefused) {
  auto index = index_;
  index["weight_map"]["model.norm.weight"] = "model-00009-of-00009.safetensors";
  EXPECT_THAT(ErrorWith(index), AllOf(HasSubstr("index.json"), HasSubstr("model-00009-of-00009")));
  index = index_;
  index["weight_map"]["model.norm.weight"] = index["weight_map"]["model.embed_tokens.weight"];
  EXPECT_THAT(ErrorWith(index), HasSubstr("tensor \"model.norm.weight\" is not in model-00001"));
  index = index_;
  index["weight_map"].erase("model.layers.0.mlp.up_proj.weight");
  EXPECT_THAT(ErrorWith(index),
              HasSubstr("says nothing of tensor \"model.layers.0.mlp.up_proj.weight\""));
  index = index_;
  index["weight_map"]["model.layers.7.mlp.up_proj.weight"] =
      index["weight_map"]["model.embed_tokens.weight"];
  EXPECT_THAT(ErrorWith(index), HasSubstr("is not in model-00001"));
  for (const char* text : {"[]", "", "{}", R"({"weight_map": {}})", R"({"weight_map": 3})"}) {
    WriteBytes(Path(), text);
    EXPECT_THAT(OpenError(), HasSubstr("index.json")) << text;
  }
  WriteBytes(Path(), R"({"weight_map": {"a": "x.safetensors", "a": "y.safetensors"}})");
  EXPECT_THAT(OpenError(), HasSubstr("holds \"a\" twice"));
}

TEST_F(HfShards, ATensorInTwoShardsIsRefused) {
  auto index = index_;
  fs::copy_file(dir_ + "/" + index["weight_map"]["model.embed_tokens.weight"].get<std::string>(),
                dir_ + "/model-0.safetensors");
  index["weight_map"]["model.norm.weight"] = "model-0.safetensors";
  EXPECT_THAT(ErrorWith(index), HasSubstr("tensor \"model.embed_tokens.weight\" is also in"));
}

}  // namespace
}  // namespace millwright::checkpoint
