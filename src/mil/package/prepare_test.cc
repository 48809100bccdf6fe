#include "mil/package/prepare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mil/text.h"
#include "mil/verify.h"

namespace millwright::mil {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Program ParseFunctions(const std::string& functions) {
  auto program = Parse("program(1.3)\n{\n" + functions + "\n}\n");
  EXPECT_TRUE(program) << program.error().message;
  const Status verified = Verify(*program);
  EXPECT_TRUE(verified) << verified.error().message;
  return *std::move(program);
}

// The prepared program, which must still be well typed.
Prepared Prepare(const Program& program) {
  auto prepared = PrepareForCoreMl(program);
  if (!prepared) {
    ADD_FAILURE() << prepared.error().message;
    return {};
  }
  const Status verified = Verify(prepared->program);
  EXPECT_TRUE(verified) << verified.error().message << "\n" << Print(prepared->program);
  return *std::move(prepared);
}

std::string RefusalOf(const Program& program) {
  const auto prepared = PrepareForCoreMl(program);
  return prepared ? "accepted" : prepared.error().message;
}

std::vector<std::string> Ports(const Function& f, const std::vector<ValueId>& ids) {
  std::vector<std::string> ports;
  for (ValueId id : ids) ports.push_back(f.value(id).id + " " + ToString(f.value(id).type));
  return ports;
}

TEST(PrepareTest, HalvesStayPortsFromIos16On) {
  const auto prepared =
      Prepare(ParseFunctions("func main<ios16>(tensor<fp16, [2]> a) { tensor<fp16, [2]> b = "
                             "relu(x=a)[name=string(\"b\")]; } -> (b);"));
  EXPECT_THAT(prepared.notes, IsEmpty());
  EXPECT_EQ(prepared.program.main().operations.size(), 1u);
}

TEST(PrepareTest, HalvesAreCastBeforeIos16) {
  const auto prepared =
      Prepare(ParseFunctions("func main<ios15>(tensor<fp16, [2]> a) { tensor<fp16, [2]> b = "
                             "relu(x=a); } -> (b);"));
  const Function& f = prepared.program.main();
  EXPECT_THAT(Ports(f, f.inputs), ElementsAre("a tensor<fp32, [2]>"));
  EXPECT_THAT(Ports(f, f.outputs), ElementsAre("b tensor<fp32, [2]>"));
  EXPECT_THAT(prepared.notes, ElementsAre("main: input a is fp32 to Core ML, cast to fp16",
                                          "main: output b is fp32 to Core ML, cast from fp16"));
}

TEST(PrepareTest, SmallIntegersAndBoolsAreCast) {
  const auto prepared = Prepare(
      ParseFunctions("func main<ios17>(tensor<int8, [2]> a, tensor<bool, [2]> c) { "
                     "tensor<int8, [2]> b = identity(x=a); tensor<bool, [2]> d = identity(x=c); "
                     "} -> (b, d);"));
  const Function& f = prepared.program.main();
  EXPECT_THAT(Ports(f, f.inputs), ElementsAre("a tensor<int32, [2]>", "c tensor<fp32, [2]>"));
  EXPECT_THAT(Ports(f, f.outputs), ElementsAre("b tensor<int32, [2]>", "d tensor<fp32, [2]>"));
}

TEST(PrepareTest, AnOutputThatIsAnInputIsCopied) {
  const auto prepared = Prepare(
      ParseFunctions("func main<ios15>(tensor<fp16, [2]> a, tensor<fp32, [2]> b) { } -> (a, b);"));
  const Function& f = prepared.program.main();
  EXPECT_THAT(Ports(f, f.inputs), ElementsAre("a tensor<fp32, [2]>", "b tensor<fp32, [2]>"));
  EXPECT_THAT(Ports(f, f.outputs),
              ElementsAre("a_out tensor<fp32, [2]>", "b_out tensor<fp32, [2]>"));
}

TEST(PrepareTest, LiteralsBecomeConstantsWithFreshNames) {
  const auto prepared =
      Prepare(ParseFunctions("func main<ios18>(tensor<fp32, [2, 3]> a) { fp32 t_perm = "
                             "const()[name=string(\"t\"), val=fp32(1)]; tensor<fp32, [3, 2]> t = "
                             "transpose(x=a, perm=[1, 0]); } -> (t);"));
  const Function& f = prepared.program.main();
  ASSERT_EQ(f.operations.size(), 3u);
  EXPECT_EQ(f.value(f.operations[1].outputs[0]).id, "t_perm_1");
  EXPECT_EQ(f.operations[1].op, "const");
  // Operations get the name of their result, unless another one has it.
  EXPECT_EQ(f.operations[2].FindAttribute("name")->as_string(), "t_1");
}

TEST(PrepareTest, ConstexprParametersAreAttributes) {
  const auto prepared = Prepare(ParseFunctions(
      "func main<ios18>(tensor<fp16, [2]> a) { int8 zero = const()[val=int8(0)]; "
      "tensor<fp16, [2]> w = constexpr_affine_dequantize(zero_point=zero)[axis=int32(0), "
      "quantized_data=tensor<int8, [2]>([1, 2]), scale=fp16(0.5)]; "
      "tensor<fp16, [2]> b = add(x=a, y=w); } -> (b);"));
  const Operation& w = prepared.program.main().operations[1];
  EXPECT_THAT(w.arguments, IsEmpty());
  ASSERT_NE(w.FindAttribute("zero_point"), nullptr);
  EXPECT_EQ(*w.FindAttribute("zero_point"), Constant::Scalar(DType::kInt8, 0));
}

TEST(PrepareTest, RefusesWhatCoreMlDoesNotTake) {
  EXPECT_EQ(RefusalOf(ParseFunctions("func main<ios18>(fp16 a, tensor<fp16, [2]> b) { "
                                     "tensor<fp16, [2]> c = add(x=a, y=b); } -> (c);")),
            "main: input 'a' has rank 0; Core ML's inputs have rank 1 to 5");
  EXPECT_EQ(RefusalOf(ParseFunctions("func main<ios16>(tensor<int8, [2]> a) { tensor<int8, [2]> b "
                                     "= identity(x=a); } -> (b);")),
            "main: port 'a' is int8, which Core ML has from ios17 on; the function has ios16");
  EXPECT_EQ(RefusalOf(ParseFunctions("func main<ios18>(tensor<bf16, [2]> a) { tensor<bf16, [2]> b "
                                     "= identity(x=a); } -> (b);")),
            "main: port 'a' is bf16; Core ML's ports are fp16, fp32 and int32");
  const std::string function = "(tensor<fp32, [2]> a) { tensor<fp32, [2]> b = relu(x=a); } -> (b);";
  EXPECT_THAT(RefusalOf(ParseFunctions("func f<ios18>" + function + " func g<ios17>" + function)),
              HasSubstr("g: a program of 2 functions needs opset ios18, the function has ios17"));
}

TEST(PrepareTest, ReadsOpsets) {
  EXPECT_EQ(OpsetNumber("ios17"), 17);
  EXPECT_EQ(OpsetNumber("ios"), 0);
  EXPECT_EQ(OpsetNumber("ios17x"), 0);
  EXPECT_EQ(OpsetNumber("macos15"), 0);
}

}  // namespace
}  // namespace millwright::mil
