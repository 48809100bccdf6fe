// millwright train --from: what the source is besides its weights comes out again.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/stored_model.h"
#include "checkpoint/hf_folder.h"
#include "tests/app/tiny_run.h"

namespace millwright::testing {
namespace {

using checkpoint::ReadBytes;
using checkpoint::WriteBytes;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int64_t kContext = 64;  // of the source; the runs have the binary's 6

class HandOver : public ::testing::Test {
 protected:
  static model::ModelConfig Config() {
    model::ModelConfig config = TinyPlain();
    config.vocab = 300;
    return config;
  }

  // "run", of the embedded stories and exported in bf16, and "base": a folder as others write them,
  // of mixed dtypes, with several end tokens, and with a tokenizer in a form that is not ours.
  static void SetUpTestSuite() {
    test_folder = std::make_unique<checkpoint::TestFolder>();
    ASSERT_EQ(::setenv("MILLWRIGHT_CACHE", File("cache").c_str(), 1), 0);
    WriteTinyShard(File("data.bin"));
    std::string text;
    for (int i = 0; i < 50; ++i) text += "Once upon a time there was a dog.\n";
    WriteBytes(File("data.txt"), text);
    const CommandResult trained = Command(
        {"train", "--scratch", "--steps", "2", "--accum", "1", "--val-windows", "1", "--device",
         "reference", "--export-dtype", "bf16", "--act-clip", "1e6", "--out", File("run")});
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
    WriteBase();
  }
  static void TearDownTestSuite() {
    ::unsetenv("MILLWRIGHT_CACHE");
    test_folder.reset();
  }

  static void WriteBase() {
    const app::StoredModel model = Open(File("run"));
    checkpoint::HfExport how;
    how.dtype = DType::kBf16;
    how.other_dtypes["model.norm.weight"] = DType::kFp32;
    how.tokens.bos = 1;
    how.tokens.eos = 2;
    how.tokens.more_eos = {5, 7};
    how.extra_files = model.tokenizer_files;
    how.repeat_tied_classifier = true;
    model::ModelConfig config = model.config;
    config.seq = kContext;
    const Status written =
        checkpoint::WriteHfFolder(File("base"), config, app::OrdinaryWeights(model), how);
    ASSERT_TRUE(written.ok()) << written.error().message;
    WriteBytes(File("base/tokenizer.json"), "  " + ReadBytes(File("base/tokenizer.json")) + "\n\n");
  }

  static std::string File(const std::string& name) { return test_folder->File(name); }
  static CommandResult Command(std::vector<std::string> arguments) {
    return RunCommand(Config(), std::move(arguments));
  }

  // A run of two micro-steps from `from`; its folder.
  static std::string Tuned(const std::string& from, const std::string& name,
                           const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"train",     "--from",  File(from), "--steps",
                                          "2",         "--accum", "1",        "--device",
                                          "reference", "--out",   File(name)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const CommandResult result = Command(std::move(arguments));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return File(name);
  }
  static void Resume(const std::string& run, const std::string& steps,
                     const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"train", "--resume", "--steps", steps, "--out", run};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const CommandResult result = Command(std::move(arguments));
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }

  static app::StoredModel Open(const std::string& path) {
    auto model = app::OpenStoredModel(path);
    EXPECT_TRUE(model.ok()) << (model.ok() ? "" : model.error().message);
    return model.ok() ? std::move(*model) : app::StoredModel{};
  }

  // model/ and the state that it was written with both say what the base says.
  static void ExpectAsBase(const std::string& run) {
    const app::StoredModel base = Open(File("base"));
    for (const std::string& path : {run, run + "/model"}) {
      const app::StoredModel model = Open(path);
      EXPECT_EQ(model.config.seq, kContext) << path;
      EXPECT_EQ(model.tokens, base.tokens) << path;
      EXPECT_EQ(model.dtype, DType::kBf16) << path;
      EXPECT_EQ(model.other_dtypes, base.other_dtypes) << path;
      EXPECT_TRUE(model.repeats_tied_classifier) << path;
    }
    EXPECT_EQ(ReadBytes(run + "/model/tokenizer.json"), ReadBytes(File("base/tokenizer.json")));
  }

