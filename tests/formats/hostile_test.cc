// Files made to harm, through the commands that read models: exit code 2, one line that names the
// file and the reason, nothing written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>

#include "checkpoint/hf_folder.h"
#include "checkpoint/test_folder.h"
#include "data/token_file.h"
#include "tests/app/tiny_run.h"
#include "tests/formats/loaded_model.h"
#include "text/byte_bpe_train.h"

namespace millwright::testing {
namespace {

using checkpoint::ReadBytes;
using checkpoint::TestFolder;
using checkpoint::WriteBytes;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr const char* kGolden = "tests/formats/goldens/llama_untied";

class Hostile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(model_);
    for (const char* name : {"config.json", "model.safetensors"}) {
      WriteBytes(model_ + "/" + name, ReadBytes(std::string(kGolden) + "/" + name));
    }
  }

  void ExpectRefusedBy(std::vector<std::string> command, const std::string& path,
                       const std::string& what) const {
    const std::string to = folder_.File("out");
    command.insert(command.end(), {"--from", path});
    const CommandResult result = RunCommand(TinyMha(), command);
    EXPECT_EQ(result.exit_code, 2) << command[0] << " " << what << ": " << result.err;
    EXPECT_EQ(result.out, "") << what;
    EXPECT_THAT(result.err, HasSubstr(what)) << command[0];
    // One line; `train` says what it needs before it reads weights, and what is slow here.
    EXPECT_THAT(result.err, MatchesRegex("(memory: [^\n]*\ndisk: [^\n]*\n)?(warning: [^\n]*\n)*"
                                         "millwright: [^\n]*\n"));
    EXPECT_FALSE(std::filesystem::exists(to)) << what;
    EXPECT_FALSE(std::filesystem::exists(to + ".tmp")) << what;
  }
  void ExpectConvertRefuses(const std::string& path, const std::string& what) const {
    ExpectRefusedBy({"convert", "--to", folder_.File("out")}, path, what);
  }
  void ExpectRefused(const std::string& path, const std::string& what) const {
    ExpectConvertRefuses(path, what);
    ExpectRefusedBy({"train", "--steps", "1", "--out", folder_.File("out")}, path, what);
  }

  // The model with another header before its data.
  void ExpectHeaderRefused(const std::string& header, const std::string& what) const {
    std::string bytes(8, '\0');
    const uint64_t size = header.size();
    std::memcpy(bytes.data(), &size, sizeof(size));
    WriteBytes(model_ + "/model.safetensors", bytes + header + std::string(64, '\0'));
    ExpectRefused(model_, what);
  }

  TestFolder folder_;
  const std::string model_ = folder_.File("model");
};

TEST_F(Hostile, SafetensorsHeaders) {
  ExpectHeaderRefused(R"({"a":{"dtype":"F32","shape":[8],"data_offsets":[0,32]},)"
                      R"("b":{"dtype":"F32","shape":[8],"data_offsets":[16,48]}})",
                      "overlaps");
  ExpectHeaderRefused(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],)"
                      R"("data_offsets":[0,64]}})",
                      "too large");
  ExpectHeaderRefused(R"({"a":{"dtype":"F32","shape":[16],"data_offsets":[0,99999999999]}})",
                      "data_offsets [0, 99999999999]");
  ExpectHeaderRefused(R"({"a":{"dtype":"F32","shape":[16],"data_offsets":[18446744073709551600,)"
                      R"(48]}})",
                      "data_offsets");
  ExpectHeaderRefused(R"({"a":{"dtype":"F32","shape":[8],"data_offsets":[0,32]},)"
                      R"("a":{"dtype":"F32","shape":[8],"data_offsets":[32,64]}})",
                      "holds \"a\" twice");
  ExpectHeaderRefused(R"({"a":{"dtype":"F32","shape":[-16],"data_offsets":[0,64]}})", "-16");
  ExpectHeaderRefused("[1,2]", "does not begin with '{'");
  ExpectHeaderRefused("{" + std::string(20000, '['), "not a JSON object");
  ExpectHeaderRefused("", "does not begin with '{'");
}

TEST_F(Hostile, SafetensorsSizes) {
  for (const uint64_t size : {uint64_t{1} << 60, UINT64_MAX, uint64_t{100'000'001}}) {
    std::string bytes = ReadBytes(model_ + "/model.safetensors");
    std::memcpy(bytes.data(), &size, sizeof(size));
    WriteBytes(model_ + "/model.safetensors", bytes);
    ExpectRefused(model_, "too large");
  }
  WriteBytes(model_ + "/model.safetensors", "abc");
  ExpectRefused(model_, "3 bytes are too few");
}

