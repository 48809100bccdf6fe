#include "mil/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mil/text.h"

namespace millwright::mil {
namespace {

using testing::HasSubstr;

std::string MilWith(std::string_view statements, std::string_view opset = "ios18") {
  return fmt::format(
      "program(1.3) {{ func main<{}>(tensor<fp16, [2, 3]> x, tensor<fp16, [2, 3]> y) {{ {} }} -> "
      "(r); }}",
      opset, statements);
}

// What Verify says about a text that parses.
std::string Verdict(const std::string& text) {
  const auto program = Parse(text);
  if (!program) return "does not parse: " + program.error().message;
  const Status status = Verify(*program);
  if (status) return "fine";
  EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
  return status.error().message;
}

constexpr const char* kAdd = "tensor<fp16, [2, 3]> r = add(x = x, y = y)[name = string(\"r\")];";

TEST(VerifyTest, AcceptsEveryOpset) {
  for (const char* opset : {"ios15", "ios16", "ios17", "ios18"}) {
    EXPECT_EQ(Verdict(MilWith(kAdd, opset)), "fine");
  }
}

TEST(VerifyTest, AcceptsConstantsOfEveryKind) {
  EXPECT_EQ(
      Verdict(MilWith("bool t = const()[name = string(\"t\"), val = bool(true)];"
                      "tensor<fp16, [3, 2]> w = const()[val = tensor<fp16, [3, 2]>(BLOBFILE(path = "
                      "string(\"@model_path/weights/w.bin\"), offset = uint64(64)))];"
                      "tensor<fp16, [2, 2]> r = matmul(x = x, y = w, transpose_x = false);")),
      "fine");
  EXPECT_EQ(Verdict(MilWith("tensor<fp16, [4]> r = constexpr_affine_dequantize()[axis = int32(0), "
                            "quantized_data = tensor<int8, [4]>([1, 2, 3, 4]), scale = fp16(0.5), "
                            "zero_point = int8(0), name = string(\"r\")];")),
            "fine");
}

struct VerifierMistake {
  std::string_view statements;
  std::string_view message;
};

TEST(VerifyTest, NamesEveryMistakeInAnOperation) {
  const VerifierMistake mistakes[] = {
      {"fp16 r = frobnicate(x = x);", "main: frobnicate (r): unknown operation"},
      {"fp16 r = add(x = x, y = y);",
       "main: add (r): 'r' is declared as fp16, but its type is tensor<fp16, [2, 3]>"},
      {"tensor<fp32, [2, 3]> r = add(x = x, y = y);", "declared as tensor<fp32, [2, 3]>"},
      {"tensor<fp16, [2, 3]> r, fp16 q = add(x = x, y = y);", "2 results are declared, it has 1"},
      {"tensor<fp16, [2, 3]> r = add(x = x);", "main: add (r): argument 'y' is missing"},
      {"tensor<fp16, [2, 3]> r = add(x = x, y = y, z = y);", "unknown argument 'z'"},
      {"tensor<fp16, [2, 3]> r = add(x = x, y = y, x = y);", "argument 'x' is given twice"},
      {"tensor<fp16, [2, 3]> r = add(x = (x), y = y);",
       "'x' must be one value, found a tuple of 1"},
      {"tensor<fp16, [2, 3]> r = concat(values = x, axis = 0, interleave = false);",
       "'values' must be a tuple of values, found tensor<fp16, [2, 3]>"},
      {"tensor<fp16, [2, 3]> r = concat(values = (), axis = 0, interleave = false);",
       "'values' must be a tuple of values, found a tuple of 0"},
      {"tensor<fp16, [2, 2]> r = matmul(x = x, y = y, transpose_y = int32(1));",
       "'transpose_y' must be a bool, found int32"},
      {"tensor<fp16, [2, 3]> r = softmax(x = x, axis = [1]);",
       "'axis' must be an integer scalar, found tensor<int32, [1]>"},
      {"tensor<fp16, [2, 3]> r = reshape(x = x, shape = 6);", "'shape' must be a list of integers"},
      {"fp16 r = cast(x = x, dtype = true);", "'dtype' must be a string, found bool"},
      {"tensor<int32, [2]> s = identity(x = [2, 3]);"
       "tensor<fp16, [2, 3]> r = reshape(x = x, shape = s);",
       "argument 'shape' must be a constant"},
      {"tensor<int32, [2]> s = const()[val = tensor<int32, [2]>(BLOBFILE(path = string(\"p\"), "
       "offset = uint64(64)))]; tensor<fp16, [2, 3]> r = reshape(x = x, shape = s);",
       "argument 'shape' must be an immediate"},
      {"tensor<fp16, [2, 3]> r = add(x = x, y = y)[val = fp16(1)];", "unknown attribute 'val'"},
      {"tensor<fp16, [2, 3]> r = add(x = x, y = y)[name = int32(1)];",
       "attribute 'name' must be a string, found int32"},
      {"tensor<fp16, [2, 3]> r = add(x = x, y = y)[name = string(\"a\"), name = string(\"b\")];",
       "attribute 'name' is given twice"},
      {"tensor<fp16, [2, 3]> q = add(x = x, y = y)[name = string(\"a\")];"
       "tensor<fp16, [2, 3]> r = add(x = x, y = y)[name = string(\"a\")];",
       "main: add (r): the name 'a' is used twice"},
      {"fp16 r = const();", "main: const (r): attribute 'val' is missing"},
      {"fp16 r = const(x = x)[val = fp16(1)];", "unknown argument 'x'"},
      {"fp16 r = const()[val = fp16(1), axis = int32(1)];", "unknown attribute 'axis'"},
      {"fp16 r = const()[val = fp32(1)];", "'r' is declared as fp16, but its value has fp32"},
      {"tensor<fp16, [1, 1, 1, 1, 1, 1]> r = identity(x = x);", "has rank 6, at most 5"},
  };
  for (const VerifierMistake& mistake : mistakes) {
    EXPECT_THAT(Verdict(MilWith(mistake.statements)), HasSubstr(std::string(mistake.message)))
        << mistake.statements;
  }
}

TEST(VerifyTest, HoldsOperationsToTheOpset) {
  EXPECT_EQ(Verdict(MilWith(kAdd, "ios14")),
            "main: opset 'ios14' is not known; known are ios15, ios16, ios17 and ios18");
  EXPECT_THAT(Verdict(MilWith("tensor<int8, [2, 3]> r = quantize(input = x, scale = fp16(1), "
                              "output_dtype = \"int8\");",
                              "ios16")),
              HasSubstr("quantize (r): needs opset ios17, the function has ios16"));
}

TEST(VerifyTest, ChecksThePrograms) {
  const std::string function = "func main<ios18>(fp16 x) { } -> (x);";
  EXPECT_EQ(Verdict("program(1.3) {" + function + "}"), "fine");
  EXPECT_THAT(Verdict("program(1) {" + function + "}"), HasSubstr("version '1'"));
  EXPECT_THAT(Verdict("program(1.3) {" + function + function + "}"),
              HasSubstr("function 'main' is defined twice"));
  EXPECT_THAT(Verdict("program(1.3) { func main<ios18>(fp16 x) { } -> (x, x); }"),
              HasSubstr("'x' is returned twice"));
  EXPECT_THAT(Verdict("program(1.3) { func main<ios18>(fp16 x) { } -> (); }"),
              HasSubstr("returns nothing"));
  EXPECT_THAT(Verify(Program{}).error().message, HasSubstr("no function"));
}

// Programs that no text can express, built by hand.
class HandBuiltTest : public testing::Test {
 protected:
  HandBuiltTest() {
    const Type type{DType::kFp16, {2}};
    function_.values = {{"x", type}, {"r", type}};
    function_.inputs = {0};
    function_.operations = {{"relu", {{"x", ValueId{0}}}, {}, {1}}};
    function_.outputs = {1};
  }

