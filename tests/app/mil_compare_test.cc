// millwright mil run --compare: bugs of fp16 that it must name, and programs that it must pass.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/app/mil_programs.h"
#include "tests/app/run_command.h"
#include "tests/training/tiny_models.h"

namespace millwright::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class MilCompare : public ::testing::Test {
 protected:
  // The report of a comparison with `reference` in `exact`.
  nlohmann::json Compare(const std::string& text, const std::string& device,
                         const std::string& precision) {
    checkpoint::WriteBytes(folder_.File("p.mil"), text);
    std::vector<std::string> arguments = {
        "mil",     "run",       folder_.File("p.mil"), "--device", device, "--precision",
        precision, "--compare", "reference",           "--random", "3",    "--json"};
    for (const std::string& input : inputs_) arguments.insert(arguments.end(), {"--input", input});
    const CommandResult result = RunCommand(TinyMha(), arguments);
    auto json = nlohmann::json::parse(result.out, nullptr, false);
    EXPECT_TRUE(json.is_object()) << result.err;
    if (!json.is_object()) return {};
    EXPECT_EQ(result.exit_code, json["part"] ? 1 : 0);
    return json;
  }

  template <class Fn>
  void Give(const std::string& name, const Shape& shape, const Fn& value) {
    WriteArray(folder_.File(name + ".npy"), shape, value);
    inputs_.push_back(name + "=" + folder_.File(name + ".npy"));
  }

  checkpoint::TestFolder folder_;
  std::vector<std::string> inputs_;
};

TEST_F(MilCompare, OrdinaryNumbersAgree) {
  for (const char* precision : {"fp32", "fp16", "exact"}) {
    const auto json = Compare(ScaledAfter(), "reference", precision);
    EXPECT_EQ(json["part"], false) << precision << json.dump(2);
  }
  for (const char* precision : {"fp32", "fp16"}) {
    const auto json = Compare(ScaledAfter(), "cpu", precision);
    EXPECT_EQ(json["part"], false) << precision << json.dump(2);
  }
}

// 64 products of 40 * 30 sum to 76,800: beyond fp16 before the scale of 1/8, inside it after.
TEST_F(MilCompare, NamesTheProductThatOverflows) {
  const Shape shape = {1, 2, 4, 64};
  Give("q", shape, [](int64_t) { return 40.0; });
  Give("k", shape, [](int64_t) { return 30.0; });
  for (const char* precision : {"fp16", "ane"}) {
    const auto json = Compare(ScaledAfter(), "reference", precision);
    EXPECT_EQ(json["first"], "scores") << precision;
    EXPECT_THAT(json["reasons"], Contains(HasSubstr("'scaled' multiplies by 0.125 afterwards")));
  }
  EXPECT_EQ(Compare(ScaledAfter(), "reference", "fp32")["part"], false);
  // Fused on the CPU, but as an output of its own the score overflows there as well.
  EXPECT_EQ(Compare(ScaledAfter(), "cpu", "fp16")["first"], "scores");
}

// A gradient of 8e-5 times a weight of 0.036: fp16 holds the sum, the ANE drops every product.
TEST_F(MilCompare, NamesTheProductThatVanishes) {
  const Shape shape = {1, 2, 4, 64};
  Give("q", shape, [](int64_t) { return 8e-5; });
  Give("k", shape, [](int64_t) { return 0.036; });
  const auto json = Compare(ScaledAfter(), "reference", "ane");
  EXPECT_EQ(json["first"], "scores");
  EXPECT_EQ(json["values"][1]["difference"], 1.0);
  EXPECT_THAT(json["reasons"], Contains(HasSubstr("100.0% of the products vanish")));
}

TEST_F(MilCompare, NamesTheMaskThatOverflows) {
  const std::string text =
      MilProgram("tensor<fp16, [4, 4]> s, tensor<fp16, [4, 4]> mask",
                 R"(        tensor<fp16, [4, 4]> masked = add(x = s, y = mask)[name = string("a")];
)",
                 "masked");
  Give("s", {4, 4}, [](int64_t i) { return -32.0 - static_cast<double>(i); });
  Give("mask", {4, 4}, [](int64_t i) { return i % 4 > i / 4 ? -65504.0 : 0.0; });
  const auto json = Compare(text, "reference", "fp16");
  EXPECT_EQ(json["first"], "masked");
  EXPECT_EQ(json["values"][0]["kinds"], 6);
  EXPECT_THAT(json["reasons"], Contains(HasSubstr("A mask of -1e4")));
}

