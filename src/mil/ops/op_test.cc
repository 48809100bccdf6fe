#include "mil/ops/op.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "mil/text.h"

namespace millwright::mil {
namespace {

TEST(OpTest, EveryOpIsFoundByItsName) {
  std::set<std::string_view> names;
  for (const OpDef* def : AllOps()) {
    EXPECT_EQ(FindOp(def->name), def);
    EXPECT_TRUE(names.insert(def->name).second) << def->name;
    EXPECT_NE(def->infer, nullptr) << def->name;
    EXPECT_NE(def->evaluate, nullptr) << def->name;
    EXPECT_FALSE(def->doc.empty()) << def->name;
    EXPECT_GE(def->since, 15) << def->name;
    EXPECT_LE(def->since, 18) << def->name;
  }
  EXPECT_EQ(FindOp("frobnicate"), nullptr);
  EXPECT_NE(FindOp("const"), nullptr);
}

TEST(OpTest, ParametersAreNamedOnceAndReadOnlyWhereConstant) {
  for (const OpDef* def : AllOps()) {
    std::set<std::string_view> names;
    for (const Param& param : def->params) {
      EXPECT_TRUE(names.insert(param.name).second) << def->name << " " << param.name;
      const bool read = param.kind != ParamKind::kTensor && param.kind != ParamKind::kValues;
      EXPECT_TRUE(!read || param.constant) << def->name << " " << param.name;
    }
  }
}

// The call that the last operation of `statements` makes.
class CallTest : public testing::Test {
 protected:
  Result<Call> MakeLast(std::string_view statements) {
    auto parsed = Parse(
        fmt::format("program(1.3) {{ func main<ios18>(tensor<fp16, [2, 3]> x) {{ {} }} -> (x); }}",
                    statements));
    if (!parsed) return parsed.error();
    program_ = *std::move(parsed);
    return MakeCall(program_.main(), program_.main().operations.back());
  }

  Program program_;
};

TEST_F(CallTest, LooksArgumentsUp) {
  const auto call = MakeLast(
      "tensor<int32, [2]> axes = const()[val = tensor<int32, [2]>([0, -1])];"
      "fp16 r = reduce_sum(x = x, axes = axes, keep_dims = true);");
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(call->op(), "reduce_sum");
  EXPECT_EQ(call->id(), "r");
  EXPECT_EQ(call->type("x"), (Type{DType::kFp16, {2, 3}}));
  EXPECT_EQ(call->Find("x")->arrays.front(), nullptr);
  EXPECT_THAT(call->Ints("axes"), testing::ElementsAre(0, -1));
  EXPECT_EQ(call->array("axes").type, (Type{DType::kInt32, {2}}));
  EXPECT_TRUE(call->Bool("keep_dims", false));
  EXPECT_EQ(call->Bad("no {}", 1).message, "reduce_sum (r): no 1");
}

TEST_F(CallTest, GivesTheFallbackForWhatIsAbsent) {
  const auto call = MakeLast("fp16 r = reduce_sum(x = x);");
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_FALSE(call->Has("axes"));
  EXPECT_THAT(call->Ints("axes", {7}), testing::ElementsAre(7));
  EXPECT_TRUE(call->Bool("keep_dims", true));
  EXPECT_EQ(call->Int("axis", -5), -5);
  EXPECT_EQ(call->Float("epsilon", 0.5), 0.5);
  EXPECT_EQ(call->Text("dtype", "fp16"), "fp16");
}

TEST_F(CallTest, ATupleHasATypeForEveryValue) {
  const auto call = MakeLast(
      "tensor<fp16, [1]> c = const()[val = tensor<fp16, [1]>([2])];"
      "fp16 r = concat(values = (x, c), axis = 0);");
  ASSERT_TRUE(call) << call.error().message;
  const CallArgument& values = *call->Find("values");
  EXPECT_TRUE(values.tuple);
  ASSERT_EQ(values.types.size(), 2u);
  EXPECT_EQ(values.arrays[0], nullptr);
  EXPECT_THAT(values.arrays[1]->data, testing::ElementsAre(2.0));
}

TEST_F(CallTest, StringsAndAttributes) {
  const auto cast =
      MakeLast("string d = const()[val = string(\"fp32\")]; fp16 r = cast(x = x, dtype = d);");
  ASSERT_TRUE(cast) << cast.error().message;
  EXPECT_EQ(cast->Text("dtype", ""), "fp32");
  const auto dequantize = MakeLast(
      "fp16 r = constexpr_affine_dequantize()[name = string(\"r\"), axis = int32(1), "
      "quantized_data = "
      "tensor<int8, [1]>([1]), scale = fp16(0.5), zero_point = int8(0)];");
  ASSERT_TRUE(dequantize) << dequantize.error().message;
  EXPECT_EQ(dequantize->Int("axis", 0), 1);
  EXPECT_FALSE(dequantize->Has("name"));
}

TEST_F(CallTest, OutlivesCopies) {
  const auto call = MakeLast("fp16 r = softmax(x = x, axis = 1);");
  ASSERT_TRUE(call) << call.error().message;
  const auto copy = std::make_unique<Call>(*call);
  EXPECT_EQ(copy->Int("axis", 0), 1);
}

}  // namespace
}  // namespace millwright::mil
