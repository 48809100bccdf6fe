// Wrong flags and wrong data: exit code 2, one line that names them, no folder left behind.
#include <gmock/gmock.h>


#include "tests/app/tiny_run.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class BadInput : public ::testing::Test {
 protected:
  void SetUp() override { WriteTinyShard(folder_.File("data.bin")); }

  void ExpectRefused(std::vector<std::string> flags, const std::string& what) const {
    flags.insert(flags.begin(), {"train", "--out", folder_.File("run")});
    const CommandResult result = RunCommand(TinyPlain(), flags);
    EXPECT_EQ(result.exit_code, 2) << what << ": " << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, StartsWith("millwright: "));
    EXPECT_THAT(result.err, HasSubstr(what));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_FALSE(std::filesystem::exists(folder_.File("run"))) << what;
  }

  // u16 tokens.
  std::string Shard(const std::string& name, const std::vector<uint16_t>& ids,
                    const std::string& more = "") const {
    std::string bytes(ids.size() * 2, '\0');
    if (!ids.empty()) std::memcpy(bytes.data(), ids.data(), bytes.size());
    checkpoint::WriteBytes(folder_.File(name), bytes + more);
    return folder_.File(name);
  }

  checkpoint::TestFolder folder_;
};

TEST_F(BadInput, Flags) {
  const std::pair<const char*, const char*> flags[] = {{"--no-such", "1"},
                                                       {"--steps", "0"},
                                                       {"--steps", "-5"},
                                                       {"--steps", "many"},
                                                       {"--lr", "0"},
                                                       {"--lr", "-1"},
                                                       {"--lr", "nan"},
                                                       {"--lr", "inf"},
                                                       {"--accum", "0"},
                                                       {"--batch", "0"},
                                                       {"--moments", "fp16"},
                                                       {"--warmup", "-1"},
                                                       {"--clip", "-1"},
                                                       {"--clip", "inf"},
                                                       {"--weight-decay", "-1"},
                                                       {"--beta1", "1"},
                                                       {"--beta1", "-0.1"},
                                                       {"--beta2", "nan"},
                                                       {"--loss-scale", "-1"},
                                                       {"--act-clip", "nan"},
                                                       {"--residual-alpha", "x"},
                                                       {"--residual-alpha", "0"},
                                                       {"--residual-alpha", "0.5x"},
                                                       {"--seed", "-1"},
                                                       {"--seq", "0"},
                                                       {"--qk-norm", "maybe"},
                                                       {"--vocab", "some"},
                                                       {"--binding", "loose"},
                                                       {"--device", "tpu"},
                                                       {"--precision", "fp8"},
                                                       {"--save-every", "0"},
                                                       {"--val-every", "0"},
                                                       {"--val-windows", "0"},
                                                       {"--threads", "-1"}};
  for (const auto& [flag, value] : flags) {
    ExpectRefused({"--scratch", "--data", folder_.File("data.bin"), flag, value}, flag);
  }
}

TEST_F(BadInput, MomentsTooCoarseForTheirSteps) {
  ExpectRefused(
      {"--scratch", "--data", folder_.File("data.bin"), "--moments", "bf16", "--beta2", "0.999"},
      "0.99 at most");
}

TEST_F(BadInput, ExactlyOneStart) {
  ExpectRefused({}, "exactly one of --scratch, --resume and --from");
  ExpectRefused({"--scratch", "--resume"}, "exactly one");
  ExpectRefused({"--scratch", "--from", "x"}, "exactly one");
}

TEST_F(BadInput, Data) {
  const std::string good = folder_.File("data.bin");
  const std::vector<uint16_t> words(50, 7);
  std::vector<uint16_t> with_high = words;
  with_high[20] = 23;
  const std::pair<std::string, std::string> wrong[] = {
      {folder_.File("none.bin"), "none.bin"},
      {folder_.path(), folder_.path()},
      {Shard("odd.bin", words, "x"), "101 bytes"},
      {Shard("high.bin", with_high), "token 23 at offset 20"},
      {Shard("short.bin", std::vector<uint16_t>(7, 1)), "7 tokens"},
      {Shard("empty.bin", {}), "empty"}};
  for (const auto& [path, what] : wrong) {
    ExpectRefused({"--scratch", "--data", path}, what);
    ExpectRefused({"--scratch", "--data", path}, "--data");
    ExpectRefused({"--scratch", "--data", good, "--val", path}, what);
    ExpectRefused({"--scratch", "--data", good, "--val", path}, "--val");
  }
}

TEST_F(BadInput, TheEmbeddedStoriesNeedAVocabulary) {
  ExpectRefused({"--scratch"}, "embedded stories");
}

TEST_F(BadInput, ModelsToStartFrom) {
  ExpectRefused({"--from", folder_.File("none"), "--data", folder_.File("data.bin")}, "none");
  ExpectRefused({"--from", folder_.path(), "--data", folder_.File("data.bin")}, "config.json");
  ExpectRefused({"--from", folder_.path(), "--vocab", "exact"}, "--vocab exact");
}

}  // namespace
}  // namespace millwright::testing
