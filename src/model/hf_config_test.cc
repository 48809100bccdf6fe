#include "model/hf_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "model/test_models.h"

namespace millwright::model {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string SharedFolder() {
  const char* folder = std::getenv("MILLWRIGHT_SHARED");
  return folder != nullptr ? folder : "../shared";
}

json LlamaJson() { return json::parse(ToHfConfig(models::kStories110M, DType::kFp32, {1, 2})); }

TEST(HfConfig, ReadsBackWhatItWrites) {
  for (const ModelConfig& config : {models::kStories110M, models::kQwen3_06B}) {
    const TokenIds tokens{1, 2};
    const auto text = ToHfConfig(config, DType::kBf16, tokens);
    const auto read = ParseHfConfig(text, "config.json", config.name);
    ASSERT_TRUE(read.ok()) << read.error().message;
    ModelConfig expected = config;
    expected.title = config.name;
    expected.rotary = RotaryLayout::kHalfSplit;
    EXPECT_TRUE(read->config == expected) << text;
    EXPECT_EQ(read->tokens, tokens);
    EXPECT_EQ(json::parse(text)["torch_dtype"], "bfloat16");
  }
}

TEST(HfConfig, ReadsThePublishedQwen3) {
  std::ifstream file(SharedFolder() + "/data/qwen/config.json");
  if (!file) GTEST_SKIP() << "no qwen/config.json in the shared data";
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto read = ParseHfConfig(text, "config.json", "qwen3_06b");
  ASSERT_TRUE(read.ok()) << read.error().message;
  ModelConfig expected = models::kQwen3_06B;
  expected.title = expected.name;
  expected.seq = 40960;
  EXPECT_TRUE(read->config == expected);
  EXPECT_EQ(read->tokens, (TokenIds{151643, 151645}));
}

TEST(HfConfig, AbsentFieldsTakeTransformersDefaults) {
  json object = LlamaJson();
  for (const char* key : {"num_key_value_heads", "head_dim", "rope_theta", "rms_norm_eps",
                          "max_position_embeddings", "tie_word_embeddings", "bos_token_id"}) {
    object.erase(key);
  }
  const auto read = ParseHfConfig(object.dump(), "config.json", "x");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->config.kv_heads, 12);
  EXPECT_EQ(read->config.head_dim, 64);
  EXPECT_EQ(read->config.rope_theta, 10000.0);
  EXPECT_EQ(read->config.rms_norm_eps, 1e-6);
  EXPECT_EQ(read->config.seq, 2048);
  EXPECT_FALSE(read->config.tied_embeddings);
  EXPECT_FALSE(read->tokens.bos.has_value());
}

TEST(HfConfig, NewerFilesKeepThetaInRopeParameters) {
  json object = LlamaJson();
  object.erase("rope_theta");
  object["rope_parameters"] = {{"rope_theta", 5e5}, {"rope_type", "default"}};
  const auto read = ParseHfConfig(object.dump(), "config.json", "x");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->config.rope_theta, 5e5);
}

TEST(HfConfig, RefusesOtherNetworksByField) {
  const std::pair<const char*, json> cases[] = {
      {"architectures", json::array({"GPT2LMHeadModel"})},
      {"attention_bias", true},
      {"mlp_bias", true},
      {"hidden_act", "gelu"},
      {"rope_scaling", {{"rope_type", "llama3"}, {"factor", 8.0}}},
      {"rope_parameters", {{"rope_type", "yarn"}}},
      {"rope_parameters", {{"rope_type", "default"}, {"rope_theta", "big"}}},
      {"rope_parameters", {{"rope_type", "default"}, {"partial_rotary_factor", 0.5}}},
      {"rope_parameters", {{"rope_type", "default"}, {"rope_theta", 5e5}}},  // and 1e4 beside it
      {"partial_rotary_factor", 0.25},
      {"quantization_config", {{"quant_method", "gptq"}}},
      {"layer_types", json::array({"full_attention", "sliding_attention"})},
      {"layer_types", "full_attention"},
      {"use_sliding_window", true},
      {"hidden_size", "768"},
      {"hidden_size", nullptr},
      {"num_hidden_layers", 12.5},
      {"rms_norm_eps", "small"},
      {"tie_word_embeddings", 1},
      {"kv_heads", json()},
  };
  for (const auto& [key, value] : cases) {
    json object = LlamaJson();
    object[std::string(key) == "kv_heads" ? "num_key_value_heads" : key] =
        std::string(key) == "kv_heads" ? json(5) : value;
    const auto read = ParseHfConfig(object.dump(), "some/config.json", "x");
    ASSERT_FALSE(read.ok()) << key << " " << value;
    EXPECT_EQ(read.error().kind, ErrorKind::kBadInput);
    EXPECT_THAT(read.error().message, HasSubstr("some/config.json"));
    EXPECT_THAT(read.error().message, HasSubstr(key));
  }
  EXPECT_FALSE(ParseHfConfig("[1, 2", "c", "x").ok());
  EXPECT_FALSE(ParseHfConfig("", "c", "x").ok());
}

}  // namespace
}  // namespace millwright::model
