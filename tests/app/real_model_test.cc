// Generation with a model that somebody trained, against an independent program
// (tools/llama_greedy.py).
#include <gtest/gtest.h>

#include "tests/app/greedy_golden.h"
#include "tests/app/run_command.h"
#include "tests/app/tiny_run.h"
#include "tests/shared_folder.h"

namespace millwright::testing {
namespace {

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
  const std::string path = (folder_ / "stories260K.bin").string();
  const auto model = app::OpenStoredModel(path);
  ASSERT_TRUE(model.ok()) << model.error().message;
  ASSERT_LT(model->config.kv_heads, model->config.heads);
  ExpectGreedyTokens(path, Stories260KGolden());
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
