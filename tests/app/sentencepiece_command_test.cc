// The program as it is linked reads SentencePiece's tokenizers: a second protocol buffer library in
// it would take the place of the one inside SentencePiece.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/read_file.h"
#include "checkpoint/test_folder.h"
#include "text/test_sentencepiece.h"

namespace millwright::testing {
namespace {

TEST(TheProgram, ReadsATokenizerOfSentencePiece) {
  const checkpoint::TestFolder folder;
  checkpoint::WriteBytes(folder.File("tokenizer.model"), text::SmallModel().Serialized());
  checkpoint::WriteBytes(folder.File("in.txt"), "ab c");
  const std::string command = MILLWRIGHT_NANO_BINARY " tokenize --tokenizer '" +
                              folder.File("tokenizer.model") + "' '" + folder.File("in.txt") +
                              "' '" + folder.File("out.bin") + "' > '" + folder.File("log") +
                              "' 2>&1";
  const int status = std::system(command.c_str());
  const auto log = ReadFile(folder.File("log"));
  EXPECT_EQ(status, 0) << (log.ok() ? *log : "");
}

}  // namespace
}  // namespace millwright::testing
