// Generation with a model that somebody trained, against an independent program
// (tools/llama_greedy.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/open_device.h"
#include "app/stored_model.h"
#include "checkpoint/test_folder.h"
#include "sample/decoder.h"
#include "tests/app/run_command.h"
#include "tests/app/tiny_run.h"
#include "tests/shared_folder.h"

namespace millwright::testing {
namespace {

struct Golden {
  std::vector<int32_t> context, drawn;
  double smallest_lead = 0;  // of a drawn token's logit
};

Golden ReadGolden() {
  const auto json =
      nlohmann::json::parse(checkpoint::ReadBytes("tests/app/goldens/stories260k_greedy.json"));
  return {json["context"], json["drawn"], json["smallest_lead"]};
}

class Stories260K : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto shared = SharedFolder();
    if (!shared) GTEST_SKIP() << "no folder of sample data beside the checkout";
    folder_ = *shared / "data" / "stories260K";
    if (!std::filesystem::exists(folder_ / "stories260K.bin")) {
      GTEST_SKIP() << "the sample data have no stories260K";
    }
  }
  std::filesystem::path folder_;
};

TEST_F(Stories260K, GreedyTokensAreThoseOfTheIndependentProgram) {
  const auto model = app::OpenStoredModel((folder_ / "stories260K.bin").string());
  ASSERT_TRUE(model.ok()) << model.error().message;
  ASSERT_LT(model->config.kv_heads, model->config.heads);
  auto device = app::OpenDevice("cpu", {.precision = Precision::kFp32});
  ASSERT_TRUE(device.ok());
  auto decoder = sample::Decoder::Create(**device, model->config, app::OrdinaryWeights(*model));
  ASSERT_TRUE(decoder.ok()) << decoder.error().message;
  const Golden golden = ReadGolden();
  ASSERT_GT(golden.drawn.size(), 100u);
  std::vector<int32_t> tokens = golden.context;
  for (const int32_t expected : golden.drawn) {
    const auto logits = (*decoder)->Logits(tokens);
    ASSERT_TRUE(logits.ok()) << logits.error().message;
    const auto first = std::max_element(logits->begin(), logits->end());
    ASSERT_EQ(first - logits->begin(), expected) << tokens.size();
    // The lead over the second is the exact one's but for rounding.
    std::vector<float> sorted(logits->begin(), logits->end());
    std::nth_element(sorted.begin(), sorted.begin() + 1, sorted.end(), std::greater<>());
    ASSERT_GT(*first - sorted[1], golden.smallest_lead / 2) << tokens.size();
    tokens.push_back(expected);
  }
}

TEST_F(Stories260K, TheCommandTellsItsStory) {
  const CommandResult result =
      RunCommand(TinyPlain(), {"generate", "--from", (folder_ / "stories260K.bin").string(),
                               "--tokenizer", (folder_ / "tok512.bin").string(), "--temperature",
                               "0", "--tokens", "60", "--stop", "Lily"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "Once upon a time, there was a little girl named ");
}

}  // namespace
}  // namespace millwright::testing
