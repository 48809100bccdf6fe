// millwright info on everything that it knows, and on what it does not.
#include <gmock/gmock.h>

#include "tests/app/tiny_run.h"
#include "tests/shared_folder.h"
#include "tests/training/tiny_models.h"

namespace millwright::testing {
namespace {

using checkpoint::TestFolder;
using ::testing::HasSubstr;

std::string Info(const std::string& path) {
  const CommandResult result = RunCommand(TinyPlain(), {"info", path});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  return result.out;
}

class InfoCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    test_folder = std::make_unique<TestFolder>();
    TrainTinyRun(TinyPlain(), test_folder->path());
  }
  static void TearDownTestSuite() { test_folder.reset(); }
  static std::string File(const std::string& name) { return test_folder->File(name); }

  static std::unique_ptr<TestFolder> test_folder;
};
std::unique_ptr<TestFolder> InfoCommand::test_folder;

TEST_F(InfoCommand, Run) {
  const std::string text = Info(File("run"));
  EXPECT_THAT(text, HasSubstr("run folder"));
  EXPECT_THAT(text, HasSubstr("latest state-4"));
  EXPECT_THAT(text, HasSubstr("micro-step 4 of 4, 2 updates"));
  EXPECT_THAT(text, HasSubstr("4 micro-steps, last 4 with loss"));
  EXPECT_THAT(text, HasSubstr("of 23 words active"));
}

TEST_F(InfoCommand, State) {
  const std::string text = Info(File("run/state-4/"));
  EXPECT_THAT(text, HasSubstr("training state"));
  EXPECT_THAT(text, HasSubstr("dim 16, hidden 20, 2 layers, 4 heads, 2 kv heads"));
}

TEST_F(InfoCommand, HuggingFaceFolderAndConfig) {
  EXPECT_THAT(Info(File("run/model")), HasSubstr("LlamaForCausalLM"));
  EXPECT_THAT(Info(File("run/model/config.json")), HasSubstr("half-split rotary"));
}

TEST_F(InfoCommand, Safetensors) {
  const std::string text = Info(File("run/model/model.safetensors"));
  EXPECT_THAT(text, HasSubstr("safetensors, 20 tensors"));
  EXPECT_THAT(text, HasSubstr("model.embed_tokens.weight F32 [23, 16]"));
  EXPECT_THAT(text, HasSubstr("and 8 more"));
}

TEST_F(InfoCommand, Blzt) {
  const CommandResult converted =
      RunCommand(TinyPlain(), {"convert", "--from", File("run"), "--to", File("ckpt.bin")});
  ASSERT_EQ(converted.exit_code, 0) << converted.err;
  const std::string text = Info(File("ckpt.bin"));
  EXPECT_THAT(text, HasSubstr("BLZT checkpoint, version 4"));
  EXPECT_THAT(text, HasSubstr("step 4 of 4, 2 Adam updates"));
}

TEST_F(InfoCommand, ShardWithAndWithoutSidecar) {
  EXPECT_THAT(Info(File("data.bin")), HasSubstr("200 of 2 bytes\n"));
  std::filesystem::copy_file(File("data.bin"), File("plain.bin"));
  const std::string text = Info(File("plain.bin"));
  EXPECT_THAT(text, HasSubstr("token shard"));
  EXPECT_THAT(text, HasSubstr("no sidecar"));
}

TEST_F(InfoCommand, Metrics) {
  EXPECT_THAT(Info(File("run/metrics.jsonl")), HasSubstr("4, last 4 with loss"));
}

TEST_F(InfoCommand, ProgramsAndTheirWeights) {
  const CommandResult emitted =
      RunCommand(TinyMha(), {"kernels", "--emit", File("kernels"), "--binding", "constant"});
  ASSERT_EQ(emitted.exit_code, 0) << emitted.err;
  EXPECT_THAT(Info(File("kernels")), HasSubstr("10 MIL programs"));
  const std::string text = Info(File("kernels/02_woFwd.mil"));
  EXPECT_THAT(text, HasSubstr("attn tensor<fp16, [1, 16, 1, 6]>"));
  EXPECT_THAT(text, HasSubstr("conv 1"));
  EXPECT_THAT(text, HasSubstr("@model_path/weights/wo.bin"));
  EXPECT_THAT(text, HasSubstr("verified"));
  EXPECT_THAT(Info(File("kernels/weights/wo.bin")), HasSubstr("MIL weight file"));
}

TEST_F(InfoCommand, Tokenizers) {
  const auto shared = SharedFolder();
  if (!shared) GTEST_SKIP() << "the folder of sample data is absent";
  EXPECT_THAT(Info((*shared / "data/llama2/tokenizer.bin").string()),
              HasSubstr("vocabulary  32000"));
}

TEST_F(InfoCommand, UnknownAndDamagedFilesAreRefusedByName) {
  const auto refuse = [&](const std::string& path, const std::string& what) {
    const CommandResult result = RunCommand(TinyPlain(), {"info", path});
    EXPECT_EQ(result.exit_code, 2) << path;
    EXPECT_EQ(result.out, "") << path;
    EXPECT_THAT(result.err, HasSubstr(what));
  };
  checkpoint::WriteBytes(File("notes.txt"), "hello");
  checkpoint::WriteBytes(File("empty.bin"), "");
  checkpoint::WriteBytes(File("odd.bin"), "abc");
  checkpoint::WriteBytes(File("broken.mil"), "program(1.3) {");
  checkpoint::WriteBytes(File("tokenizer.json"), "{}");
  std::string tensors = checkpoint::ReadBytes(File("run/model/model.safetensors"));
  tensors.resize(tensors.size() - 1);
  checkpoint::WriteBytes(File("cut.safetensors"), tensors);
  std::filesystem::create_directory(File("nothing"));
  for (const char* name : {"notes.txt", "empty.bin", "odd.bin", "broken.mil", "tokenizer.json",
                           "cut.safetensors", "nothing"}) {
    refuse(File(name), name);
  }
}

}  // namespace
}  // namespace millwright::testing
