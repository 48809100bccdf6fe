// millwright mil check, print and cost.
#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/app/mil_programs.h"
#include "tests/app/run_command.h"
#include "tests/training/tiny_models.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;

class MilCheck : public ::testing::Test {
 protected:
  CommandResult Mil(const std::string& command, const std::string& text,
                    std::vector<std::string> arguments = {}) {
    checkpoint::WriteBytes(file_, text);
    arguments.insert(arguments.begin(), {"mil", command, file_});
    return RunCommand(TinyMha(), std::move(arguments));
  }

  checkpoint::TestFolder folder_;
  std::string file_ = folder_.File("p.mil");
};

TEST_F(MilCheck, FindsEveryMistakeAndItsLine) {
  const std::string text =
      MilProgram("tensor<fp16, [2, 3]> x",
                 R"(        tensor<fp16, [2, 4]> a = relu(x = x)[name = string("a")];
        tensor<fp16, [2, 3]> b = relux(x = x)[name = string("b")];
        tensor<fp16, [2, 3]> c = relu(y = x)[name = string("c")];
        tensor<fp16, [2, 3]> d = relu(x = x)[name = string("d")];
)",
                 "a, b, c, d");
  const CommandResult found = Mil("check", text);
  EXPECT_EQ(found.exit_code, 1);
  EXPECT_THAT(found.out, HasSubstr(":4: error [verify] main: relu (a): 'a' is declared as"));
  EXPECT_THAT(found.out, HasSubstr(":5: error [verify] main: relux (b)"));
  EXPECT_THAT(found.out, HasSubstr(":6: error [verify]"));
  EXPECT_THAT(found.out, HasSubstr("3 errors"));
  const auto json = nlohmann::json::parse(Mil("check", text, {"--json"}).out);
  ASSERT_EQ(json["findings"].size(), 3u);
  EXPECT_EQ(json["findings"][0]["line"], 4);
  EXPECT_EQ(json["findings"][2]["id"], "c");
}

TEST_F(MilCheck, LooksAtTheTarget) {
  const std::string odd =
      MilProgram("tensor<fp16, [1, 4, 1, 70000]> x",
                 R"(        tensor<fp16, [1, 4, 1, 70000]> y = relu(x = x)[name = string("r")];
)",
                 "y");
  EXPECT_EQ(Mil("check", odd).exit_code, 0);
  const CommandResult ane = Mil("check", odd, {"--target", "ane", "--chip", "m4"});
  EXPECT_EQ(ane.exit_code, 1);
  EXPECT_THAT(ane.out, HasSubstr("[B3]"));
  EXPECT_EQ(Mil("check", odd, {"--target", "gpu"}).exit_code, 2);
  EXPECT_EQ(Mil("check", odd, {"--target", "ane", "--chip", "m99"}).exit_code, 2);
}

// A concatenation along the last axis has a later rule than one along channels.
TEST_F(MilCheck, ListsWhatItFindsInTheOrderOfTheText) {
  const std::string text =
      MilProgram("tensor<fp16, [1, 64, 1, 64]> x",
                 R"(        bool no = const()[name = string("no"), val = bool(false)];
        int32 last = const()[name = string("last"), val = int32(3)];
        int32 channels = const()[name = string("channels"), val = int32(1)];
        tensor<fp16, [1, 64, 1, 64]> r = relu(x = x)[name = string("r")];
        tensor<fp16, [1, 64, 1, 128]> wide = concat(axis = last, interleave = no, values = (r, x))[name = string("wide")];
        tensor<fp16, [1, 128, 1, 64]> tall = concat(axis = channels, interleave = no, values = (r, x))[name = string("tall")];
)",
                 "wide, tall");
  const auto json = nlohmann::json::parse(Mil("check", text, {"--target", "ane", "--json"}).out);
  std::vector<std::string> rules;
  int64_t line = 0;
  for (const auto& finding : json["findings"]) {
    if (finding["line"] == 0) continue;
    EXPECT_GE(finding["line"], line);
    line = finding["line"];
    rules.push_back(finding["constraint"]);
  }
  EXPECT_THAT(rules, ::testing::IsSupersetOf({"A8b", "A8c"}));
  EXPECT_LT(std::find(rules.begin(), rules.end(), "A8c"),
            std::find(rules.begin(), rules.end(), "A8b"));
}

TEST_F(MilCheck, UnreadableInputIsBadInput) {
  EXPECT_EQ(Mil("check", "program(1.3) {").exit_code, 2);
  EXPECT_EQ(RunCommand(TinyMha(), {"mil", "check", folder_.File("none.mil")}).exit_code, 2);
}

TEST_F(MilCheck, PrintIsCanonical) {
  const std::string once = Mil("print", ScaledAfter()).out;
  EXPECT_EQ(Mil("print", once).out, once);
  EXPECT_EQ(once, ScaledAfter());
}

TEST_F(MilCheck, CostCountsByHand) {
  const auto json = nlohmann::json::parse(Mil("cost", ScaledAfter(), {"--json"}).out);
  // Scores: 2 * 4 * 4 sums of 64 multiply-adds; then a multiplication and a softmax of 32 elements.
  EXPECT_EQ(json["flops"], 2 * 64 * 32 + 32 + 5 * 32);
  EXPECT_EQ(json["input_bytes"], 2 * 2 * 512);
  EXPECT_EQ(json["output_bytes"], 2 * 32);
  EXPECT_EQ(json["weight_bytes"], 0);
  // Largest while q, its copy and k are alive.
  EXPECT_EQ(json["working_set_bytes"], 3 * 1024);
  EXPECT_EQ(json["operations"].size(), 4u);
  EXPECT_EQ(json["ane"]["dispatch_us"], 95);
  EXPECT_EQ(Mil("cost", ScaledAfter(), {"--chip", "m0"}).exit_code, 2);
}

TEST_F(MilCheck, PublicProgramsAreValidAndPrintBackEqual) {
  if (!SharedFolder()) GTEST_SKIP() << "no ../shared folder with MIL programs";
  for (const std::string& file : SharedPrograms()) {
    EXPECT_EQ(RunCommand(TinyMha(), {"mil", "check", file}).exit_code, 0) << file;
    EXPECT_EQ(RunCommand(TinyMha(), {"mil", "cost", file}).exit_code, 0) << file;
    const std::string once = RunCommand(TinyMha(), {"mil", "print", file}).out;
    EXPECT_EQ(Mil("print", once).out, once) << file;
  }
}

}  // namespace
}  // namespace millwright::testing
