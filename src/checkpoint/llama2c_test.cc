#include "checkpoint/llama2c.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "checkpoint/test_folder.h"
#include "tests/shared_folder.h"

namespace millwright::checkpoint {
namespace {

using model::ModelConfig;
using model::TensorSpec;
using testing::HasSubstr;

ModelConfig TinyLlama() {
  return {.name = "tiny",
          .title = "tiny",
          .dim = 12,
          .hidden_dim = 20,
          .layers = 2,
          .heads = 6,
          .kv_heads = 2,
          .head_dim = 2,
          .seq = 5,
          .vocab = 7};
}

template <class T>
void Append(std::string* bytes, T value) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Element `index` of a tensor: the tensor's place in the table and the index, exact in fp32.
float Element(size_t tensor, int64_t index) {
  return static_cast<float>(tensor) + static_cast<float>(index) * 0x1p-12f;
}

// A file, written tensor by tensor as export.py of llama2.c does: `order` holds the parts of the
// tensors' names.
std::string Body(const ModelConfig& config, const std::vector<std::string>& order) {
  std::string bytes;
  const std::vector<TensorSpec> table = model::TensorTable(config);
  for (const std::string& part : order) {
    for (size_t i = 0; i < table.size(); ++i) {
      if (table[i].name.find(part) == std::string::npos) continue;
      for (int64_t k = 0; k < NumElements(table[i].shape); ++k) Append(&bytes, Element(i, k));
    }
  }
  return bytes;
}

std::string Sizes(const ModelConfig& c, int64_t vocab) {
  std::string bytes;
  for (const int64_t size : {c.dim, c.hidden_dim, c.layers, c.heads, c.kv_heads, vocab, c.seq}) {
    Append(&bytes, static_cast<int32_t>(size));
  }
  return bytes;
}

std::string Version0(const ModelConfig& c) {
  std::string bytes =
      Sizes(c, c.tied_embeddings ? c.vocab : -c.vocab) +
      Body(c, {"embed_tokens", "input_layernorm", "q_proj", "k_proj", "v_proj", "o_proj",
               "post_attention", "gate_proj", "down_proj", "up_proj", "model.norm"});
  for (int64_t i = 0; i < c.seq * c.head_dim; ++i) Append(&bytes, 99.0f);
  return bytes + Body(c, {"lm_head"});
}

std::string Version1(const ModelConfig& c) {
  std::string bytes;
  Append(&bytes, uint32_t{0x616b3432});
  Append(&bytes, int32_t{1});
  bytes += Sizes(c, c.vocab);
  Append(&bytes, static_cast<uint8_t>(c.tied_embeddings));
  bytes.resize(256);
  return bytes +
         Body(c, {"input_layernorm", "post_attention", "model.norm", "embed_tokens", "q_proj",
                  "k_proj", "v_proj", "o_proj", "gate_proj", "down_proj", "up_proj", "lm_head"});
}

class Llama2cTest : public testing::Test {
 protected:
  Result<Llama2cFile> Open(const std::string& bytes) {
    WriteBytes(path_, bytes);
    return Llama2cFile::Open(path_);
  }
  void ExpectRefused(const std::string& bytes, const std::string& what) {
    const auto file = Open(bytes);
    ASSERT_FALSE(file.ok()) << what;
    EXPECT_EQ(file.error().kind, ErrorKind::kBadInput);
    EXPECT_THAT(file.error().message, HasSubstr(path_));
    EXPECT_THAT(file.error().message, HasSubstr(what));
  }
  // The file with an i32 of its header replaced.
  static std::string With(std::string bytes, size_t offset, int32_t value) {
    std::memcpy(bytes.data() + offset, &value, sizeof(value));
    return bytes;
  }

