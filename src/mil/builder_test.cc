#include "mil/builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
#include "mil/text.h"
#include "mil/verify.h"

namespace millwright::mil {
namespace {

using testing::HasSubstr;

const Type kHalf4{DType::kFp16, {1, 4, 1, 8}};

// The message with which a builder refuses to finish.
std::string BuilderRefusal(Builder builder, const std::vector<ValueId>& outputs) {
  const auto built = std::move(builder).Finish(outputs);
  return built ? "accepted" : built.error().message;
}

TEST(BuilderTest, WritesACanonicalProgram) {
  Builder b;
  const ValueId x = b.Input("x", kHalf4);
  const ValueId w = b.WeightsRef("w.bin", {DType::kFp16, {1, 1, 4, 4}});
  const ValueId rows = b.Transpose("rows", b.Reshape("flat", x, {1, 1, 4, 8}), {0, 1, 3, 2});
  const ValueId product = b.Matmul("product", rows, w, false, true);
  b.Rename(product, "out");
  const auto built = std::move(b).Finish({product});
  ASSERT_TRUE(built) << built.error().message;
  EXPECT_EQ(Print(built->program), R"(program(1.3)
[buildInfo = dict<string, string>({{"coremlc-component-MIL", "3510.2.1"}, {"coremlc-version", "3505.4.1"}, {"coremltools-component-milinternal", ""}, {"coremltools-version", "9.0"}})]
{
    func main<ios18>(tensor<fp16, [1, 4, 1, 8]> x) {
        tensor<fp16, [1, 1, 4, 4]> w = const()[name = string("w"), val = tensor<fp16, [1, 1, 4, 4]>(BLOBFILE(path = string("@model_path/weights/w.bin"), offset = uint64(64)))];
        tensor<int32, [4]> list = const()[name = string("list"), val = tensor<int32, [4]>([1, 1, 4, 8])];
        tensor<fp16, [1, 1, 4, 8]> flat = reshape(shape = list, x = x)[name = string("flat")];
        tensor<int32, [4]> list_1 = const()[name = string("list_1"), val = tensor<int32, [4]>([0, 1, 3, 2])];
        tensor<fp16, [1, 1, 8, 4]> rows = transpose(perm = list_1, x = flat)[name = string("rows")];
        bool no = const()[name = string("no"), val = bool(false)];
        bool yes = const()[name = string("yes"), val = bool(true)];
        tensor<fp16, [1, 1, 8, 4]> out = matmul(transpose_x = no, transpose_y = yes, x = rows, y = w)[name = string("out")];
    } -> (out);
}
)");
}

TEST(BuilderTest, EqualImmediatesAreOneConstant) {
  Builder b;
  EXPECT_EQ(b.Int(3), b.Int(3));
  EXPECT_EQ(b.Ints({1, 2}), b.Ints({1, 2}));
  EXPECT_NE(b.Ints({1, 2}), b.Ints({2, 1}));
  EXPECT_NE(b.Int(1), b.Ints({1}));
  EXPECT_NE(b.Float(DType::kFp16, 0.0), b.Float(DType::kFp16, -0.0));
  EXPECT_NE(b.Float(DType::kFp16, 1.0), b.Float(DType::kFp32, 1.0));
  EXPECT_EQ(b.Text("fp16"), b.Text("fp16"));
  EXPECT_EQ(b.WeightsRef("w.bin", kHalf4), b.WeightsRef("w.bin", kHalf4));
}

TEST(BuilderTest, IdentifiersAreUniqueAndAvoidOperationNames) {
  Builder b;
  const ValueId x = b.Input("x", kHalf4);
  const ValueId first = b.Op("relu", "x", {{"x", x}});
  const ValueId second = b.Op("relu", "mul", {{"x", first}});
  const ValueId third = b.Op("relu", "2 bad!", {{"x", second}});
  const ValueId fourth = b.Op("relu", "true", {{"x", third}});
  b.Rename(fourth, "x_1");  // taken by an inner value, which gives way
  const auto built = std::move(b).Finish({fourth});
  ASSERT_TRUE(built) << built.error().message;
  const Function& main = built->program.main();
  EXPECT_EQ(main.value(first).id, "x_1_1");
  EXPECT_EQ(main.value(second).id, "mul_1");
  EXPECT_EQ(main.value(third).id, "_2_bad_");
  EXPECT_EQ(main.value(fourth).id, "x_1");
  EXPECT_EQ(main.operations.back().FindAttribute("name")->as_string(), "x_1");
}

TEST(BuilderTest, WeightsShareAFile) {
  Builder b;
  const ValueId a = b.Weights("w.bin", {DType::kFp16, {2}}, {1.0, 2.0});
  const ValueId c = b.Weights("w.bin", {DType::kFp32, {1}}, {0.5});
  const ValueId sum = b.Add("sum", a, b.Weights("v.bin", {DType::kFp16, {2}}, {0.1, 3.0}));
  const auto built = std::move(b).Finish({sum, c});
  ASSERT_TRUE(built) << built.error().message;
  EXPECT_EQ(built->weights.files().size(), 2u);
  const std::vector<double> expected[] = {{1.0, 2.0}, {0.5}};
  for (const ValueId value : {a, c}) {
    const Constant& constant =
        *built->program.main().operations[static_cast<size_t>(value)].FindAttribute("val");
    const auto data = built->weights.Read(constant);
    ASSERT_TRUE(data) << data.error().message;
    for (size_t i = 0; i < expected[value].size(); ++i) {
      EXPECT_EQ(LoadElement(constant.type().dtype, data->data(), i), expected[value][i]);
    }
  }
}

TEST(BuilderTest, ReportsTheFirstMistake) {
  Builder b;
  const ValueId x = b.Input("x", kHalf4);
  const ValueId bad = b.Reshape("bad", x, {5, 5});
  const ValueId worse = b.Op("frobnicate", "worse", {{"x", bad}});
  EXPECT_EQ(b.type(worse), Type{});
  const std::string message = BuilderRefusal(std::move(b), {worse});
  EXPECT_THAT(message, HasSubstr("reshape (bad): "));
  EXPECT_THAT(message, testing::Not(HasSubstr("frobnicate")));
}

TEST(BuilderTest, NamesEveryMistake) {
  const auto with = [](auto mistake) {
    Builder b;
    const ValueId x = b.Input("x", kHalf4);
    const ValueId y = mistake(b, x);
    return BuilderRefusal(std::move(b), {y});
  };
  EXPECT_THAT(with([](Builder& b, ValueId x) {
                return b.Op("frob", "y", {{"x", x}});
              }),
              HasSubstr("frob (y): unknown operation"));
  EXPECT_THAT(with([](Builder& b, ValueId) {
                return b.Op("relu", "y", {{"x", 99}});
              }),
              HasSubstr("relu (y): argument 'x' is not a value"));
  EXPECT_THAT(with([](Builder& b, ValueId) { return b.Op("relu", "y", {}); }),
              HasSubstr("relu (y): argument 'x' is missing"));
  EXPECT_THAT(with([](Builder& b, ValueId) { return b.Concat("y", {}, 0); }),
              HasSubstr("concat (y): argument 'values'"));
  EXPECT_THAT(with([](Builder& b, ValueId x) {
                return b.Op("split", "y", {{"x", x}, {"num_splits", b.Int(2)}, {"axis", b.Int(1)}});
              }),
              HasSubstr("split (y): one result expected, it has 2"));
  EXPECT_THAT(with([](Builder& b, ValueId) { return b.Input("x", kHalf4); }),
              HasSubstr("input 'x': the name is taken"));
  EXPECT_THAT(with([](Builder& b, ValueId) { return b.Input("a b", kHalf4); }),
              HasSubstr("'a b' is not an identifier"));
  EXPECT_THAT(with([](Builder& b, ValueId x) {
                const ValueId y = b.Op("relu", "y", {{"x", x}});
                b.Rename(y, "x");
                return y;
              }),
              HasSubstr("an input has that name"));
  EXPECT_THAT(with([](Builder& b, ValueId) { return b.Int(int64_t{1} << 31); }),
              HasSubstr("2147483648 does not fit int32"));
  EXPECT_THAT(with([](Builder&, ValueId) { return 5; }), HasSubstr("output 5: not a value"));
  EXPECT_THAT(with([](Builder& b, ValueId) { return b.Weights("w", kHalf4, {1.0}); }),
              HasSubstr("wants 32 elements, found 1"));
  EXPECT_THAT(with([](Builder& b, ValueId) { return b.WeightsRef("../w", kHalf4); }),
              HasSubstr("not a plain relative file name"));
  EXPECT_THAT(with([](Builder& b, ValueId) {
                return b.WeightsRef("w", {DType::kBool, {1}});
              }),
              HasSubstr("cannot hold bool"));
  EXPECT_THAT(with([](Builder& b, ValueId) {
                b.WeightsRef("w", kHalf4);
                return b.WeightsRef("w", {DType::kFp16, {1}});
              }),
              HasSubstr("used as"));
  EXPECT_THAT(with([](Builder& b, ValueId) {
                b.Weights("w", {DType::kFp16, {1}}, {1.0});
                return b.WeightsRef("w", kHalf4);
              }),
              HasSubstr("already given"));
  EXPECT_THAT(BuilderRefusal(Builder("ios99"), {}), HasSubstr("opset 'ios99'"));
  EXPECT_THAT(BuilderRefusal(Builder(), {}), HasSubstr("returns nothing"));
}

// A random program of `steps` operations on tensors of four axes.
Builder::Built RandomProgram(uint64_t seed, uint64_t steps) {
  const Rng rng(seed, StreamId("program"));
  uint64_t draws = 0;
  const auto below = [&](uint64_t bound) { return rng.Below(draws++, bound); };
  const auto dim = [&] { return static_cast<int64_t>(1 + below(4)); };
  Builder b;
  std::vector<ValueId> values = {b.Input("x", {DType::kFp16, {dim(), dim(), dim(), dim()}}),
                                 b.Input("y", {DType::kFp16, {dim(), dim(), dim(), dim()}})};
  for (uint64_t step = 0; step < steps; ++step) {
    const ValueId x = values[below(values.size())];
    const Shape shape = b.type(x).shape;
    const auto axis = static_cast<int64_t>(below(4));
    switch (below(9)) {
      case 0:
        values.push_back(b.Mul("m", x, b.Float(DType::kFp16, rng.Normal(draws++))));
        break;
      case 1:
        values.push_back(b.Transpose("t", x, {0, 1, 3, 2}));
        break;
      case 2:
        values.push_back(b.Reshape("r", x, {shape[1], shape[0], shape[2] * shape[3], 1}));
        break;
      case 3: {
        Shape begin(4, 0);
        Shape size = shape;
        begin[static_cast<size_t>(axis)] = shape[static_cast<size_t>(axis)] - 1;
        size[static_cast<size_t>(axis)] = 1;
        values.push_back(b.Slice("s", x, begin, size));
        break;
      }
      case 4:
        values.push_back(b.Concat("c", {x, x}, axis));
        break;
      case 5:
        values.push_back(b.ReduceSum("sum", x, axis - 4));
        break;
      case 6:
        values.push_back(b.Softmax("p", x, axis));
        break;
      case 7:
        values.push_back(b.Matmul("mm", x, x, false, true));
        break;
      default: {
        const std::vector<double> weights(static_cast<size_t>(b.type(x).elements()), 0.3);
        values.push_back(b.Add("a", x, b.Weights("w.bin", b.type(x), weights)));
      }
    }
  }
  const ValueId last = b.Op("relu", "last", {{"x", values.back()}});
  auto built = std::move(b).Finish({last});
  EXPECT_TRUE(built) << built.error().message;
  return built ? *std::move(built) : Builder::Built{};
}

TEST(BuilderTest, RandomProgramsVerifyAndSurviveText) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    const Builder::Built built = RandomProgram(seed, seed % 15);
    const std::string text = Print(built.program);
    const auto parsed = Parse(text);
    ASSERT_TRUE(parsed) << parsed.error().message;
    // The text numbers values in the order of their definition, as the builder does.
    ASSERT_EQ(*parsed, built.program);
    ASSERT_EQ(Print(*parsed), text);
    const Status status = Verify(*parsed);
    ASSERT_TRUE(status) << status.error().message;
    for (const Operation& operation : parsed->main().operations) {
      const Constant* value = operation.FindAttribute("val");
      if (value != nullptr) {
        ASSERT_TRUE(built.weights.Read(*value));
      }
    }
  }
}

}  // namespace
}  // namespace millwright::mil