  std::string Verdict() const {
    const Status status = Verify(function_);
    return status ? "fine" : status.error().message;
  }

  Function function_;
};

TEST_F(HandBuiltTest, IsFineAsItIs) { EXPECT_EQ(Verdict(), "fine"); }

TEST_F(HandBuiltTest, ValuesOutOfRange) {
  function_.operations[0].arguments[0].value = ValueId{7};
  EXPECT_EQ(Verdict(), "main: relu (r): argument 'x': value 7 does not exist");
  function_.operations[0].arguments[0].value = ValueId{-1};
  EXPECT_THAT(Verdict(), HasSubstr("value -1 does not exist"));
}

TEST_F(HandBuiltTest, OutputsOutOfRange) {
  function_.outputs = {9};
  EXPECT_THAT(Verdict(), HasSubstr("output 9 does not exist"));
}

TEST_F(HandBuiltTest, UseBeforeDefinition) {
  function_.operations[0].arguments[0].value = ValueId{1};
  EXPECT_THAT(Verdict(), HasSubstr("'r' is used before it is defined"));
}

TEST_F(HandBuiltTest, TwoDefinitions) {
  function_.operations[0].outputs = {0};
  EXPECT_THAT(Verdict(), HasSubstr("relu (x): 'x' is defined twice"));
}

TEST_F(HandBuiltTest, NoDefinition) {
  function_.inputs = {};
  function_.operations[0].arguments[0].value = Constant::Scalar(DType::kFp16, 1);
  EXPECT_THAT(Verdict(), HasSubstr("'x' is never defined"));
}

TEST_F(HandBuiltTest, NoResult) {
  function_.operations[0].outputs = {};
  EXPECT_THAT(Verdict(), HasSubstr("relu (?): has no result"));
}

TEST_F(HandBuiltTest, BadIdentifiers) {
  for (const char* id : {"", "1a", "a b", "true", "a-b"}) {
    function_.values[1].id = id;
    EXPECT_THAT(Verdict(), HasSubstr("is not an identifier")) << id;
  }
  function_.values[1].id = "x";
  EXPECT_EQ(Verdict(), "main: 'x' is defined twice");
}

TEST_F(HandBuiltTest, BadTypes) {
  const auto verdict = [&](Type type) {
    function_.values[0].type = std::move(type);
    return Verdict();
  };
  EXPECT_THAT(verdict({DType::kFp16, {0}}), HasSubstr("x: tensor<fp16, [0]> has a dimension of 0"));
  EXPECT_THAT(verdict({DType::kFp16, {kMaxElements}}), HasSubstr("too many elements"));
  EXPECT_THAT(verdict({DType::kFp16, {kMaxElements / 2, 4}}), HasSubstr("too many elements"));
  EXPECT_THAT(verdict({DType::kFp64, {2}}), HasSubstr("not a type of MIL"));
  EXPECT_THAT(verdict({DType::kString, {2}}), HasSubstr("strings are scalars"));
}

}  // namespace
}  // namespace millwright::mil
