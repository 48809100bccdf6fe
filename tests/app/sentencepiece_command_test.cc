// Tokenizers of SentencePiece and Core ML packages in one process. SentencePiece's library has a
// protocol buffer library of its own inside; a second one would take its place.
#include <gtest/gtest.h>

#include <filesystem>

#include "checkpoint/test_folder.h"
#include "tests/app/mil_programs.h"
#include "tests/app/run_command.h"
#include "tests/training/tiny_models.h"
#include "text/test_sentencepiece.h"

namespace millwright::testing {
namespace {

TEST(TheProgram, ReadsATokenizerOfSentencePieceAndWritesPackages) {
  const checkpoint::TestFolder folder;
  const std::string model = folder.File("tokenizer.model"), text = folder.File("in.txt");
  checkpoint::WriteBytes(model, text::SmallModel().Serialized());
  checkpoint::WriteBytes(text, "ab c");
  checkpoint::WriteBytes(folder.File("p.mil"), ScaledAfter());
  const auto run = [](const std::vector<std::string>& arguments) {
    const CommandResult result = RunCommand(TinyMha(), arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
  };
  run({"tokenize", "--tokenizer", model, text, folder.File("before.bin")});
  run({"mil", "export", folder.File("p.mil"), folder.File("p.mlpackage")});
  run({"mil", "import", folder.File("p.mlpackage")});
  run({"tokenize", "--tokenizer", model, text, folder.File("after.bin")});
  EXPECT_EQ(checkpoint::ReadBytes(folder.File("after.bin")),
            checkpoint::ReadBytes(folder.File("before.bin")));
  EXPECT_GT(std::filesystem::file_size(folder.File("after.bin")), 0u);
}

}  // namespace
}  // namespace millwright::testing
