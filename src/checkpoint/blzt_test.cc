#include "checkpoint/blzt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/rng.h"
#include "checkpoint/test_folder.h"
#include "model/rotary_layout.h"
#include "model/test_models.h"

namespace millwright::checkpoint {
namespace {

using model::ModelConfig;
using model::RotaryLayout;
using model::TensorRole;
using model::TensorSpec;
using testing::HasSubstr;

ModelConfig TinyGqa() {
  ModelConfig config;
  config.dim = 8;
  config.hidden_dim = 10;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 6;
  config.seq = 16;
  config.vocab = 9;
  return config;
}

const BlztProgress kProgress = {101, 10000, 3e-4f, 5.5f, 1.5, 2.5, 3.5, 11, 12, 13};

// Every tensor and moment is full of numbers of its own.
std::vector<float> Draw(const TensorSpec& spec, BlztPart part) {
  const Rng rng(static_cast<uint64_t>(part) + 1, StreamId(spec.name.c_str()));
  std::vector<float> data(static_cast<size_t>(NumElements(spec.shape)));
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(rng.Normal(i));
  return data;
}

Status DrawPartSource(const TensorSpec& spec, BlztPart part, std::span<float> out) {
  std::ranges::copy(Draw(spec, part), out.begin());
  return {};
}

template <class T>
T At(const std::string& bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

class BlztTest : public testing::Test {
 protected:
  Status Write(const ModelConfig& config, double residual_alpha = 1.0) {
    return WriteBlzt(path_, config, residual_alpha, kProgress, DrawPartSource);
  }

  TestFolder folder_;
  const std::string path_ = folder_.File("ckpt.bin");
};

TEST(Blzt, SizesAreTheReferences) {
  ModelConfig qwen = models::kQwen3_06B;
  qwen.qk_norm = false;
  EXPECT_EQ(BlztBytes(models::kStories110M), 1'314'358'368u);
  EXPECT_EQ(BlztBytes(qwen), 7'152'513'120u);
  EXPECT_EQ(12 * models::kStories110M.layer_params(), 84'953'088);
  EXPECT_EQ(12 * qwen.layer_params(), 188'768'256);
}

TEST_F(BlztTest, TheHeaderIsTheTableByteByByte) {
  ASSERT_TRUE(Write(TinyGqa()).ok());
  const std::string bytes = ReadBytes(path_);
  ASSERT_EQ(bytes.size(), BlztBytes(TinyGqa()));
  EXPECT_EQ(bytes.substr(0, 4), "TZLB");
  const std::pair<size_t, int32_t> integers[] = {
      {4, 4},   {8, 101}, {12, 10000}, {16, 2},  {20, 9}, {24, 8}, {28, 10}, {32, 4},
      {36, 16}, {72, 11}, {76, 12},    {80, 13}, {84, 2}, {88, 6}, {92, 24}};
  for (const auto& [offset, value] : integers)
    EXPECT_EQ(At<int32_t>(bytes, offset), value) << offset;
  EXPECT_EQ(At<float>(bytes, 40), 3e-4f);
  EXPECT_EQ(At<float>(bytes, 44), 5.5f);
  EXPECT_EQ(At<double>(bytes, 48), 1.5);
  EXPECT_EQ(At<double>(bytes, 56), 2.5);
  EXPECT_EQ(At<double>(bytes, 64), 3.5);
}

// The body, walked as the reference reads it: the order and the scales written out.
TEST_F(BlztTest, TheBodyIsInTheReferencesOrder) {
  const double residual_alpha = 0.75;
  ASSERT_TRUE(Write(TinyGqa(), residual_alpha).ok());
  const std::string bytes = ReadBytes(path_);
  const double s = 0.5 / residual_alpha;  // 1/sqrt(2 * 2 layers) = 0.5
  size_t position = 96;
  const auto expect = [&](const TensorSpec& spec, BlztPart part) {
    double factor = 1.0;
    if (spec.role == TensorRole::kWo || spec.role == TensorRole::kW2) {
      factor = part == BlztPart::kWeight ? 1 / s : part == BlztPart::kM ? s : s * s;
    }
    for (const float x : Draw(spec, part)) {
      ASSERT_EQ(At<float>(bytes, position), static_cast<float>(x * factor)) << spec.name;
      position += 4;
    }
  };
  const auto table = model::TensorTable(TinyGqa());
  const auto find = [&](const std::string& name) {
    for (const auto& spec : table) {
      if (spec.name == name) return spec;
    }
    ADD_FAILURE() << name;
    return table[0];
  };
  for (int layer = 0; layer < 2; ++layer) {
    std::vector<TensorSpec> specs;
    for (const char* part : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                             "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj", "mlp.up_proj",
                             "input_layernorm", "post_attention_layernorm"}) {
      specs.push_back(find(fmt::format("model.layers.{}.{}.weight", layer, part)));
    }
    for (const auto& spec : specs) expect(spec, BlztPart::kWeight);
    for (const auto& spec : specs) {
      expect(spec, BlztPart::kM);
      expect(spec, BlztPart::kV);
    }
  }
  for (const char* name : {"model.norm.weight", "model.embed_tokens.weight"}) {
    for (const auto part : {BlztPart::kWeight, BlztPart::kM, BlztPart::kV})
      expect(find(name), part);
  }
  EXPECT_EQ(position, bytes.size());
}

TEST_F(BlztTest, ReadingInvertsWriting) {
  for (const auto layout : {RotaryLayout::kInterleaved, RotaryLayout::kHalfSplit}) {
    ModelConfig config = TinyGqa();
    config.rotary = layout;
    ASSERT_TRUE(Write(config).ok());
    const auto file = BlztFile::Open(path_);
    ASSERT_TRUE(file.ok()) << file.error().message;
    EXPECT_EQ(file->version(), 4);
    EXPECT_EQ(file->progress().adam_t, 13);
    EXPECT_EQ(file->progress().step, 101);
    EXPECT_EQ(file->config().kv_heads, 2);
    EXPECT_TRUE(file->config().rotary == RotaryLayout::kInterleaved);
    for (const auto& spec : model::TensorTable(config)) {
      for (const auto part : {BlztPart::kWeight, BlztPart::kM, BlztPart::kV}) {
        const auto original = Draw(spec, part);
        std::vector<float> read(original.size());
        ASSERT_TRUE(file->Read(spec, part, read).ok());
        model::ConvertRotary(config, spec, RotaryLayout::kInterleaved, layout, read);
        // 1/sqrt(2 * 2) is a power of two: nothing is rounded.
        EXPECT_EQ(read, original) << spec.name;
      }
    }
  }
}

TEST_F(BlztTest, ScalesThatAreNoPowersOfTwoRoundTwice) {
  ModelConfig config = TinyGqa();
  config.layers = 3;
  ASSERT_TRUE(Write(config).ok());
  const auto file = BlztFile::Open(path_);
  ASSERT_TRUE(file.ok());
  for (const auto& spec : model::TensorTable(config)) {
    const auto original = Draw(spec, BlztPart::kV);
    std::vector<float> read(original.size());
    ASSERT_TRUE(file->Read(spec, BlztPart::kV, read).ok());
    for (size_t i = 0; i < read.size(); ++i) {
      // Two roundings to float, each by at most half a unit: eps/2 of the value.
      EXPECT_LE(std::fabs(read[i] - original[i]),
                std::numeric_limits<float>::epsilon() * std::fabs(original[i]) * 1.001);
    }
  }
}

TEST_F(BlztTest, OlderVersionsAreMultiHead) {
  ModelConfig config = TinyGqa();
  config.kv_heads = config.heads;
  config.head_dim = 2;
  ASSERT_TRUE(Write(config).ok());
  std::string bytes = ReadBytes(path_);
  std::memset(bytes.data() + 84, 0, 12);
  for (const char version : {char{2}, char{3}}) {
    bytes[4] = version;
    WriteBytes(path_, bytes);
    const auto file = BlztFile::Open(path_);
    ASSERT_TRUE(file.ok()) << file.error().message;
    EXPECT_EQ(file->config().kv_heads, 4);
    EXPECT_EQ(file->config().head_dim, 2);
    for (const auto& spec : model::TensorTable(config)) {
      std::vector<float> expected = Draw(spec, BlztPart::kWeight);
      std::vector<float> read(expected.size());
      ASSERT_TRUE(file->Read(spec, BlztPart::kWeight, read).ok());
      // The static pipeline (version 2) has no alpha: its numbers are taken as they are.
      if (version == 2 && (spec.role == TensorRole::kWo || spec.role == TensorRole::kW2)) {
        for (float& x : expected) x *= 2;
      }
      EXPECT_EQ(read, expected) << spec.name << " " << int{version};
    }
  }
}

TEST_F(BlztTest, NetworksThatTheReferenceCannotComputeAreRefused) {
  const std::pair<const char*, void (*)(ModelConfig*)> cases[] = {
      {"qk_norm", [](ModelConfig* c) { c->qk_norm = true; }},
      {"rope_theta", [](ModelConfig* c) { c->rope_theta = 1e6; }},
      {"rms_norm_eps", [](ModelConfig* c) { c->rms_norm_eps = 1e-6; }},
      {"dim", [](ModelConfig* c) { c->dim = 0; }},
  };
  for (const auto& [field, spoil] : cases) {
    ModelConfig config = TinyGqa();
    spoil(&config);
    const Status status = Write(config);
    ASSERT_FALSE(status.ok()) << field;
    EXPECT_THAT(status.error().message, HasSubstr(field));
    EXPECT_FALSE(std::filesystem::exists(path_));
  }
  EXPECT_FALSE(Write(TinyGqa(), 0.0).ok());
}

TEST_F(BlztTest, AFailedWriteLeavesTheFileBefore) {
  WriteBytes(path_, "before");
  const auto failing = [](const TensorSpec& spec, BlztPart, std::span<float>) -> Status {
    return Failed("no {}", spec.name);
  };
  EXPECT_FALSE(WriteBlzt(path_, TinyGqa(), 1.0, kProgress, failing).ok());
  EXPECT_EQ(ReadBytes(path_), "before");
  EXPECT_FALSE(std::filesystem::exists(path_ + ".tmp"));
  EXPECT_FALSE(WriteBlzt(folder_.File("no/x"), TinyGqa(), 1.0, kProgress, DrawPartSource).ok());
}

TEST_F(BlztTest, TruncatedForeignAndSpoiledFilesAreRefused) {
  ASSERT_TRUE(Write(TinyGqa()).ok());
  const std::string good = ReadBytes(path_);
  for (const size_t size : {size_t{0}, size_t{3}, size_t{95}, size_t{96}, good.size() - 1}) {
    WriteBytes(path_, good.substr(0, size));
    const auto file = BlztFile::Open(path_);
    ASSERT_FALSE(file.ok()) << size;
    EXPECT_EQ(file.error().kind, ErrorKind::kBadInput);
    EXPECT_THAT(file.error().message, HasSubstr(path_));
  }
  WriteBytes(path_, good + "x");
  EXPECT_FALSE(BlztFile::Open(path_).ok());
  // Any change of a size is seen, by the sizes' own rules or by the file's length; seq has no
  // tensor.
  const Rng rng(2, 0);
  const size_t offsets[] = {0, 4, 16, 20, 24, 28, 32, 84, 88, 92};
  for (uint64_t i = 0; i < 2000; ++i) {
    std::string bytes = good;
    const size_t offset = offsets[i % std::size(offsets)];
    const auto value = static_cast<int32_t>(rng.Bits(i) >> (i % 61));
    if (offset == 4 && value >= 2 && value <= 4) continue;
    if (value == At<int32_t>(good, offset)) continue;
    std::memcpy(bytes.data() + offset, &value, 4);
    WriteBytes(path_, bytes);
    EXPECT_FALSE(BlztFile::Open(path_).ok()) << offset << " " << value;
  }
  WriteBytes(path_, good);
  const auto file = BlztFile::Open(path_);
  ASSERT_TRUE(file.ok());
  std::vector<float> out(64);
  EXPECT_FALSE(file->Read({"x", TensorRole::kWq, 2, {24, 8}}, BlztPart::kM, out).ok());
  EXPECT_FALSE(file->Read({"x", TensorRole::kWq, 0, {8, 8}}, BlztPart::kM, out).ok());
}

}  // namespace
}  // namespace millwright::checkpoint
