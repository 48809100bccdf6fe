#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "mil/text.h"

namespace millwright::mil {
namespace {

using testing::HasSubstr;

// A program around `statements`, with inputs x and y.
std::string Wrap(std::string_view statements, std::string_view output = "x") {
  return fmt::format(
      "program(1.3)\n[buildInfo = dict<string, string>({{{{\"a\", \"b\"}}}})]\n{{\nfunc "
      "main<ios18>("
      "tensor<fp16, [1, 4]> x, tensor<fp16,[1,4]> y) {{\n{}\n}} -> ({});\n}}\n",
      statements, output);
}

Program MustParse(std::string_view text) {
  auto program = Parse(text);
  EXPECT_TRUE(program) << program.error().message;
  return program ? *program : Program{};
}

// The value of the only statement, `<type> c = const()[val=<text>];`.
Constant MustParseValue(std::string_view type, std::string_view text) {
  const Program program = MustParse(Wrap(fmt::format("{} c = const()[val={}];", type, text), "c"));
  if (program.functions.empty()) return {};
  const Constant* value = program.main().operations.at(0).FindAttribute("val");
  return value ? *value : Constant();
}

std::string ParserRefusal(std::string_view text) {
  const auto program = Parse(text, "test.mil");
  return program ? "accepted" : program.error().message;
}

TEST(ParseTest, ReadsAProgram) {
  const Program program =
      MustParse(Wrap("bool t = const()[name = string(\"tt\"), val=bool(true)];\n"
                     "fp16 s=pow(y=y,x=x)[name=string(\"x\")];",
                     "s, x"));
  EXPECT_EQ(program.version, "1.3");
  EXPECT_THAT(program.build_info, testing::ElementsAre(testing::Pair("a", "b")));
  const Function& main = program.main();
  EXPECT_EQ(main.name, "main");
  EXPECT_EQ(main.opset, "ios18");
  EXPECT_THAT(main.inputs, testing::ElementsAre(0, 1));
  EXPECT_THAT(main.outputs, testing::ElementsAre(3, 0));
  EXPECT_EQ(main.value(1), (Value{"y", {DType::kFp16, {1, 4}}}));
  ASSERT_EQ(main.operations.size(), 2u);
  EXPECT_EQ(main.operations[0].FindAttribute("name")->as_string(), "tt");
  EXPECT_TRUE(main.operations[0].FindAttribute("val")->as_bool());
  EXPECT_EQ(std::get<ValueId>(main.operations[1].FindArgument("x")->value), 0);
  EXPECT_EQ(std::get<ValueId>(main.operations[1].FindArgument("y")->value), 1);
}

TEST(ParseTest, WhiteSpaceCommentsAndAttributeOrderDoNotMatter) {
  const Program a = MustParse(Wrap(
      "tensor<int32, [2]> c = const()[name = string(\"c\"), val = tensor<int32, [2]>([1, 2])];"));
  const Program b =
      MustParse(Wrap("// a comment\ntensor<int32,[2]>c=const( )/* here */[name=string(\"c\"),\n\n"
                     "val=tensor<int32,[2]>([1,2])] ;"));
  EXPECT_EQ(a, b);
  Program c = MustParse(
      Wrap("tensor<int32,[2]> c=const()[val=tensor<int32,[2]>([1,2]),name=string(\"c\")];"));
  std::swap(c.functions[0].operations[0].attributes[0], c.functions[0].operations[0].attributes[1]);
  EXPECT_EQ(a, c);
}

TEST(ParseTest, LiteralsAsArguments) {
  const Program program = MustParse(
      Wrap("fp16 z = f(x = x, t = true, i = -3, f = 0.5, s = \"a\", l = [1, 2], u = uint64(64),"
           " v = (x, y), w = (x), h = int8(0));"));
  const Operation& op = program.main().operations.at(0);
  const auto literal = [&](std::string_view key) {
    return std::get<Constant>(op.FindArgument(key)->value);
  };
  EXPECT_EQ(literal("t"), Constant::Bool(true));
  EXPECT_EQ(literal("i"), Constant::Scalar(DType::kInt32, -3));
  EXPECT_EQ(literal("f"), Constant::Scalar(DType::kFp32, 0.5));
  EXPECT_EQ(literal("s"), Constant::String("a"));
  EXPECT_EQ(literal("l"), Constant::Ints(std::vector<int64_t>{1, 2}));
  EXPECT_EQ(literal("u"), Constant::Scalar(DType::kUint64, 64));
  EXPECT_EQ(literal("h"), Constant::Scalar(DType::kInt8, 0));
  EXPECT_EQ(std::get<std::vector<ValueId>>(op.FindArgument("v")->value),
            (std::vector<ValueId>{0, 1}));
  EXPECT_EQ(std::get<std::vector<ValueId>>(op.FindArgument("w")->value), (std::vector<ValueId>{0}));
}

TEST(ParseTest, Values) {
  EXPECT_EQ(MustParseValue("fp16", "fp16(0x1p-3)"), Constant::Scalar(DType::kFp16, 0.125));
  EXPECT_EQ(MustParseValue("fp16", "tensor<fp16, []>(-1)"), Constant::Scalar(DType::kFp16, -1));
  EXPECT_EQ(MustParseValue("fp16", "fp16(0.00001)"), Constant::Scalar(DType::kFp16, 1e-5));
  EXPECT_EQ(MustParseValue("fp16", "fp16(-inf)").at(0), -HUGE_VAL);
  EXPECT_TRUE(std::isnan(MustParseValue("fp16", "fp16(nan)").at(0)));
  EXPECT_EQ(MustParseValue("string", "string(\"a\\\\b\")"), Constant::String("a\\b"));
  const Type square{DType::kFp16, {2, 2}};
  const Constant flat = Constant::Tensor(square, std::vector<double>{0, -65504, 1, 2});
  EXPECT_EQ(MustParseValue("fp16", "tensor<fp16, [2, 2]>([0, -65504, 1, 2])"), flat);
  EXPECT_EQ(MustParseValue("fp16", "tensor<fp16, [2, 2]>([[0, -65504], [1, 2]])"), flat);
  const Constant blob = Constant::Blob(square, {"@model_path/weights/a.bin", 128});
  EXPECT_EQ(
      MustParseValue("fp16",
                     "tensor<fp16,[2,2]>(BLOBFILE(path=string(\"@model_path/weights/a.bin\"), "
                     "offset=uint64(128)))"),
      blob);
  EXPECT_EQ(MustParseValue("fp16",
                           "tensor<fp16,[2,2]>(BLOBFILE(offset = tensor<uint64, []>(128), path = "
                           "tensor<string, []>(\"@model_path/weights/a.bin\")))"),
            blob);
}

TEST(ParseTest, SeveralFunctionsAndResults) {
  const Program program = MustParse(
      "program(1.0) { func a<ios16>(fp16 x) { fp16 p, fp16 q = split(x=x); } -> (q, p);\n"
      "func b<ios17>() { int32 c = const()[val=int32(1)]; } -> (c); }");
  ASSERT_EQ(program.functions.size(), 2u);
  EXPECT_THAT(program.functions[0].operations[0].outputs, testing::ElementsAre(1, 2));
  EXPECT_THAT(program.functions[0].outputs, testing::ElementsAre(2, 1));
  EXPECT_TRUE(program.functions[1].inputs.empty());
  EXPECT_EQ(program.functions[1].value(0).id, "c");
}

// Attributes of programs and functions are kept, comments and spacing are not.
TEST(ParseTest, AttributesAreCarriedAlong) {
  const Program program = MustParse(
      "program(1.0)[a = tuple<string,dict<string, tensor<int32,[?]>>>((\"x\" , {{\"y\",[1 , "
      "-2]}})),"
      "buildInfo = dict<string, string>({{\"k\", \"v\"}}), b = 0x1p-1 /* c */ ]{"
      "func main<ios16>(fp16 x)[FlexibleShapeInformation = f(1), g = true]{} -> (x);}");
  EXPECT_THAT(program.build_info, testing::ElementsAre(testing::Pair("k", "v")));
  EXPECT_THAT(program.annotations,
              testing::ElementsAre(Annotation{"a",
                                              "tuple<string, dict<string, tensor<int32, "
                                              "[?]>>>((\"x\", {{\"y\", [1, -2]}}))"},
                                   Annotation{"b", "0x1p-1"}));
  EXPECT_THAT(program.main().annotations,
              testing::ElementsAre(Annotation{"FlexibleShapeInformation", "f(1)"},
                                   Annotation{"g", "true"}));
  EXPECT_EQ(MustParse(Print(program)), program);
}

TEST(ParseTest, PartsOfAByteArePacked) {
  const Constant value = MustParseValue("tensor<uint3, [5]>", "tensor<uint3, [5]>([0,1,2,3,4])");
  EXPECT_EQ(value.bytes().size(), 2u);
  EXPECT_THAT(value.ints(), testing::ElementsAre(0, 1, 2, 3, 4));
  const Constant sign = MustParseValue("int4", "int4(-8)");
  EXPECT_EQ(sign.at(0), -8.0);
  EXPECT_EQ(MustParseValue("uint32", "uint32(4294967295)").at(0), 4294967295.0);
  const Program program =
      MustParse(Wrap("tensor<int4, [3]> c = const()[val=tensor<int4, [3]>([-8, 7, -1])];", "c"));
  EXPECT_THAT(Print(program), HasSubstr("tensor<int4, [3]>([-8, 7, -1])"));
  EXPECT_EQ(MustParse(Print(program)), program);
  EXPECT_THAT(ParserRefusal(Wrap("uint1 c = const()[val=uint1(2)];")),
              HasSubstr("'2' is not a number of type uint1"));
}

TEST(ParseTest, WhatIsNotSupportedIsRefusedByName) {
  EXPECT_THAT(ParserRefusal("program(1.3){func main<ios18>(state<tensor<fp16, [1]>> k){}->(k);}"),
              HasSubstr("state types are not supported: make the state an input"));
  EXPECT_THAT(ParserRefusal("program(1.3){func main<ios18>(tensor<fp16, [1, ?]> x){}->(x);}"),
              HasSubstr("test.mil:1:48: the dimension is flexible; only static shapes"));
  EXPECT_THAT(ParserRefusal(Wrap("list<fp16, 2> l = make_list();")),
              HasSubstr("list types are not"));
  EXPECT_THAT(ParserRefusal(Wrap("fp16 c = cond(pred=x)(fp16 y)")),
              HasSubstr("blocks inside an operation (cond, while_loop)"));
  EXPECT_THAT(ParserRefusal(Wrap("write_state(input = s, data = x)[name = string(\"w\")];")),
              HasSubstr("'write_state' has no result; operations on states are not supported"));
  EXPECT_THAT(ParserRefusal("program(1.3)[a = (]{"), HasSubstr("expected ')', found ']'"));
  EXPECT_THAT(ParserRefusal("program(1.3)[a = ]{"), HasSubstr("expected a value"));
}

TEST(ParseTest, AnErrorShowsItsPlace) {
  EXPECT_EQ(
      ParserRefusal(
          "program(1.3)\n{\n  func main<ios18>(fp16 x) {\n\tfp16 y = relu(x=z);\n} -> (y);\n}"),
      "test.mil:4:18: 'z' is not defined\n   fp16 y = relu(x=z);\n                   ^");
  EXPECT_EQ(ParserRefusal(""),
            "test.mil:1:1: expected 'program', found the end of the text\n  \n  ^");
}

struct ParserMistake {
  std::string_view statement;
  std::string_view message;
};

TEST(ParseTest, EveryMistakeInAStatementIsNamed) {
  // Line 5 is the statement.
  const ParserMistake mistakes[] = {
      {"fp17 a = relu(x=x);", "5:1: expected a type, found 'fp17'"},
      {"tensor<fp17, [1]> a = relu(x=x);", "5:8: expected an element type, found 'fp17'"},
      {"tensor<fp16 [1]> a = relu(x=x);", "5:13: expected ',', found '['"},
      {"tensor<fp16, [0]> a = relu(x=x);", "5:15: expected a dimension of 1 or more, found '0'"},
      {"tensor<fp16, [-1]> a = relu(x=x);", "5:15: expected a dimension of 1 or more"},
      {"tensor<fp16, [n]> a = relu(x=x);", "5:15: expected a dimension, found 'n'"},
      {"tensor<fp16, [1099511627776]> a = relu(x=x);", "too many elements"},
      {"tensor<fp16, [18446744073709551615]> a = relu(x=x);", "too many elements"},
      {"tensor<fp16, [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]> a = relu(x=x);", "more than 16"},
      {"fp16 = relu(x=x);", "5:6: expected a name, found '='"},
      {"fp16 true = relu(x=x);", "5:6: 'true' cannot name a value"},
      {"fp16 x = relu(x=x);", "5:6: 'x' is already defined"},
      {"fp16 a, fp16 a = split(x=x);", "5:14: 'a' is already defined"},
      {"fp16 a relu(x=x);", "5:8: expected '=', found 'relu'"},
      {"fp16 a = (x=x);", "5:10: expected an operation, found '('"},
      {"fp16 a = relu x;", "5:15: expected '(', found 'x'"},
      {"fp16 a = relu(x);", "5:16: expected '=', found ')'"},
      {"fp16 a = relu(x=x,);", "5:19: expected an argument, found ')'"},
      {"fp16 a = relu(x=a);", "5:17: 'a' is not defined"},
      {"fp16 a = concat(v=(x, 1));", "5:23: expected a value, found '1'"},
      {"fp16 a = relu(x=x)", "6:1: expected ';', found '}'"},
      {"fp16 a = relu(x=x)[name];", "5:24: expected '=', found ']'"},
      {"fp16 a = relu(x=x)[name=x];", "5:25: expected a value, found 'x'"},
      {"fp16 a = const()[val=fp16()];", "5:27: expected a number of type fp16, found ')'"},
      {"fp16 a = const()[val=fp16(true)];", "5:27: expected a number of type fp16, found 'true'"},
      {"fp16 a = const()[val=fp16(1.2.3)];", "5:27: '1.2.3' is not a number of type fp16"},
      {"fp16 a = const()[val=int8(128)];", "5:27: '128' is not a number of type int8"},
      {"fp16 a = const()[val=int32(0.5)];", "5:28: '0.5' is not a number of type int32"},
      {"fp16 a = const()[val=bool(1)];", "5:27: expected 'true' or 'false', found '1'"},
      {"fp16 a = const()[val=string(1)];", "5:29: expected a string, found '1'"},
      {"fp16 a = const()[val=tensor<string,[1]>([\"a\"])];", "5:22: strings are scalars"},
      {"fp16 a = const()[val=string(\"\\q\")];", "5:29: the string holds an unknown escape"},
      {"fp16 a = const()[val=string(\"q)];", "5:29: expected a string, found a string that is not"},
      {"fp16 a = const()[val=tensor<fp16,[2]>(1)];", "5:39: expected '[', found '1'"},
      {"fp16 a = const()[val=tensor<fp16,[2]>([1])];", "5:41: the list has 1 entries"},
      {"fp16 a = const()[val=tensor<fp16,[2]>([1,2,3])];", "5:44: the list is too long"},
      {"fp16 a = const()[val=tensor<fp16,[2,2]>([[1,2]])];", "the list has 1 entries"},
      {"fp16 a = const()[val=tensor<fp16,[2]>([[1,2]])];", "5:40: expected a number"},
      {"fp16 a = const()[val=fp16([1])];", "5:27: expected a number of type fp16, found '['"},
      {"fp16 a = const()[val=fp16(BLOBFILE(path=string(\"p\")))];", "needs a path and an offset"},
      {"fp16 a = const()[val=fp16(BLOBFILE(path=string(\"p\"),path=string(\"p\")))];",
       "'path' is given twice"},
      {"fp16 a = const()[val=fp16(BLOBFILE(offset=int32(64)))];", "expected a uint64, found int32"},
      {"fp16 a = const()[val=fp16(BLOBFILE(file=1))];",
       "expected 'path' or 'offset', found 'file'"},
      {"fp16 a = cond(x=x) { };", "5:20: blocks inside an operation"},
      {"fp16 a = relu(x=x); $", "5:21: expected a type, found a character that MIL does not use"},
      {"/* fp16 a", "5:1: expected a type, found a comment that is never closed"},
  };
  for (const ParserMistake& mistake : mistakes) {
    EXPECT_THAT(ParserRefusal(Wrap(mistake.statement)), HasSubstr(std::string(mistake.message)))
        << mistake.statement;
  }
}

TEST(ParseTest, EveryMistakeAroundTheStatementsIsNamed) {
  const ParserMistake mistakes[] = {
      {"program 1.3", "1:9: expected '(', found '1.3'"},
      {"program(x)", "1:9: expected the program's version, found 'x'"},
      {"program(1.3) [1 = 1]", "1:15: expected an attribute, found '1'"},
      {"program(1.3) [buildInfo = dict<int32, string>({})] {}",
       "1:32: expected string, found int32"},
      {"program(1.3) [buildInfo = dict<string, string>({{1, \"b\"}})] {}", "expected a key"},
      {"program(1.3) { }", "1:16: expected 'func', found '}'"},
      {"program(1.3) { func main(fp16 x)", "expected '<', found '('"},
      {"program(1.3) { func main<ios18>(fp16)", "expected a name, found ')'"},
      {"program(1.3) { func main<ios18>(fp16 x, fp16 x)", "'x' is already defined"},
      {"program(1.3) { func main<ios18>() { } (x);", "expected '->', found '('"},
      {"program(1.3) { func main<ios18>() { } -> (x);", "1:43: 'x' is not defined"},
      {"program(1.3) { func main<ios18>() { } -> ()", "expected ';', found the end of the text"},
      {"program(1.3) { func main<ios18>() { } -> (); } more", "expected the end of the text"},
  };
  for (const ParserMistake& mistake : mistakes) {
    EXPECT_THAT(ParserRefusal(mistake.statement), HasSubstr(std::string(mistake.message)))
        << mistake.statement;
  }
}

TEST(ParseTest, HostileTextsAreRefusedWithoutExhaustion) {
  const std::string brackets(1000000, '[');
  EXPECT_NE(ParserRefusal(Wrap("fp16 a = const()[val=tensor<fp16,[2,2]>(" + brackets)), "accepted");
  EXPECT_NE(ParserRefusal(Wrap("fp16 a = f(x=" + std::string(1000000, '('))), "accepted");
  EXPECT_NE(ParserRefusal(std::string(1000000, '{')), "accepted");
  // A huge type costs nothing.
  EXPECT_THAT(ParserRefusal(Wrap("fp16 a = const()[val=tensor<fp32,[549755813888]>([1])];")),
              HasSubstr("the list has 1 entries"));
}

TEST(ParseTest, RandomEditsNeverCrash) {
  const std::string text = Wrap(
      "tensor<int32, [2]> c = const()[name = string(\"c\"), val = tensor<int32, [2]>([1, 2])];\n"
      "tensor<fp16, [4]> w = const()[val=tensor<fp16,[4]>(BLOBFILE(path=string(\"@p/w.bin\"), "
      "offset=uint64(64)))];\nfp16 a, fp16 b = split(x = x, n = (c, y), t = true, h = -0x1p-3);",
      "a, b");
  ASSERT_TRUE(Parse(text));
  const Rng rng(11, StreamId("edits"));
  size_t accepted = 0;
  for (uint64_t round = 0; round < 20000; ++round) {
    std::string edited = text;
    for (uint64_t edit = 0; edit <= round % 3; ++edit) {
      const uint64_t bits = rng.Bits(round * 4 + edit);
      const size_t at = (bits >> 16) % edited.size();
      // Half of the edits repeat a byte of the text: they get further.
      const auto byte = static_cast<char>((bits & 1) != 0 ? text[(bits >> 40) % text.size()]
                                                          : static_cast<char>((bits >> 8) & 0xFF));
      switch ((bits >> 1) % 3) {
        case 0:
          edited[at] = byte;
          break;
        case 1:
          edited.erase(at, 1 + ((bits >> 4) & 7));
          break;
        default:
          edited.insert(at, 1, byte);
      }
    }
    const auto program = Parse(edited);
    if (!program) continue;
    ++accepted;
    const std::string printed = Print(*program);
    const auto again = Parse(printed);
    ASSERT_TRUE(again) << edited << "\n" << again.error().message;
    ASSERT_EQ(*again, *program) << edited;
    ASSERT_EQ(Print(*again), printed);
  }
  EXPECT_GT(accepted, 100u);
}

}  // namespace
}  // namespace millwright::mil
