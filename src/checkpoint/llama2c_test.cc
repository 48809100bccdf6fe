#include "checkpoint/llama2c.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "checkpoint/test_folder.h"
#include "tests/shared_folder.h"

namespace millwright::checkpoint {
namespace {

using model::ModelConfig;
using model::TensorSpec;
using testing::HasSubstr;

ModelConfig Tiny() {
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
      Sizes(c, c.vocab) +
      Body(c, {"embed_tokens", "input_layernorm", "q_proj", "k_proj", "v_proj", "o_proj",
               "post_attention", "gate_proj", "down_proj", "up_proj", "model.norm"});
  for (int64_t i = 0; i < c.seq * c.head_dim; ++i) Append(&bytes, 99.0f);
  return bytes;
}

std::string Version1(const ModelConfig& c) {
  std::string bytes;
  Append(&bytes, uint32_t{0x616b3432});
  Append(&bytes, int32_t{1});
  bytes += Sizes(c, c.vocab);
  Append(&bytes, uint8_t{1});
  bytes.resize(256);
  return bytes +
         Body(c, {"input_layernorm", "post_attention", "model.norm", "embed_tokens", "q_proj",
                  "k_proj", "v_proj", "o_proj", "gate_proj", "down_proj", "up_proj"});
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
  for (int version : {0, 1}) {
    const std::string bytes = version == 0 ? Version0(Tiny()) : Version1(Tiny());
    EXPECT_TRUE(LooksLikeLlama2c(std::as_bytes(std::span(bytes))));
    const auto file = Open(bytes);
    ASSERT_TRUE(file.ok()) << file.error().message;
    EXPECT_EQ(file->version(), version);
    EXPECT_EQ(file->config(), Tiny());
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
  for (const std::string& bytes : {Version0(Tiny()), Version1(Tiny())}) {
    ExpectRefused(bytes.substr(0, bytes.size() - 1), "bytes expected");
    ExpectRefused(bytes + "x", "bytes expected");
    ExpectRefused(bytes.substr(0, 20), "too few");
  }
  ExpectRefused(Version1(Tiny()).substr(0, 255), "too few");
  ExpectRefused("", "too few");
}

TEST_F(Llama2cTest, RefusesImpossibleHeaders) {
  const std::string v0 = Version0(Tiny()), v1 = Version1(Tiny());
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
  ExpectRefused(With(v1, 4, 2), "version 2 (Q8_0) is written, not read");
  ExpectRefused(With(v1, 4, 3), "version 1 expected, found 3");
  ExpectRefused(With(v1, 4, -1), "version 1 expected, found -1");
  ExpectRefused(With(v1, 36, 2), "shared_classifier: expected 0 or 1, found 2");
  const std::string impossible = With(v0, 0, 0);
  EXPECT_FALSE(LooksLikeLlama2c(std::as_bytes(std::span(impossible))));
  EXPECT_FALSE(LooksLikeLlama2c({}));
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