TEST_F(MilCompare, NamesTheGradientThatUnderflows) {
  const std::string text =
      MilProgram("tensor<fp16, [4, 4]> g",
                 R"(        fp16 c = const()[name = string("c"), val = fp16(0.0009765625)];
        tensor<fp16, [4, 4]> d = mul(x = g, y = c)[name = string("a")];
)",
                 "d");
  Give("g", {4, 4}, [](int64_t i) { return 3e-5 * (1 + static_cast<double>(i) / 16); });
  const auto json = Compare(text, "reference", "fp16");
  EXPECT_EQ(json["first"], "d");
  EXPECT_THAT(json["reasons"], Contains(HasSubstr("loss scale")));
}

// Variance as the mean of squares less the square of the mean: each step rounds correctly, and what
// is left is rounding.
TEST_F(MilCompare, NamesCancellation) {
  const std::string text = MilProgram(
      "tensor<fp16, [1, 64]> x",
      R"(        tensor<int32, [1]> ax = const()[name = string("ax"), val = tensor<int32, [1]>([-1])];
        bool kd = const()[name = string("kd"), val = bool(true)];
        tensor<fp16, [1, 64]> sq = mul(x = x, y = x)[name = string("sq")];
        tensor<fp16, [1, 1]> m2 = reduce_mean(axes = ax, keep_dims = kd, x = sq)[name = string("m2")];
        tensor<fp16, [1, 1]> m = reduce_mean(axes = ax, keep_dims = kd, x = x)[name = string("m")];
        tensor<fp16, [1, 1]> mm = mul(x = m, y = m)[name = string("mm")];
        tensor<fp16, [1, 1]> var = sub(x = m2, y = mm)[name = string("v")];
)",
      "var");
  Give("x", {1, 64}, [](int64_t i) { return 100 + (i % 2 == 0 ? 0.25 : -0.25); });
  const auto json = Compare(text, "reference", "fp16");
  EXPECT_EQ(json["first"], "var");
  EXPECT_THAT(json["reasons"], Contains(HasSubstr("cancellation")));
}

// What rounding the operands of a product with weights explains, and fp32 does not.
TEST_F(MilCompare, RoundedOperandsExplainTheirProducts) {
  const std::string text =
      MilProgram("tensor<fp32, [1, 1, 48, 64]> w, tensor<fp32, [1, 1, 64, 24]> x",
                 R"(        bool no = const()[name = string("no"), val = bool(false)];
        tensor<fp32, [1, 1, 48, 24]> y = matmul(transpose_x = no, transpose_y = no, x = w, y = x)[name = string("mm")];
)",
                 "y");
  double fp32 = 0;
  for (const char* precision : {"fp32", "bf16", "int8"}) {
    const auto json = Compare(text, "cpu", precision);
    EXPECT_EQ(json["part"], false) << precision << json.dump(2);
    const auto y = json["values"].back();
    if (precision == std::string("fp32")) {
      fp32 = y["bound"];
    } else {
      EXPECT_GT(y["difference"], fp32) << precision;
    }
    EXPECT_LT(y["bound"], 0.5) << precision;
    const CommandResult refused =
        RunCommand(TinyMha(), {"mil", "run", folder_.File("p.mil"), "--random", "3", "--compare",
                               std::string("reference:") + precision});
    EXPECT_EQ(refused.exit_code, precision == std::string("fp32") ? 0 : 2) << refused.err;
  }
}

// What public programs compute agrees with exact arithmetic as far as rounding goes, on both
// devices.
TEST_F(MilCompare, PublicProgramsAgree) {
  if (!SharedFolder()) GTEST_SKIP() << "no ../shared folder with MIL programs";
  for (const std::string& file : SharedPrograms()) {
    // A minute each; the MIL suite runs them.
    if (file.find("classifier") != std::string::npos) continue;
    std::vector<std::string> arguments = {
        "mil", "run", file, "--device", "cpu", "--compare", "reference", "--random", "1", "--json"};
    if (file.find("static") != std::string::npos) arguments.emplace_back("--random-weights");
    const CommandResult result = RunCommand(TinyMha(), arguments);
    EXPECT_EQ(result.exit_code, 0) << file << "\n" << result.err;
  }
}

}  // namespace
}  // namespace millwright::testing
