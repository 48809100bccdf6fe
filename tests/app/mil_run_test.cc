// millwright mil run: arrays in and out, and what is refused.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/app/mil_programs.h"
#include "tests/app/run_command.h"
#include "tests/training/tiny_models.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;

class MilRun : public ::testing::Test {
 protected:
  MilRun() { checkpoint::WriteBytes(program_, Doubled()); }

  static std::string Doubled() {
    return MilProgram("tensor<fp16, [2, 3]> x",
                      R"(        fp16 two = const()[name = string("two"), val = fp16(2.0)];
        tensor<fp16, [2, 3]> y = mul(x = x, y = two)[name = string("m")];
)",
                      "y");
  }

  CommandResult Run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"mil", "run", program_});
    return RunCommand(TinyMha(), std::move(arguments));
  }

  checkpoint::TestFolder folder_;
  std::string program_ = folder_.File("doubled.mil");
  std::string in_ = folder_.File("x.npy"), out_ = folder_.File("y.npy");
};

TEST_F(MilRun, ReadsAndWritesArrays) {
  WriteArray(in_, {2, 3}, [](int64_t i) { return 0.5 * static_cast<double>(i); });
  for (const char* device : {"cpu", "reference"}) {
    const auto result = Run({"--input", "x=" + in_, "--output", "y=" + out_, "--device", device});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const auto array = ReadNpy(out_);
    ASSERT_TRUE(array.ok()) << array.error().message;
    EXPECT_EQ(array->dtype, DType::kFp16);
    EXPECT_EQ(array->shape, (Shape{2, 3}));
    for (int64_t i = 0; i < 6; ++i) EXPECT_EQ(array->at(i), static_cast<double>(i));
  }
}

TEST_F(MilRun, SummarisesWithoutOutputs) {
  WriteArray(in_, {2, 3}, [](int64_t i) { return static_cast<double>(i) - 1; });
  const auto result = Run({"--input", "x=" + in_, "--repeat", "2"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("2 runs: min"));
  EXPECT_THAT(result.out, HasSubstr("tensor<fp16, [2, 3]>"));
  EXPECT_THAT(result.out, ::testing::ContainsRegex("min -2 +max 8 +mean 3"));
}

TEST_F(MilRun, RefusesWhatDoesNotFit) {
  WriteArray(in_, {3, 2}, [](int64_t) { return 1.0; });
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "--input NAME=FILE.npy for x tensor<fp16, [2, 3]>"},
      {{"--input", "x=" + in_}, "shape [3, 2], the program wants tensor<fp16, [2, 3]>"},
      {{"--input", "z=" + in_}, "no such value; there are x"},
      {{"--input", "x"}, "expected NAME=FILE.npy"},
      {{"--input", "x=" + program_}, "not a .npy file"},
      {{"--random", "1", "--output", "q=" + out_}, "no such value; there are y"},
      {{"--random", "1", "--output", "y=" + folder_.File("no/y.npy")}, "there is no folder"},
      {{"--random", "1", "--function", "f"}, "the program has main"},
      {{"--random", "1", "--precision", "ane2"}, "--precision ane2"},
      {{"--random", "1", "--compare", "cpu"}, "expected reference"},
      {{"--random", "1", "--trace", folder_.path()}, "not empty"}};
  for (const auto& [arguments, message] : cases) {
    const auto result = Run(arguments);
    EXPECT_EQ(result.exit_code, 2) << message;
    EXPECT_THAT(result.err, HasSubstr(message));
    EXPECT_FALSE(std::filesystem::exists(out_));
  }
}

TEST_F(MilRun, TraceCountsWhatTheAneLoses) {
  checkpoint::WriteBytes(program_, ScaledAfter());
  const std::string q = folder_.File("q.npy"), k = folder_.File("k.npy");
  const Shape shape = {1, 2, 4, 64};
  // Exponents -10 and -8: every product of the two vanishes.
  WriteArray(q, shape, [](int64_t) { return 0x1p-10; });
  WriteArray(k, shape, [](int64_t) { return 0x1p-8; });
  const std::string trace = folder_.File("trace");
  const auto result = Run({"--input", "q=" + q, "--input", "k=" + k, "--device", "reference",
                           "--precision", "ane", "--trace", trace, "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  ASSERT_EQ(json["values"].size(), 4u);
  const auto& scores = json["values"][1];
  EXPECT_EQ(scores["id"], "scores");
  EXPECT_EQ(scores["line"], 7);
  EXPECT_EQ(scores["products"], 2 * 4 * 4 * 64);
  EXPECT_EQ(scores["vanished"], scores["products"]);
  EXPECT_EQ(scores["zeros"], 1.0);
  const auto array = ReadNpy(trace + "/" + scores["file"].get<std::string>());
  ASSERT_TRUE(array.ok()) << array.error().message;
  EXPECT_EQ(array->shape, (Shape{1, 2, 4, 4}));
  EXPECT_EQ(array->at(0), 0.0);
}

// fp16 holds these products' sums, as subnormals: a quarter of the smallest normal number.
TEST_F(MilRun, TraceCountsSubnormals) {
  checkpoint::WriteBytes(program_, Doubled());
  WriteArray(in_, {2, 3}, [](int64_t i) { return i == 0 ? 0.0 : 0x1p-17; });
  const auto result = Run({"--input", "x=" + in_, "--device", "reference", "--precision", "fp16",
                           "--trace", folder_.File("t"), "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_DOUBLE_EQ(json["values"][0]["zeros"], 1.0 / 6);
  EXPECT_DOUBLE_EQ(json["values"][0]["subnormals"], 5.0 / 6);
}

}  // namespace
}  // namespace millwright::testing
