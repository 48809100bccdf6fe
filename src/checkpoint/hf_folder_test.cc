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

ModelConfig Tiny() {
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
      ModelConfig config = Tiny();
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
  ASSERT_TRUE(Write(Tiny(), options).ok());
  EXPECT_EQ(ReadBytes(dir_ + "/tokenizer.json"), "{\"x\":1}");
  const auto generation = nlohmann::json::parse(ReadBytes(dir_ + "/generation_config.json"));
  EXPECT_EQ(generation["bos_token_id"], 1);
  const auto folder = HfFolder::Open(dir_);
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  EXPECT_EQ(folder->tokens(), options.tokens);
  const TensorSpec spec = model::TensorTable(Tiny()).front();
  const auto original = Draw(spec);
  std::vector<float> read(original.size());
  ASSERT_TRUE(folder->Read(spec, read).ok());
  for (size_t i = 0; i < read.size(); ++i) EXPECT_EQ(read[i], ToFloat(ToBf16(original[i])));
  uint64_t size = 0;
  for (const auto& entry : fs::directory_iterator(dir_)) size += entry.file_size();
  EXPECT_GE(HfFolderBytes(Tiny(), DType::kBf16), size);
}

TEST_F(HfFolderTest, GenerationConfigAddsEndTokens) {
  HfExport options;
  options.tokens = {1, 2};
  ASSERT_TRUE(Write(Tiny(), options).ok());
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
  ASSERT_TRUE(Write(Tiny(), options).ok());
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
  ASSERT_TRUE(Write(Tiny()).ok());
  const std::string before = ReadBytes(dir_ + "/model.safetensors");
  int calls = 0;
  const auto failing = [&calls](const TensorSpec& spec, std::span<float> out) -> Status {
    if (++calls == 5) return Failed("no more");
    return DrawSource(spec, out);
  };
  EXPECT_EQ(WriteHfFolder(dir_, Tiny(), failing, {}).error().message, "no more");
  HfExport options;
  options.extra_files = {folder_.File("missing.json")};
  EXPECT_THAT(Write(Tiny(), options).error().message, HasSubstr("missing.json"));
  EXPECT_EQ(ReadBytes(dir_ + "/model.safetensors"), before);
  EXPECT_FALSE(fs::exists(dir_ + ".tmp"));
  EXPECT_FALSE(WriteHfFolder(folder_.File("no/parent"), Tiny(), DrawSource, {}).ok());
}

TEST_F(HfFolderTest, MissingExtraAndMisshapenTensorsAreListed) {
  ASSERT_TRUE(Write(Tiny()).ok());
  EditConfig("num_hidden_layers", 3);
  EXPECT_THAT(OpenError(), HasSubstr("'model.layers.2.input_layernorm.weight' is missing"));
  EditConfig("num_hidden_layers", 1);
  EXPECT_THAT(OpenError(), AllOf(HasSubstr("9 tensors do not fit"),
                                 HasSubstr("'model.layers.1.mlp.up_proj.weight' is not"),
                                 HasSubstr("and 1 more")));
  EditConfig("num_hidden_layers", 2);
  EditConfig("vocab_size", 31);
  EXPECT_THAT(OpenError(), HasSubstr("has shape [30, 12], expected [31, 12]"));
  EditConfig("vocab_size", 30);
  EditConfig("tie_word_embeddings", false);
  EXPECT_THAT(OpenError(), HasSubstr("tie_word_embeddings"));
  EditConfig("tie_word_embeddings", true);
  EXPECT_EQ(OpenError(), "no error");
  fs::resize_file(dir_ + "/model.safetensors", 1000);
  EXPECT_THAT(OpenError(), HasSubstr("model.safetensors"));
  fs::remove(dir_ + "/model.safetensors");
  EXPECT_THAT(OpenError(), HasSubstr("model.safetensors"));
  fs::remove(dir_ + "/config.json");
  EXPECT_THAT(OpenError(), HasSubstr("config.json"));
}

// Splits the model by hand into two shards, the classifier written out beside the embedding.
TEST_F(HfFolderTest, ReadsShardsAndAClassifierEqualToTheEmbedding) {
  ModelConfig config = Tiny();
  config.rotary = RotaryLayout::kHalfSplit;
  ASSERT_TRUE(Write(config).ok());
  fs::remove(dir_ + "/model.safetensors");
  EditConfig("tie_word_embeddings", false);
  const auto table = model::TensorTable(config);
  nlohmann::json map;
  for (size_t shard = 0; shard < 2; ++shard) {
    const std::string name = fmt::format("model-{}.safetensors", shard);
    std::vector<TensorInfo> infos;
    std::vector<TensorSpec> specs;
    for (size_t i = shard; i < table.size(); i += 2) {
      infos.push_back({table[i].name, DType::kFp32, table[i].shape});
      specs.push_back(table[i]);
    }
    if (shard == 1) {
      infos.push_back({"lm_head.weight", DType::kFp32, table[0].shape});
      specs.push_back(table[0]);
    }
    auto writer = SafetensorsWriter::Create(dir_ + "/" + name, infos, {});
    for (const auto& spec : specs) ASSERT_TRUE(writer->Append(Draw(spec)).ok());
    ASSERT_TRUE(writer->Finish().ok());
    for (const auto& info : infos) map[info.name] = name;
  }
  const std::string index = dir_ + "/model.safetensors.index.json";
  WriteBytes(index, nlohmann::json{{"weight_map", map}}.dump());
  const auto folder = HfFolder::Open(dir_);
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  EXPECT_TRUE(folder->config().tied_embeddings);
  for (const auto& spec : table) {
    std::vector<float> read(static_cast<size_t>(NumElements(spec.shape)));
    ASSERT_TRUE(folder->Read(spec, read).ok());
    EXPECT_EQ(read, Draw(spec)) << spec.name;
  }
  map["model.norm.weight"] = "../model.safetensors";
  WriteBytes(index, nlohmann::json{{"weight_map", map}}.dump());
  EXPECT_THAT(OpenError(), HasSubstr("expected the name of a file"));
  WriteBytes(index, "[]");
  EXPECT_THAT(OpenError(), HasSubstr("weight_map"));
}

}  // namespace
}  // namespace millwright::checkpoint
