// Usage: help, versions, and what a wrong command line gets.
#include <gmock/gmock.h>

#include <algorithm>

#include "checkpoint/test_folder.h"
#include "tests/app/run_command.h"
#include "tests/training/tiny_models.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::vector<std::string>& Commands() {
  static const std::vector<std::string> commands = {
#define COMMAND(name, Name) #name,
#include "app/commands.def"
#undef COMMAND
  };
  return commands;
}

// Exit code 2, nothing on stdout, one line on stderr that says `what`.
void ExpectBadUsage(const std::vector<std::string>& arguments, const std::string& what) {
  const CommandResult result = RunCommand(TinyMha(), arguments);
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, StartsWith("millwright: "));
  EXPECT_THAT(result.err, HasSubstr(what));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
}

TEST(Usage, HelpOfEveryCommandGoesToStdout) {
  const CommandResult all = RunCommand(TinyMha(), {"--help"});
  EXPECT_EQ(all.exit_code, 0);
  for (const std::string& command : Commands()) {
    EXPECT_THAT(all.out, HasSubstr(command));
    const CommandResult help = RunCommand(TinyMha(), {command, "--help"});
    EXPECT_EQ(help.exit_code, 0) << command;
    EXPECT_THAT(help.out, HasSubstr(command));
    EXPECT_EQ(help.err, "") << command;
  }
}

TEST(Usage, VersionNamesTheModel) {
  const CommandResult result = RunCommand(TinyMha(), {"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("tiny_mha"));
}

TEST(Usage, UnknownCommandsAndFlagsAreNamed) {
  ExpectBadUsage({"trian"}, "trian");
  ExpectBadUsage({}, "subcommand");
  for (const std::string& command : Commands()) ExpectBadUsage({command, "--no-such"}, "--no-such");
}

TEST(Usage, WrongValuesAreNamed) {
  ExpectBadUsage({"kernels", "--binding", "loose"}, "--binding loose");
  ExpectBadUsage({"kernels", "--device", "tpu"}, "tpu");
  ExpectBadUsage({"kernels", "--emit", "x", "--plan"}, "--plan");
  ExpectBadUsage({"check", "--device", "tpu"}, "tpu");
  ExpectBadUsage({"check", "--precision", "fp8"}, "--precision fp8");
  for (const std::string precision : {"bf16", "int8"}) {
    ExpectBadUsage({"check", "--device", "reference", "--precision", precision},
                   "--precision " + precision);
  }
  ExpectBadUsage({"bench", "generate", "--weights", "fp8"}, "--weights fp8");
  ExpectBadUsage({"bench", "everything"}, "everything");
  ExpectBadUsage({"bench", "step", "--seconds", "0"}, "--seconds 0");
  ExpectBadUsage({"bench", "sequence", "--lengths", "256,0"}, "--lengths 0");
  ExpectBadUsage({"bench", "step", "--vocab-rows", "1"}, "--vocab-rows 1");
  ExpectBadUsage({"bench", "step", "--json", "no/such/folder/x.json"}, "no/such/folder");
  ExpectBadUsage({"info"}, "PATH");
  ExpectBadUsage({"info", "no/such/file"}, "no/such/file");
}

TEST(Usage, ConvertRefusesWhatItCannotDo) {
  const checkpoint::TestFolder folder;
  const std::string from = folder.File("data.txt"), to = folder.File("out");
  checkpoint::WriteBytes(from, "once upon a time");
  ExpectBadUsage({"convert", "--to", to}, "--from");
  ExpectBadUsage({"convert", "--from", from}, "--to");
  ExpectBadUsage({"convert", "--from", folder.File("none"), "--to", to}, "none");
  ExpectBadUsage({"convert", "--from", from, "--to", to}, "data.txt");
  ExpectBadUsage({"convert", "--from", folder.path(), "--to", to}, "holds no model");
  ExpectBadUsage({"convert", "--from", from, "--to", to, "--format", "gguf"}, "--format gguf");
  ExpectBadUsage({"convert", "--from", from, "--to", to, "--dtype", "int8"}, "--dtype int8");
  ExpectBadUsage({"convert", "--from", from, "--to", to + ".bin", "--dtype", "bf16"}, "bf16");
  ExpectBadUsage({"convert", "--from", from, "--to", to + ".gguf"}, "--format");
  EXPECT_FALSE(std::filesystem::exists(to));
}

}  // namespace
}  // namespace millwright::testing
