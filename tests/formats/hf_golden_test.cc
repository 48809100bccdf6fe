// Tiny random models as transformers saves and computes them (goldens/README.md): logits, loss and
// every gradient, and round trips that change no byte of a tensor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "base/tolerance.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/test_folder.h"
#include "tests/formats/loaded_model.h"
#include "tests/python_judge.h"

namespace millwright::testing {
namespace {

using checkpoint::Safetensors;
using checkpoint::TestFolder;
using nlohmann::json;

const std::string kGoldens = "tests/formats/goldens/";
constexpr double kTolerance = 1e-4;  // fp32 against fp32

Safetensors OpenTensors(const std::string& path) {
  auto file = Safetensors::Open(path);
  EXPECT_TRUE(file.ok()) << (file.ok() ? "" : file.error().message);
  return std::move(*file);
}

std::vector<float> ReadAll(const Safetensors& file, const std::string& name) {
  const auto* entry = file.Find(name);
  EXPECT_NE(entry, nullptr) << name;
  if (entry == nullptr) return {};
  std::vector<float> values(static_cast<size_t>(NumElements(entry->shape)));
  EXPECT_TRUE(file.Read(name, entry->shape, values).ok());
  return values;
}

// Every tensor has the same name, dtype, shape and bytes in both.
void ExpectSameTensors(const std::string& actual, const std::string& expected) {
  const Safetensors a = OpenTensors(actual), e = OpenTensors(expected);
  EXPECT_EQ(a.entries().size(), e.entries().size());
  for (const auto& entry : e.entries()) {
    const auto* found = a.Find(entry.name);
    ASSERT_NE(found, nullptr) << entry.name;
    EXPECT_EQ(found->dtype_name, entry.dtype_name) << entry.name;
    EXPECT_EQ(found->shape, entry.shape) << entry.name;
    EXPECT_TRUE(std::ranges::equal(a.Bytes(*found), e.Bytes(entry))) << entry.name;
  }
}

class HfGolden : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    std::ifstream file(kGoldens + GetParam() + ".json");
    golden_ = json::parse(file);
    tokens_ = golden_["tokens"].get<std::vector<int32_t>>();
  }
  std::string Folder() const { return kGoldens + GetParam(); }
  int64_t Seq() const { return static_cast<int64_t>(tokens_.size()); }

  json golden_;
  std::vector<int32_t> tokens_;
};

TEST_P(HfGolden, LogitsLossAndGradientsAreTransformers) {
  const Safetensors golden = OpenTensors(kGoldens + GetParam() + ".safetensors");
  LoadedModel model(Folder(), Seq());
  ASSERT_NE(model.network, nullptr);
  const std::vector<float> expected = ReadAll(golden, "logits");
  EXPECT_LE((NormError<float, float>(model.Logits(tokens_), expected)), kTolerance);
  const auto targets = golden_["targets"].get<std::vector<int32_t>>();
  const auto loss = model.network->LossAndGradient(tokens_, targets, 1.0);
  ASSERT_TRUE(loss.ok()) << loss.error().message;
  EXPECT_NEAR(*loss, golden_["loss"].get<double>(), kTolerance);
  size_t count = 0;
  for (const auto& p : model.network->parameters().all()) {
    const std::vector<float> gradient = ReadAll(golden, "grad." + p.spec.name);
    EXPECT_GT(Norm2(std::span<const float>(gradient)), 0.0) << p.spec.name;
    EXPECT_LE((NormError<float, float>(p.grad.span(), gradient)), kTolerance) << p.spec.name;
    ++count;
  }
  EXPECT_EQ(count + 1, golden.entries().size());  // and the logits
}

TEST_P(HfGolden, ARoundTripChangesNoByteOfATensor) {
  const TestFolder out;
  for (const char* dtype : {"fp32", "bf16", "fp16"}) {
    const std::string first = out.File(std::string(dtype)), again = first + "-again";
    ConvertModel(Folder(), first, {"--dtype", dtype});
    ConvertModel(first, again);
    ExpectSameTensors(again + "/model.safetensors", first + "/model.safetensors");
  }
  ExpectSameTensors(out.File("fp32/model.safetensors"), Folder() + "/model.safetensors");
}

