// Every row of the table of constraints: a program that it objects to, and one that it does not.
#include "device/ane/constraints.h"

#include <gtest/gtest.h>

#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "base/ane_rules.h"
#include "base/read_file.h"
#include "device/ane/test_constraint_programs.h"

namespace millwright::device::ane {
namespace {

struct Case {
  std::string_view id;
  Target target;
  Text bad, good;
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.id; }

std::vector<Case> SyntaxCases() {
  return {
      {"A5", kM4, Unary("softmax", ", axis = int32(-1)"), Unary("softmax", ", axis = ax3")},
      {"A6", kM4, {kRelu.inputs, "tensor<fp16, [1, 64, 1, 64]> r = relu(x = a)[];"}, kRelu},
      {"A7", kM4, Matmul("[1, 4, 64, 64]", "[1, 4, 64, 64]", "[1, 4, 64, 64]", "one"),
       Matmul("[1, 4, 64, 64]", "[1, 4, 64, 64]", "[1, 4, 64, 64]")},
      {"A8", kM4, Concat("ax1", "[1, 128, 1, 64]"), kConcat},
      {"A8b", kM4, kConcat, kRelu},
      {"A8c", kM4, Concat("ax3", "[1, 64, 1, 128]", "interleave = no, "), kConcat},
      {"A9", kM4, Unary("rsqrt"), Unary("rsqrt", ", epsilon = small")},
      {"A10", kM4, Root("e"), Root("m")},
      {"A11", kM4, Reduce("reduce_mean", 64), Reduce("reduce_sum", 64)},
      {"A14", kM4, Named("softmax"), kRelu},
      {"A15", kM4, {kRelu.inputs, kRelu.operations, "(r, a)"}, kRelu},
      {"A37", kM4, Chain(384), Chain(383)},
  };
}

std::vector<Case> OperatorCases() {
  const std::string bias = Blob("tensor<fp16, [64]>", "bias", "64", "bias.bin");
  const std::string weight17 = Blob("tensor<fp16, [64, 64, 1, 17]>");
  const std::string weight15 = Blob("tensor<fp16, [64, 64, 1, 15]>");
  const std::string depthwise = Blob("tensor<fp16, [64, 1, 1, 1]>");
  const std::string groups = "int32 g = const()[name = string(\"g\"), val = int32(64)];";
  const std::string wide = Blob("tensor<fp16, [4096, 2048, 1, 1]>");
  const std::string narrow = Blob("tensor<fp16, [4096, 1024, 1, 1]>");
  const auto product = [](const std::string& constant, int64_t channels) {
    return Text{
        fmt::format("tensor<fp16, [1, {}, 1, 64]> a", channels),
        constant +
            "tensor<fp16, [1, 4096, 1, 64]> r = conv(x = a, weight = w)[name = string(\"r\")];"};
  };
  const Text cast = {
      "tensor<fp32, [1, 64, 1, 64]> a",
      "tensor<fp16, [1, 64, 1, 64]> r = cast(dtype = fp16, x = a)[name = string(\"r\")];"};
  const Text blob_matmul = {"tensor<fp16, [1, 4, 64, 64]> a",
                            Blob("tensor<fp16, [1, 4, 64, 64]>") +
                                "tensor<fp16, [1, 4, 64, 64]> r = matmul(transpose_x = no, "
                                "transpose_y = no, x = a, y = w)[name = string(\"r\")];"};
  return {
      {"A13", kM1, cast, kRelu},
      {"A16", kM4, Conv("", kWeight + bias, "ones", "one", ", bias = bias"), Conv("", kWeight)},
      {"A17", kM4, blob_matmul, Matmul("[1, 4, 64, 64]", "[1, 4, 64, 64]", "[1, 4, 64, 64]")},
      {"A18", kM4, Matmul("[1, 2, 4, 64, 64]", "[1, 2, 4, 64, 64]", "[1, 2, 4, 64, 64]"),
       Matmul("[1, 4, 64, 64]", "[1, 4, 64, 64]", "[1, 4, 64, 64]")},
      {"A21",
       kM4,
       {"tensor<fp16, [1, 4, 35, 64]> a",
        "tensor<fp16, [1, 4, 64, 35]> r = transpose(perm = swap, x = a)[name = string(\"r\")];"},
       {"tensor<fp16, [1, 4, 36, 64]> a",
        "tensor<fp16, [1, 4, 64, 36]> r = transpose(perm = swap, x = a)[name = string(\"r\")];"}},
      {"A22", kM4, Conv(", tensor<fp16, [64, 32, 1, 1]> w", "", "ones", "two"),
       Conv("", Blob("tensor<fp16, [64, 32, 1, 1]>"), "ones", "two")},
      {"A22b", kM4, Conv("", depthwise + groups, "ones", "g"), Conv("", kWeight)},
      {"A23", kM4, Conv("", weight17, "ones", "one", "", "[1, 64, 1, 48]"),
       Conv("", weight15, "ones", "one", "", "[1, 64, 1, 50]")},
      {"A29", kM3Ultra, CutSoftmax(), Softmax(64)},
      {"A30",
       kM4,
       {"tensor<fp16, [1, 64, 1, 64]> a, tensor<int32, [4]> i",
        "tensor<fp16, [1, 64, 1, 4]> r = gather(axis = ax3, x = a, indices = i)[name = "
        "string(\"r\")];"},
       kRelu},
      {"A31",
       kM4,
       {kRelu.inputs,
        "tensor<int32, [4]> last = const()[name = string(\"last\"), val = tensor<int32, [4]>([1, "
        "64, 1, 32])];tensor<fp16, [1, 64, 1, 32]> r = slice_by_index(begin = zeros, end = last, x "
        "= a)[name = string(\"r\")];"},
       Slice("zeros")},
      {"A32", kM4, {kRelu.inputs, "", "(a)"}, kRelu},
      {"A38", kM4, Conv("", kWeight, "twos"), Conv("", kWeight)},
      {"B16", kM4, product(wide, 2048), product(narrow, 1024)},
      {"B21",
       kM4,
       {"tensor<fp16, [1, 64, 1, 32]> a",
        "tensor<int32, [4]> reps = const()[name = string(\"reps\"), val = tensor<int32, [4]>([1, "
        "1, 1, 2])];tensor<fp16, [1, 64, 1, 64]> r = tile(reps = reps, x = a)[name = "
        "string(\"r\")];"},
       kRelu},
      {"F3", kM1, Unary("sin"), Unary("tanh")},
      {"F4", kM4, Unary("reduce_prod"), Unary("relu")},
      {"F5", kM4, Unary("layer_norm"), Unary("relu")},
      {"F7",
       kM4,
       {"tensor<fp16, [1, 64, 1, 64]> a",
        "tensor<fp16, [64, 64, 1, 1]> w = constexpr_affine_dequantize()[name = "
        "string(\"w\")];tensor<fp16, [1, 64, 1, 64]> r = conv(x = a, weight = w)[name = "
        "string(\"r\")];"},
       Conv("", kWeight)},
  };
}

std::vector<Case> ShapeCases() {
  return {
      {"A12", kM1, SdpAttention("", 64), kRelu},
      {"A24", kM4, Relu("tensor<fp16, [1, 2, 4, 32, 64]>"), kRelu},
      {"A25", kM4, Relu("tensor<int32, [1, 64, 1, 64]>"), kRelu},
      {"A25b", kM4, Relu("tensor<fp32, [1, 64, 1, 64]>"), kRelu},
      {"B2", kM1, Relu("tensor<fp16, [1, 64, 1, 16416]>"), Relu("tensor<fp16, [1, 64, 1, 16384]>")},
      {"B3", kM4, Relu("tensor<fp16, [1, 1, 1, 65568]>"), Relu("tensor<fp16, [1, 1, 1, 65536]>")},
      {"B5", kM4, Relu("tensor<fp16, [1, 16385, 1, 32]>"), Relu("tensor<fp16, [1, 16384, 1, 32]>")},
      {"B6", kM4, Relu("tensor<fp16, [1, 64, 1, 48]>"), kRelu},
      {"B8", kByHand, Relu("tensor<fp16, [1, 64, 1, 64]>"), Relu("tensor<fp16, [1, 768, 1, 64]>")},
      {"B9", kByHand, Product("[1, 1024, 1, 64]"), Product("[1, 1, 1, 64]")},
      {"B11", kByHand, Product("[1, 1, 1, 64]", "z"), Product("[1, 1, 1, 64]")},
      {"B13", kM4, ManyInputs(128), ManyInputs(127)},
      {"B17", kM4, Relu("tensor<fp16, [1, 5120, 1, 64]>"), Relu("tensor<fp16, [1, 4096, 1, 64]>")},
      {"B14", kM4,
       Conv("", kWeight + Blob("tensor<fp16, [32768, 32768, 1, 1]>", "w2", "64", "w2.bin")),
       Conv("", kWeight)},
      {"C5", kM4, Conv("", Blob("tensor<fp16, [64, 64, 1, 1]>", "w", "128")), Conv("", kWeight)},
      {"C6", kM4, Conv(", tensor<fp16, [64, 64, 1, 1]> w", ""), Conv("", kWeight)},
      {"C7", kM1, Matmul("[1, 4, 64, 48]", "[1, 4, 48, 64]", "[1, 4, 64, 64]"),
       Matmul("[1, 4, 64, 64]", "[1, 4, 64, 64]", "[1, 4, 64, 64]")},
      {"E3", kM4, TransposedMatmul(true), TransposedMatmul(false)},
      {"E4", kM1, Slice("at32"), Slice("zeros")},
      {"E5", kM4, Reduce("reduce_sum", 2080), Reduce("reduce_sum", 2048)},
      {"E6", kM4, SdpAttention(", attn_mask = mask", 64), SdpAttention("", 64)},
      {"E7", kM4, Softmax(96), Softmax(64)},
      {"E8", kM1, Product("[1, 64, 1, 1]"), Product("[1, 1, 1, 64]")},
      {"E9", kM4, Unary("log", ", epsilon = tiny"), Unary("log", ", epsilon = small")},
  };
}

std::vector<Case> AllCases() {
  std::vector<Case> cases = SyntaxCases();
  for (const auto& more : {OperatorCases(), ShapeCases()}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  return cases;
}

class ConstraintTest : public testing::TestWithParam<Case> {};

TEST_P(ConstraintTest, ObjectsToOneProgramAndNotToTheOther) {
  const Case& test = GetParam();
  const std::string id(test.id);
  EXPECT_TRUE(Found(Parsed(test.bad), test.target).contains(id));
  EXPECT_FALSE(Found(Parsed(test.good), test.target).contains(id));
}

INSTANTIATE_TEST_SUITE_P(Rows, ConstraintTest, testing::ValuesIn(AllCases()),
                         [](const auto& row) { return std::string(row.param.id); });

TEST(ConstraintsTest, EveryRowHasACase) {
  std::set<std::string_view> tested, rows;
  for (const Case& test : AllCases()) tested.insert(test.id);
  for (const Constraint& row : AllConstraints()) rows.insert(row.id);
  EXPECT_EQ(tested, rows);
  EXPECT_EQ(rows.size(), AllConstraints().size()) << "an id stands twice";
}

TEST(ConstraintsTest, EveryRowAndRuleIsDocumented) {
  const auto text = ReadFile("docs/ane.md");
  ASSERT_TRUE(text.ok()) << text.error().message;
  for (const Constraint& row : AllConstraints()) {
    EXPECT_NE(text->find(fmt::format("| {} | {} |", row.id, row.chips)), std::string::npos)
        << row.id;
  }
  for (const AneRuleInfo& rule : AllAneRules()) {
    const auto line =
        fmt::format("| `{}` | {} | {} |", rule.name, rule.on ? "on" : "off", rule.facts);
    EXPECT_NE(text->find(line), std::string::npos) << line;
  }
}

TEST(ConstraintsTest, IssuesNamePlaceReasonAndWayOut) {
  const auto issues = CheckConstraints(Parsed(Slice("at32")), kM1);
  ASSERT_EQ(issues.size(), 1u);
  EXPECT_EQ(issues[0].constraint, "E4");
  EXPECT_EQ(issues[0].where, "slice_by_size (r)");
  EXPECT_EQ(issues[0].message, "it begins at 32; use binding separate, or pack on channels");
  EXPECT_TRUE(issues[0].is_error());
}

TEST(ConstraintsTest, AWarningIsNoError) {
  const auto issues = CheckConstraints(Parsed(kConcat), kM4);
  ASSERT_EQ(issues.size(), 1u);
  EXPECT_FALSE(issues[0].is_error());
}

}  // namespace
}  // namespace millwright::device::ane
