// Every row of the table of constraints: a program that it objects to, and one that it does not.
#include "device/ane/constraints.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <set>
#include <string>

#include "base/ane_rules.h"
#include "base/read_file.h"
#include "device/ane/surface_size.h"
#include "mil/text.h"

namespace millwright::device::ane {
namespace {

// A function: its inputs, operations, results. All have the constants of kPrelude.
struct Text {
  std::string inputs, operations, results = "(r)";
};

struct Case {
  std::string_view id;
  Target target;
  Text bad, good;
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.id; }

constexpr std::string_view kPrelude = R"(
  bool no = const()[name = string("no"), val = bool(false)];
  bool yes = const()[name = string("yes"), val = bool(true)];
  int32 ax1 = const()[name = string("ax1"), val = int32(1)];
  int32 ax2 = const()[name = string("ax2"), val = int32(2)];
  int32 ax3 = const()[name = string("ax3"), val = int32(3)];
  tensor<int32, [1]> axes3 = const()[name = string("axes3"), val = tensor<int32, [1]>([3])];
  tensor<int32, [4]> zeros = const()[name = string("zeros"), val = tensor<int32, [4]>([0, 0, 0, 0])];
  tensor<int32, [4]> at32 = const()[name = string("at32"), val = tensor<int32, [4]>([0, 0, 0, 32])];
  tensor<int32, [4]> half = const()[name = string("half"), val = tensor<int32, [4]>([1, 64, 1, 32])];
  tensor<int32, [4]> swap = const()[name = string("swap"), val = tensor<int32, [4]>([0, 1, 3, 2])];
  tensor<int32, [2]> ones = const()[name = string("ones"), val = tensor<int32, [2]>([1, 1])];
  tensor<int32, [2]> twos = const()[name = string("twos"), val = tensor<int32, [2]>([2, 2])];
  tensor<int32, [4]> pads = const()[name = string("pads"), val = tensor<int32, [4]>([0, 0, 0, 0])];
  int32 one = const()[name = string("one"), val = int32(1)];
  int32 two = const()[name = string("two"), val = int32(2)];
  string valid = const()[name = string("valid"), val = string("valid")];
  string fp16 = const()[name = string("fp16"), val = string("fp16")];
  fp16 root = const()[name = string("root"), val = fp16(-0.5)];
  fp16 tiny = const()[name = string("tiny"), val = fp16(1e-7)];
  fp16 small = const()[name = string("small"), val = fp16(1e-4)];
)";

mil::Program Parsed(const Text& text, std::string_view version = "1.3") {
  auto program = mil::Parse(fmt::format(
      "program({})\n[buildInfo = dict<string, string>({{{{\"coremlc-version\", \"1\"}}}})]\n"
      "{{ func main<ios18>({}) {{ {} {} }} -> {}; }}",
      version, text.inputs, kPrelude, text.operations, text.results));
  EXPECT_TRUE(program.ok()) << program.error().message;
  return program.ok() ? *std::move(program) : mil::Program();
}

// The ids of what the table says.
std::set<std::string> Found(const mil::Program& program, const Target& target) {
  std::set<std::string> ids;
  for (const Issue& issue : CheckConstraints(program, target)) ids.insert(issue.constraint);
  return ids;
}

// r = relu(a) for an input of that type.
Text Relu(std::string_view type) {
  return {fmt::format("{} a", type),
          fmt::format("{} r = relu(x = a)[name = string(\"r\")];", type)};
}

Text Unary(std::string_view op, std::string_view arguments = "") {
  return {"tensor<fp16, [1, 64, 1, 64]> a",
          fmt::format("tensor<fp16, [1, 64, 1, 64]> r = {}(x = a{})[name = string(\"r\")];", op,
                      arguments)};
}

// r = conv(a, w) of [1, 64, 1, 64], the weight declared by `weight`.
Text Conv(std::string_view inputs, std::string_view weight, std::string_view dilations = "ones",
          std::string_view groups = "one", std::string_view more = "",
          std::string_view result = "[1, 64, 1, 64]") {
  return {fmt::format("tensor<fp16, [1, 64, 1, 64]> a{}", inputs),
          fmt::format("{} tensor<fp16, {}> r = conv(x = a, weight = w, strides = ones, pad_type = "
                      "valid, pad = pads, dilations = {}, groups = {}{})[name = string(\"r\")];",
                      weight, result, dilations, groups, more)};
}

std::string Blob(std::string_view type, std::string_view id = "w", std::string_view offset = "64",
                 std::string_view file = "w.bin") {
  return fmt::format(
      "{} {} = const()[name = string(\"{}\"), val = {}(BLOBFILE(path = "
      "string(\"@model_path/weights/{}\"), offset = uint64({})))];",
      type, id, id, type, file, offset);
}

const std::string kWeight = Blob("tensor<fp16, [64, 64, 1, 1]>");

Text Concat(std::string_view axis, std::string_view result, std::string_view more = "") {
  return {"tensor<fp16, [1, 64, 1, 64]> a, tensor<fp16, [1, 64, 1, 64]> b",
          fmt::format("tensor<fp16, {}> r = concat(axis = {}, {}values = (a, b))[name = "
                      "string(\"r\")];",
                      result, axis, more)};
}

Text Matmul(std::string_view a, std::string_view b, std::string_view r,
            std::string_view flag = "no") {
  return {fmt::format("tensor<fp16, {}> a, tensor<fp16, {}> b", a, b),
          fmt::format("tensor<fp16, {}> r = matmul(transpose_x = {}, transpose_y = no, x = a, y = "
                      "b)[name = string(\"r\")];",
                      r, flag)};
}

Text Slice(std::string_view begin) {
  return {"tensor<fp16, [1, 64, 1, 64]> a",
          fmt::format("tensor<fp16, [1, 64, 1, 32]> r = slice_by_size(begin = {}, size = half, x = "
                      "a)[name = string(\"r\")];",
                      begin)};
}

// r = softmax(relu(a)) over a width.
Text Softmax(int64_t width) {
  return {fmt::format("tensor<fp16, [1, 64, 1, {}]> a", width),
          fmt::format("tensor<fp16, [1, 64, 1, {0}]> s = relu(x = a)[name = string(\"s\")];"
                      "tensor<fp16, [1, 64, 1, {0}]> r = softmax(axis = ax3, x = s)[name = "
                      "string(\"r\")];",
                      width)};
}

// A function with a softmax that cuts its input's width first.
Text CutSoftmax() {
  Text text = Slice("zeros");
  text.operations +=
      "tensor<fp16, [1, 64, 1, 32]> s = softmax(axis = ax3, x = r)[name = "
      "string(\"s\")];";
  text.results = "(s)";
  return text;
}

Text Chain(int length) {
  std::string operations = "tensor<fp16, [1, 64, 1, 64]> v0 = relu(x = a)[name = string(\"v0\")];";
  for (int i = 1; i < length; ++i) {
    operations += fmt::format(
        "tensor<fp16, [1, 64, 1, 64]> v{} = relu(x = v{})[name = string(\"v{}\")];", i, i - 1, i);
  }
  return {"tensor<fp16, [1, 64, 1, 64]> a", operations, fmt::format("(v{})", length - 1)};
}

Text ManyInputs(int count) {
  std::string inputs;
  for (int i = 0; i < count; ++i) {
    inputs += fmt::format("{}tensor<fp16, [1, 64, 1, 64]> a{:03}", i == 0 ? "" : ", ", i);
  }
  return {inputs, "tensor<fp16, [1, 64, 1, 64]> r = relu(x = a000)[name = string(\"r\")];"};
}

Text Reduce(std::string_view op, int64_t width) {
  return {
      fmt::format("tensor<fp16, [1, 64, 32, {}]> a", width),
      fmt::format("tensor<fp16, [1, 64, 32]> r = {}(axes = axes3, keep_dims = no, x = a)[name = "
                  "string(\"r\")];",
                  op)};
}

Text Root(std::string_view argument) {
  return {
      "tensor<fp16, [1, 64, 32, 64]> a",
      fmt::format(
          "tensor<fp16, [1, 64, 32]> s = reduce_sum(axes = axes3, keep_dims = no, x = a)[name = "
          "string(\"s\")];"
          "tensor<fp16, [1, 64, 32]> e = add(x = s, y = small)[name = string(\"e\")];"
          "tensor<fp16, [1, 64, 32]> m = relu(x = e)[name = string(\"m\")];"
          "tensor<fp16, [1, 64, 32]> r = rsqrt(x = {}, epsilon = small)[name = string(\"r\")];",
          argument)};
}

Text Product(std::string_view factor, std::string_view first = "a") {
  return {fmt::format("tensor<fp16, [1, 64, 1, 64]> {}, tensor<fp16, {}> b", first, factor),
          fmt::format("tensor<fp16, [1, 64, 1, 64]> r = mul(x = {}, y = b)[name = string(\"r\")];",
                      first)};
}

Text SdpAttention(std::string_view more, int64_t seq) {
  return {
      fmt::format("tensor<fp16, [1, 4, {0}, 64]> q, tensor<fp16, [1, 1, {0}, {0}]> mask", seq),
      fmt::format("tensor<fp16, [1, 4, {}, 64]> r = scaled_dot_product_attention(query = q, key "
                  "= q, value = q{})[name = string(\"r\")];",
                  seq, more)};
}

Text TransposedMatmul(bool both) {
  return {
      "tensor<fp16, [1, 4, 64, 64]> a, tensor<fp16, [1, 4, 64, 64]> b",
      fmt::format(
          "tensor<fp16, [1, 4, 64, 64]> at = transpose(perm = swap, x = a)[name = string(\"at\")];"
          "tensor<fp16, [1, 4, 64, 64]> bt = transpose(perm = swap, x = b)[name = string(\"bt\")];"
          "tensor<fp16, [1, 4, 64, 64]> r = matmul(transpose_x = no, transpose_y = no, x = at, y "
          "= {})[name = string(\"r\")];",
          both ? "bt" : "b")};
}

// r = relu(a) where the result bears another name.
Text Named(std::string_view result) {
  return {"tensor<fp16, [1, 64, 1, 64]> a",
          fmt::format("tensor<fp16, [1, 64, 1, 64]> {0} = relu(x = a)[name = string(\"{0}\")];",
                      result),
          fmt::format("({})", result)};
}

const Target kM1{.chip = Chip::kM1, .macos = 26};
const Target kM4{.chip = Chip::kM4, .macos = 26};
const Target kM3Ultra{.chip = Chip::kM3Ultra, .macos = 26};
const Target kByHand{.chip = Chip::kM4, .macos = 26, .managed = false};

const Text kRelu = Relu("tensor<fp16, [1, 64, 1, 64]>");
const Text kConcat = Concat("ax1", "[1, 128, 1, 64]", "interleave = no, ");

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
    return Text{fmt::format("tensor<fp16, [1, {}, 1, 64]> a", channels),
                constant +
                    "tensor<fp16, [1, 4096, 1, 64]> r = conv(x = a, weight = w)[name = "
                    "string(\"r\")];"};
  };
  const Text cast = {"tensor<fp32, [1, 64, 1, 64]> a",
                     "tensor<fp16, [1, 64, 1, 64]> r = cast(dtype = fp16, x = a)[name = "
                     "string(\"r\")];"};
  const Text blob_matmul = {
      "tensor<fp16, [1, 4, 64, 64]> a",
      Blob("tensor<fp16, [1, 4, 64, 64]>") +
          "tensor<fp16, [1, 4, 64, 64]> r = matmul(transpose_x = no, transpose_y = no, x = a, y = "
          "w)[name = string(\"r\")];"};
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
        "64, "
        "1, 32])];"
        "tensor<fp16, [1, 64, 1, 32]> r = slice_by_index(begin = zeros, end = last, x = a)[name = "
        "string(\"r\")];"},
       Slice("zeros")},
      {"A32", kM4, {kRelu.inputs, "", "(a)"}, kRelu},
      {"A38", kM4, Conv("", kWeight, "twos"), Conv("", kWeight)},
      {"B16", kM4, product(wide, 2048), product(narrow, 1024)},
      {"B21",
       kM4,
       {"tensor<fp16, [1, 64, 1, 32]> a",
        "tensor<int32, [4]> reps = const()[name = string(\"reps\"), val = tensor<int32, [4]>([1, "
        "1, "
        "1, 2])];"
        "tensor<fp16, [1, 64, 1, 64]> r = tile(reps = reps, x = a)[name = string(\"r\")];"},
       kRelu},
      {"F3", kM1, Unary("sin"), Unary("tanh")},
      {"F4", kM4, Unary("reduce_prod"), Unary("relu")},
      {"F5", kM4, Unary("layer_norm"), Unary("relu")},
      {"F7",
       kM4,
       {"tensor<fp16, [1, 64, 1, 64]> a",
        "tensor<fp16, [64, 64, 1, 1]> w = constexpr_affine_dequantize()[name = string(\"w\")];"
        "tensor<fp16, [1, 64, 1, 64]> r = conv(x = a, weight = w)[name = string(\"r\")];"},
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

// Chips: what is wrong on one is right on another.
TEST(ConstraintsTest, RowsHoldForTheirChipsOnly) {
  EXPECT_TRUE(Found(Parsed(Slice("at32")), kM4).empty());
  EXPECT_FALSE(Found(Parsed(Relu("tensor<fp16, [1, 64, 1, 16416]>")), kM4).contains("B2"));
  EXPECT_FALSE(Found(Parsed(CutSoftmax()), kM4).contains("A29"));
  EXPECT_FALSE(Found(Parsed(Unary("sin")), kM4).contains("F3"));
  const std::string weight14 = Blob("tensor<fp16, [64, 64, 1, 14]>");
  const Text conv = Conv("", weight14, "ones", "one", "", "[1, 64, 1, 51]");
  EXPECT_TRUE(Found(Parsed(conv), kM1).contains("A23"));
  EXPECT_FALSE(Found(Parsed(conv), kM4).contains("A23"));
}

TEST(ConstraintsTest, DialectIsThatOfTheText) {
  const Target old{.chip = Chip::kM1, .macos = 26, .managed = false};
  EXPECT_TRUE(Found(Parsed(kRelu), old).contains("A12"));
  EXPECT_FALSE(Found(Parsed(kRelu, "1.0"), old).contains("A12"));
  EXPECT_FALSE(Found(Parsed(kRelu), kM1).contains("A12")) << "the device prints it";
  EXPECT_TRUE(Found(Parsed(SdpAttention("", 64)), kM1).contains("A12")) << "an ios18 operation";
  EXPECT_FALSE(Found(Parsed(kRelu), kByHand).contains("A12"));
}

TEST(ConstraintsTest, MoreObjectionsToAttention) {
  EXPECT_TRUE(Found(Parsed(SdpAttention("", 512)), kM4).contains("E6"));
  EXPECT_FALSE(Found(Parsed(SdpAttention("", 256)), kM4).contains("E6"));
}

TEST(ConstraintsTest, ListsRowsOfATarget) {
  const std::string all = ListConstraints(nullptr);
  const std::string m4 = ListConstraints(&kM4);
  EXPECT_NE(all.find("E4   error"), std::string::npos) << all;
  EXPECT_EQ(m4.find("E4   error"), std::string::npos);
  EXPECT_NE(m4.find("B16  warning"), std::string::npos) << m4;
}

TEST(ConstraintsTest, CapsFollowFromTheTable) {
  Caps m1, m4, ultra;
  FillCaps(kM1, &m1);
  FillCaps(kM4, &m4);
  FillCaps(kM3Ultra, &ultra);
  EXPECT_EQ(m1.max_width, 16384);
  EXPECT_FALSE(m1.width_slices);
  EXPECT_FALSE(m1.narrow_factors);
  EXPECT_TRUE(m1.rotary_by_matrix);
  EXPECT_FALSE(m1.split_inputs);
  EXPECT_TRUE(ultra.split_inputs);
  EXPECT_EQ(m4.max_width, 65536);
  EXPECT_TRUE(m4.width_slices);
  EXPECT_FALSE(m4.rotary_by_matrix);
  EXPECT_EQ(m4.width_multiple, 32);
}

TEST(SurfaceSizeTest, IsAMultipleOf64KiB) {
  EXPECT_EQ(SurfaceBytes(0), 65536u);
  EXPECT_EQ(SurfaceBytes(1), 65536u);
  EXPECT_EQ(SurfaceBytes(65536), 65536u);
  EXPECT_EQ(SurfaceBytes(65537), 131072u);
}

TEST(TargetTest, ReadsChipsAndVersions) {
  EXPECT_EQ(*ParseTarget("M1 Pro:26"), (Target{.chip = Chip::kM1, .macos = 26}));
  EXPECT_EQ(*ParseTarget("m3-ultra"), (Target{.chip = Chip::kM3Ultra, .macos = 15}));
  EXPECT_EQ(ParseTarget("M2 Max")->chip, Chip::kM2Max);
  EXPECT_EQ(ParseTarget("m4 max")->chip, Chip::kM4);
  EXPECT_EQ(ParseTarget("m3-ultra")->generation(), 3);
  for (Chip chip : AllChips()) EXPECT_EQ(ParseTarget(ChipName(chip))->chip, chip);
  for (const char* wrong : {"m0", "", "m4:", "m4:x", "m4:12", "m4-mini"}) {
    EXPECT_FALSE(ParseTarget(wrong).ok()) << wrong;
  }
}

TEST(TargetTest, KnowsArchitectures) {
  EXPECT_EQ(*ChipFromArchitecture("h13g"), Chip::kM1);
  EXPECT_EQ(*ChipFromArchitecture("h16g"), Chip::kM4);
  EXPECT_EQ(*ChipFromArchitecture("h17s"), Chip::kM5);
  EXPECT_FALSE(ChipFromArchitecture("h18").ok());
  EXPECT_FALSE(ChipFromArchitecture("").ok());
}

TEST(TargetTest, OldCompilersWantTheVerboseDialect) {
  EXPECT_TRUE(NeedsVerboseDialect({.chip = Chip::kM1, .macos = 26}));
  EXPECT_TRUE(NeedsVerboseDialect({.chip = Chip::kM4, .macos = 14}));
  EXPECT_FALSE(NeedsVerboseDialect({.chip = Chip::kM3, .macos = 15}));
}

}  // namespace
}  // namespace millwright::device::ane