TEST_P(HfGolden, ShardsHoldTheSameModel) {
  const TestFolder out;
  ConvertModel(Folder(), out.File("shards"), {"--max-shard-size", "8KB"});
  std::ifstream file(out.File("shards/model.safetensors.index.json"));
  const json index = json::parse(file);
  std::set<std::string> names;
  for (const auto& [tensor, name] : index["weight_map"].items()) names.insert(name);
  EXPECT_GT(names.size(), 2u);
  uint64_t total = 0;
  for (const std::string& name : names) {
    const Safetensors shard = OpenTensors(out.File("shards/" + name));
    uint64_t size = 0;
    for (const auto& entry : shard.entries()) size += entry.end - entry.begin;
    EXPECT_LE(size, 8000u) << name;
    total += size;
  }
  EXPECT_EQ(index["metadata"]["total_size"].get<uint64_t>(), total);
  ConvertModel(out.File("shards"), out.File("one"));
  ExpectSameTensors(out.File("one/model.safetensors"), Folder() + "/model.safetensors");
}

TEST_P(HfGolden, TransformersComputesTheSameFromWhatWeWrite) {
  if (!PythonImports("torch, transformers")) GTEST_SKIP() << "transformers is not installed";
  const TestFolder out;
  ConvertModel(Folder(), out.File("whole"));
  ConvertModel(Folder(), out.File("shards"), {"--max-shard-size", "8KB"});
  ConvertModel(Folder(), out.File("bf16"), {"--dtype", "bf16"});
  for (const char* name : {"whole", "shards", "bf16"}) {
    const json judged = RunPythonJudge({"tools/judge_hf.py", out.File(name), JoinIds(tokens_)});
    ASSERT_TRUE(judged.is_object()) << name;
    EXPECT_EQ(judged["missing"], json::array()) << name;
    EXPECT_EQ(judged["unexpected"], json::array()) << name;
    std::vector<float> expected;
    for (const json& row : judged["logits"]) {
      for (const json& value : row) expected.push_back(value.get<float>());
    }
    LoadedModel model(out.File(name), Seq());
    ASSERT_NE(model.network, nullptr);
    EXPECT_LE((NormError<float, float>(model.Logits(tokens_), expected)), kTolerance) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, HfGolden,
                         ::testing::Values("llama_tied", "llama_untied", "qwen3_tied",
                                           "qwen3_untied"),
                         [](const auto& test) { return test.param; });

class HfRedundantClassifier : public ::testing::TestWithParam<std::string> {};

// A tied model whose folder holds the classifier as well, as some published ones do.
TEST_P(HfRedundantClassifier, IsComparedAcceptedAndWrittenBack) {
  const TestFolder out;
  const std::string folder = out.File("twice");
  for (const char* dtype : {"fp32", "bf16"}) {
    ConvertModel(kGoldens + GetParam(), folder, {"--dtype", dtype, "--overwrite"});
    const std::string path = folder + "/model.safetensors";
    std::vector<checkpoint::TensorInfo> infos;
    std::vector<std::vector<float>> values;
    {
      const Safetensors file = OpenTensors(path);
      for (const auto& entry : file.entries()) {
        infos.push_back({entry.name, *entry.dtype, entry.shape});
        values.push_back(ReadAll(file, entry.name));
      }
    }
    infos.push_back({"lm_head.weight", infos[0].dtype, infos[0].shape});
    ASSERT_EQ(infos[0].name, "model.embed_tokens.weight");
    values.push_back(values[0]);
    const auto write = [&] {
      auto writer = checkpoint::SafetensorsWriter::Create(path, infos, {});
      ASSERT_TRUE(writer.ok());
      for (const auto& tensor : values) ASSERT_TRUE(writer->Append(tensor).ok());
      ASSERT_TRUE(writer->Finish().ok());
    };
    write();
    const CommandResult info = RunCommand(TinyMha(), {"info", folder});
    EXPECT_THAT(info.out, ::testing::HasSubstr("lm_head.weight repeats the embedding"));
    ConvertModel(folder, out.File("again"), {"--overwrite"});
    ExpectSameTensors(out.File("again/model.safetensors"), path);

    values.back()[7] += 1.0f;
    write();
    const CommandResult refused = RunCommand(TinyMha(), {"info", folder});
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.err, ::testing::HasSubstr("'lm_head.weight' is not equal to"));
  }
}

INSTANTIATE_TEST_SUITE_P(Tied, HfRedundantClassifier, ::testing::Values("llama_tied", "qwen3_tied"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace millwright::testing