  static std::unique_ptr<checkpoint::TestFolder> test_folder;
};

std::unique_ptr<checkpoint::TestFolder> HandOver::test_folder;

TEST_F(HandOver, WhatTheSourceSaysComesOutAgain) {
  const std::string tuned = Tuned("base", "tuned", {"--data", File("data.bin")});
  const auto run = nlohmann::json::parse(ReadBytes(tuned + "/run.json"));
  EXPECT_EQ(run["settings"]["config"]["seq"], 6);
  ExpectAsBase(tuned);
  Resume(tuned, "4");
  ExpectAsBase(tuned);
  ExpectAsBase(Tuned("tuned", "tuned_again", {"--data", File("data.bin")}));
}

// The text is encoded by the model's tokenizer, which says other ends than the model.
TEST_F(HandOver, TextNeedsNoTokenizerBesideTheModels) {
  const std::string tuned = Tuned("base", "text", {"--data", File("data.txt")});
  ExpectAsBase(tuned);
  Resume(tuned, "4");
  ExpectAsBase(tuned);
  const auto run = nlohmann::json::parse(ReadBytes(tuned + "/run.json"));
  EXPECT_EQ(run["settings"]["tokenizer"], File("base"));
  ExpectAsBase(Tuned("base", "named",
                     {"--data", File("data.txt"), "--tokenizer", File("base/tokenizer.json")}));
}

TEST_F(HandOver, AnotherTokenizerTakesThePlaceOfTheModels) {
  std::filesystem::create_directory(File("other"));
  const std::string other = " " + ReadBytes(File("run/tokenizer.json")) + "\n";
  WriteBytes(File("other/tokenizer.json"), other);
  const std::string folder =
      Tuned("base", "folder", {"--data", File("data.txt"), "--tokenizer", File("other")});
  EXPECT_EQ(ReadBytes(folder + "/model/tokenizer.json"), other);
  // A single file is written anew, as in the run that it came from.
  const std::string file = Tuned(
      "base", "file", {"--data", File("data.txt"), "--tokenizer", File("other/tokenizer.json")});
  EXPECT_EQ(ReadBytes(file + "/model/tokenizer.json"), ReadBytes(File("run/tokenizer.json")));
}

TEST_F(HandOver, ExportDTypeIsThatOfEveryTensor) {
  const auto others = [](const std::string& run) { return Open(run + "/model").other_dtypes; };
  const std::string single =
      Tuned("base", "single", {"--data", File("data.bin"), "--export-dtype", "bf16"});
  EXPECT_TRUE(others(single).empty());
  const std::string later = Tuned("base", "later", {"--data", File("data.bin")});
  EXPECT_EQ(others(later).size(), 1u);
  Resume(later, "4", {"--export-dtype", "bf16"});
  EXPECT_TRUE(others(later).empty());
  EXPECT_TRUE(Open(later + "/model").repeats_tied_classifier);
}

// The weights of the state, not those that were rounded for its model/.
TEST_F(HandOver, ARunIsItsState) {
  const std::string tuned =
      Tuned("run", "from_run",
            {"--data", File("data.bin"), "--freeze", "*proj*", "--export-dtype", "fp32"});
  const auto run = nlohmann::json::parse(ReadBytes(tuned + "/run.json"));
  EXPECT_EQ(run["settings"]["act-clip"], 1e6);
  const app::StoredModel state = Open(File("run")), rounded = Open(File("run/model"));
  const app::StoredModel model = Open(tuned + "/model");
  for (const model::TensorSpec& spec : model::TensorTable(model.config)) {
    if (spec.name.find("down_proj") == std::string::npos) continue;
    std::vector<float> a(static_cast<size_t>(NumElements(spec.shape))), b(a), c(a);
    ASSERT_TRUE(state.read(spec, checkpoint::BlztPart::kWeight, a).ok());
    ASSERT_TRUE(rounded.read(spec, checkpoint::BlztPart::kWeight, b).ok());
    ASSERT_TRUE(model.read(spec, checkpoint::BlztPart::kWeight, c).ok());
    EXPECT_EQ(c, a) << spec.name;
    EXPECT_NE(c, b) << spec.name;
  }
}

TEST_F(HandOver, AnAdapterOfARunStandsOnItsModel) {
  const std::string tuned =
      Tuned("run", "adapted", {"--data", File("data.bin"), "--lora-rank", "2"});
  const auto base = [&] {
    const std::string text = ReadBytes(tuned + "/adapter/adapter_config.json");
    return nlohmann::json::parse(text)["base_model_name_or_path"];
  };
  EXPECT_EQ(base(), File("run/model"));
  Resume(tuned, "4");
  EXPECT_EQ(base(), File("run/model"));
}

// The embedded stories are ids of their own tokenizer: "run" and "base" have it, others are
// refused.
TEST_F(HandOver, EmbeddedStoriesAreForModelsWithTheirTokenizer) {
  Tuned("run", "more_stories", {"--val-windows", "1"});
  Tuned("base", "base_stories", {"--val-windows", "1"});
  const auto expect_refused = [](const std::string& model, const std::string& why) {
    const CommandResult result = Command({"train", "--from", model, "--steps", "2", "--device",
                                          "reference", "--out", File("refused")});
    EXPECT_EQ(result.exit_code, 2) << result.out;
    EXPECT_THAT(result.err, AllOf(StartsWith("millwright: --data: is needed"), HasSubstr(model),
                                  HasSubstr(why)));
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_FALSE(std::filesystem::exists(File("refused")));
  };
  const auto copy_base = [](const std::string& name) {
    std::filesystem::copy(File("base"), File(name));
    return File(name);
  };
  // The same words, but two ids are exchanged.
  const std::string other = copy_base("other_ids");
  auto json = nlohmann::json::parse(ReadBytes(other + "/tokenizer.json"));
  json["model"]["vocab"]["a"].swap(json["model"]["vocab"]["b"]);
  WriteBytes(other + "/tokenizer.json", json.dump());
  expect_refused(other, "another tokenizer");
  const std::string none = copy_base("no_tokenizer");
  std::filesystem::remove(none + "/tokenizer.json");
  std::filesystem::remove(none + "/tokenizer_config.json");
  expect_refused(none, "has no tokenizer");
  const std::string damaged = copy_base("damaged_tokenizer");
  WriteBytes(damaged + "/tokenizer.json", "{}");
  expect_refused(damaged, "tokenizer.json");
}

TEST_F(HandOver, InfoShowsAllEndTokens) {
  EXPECT_THAT(Command({"info", File("base")}).out, HasSubstr("BOS 1, EOS 2 or 5 or 7"));
}

}  // namespace
}  // namespace millwright::testing