// A model that has all that the commands need, with one weight that is not a number.
TEST_F(Hostile, WeightsThatAreNotNumbers) {
  const std::string path = folder_.File("nan"), shard = folder_.File("data.bin");
  model::ModelConfig config = TinyPlain();
  config.vocab = 300;
  const auto halves = [](const model::TensorSpec&, std::span<float> out) -> Status {
    std::ranges::fill(out, 0.5f);
    return {};
  };
  ASSERT_TRUE(checkpoint::WriteHfFolder(path, config, halves, {}).ok());
  const auto tokenizer = text::TrainByteBpe("abc", 257, std::array{text::kEndOfText});
  ASSERT_TRUE(tokenizer.ok());
  ASSERT_TRUE(tokenizer->Save(path).ok());
  ASSERT_TRUE(data::WriteShard(shard, std::vector<int32_t>(200, 7), {.vocab = 300}).ok());
  const std::vector<std::string> commands[] = {
      {"convert", "--to", folder_.File("out")},
      {"train", "--steps", "1", "--data", shard, "--out", folder_.File("out")},
      {"eval", "--data", shard, "--seq", "6"},
      {"generate", "--tokens", "4"}};
  for (const auto& command : commands) {
    std::vector<std::string> accepted = command;
    accepted.insert(accepted.end(), {"--from", path});
    const CommandResult result = RunCommand(TinyMha(), accepted);
    EXPECT_EQ(result.exit_code, 0) << command[0] << ": " << result.err;
    std::filesystem::remove_all(folder_.File("out"));
  }
  std::string bytes = ReadBytes(path + "/model.safetensors");
  const uint32_t nan = 0x7FC00000;
  std::memcpy(bytes.data() + bytes.size() - 8, &nan, sizeof(nan));
  WriteBytes(path + "/model.safetensors", bytes);
  for (const auto& command : commands) {
    ExpectRefusedBy(command, path, "holds 1 values that are not finite");
  }
}

TEST_F(Hostile, Configs) {
  const json good = json::parse(ReadBytes(model_ + "/config.json"));
  const std::tuple<const char*, json, const char*> cases[] = {
      {"num_attention_heads", 3, "kv_heads: must divide heads"},
      {"num_attention_heads", 0, "heads: expected a number from 1"},
      {"num_key_value_heads", -2, "kv_heads: expected a number from 1"},
      {"num_hidden_layers", 1 << 30, "layers: expected a number from 1"},
      {"num_hidden_layers", 4000, "tensors do not fit config.json"},
      {"hidden_size", int64_t{1} << 40, "dim: expected a number from 1"},
      {"vocab_size", int64_t{1} << 62, "vocab: expected a number from 1"},
      {"vocab_size", 42, "has shape [41, 16], expected [42, 16]"},
      {"head_dim", 5, "head_dim: must be even"},
      {"rms_norm_eps", -1.0, "rms_norm_eps: expected a positive number"},
      {"attention_bias", true, "attention_bias: expected false"},
      {"rope_scaling", {{"rope_type", "yarn"}}, "rope_scaling: expected rotary"},
      {"architectures", {"MambaForCausalLM"}, "architectures: expected LlamaForCausalLM"},
  };
  for (const auto& [key, value, what] : cases) {
    json config = good;
    config[key] = value;
    WriteBytes(model_ + "/config.json", config.dump());
    ExpectRefused(model_, what);
  }
  WriteBytes(model_ + "/config.json", std::string(100000, '['));
  ExpectRefused(model_, "not a JSON object");
}

TEST_F(Hostile, ShardsOutsideTheFolder) {
  std::filesystem::rename(model_ + "/model.safetensors", folder_.File("outside.safetensors"));
  WriteBytes(model_ + "/model.safetensors.index.json",
             R"({"weight_map": {"lm_head.weight": "../outside.safetensors"}})");
  ExpectRefused(model_, "expected the name of a safetensors file in the folder");
  WriteBytes(model_ + "/model.safetensors.index.json",
             R"({"weight_map": {"lm_head.weight": "gone.safetensors"}})");
  ExpectRefused(model_, "gone.safetensors");
}

TEST_F(Hostile, Llama2cFiles) {
  const auto file = [&](std::initializer_list<int32_t> values, size_t size) {
    std::string bytes(size, '\0');
    std::ranges::copy(std::as_bytes(std::span(values)),
                      std::as_writable_bytes(std::span(bytes)).begin());
    std::string path = folder_.File("model.bin");
    WriteBytes(path, bytes);
    return path;
  };
  constexpr int32_t kMagic = 0x616b3432;
  ExpectRefused(file({kMagic + 1, 1, 8, 8, 1, 2, 2, 16, 4}, 4096), "neither BLZT nor llama2.c");
  ExpectRefused(file({kMagic, 7, 8, 8, 1, 2, 2, 16, 4}, 4096), "version 1 or 2 expected, found 7");
  ExpectRefused(file({kMagic, 1, 8, 8, 1, 3, 2, 16, 4}, 4096), "dim: must be a multiple of heads");
  ExpectRefused(file({kMagic, 1, 8, 8, 1, 4, 3, 16, 4}, 4096), "kv_heads: must divide heads (4)");
  ExpectRefused(file({kMagic, 1, INT32_MAX, INT32_MAX, INT32_MAX, 1, 1, INT32_MAX, 4}, 4096),
                "dim: expected a number from 1");
  ExpectRefused(file({kMagic, 1, 1 << 20, 1 << 20, 1 << 12, 1, 1, INT32_MAX, 4}, 4096),
                "bytes expected for the sizes in its header");
  ExpectRefused(file({kMagic, 1, 8, 8, 1, 2, 2, -16, 4}, 4096), "vocab: expected a number from 1");
  ExpectRefused(file({8, 8, 1, 2, 2, 16, 4}, 1900), "bytes expected for the sizes in its header");
  ExpectRefused(file({8, 8, 1, 2, 2, INT32_MIN, 4}, 4096), "neither BLZT nor llama2.c");
  ExpectRefused(file({}, 0), "neither BLZT nor llama2.c");
}

}  // namespace
}  // namespace millwright::testing