  TestFolder folder_;
  const std::string path_ = folder_.File("tiny.bin");
};

TEST_F(Llama2cTest, ReadsEveryTensorOfBothVersions) {
  for (const auto& [version, tied] : {std::pair{0, true}, {0, false}, {1, true}, {1, false}}) {
    ModelConfig config = TinyLlama();
    config.tied_embeddings = tied;
    const std::string bytes = version == 0 ? Version0(config) : Version1(config);
    EXPECT_TRUE(LooksLikeLlama2c(std::as_bytes(std::span(bytes))));
    const auto file = Open(bytes);
    ASSERT_TRUE(file.ok()) << file.error().message;
    EXPECT_EQ(file->format().version, version);
    EXPECT_EQ(file->config(), config);
    const auto table = model::TensorTable(file->config());
    for (size_t i = 0; i < table.size(); ++i) {
      std::vector<float> read(static_cast<size_t>(NumElements(table[i].shape)));
      ASSERT_TRUE(file->Read(table[i], read).ok());
      for (size_t k = 0; k < read.size(); ++k) {
        ASSERT_EQ(read[k], Element(i, static_cast<int64_t>(k))) << table[i].name;
      }
    }
    TensorSpec other = table[0];
    other.name = "model.layers.2.input_layernorm.weight";
    std::vector<float> read(static_cast<size_t>(NumElements(other.shape)));
    EXPECT_FALSE(file->Read(other, read).ok());
  }
}

TEST_F(Llama2cTest, RefusesFilesOfAnotherLength) {
  for (const std::string& bytes : {Version0(TinyLlama()), Version1(TinyLlama())}) {
    ExpectRefused(bytes.substr(0, bytes.size() - 1), "bytes expected");
    ExpectRefused(bytes + "x", "bytes expected");
    ExpectRefused(bytes.substr(0, 20), "too few");
  }
  ExpectRefused(Version1(TinyLlama()).substr(0, 255), "too few");
  ExpectRefused("", "too few");
}

TEST_F(Llama2cTest, RefusesImpossibleHeaders) {
  const std::string v0 = Version0(TinyLlama()), v1 = Version1(TinyLlama());
  const char* fields[] = {"dim", "hidden_dim", "layers", "heads", "kv_heads", "vocab", "seq"};
  for (size_t i = 0; i < std::size(fields); ++i) {
    for (const int32_t value : {0, INT32_MAX, INT32_MIN}) {
      ExpectRefused(With(v0, 4 * i, value), "not a llama2.c model");
      // Nothing in version 1 is as long as seq.
      if (i == 6 && value == INT32_MAX) continue;
      ExpectRefused(With(v1, 8 + 4 * i, value), "not a llama2.c model");
    }
    ExpectRefused(With(v1, 8 + 4 * i, 0), fields[i]);
  }
  ExpectRefused(With(v0, 12, 5), "dim: must be a multiple of heads");
  ExpectRefused(With(v0, 16, 4), "kv_heads: must divide heads");
  ExpectRefused(With(v1, 0, 0x616b3433), "not a llama2.c model");
  ExpectRefused(With(v1, 4, 2), "group_size: must divide dim (12), found 0");
  ExpectRefused(With(With(v1, 4, 2), 37, -4), "group_size: must divide dim (12), found -4");
  ExpectRefused(With(With(v1, 4, 2), 37, 5), "group_size: must divide dim (12), found 5");
  ExpectRefused(With(With(v1, 4, 2), 37, 4), "bytes expected");
  ExpectRefused(With(v1, 4, 3), "version 1 or 2 expected, found 3");
  ExpectRefused(With(v1, 4, -1), "version 1 or 2 expected, found -1");
  // A magic that is not there makes the sizes those of version 0.
  ExpectRefused(With(v1, 0, 0), "dim: expected a number from 1");
  ExpectRefused(With(v1, 36, 2), "shared_classifier: expected 0 or 1, found 2");
  const std::string impossible = With(v0, 0, 0);
  EXPECT_FALSE(LooksLikeLlama2c(std::as_bytes(std::span(impossible))));
  EXPECT_FALSE(LooksLikeLlama2c({}));
}

TEST_F(Llama2cTest, NamesTensorsThatAreNotFinite) {
  std::string bytes = Version1(TinyLlama());
  const float bad = INFINITY;
  std::memcpy(bytes.data() + 256 + 3 * sizeof(float), &bad, sizeof(bad));
  const auto file = Open(bytes);
  ASSERT_TRUE(file.ok()) << file.error().message;
  const TensorSpec spec = model::TensorTable(TinyLlama())[1];
  std::vector<float> read(12);
  const Status status = file->Read(spec, read);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("input_layernorm.weight' holds 1 values"));
}

Status ElementSource(const TensorSpec& spec, std::span<float> out) {
  ModelConfig untied = TinyLlama();
  untied.tied_embeddings = false;
  const auto table = model::TensorTable(untied);
  const auto same = [&](const TensorSpec& other) { return other.name == spec.name; };
  const auto place = static_cast<size_t>(std::ranges::find_if(table, same) - table.begin());
  for (size_t k = 0; k < out.size(); ++k) out[k] = Element(place, static_cast<int64_t>(k));
  return {};
}

TEST_F(Llama2cTest, WritesWhatItReads) {
  for (const bool tied : {true, false}) {
    ModelConfig config = TinyLlama();
    config.tied_embeddings = tied;
    ASSERT_TRUE(WriteLlama2c(path_, config, 1, ElementSource).ok());
    EXPECT_EQ(ReadBytes(path_), Version1(config));
    ASSERT_TRUE(WriteLlama2c(path_, config, 0, ElementSource).ok());
    std::string written = ReadBytes(path_), expected = Version0(config);
    ASSERT_EQ(written.size(), expected.size());
    // All but the tables: they hold the angles' cosines, then sines.
    const size_t tables = static_cast<size_t>(config.seq * config.head_dim) * sizeof(float);
    const size_t classifier = tied ? 0 : static_cast<size_t>(config.vocab * config.dim) * 4;
    const size_t begin = written.size() - classifier - tables;
    std::vector<float> angles(tables / sizeof(float));
    std::memcpy(angles.data(), written.data() + begin, tables);
    for (size_t t = 0; t < 5; ++t) {  // head_dim 2: one angle a position, of frequency 1
      EXPECT_FLOAT_EQ(angles[t], std::cos(static_cast<float>(t)));
      EXPECT_FLOAT_EQ(angles[5 + t], std::sin(static_cast<float>(t)));
    }
    EXPECT_EQ(written.erase(begin, tables), expected.erase(begin, tables));
  }
}

TEST_F(Llama2cTest, PermutesTheRotaryLayoutExactly) {
  ModelConfig config = TinyLlama();
  config.heads = 3;
  config.kv_heads = 1;
  config.head_dim = 4;
  config.rotary = model::RotaryLayout::kHalfSplit;
  const auto source = [](const TensorSpec& spec, std::span<float> out) -> Status {
    for (size_t k = 0; k < out.size(); ++k) {
      const size_t row = k / static_cast<size_t>(spec.shape.back());
      out[k] = static_cast<float>(row);
    }
    return {};
  };
  ASSERT_TRUE(WriteLlama2c(path_, config, 1, source).ok());
  const auto file = Llama2cFile::Open(path_);
  ASSERT_TRUE(file.ok()) << file.error().message;
  for (const TensorSpec& spec : model::TensorTable(config)) {
    if (spec.role != model::TensorRole::kWq) continue;
    std::vector<float> read(static_cast<size_t>(NumElements(spec.shape)));
    ASSERT_TRUE(file->Read(spec, read).ok());
    const float rows[] = {0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11};
    for (size_t row = 0; row < 12; ++row) EXPECT_EQ(read[row * 12], rows[row]) << row;
  }
}

TEST_F(Llama2cTest, Version2HoldsIntegersAndScales) {
  ASSERT_TRUE(WriteLlama2c(path_, TinyLlama(), 2, ElementSource).ok());
  const std::string bytes = ReadBytes(path_);
  int32_t group = 0;
  std::memcpy(&group, bytes.data() + 37, sizeof(group));
  EXPECT_EQ(group, 4);  // of 12 and 20
  const auto file = Llama2cFile::Open(path_);
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto table = model::TensorTable(TinyLlama());
  for (size_t i = 0; i < table.size(); ++i) {
    std::vector<float> read(static_cast<size_t>(NumElements(table[i].shape)));
    ASSERT_TRUE(file->Read(table[i], read).ok());
    for (size_t k = 0; k < read.size(); ++k) {
      const float element = Element(i, static_cast<int64_t>(k));
      // The largest of a group is its last element; rounding is off by half a scale at most.
      const float scale = Element(i, static_cast<int64_t>(k / 4 * 4 + 3)) / 127;
      const float bound = table[i].is_norm() ? 0 : 0.5001f * scale;
      ASSERT_NEAR(read[k], element, bound) << table[i].name;
    }
  }
}

TEST_F(Llama2cTest, RefusesNetworksThatRunCannotCompute) {
  const std::pair<const char*, void (*)(ModelConfig*)> cases[] = {
      {"qk_norm:", [](ModelConfig* c) { c->qk_norm = true; }},
      {"head_dim:", [](ModelConfig* c) { c->head_dim = 4; }},
      {"rope_theta:", [](ModelConfig* c) { c->rope_theta = 1e6; }},
      {"rms_norm_eps:", [](ModelConfig* c) { c->rms_norm_eps = 1e-6; }},
  };
  for (const auto& [field, spoil] : cases) {
    ModelConfig config = TinyLlama();
    spoil(&config);
    for (int version : {0, 1, 2}) {
      const Status status = WriteLlama2c(path_, config, version, ElementSource);
      ASSERT_FALSE(status.ok()) << field;
      EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
      EXPECT_THAT(status.error().message, HasSubstr(field));
      EXPECT_FALSE(std::filesystem::exists(path_));
    }
  }
}

// The published stories260K in both versions: one model.
TEST(Llama2cShared, BothVersionsOfStories260KHoldTheSameWeights) {
  const auto shared = SharedFolder();
  if (!shared) GTEST_SKIP() << "the folder of sample data is absent";
  const auto folder = *shared / "data/stories260K";
  const auto v0 = Llama2cFile::Open((folder / "stories260K.bin").string());
  const auto v1 = Llama2cFile::Open((folder / "checkpoint_v1.bin").string());
  ASSERT_TRUE(v0.ok()) << v0.error().message;
  ASSERT_TRUE(v1.ok()) << v1.error().message;
  const ModelConfig& c = v0->config();
  EXPECT_EQ(c.dim, 64);
  EXPECT_EQ(c.hidden_dim, 172);
  EXPECT_EQ(c.layers, 5);
  EXPECT_EQ(c.heads, 8);
  EXPECT_EQ(c.kv_heads, 4);
  EXPECT_EQ(c.vocab, 512);
  EXPECT_EQ(c.seq, 512);
  for (const TensorSpec& spec : model::TensorTable(c)) {
    const auto size = static_cast<size_t>(NumElements(spec.shape));
    std::vector<float> a(size), b(size);
    ASSERT_TRUE(v0->Read(spec, a).ok());
    ASSERT_TRUE(v1->Read(spec, b).ok());
    EXPECT_EQ(std::memcmp(a.data(), b.data(), size * sizeof(float)), 0) << spec.name;
  }
}

}  // namespace
}  // namespace millwright::checkpoint
