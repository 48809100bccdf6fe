// Products of operands in 8 bits or bf16 (precisions int8 and bf16), and products with one vector
// that read narrower weights.
#include <gmock/gmock.h>

#include "device/cpu/test_support.h"
#include "math/gemm.h"
#include "math/scalar/int8.h"
#include "mil/builder.h"

namespace millwright::device::cpu {
namespace {

using mil::ValueId;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kRows = 40, kDepth = 52, kColumns = 21;

// w x, or w^T x, for `products` weights and one x.
mil::Builder::Built Projections(int products, bool transposed, int64_t columns = kColumns) {
  mil::Builder b;
  std::vector<ValueId> weights, outputs;
  const Shape shape = transposed ? Shape{1, 1, kDepth, kRows} : Shape{1, 1, kRows, kDepth};
  for (int i = 0; i < products; ++i) {
    weights.push_back(b.Input("w" + std::to_string(i), {DType::kFp32, shape}));
  }
  const ValueId x = b.Input("x", {DType::kFp32, {1, 1, kDepth, columns}});
  // Not an input itself, as activations within a kernel are not.
  const ValueId sum = b.Add("sum", x, x);
  for (int i = 0; i < products; ++i) {
    outputs.push_back(
        b.Matmul("y" + std::to_string(i), weights[static_cast<size_t>(i)], sum, transposed, false));
  }
  auto built = std::move(b).Finish(outputs);
  EXPECT_TRUE(built.ok()) << (built.ok() ? "" : built.error().message);
  return *std::move(built);
}

mil::Builder::Built AddedProjections(int64_t columns) {
  mil::Builder b;
  const mil::Type weight{DType::kFp32, {1, 1, kRows, kDepth}};
  const ValueId w0 = b.Input("w0", weight), w1 = b.Input("w1", weight);
  const ValueId x = b.Input("x", {DType::kFp32, {1, 1, kDepth, columns}});
  const ValueId sum = b.Add("sum", x, x);
  const ValueId y0 = b.Matmul("y0", w0, sum, false, false);
  const ValueId y1 = b.Matmul("y1", w1, sum, false, false);
  const ValueId y = b.Add("y", y0, y1);
  auto built = std::move(b).Finish({y});
  EXPECT_TRUE(built.ok()) << (built.ok() ? "" : built.error().message);
  return *std::move(built);
}

std::vector<float> Floats(const Tensor& values) { return {values.begin(), values.end()}; }

std::vector<float> Twice(const Tensor& values) {
  std::vector<float> result = Floats(values);
  for (float& value : result) value += value;
  return result;
}

// Whether `actual` is what the definition gives for `w` and twice `x`: the bits of int8, whose sums
// are exact; for bf16 what summing the products of rounded operands in fp32 allows.
void ExpectInt8Product(const Tensor& actual, const Tensor& w, const Tensor& x, bool transposed) {
  const std::vector<float> w32 = Floats(w), x32 = Twice(x);
  const auto qw = transposed ? math::scalar::Quantize(kRows, kDepth, w32.data(), 1, kRows)
                             : math::scalar::Quantize(kRows, kDepth, w32.data(), kDepth, 1);
  const auto qx = math::scalar::Quantize(kColumns, kDepth, x32.data(), 1, kColumns);
  std::vector<float> y(static_cast<size_t>(kRows * kColumns));
  math::scalar::Int8Gemm(qw, qx, y.data(), kColumns);
  EXPECT_EQ(actual, Tensor(y.begin(), y.end())) << transposed;
}

void ExpectBf16Product(const Tensor& actual, const Tensor& w, const Tensor& x, bool transposed) {
  const auto rounded = [](const std::vector<float>& values) {
    Tensor result;
    for (const float value : values) result.push_back(ToFloat(ToBf16(value)));
    return result;
  };
  const Tensor w16 = rounded(Floats(w)), x16 = rounded(Twice(x));
  Tensor y(static_cast<size_t>(kRows * kColumns));
  math::ScalarGemm(math::DenseGemm(kRows, kColumns, kDepth, transposed, false), w16.data(),
                   x16.data(), y.data());
  // No row or column has a larger norm than the whole.
  const double bound = DotTolerance(DType::kFp32, kDepth, Norm2(std::span<const double>(w16)),
                                    Norm2(std::span<const double>(x16)));
  const Comparison comparison = Compare(actual, y, {bound, 0});
  EXPECT_TRUE(comparison.ok) << comparison.Message();
}

class CpuRounded : public testing::TestWithParam<Precision> {
 protected:
  static void ExpectProduct(const Tensor& actual, const Tensor& w, const Tensor& x,
                            bool transposed) {
    (GetParam() == Precision::kInt8 ? ExpectInt8Product : ExpectBf16Product)(actual, w, x,
                                                                             transposed);
  }
};

TEST_P(CpuRounded, ProjectionsAreThoseOfTheDefinition) {
  for (const bool transposed : {false, true}) {
    const auto built = Projections(1, transposed);
    const auto inputs = RandomInputs(built.program, 3);
    const auto outputs = RunProgram(*OpenCpu(GetParam()), built.program, built.weights, inputs);
    ASSERT_TRUE(outputs.ok()) << outputs.error().message;
    ExpectProduct((*outputs)[0], inputs[0], inputs[1], transposed);
  }
}

TEST_P(CpuRounded, ActivationsAreRoundedOnceForAllProducts) {
  const auto built = Projections(3, false);
  const std::string text = Explain(built.program, built.weights, {.precision = GetParam()});
  const std::string name(PrecisionName(GetParam()));
  EXPECT_EQ(Lines(text, " to " + name), 1) << text;
  EXPECT_EQ(Lines(text, "\ngemm "), 3) << text;
  EXPECT_EQ(Lines(text, "copy of an input"), 3) << text;
}

// w0 x + w1 x, and both by themselves.
struct SumAndParts {
  mil::Builder::Built sum, parts;
  Tensor expected, actual;

  SumAndParts(const DeviceOptions& options, int64_t columns)
      : sum(AddedProjections(columns)), parts(Projections(2, false, columns)) {
    auto device = OpenCpuDevice(options);
    EXPECT_TRUE(device.ok());
    const auto inputs = RandomInputs(sum.program, 3);
    const auto one = RunProgram(**device, sum.program, sum.weights, inputs);
    const auto two = RunProgram(**device, parts.program, parts.weights, inputs);
    EXPECT_TRUE(one.ok() && two.ok());
    actual = (*one)[0];
    for (size_t i = 0; i < actual.size(); ++i) {
      const auto [a, b] = std::pair((*two)[0][i], (*two)[1][i]);
      expected.push_back(static_cast<float>(a) + static_cast<float>(b));
    }
  }
};

// Sums in 8 bits are exact, so that adding to one is adding two of them, bit for bit.
TEST(CpuInt8, ProductsAreAddedWhereTheFirstLies) {
  const DeviceOptions options = {.precision = Precision::kInt8};
  const SumAndParts result(options, kColumns);
  const std::string text = Explain(result.sum.program, result.sum.weights, options);
  EXPECT_EQ(Lines(text, "\ngemm "), 2) << text;
  EXPECT_EQ(Lines(text, "NN accumulate"), 1) << text;
  EXPECT_EQ(Lines(text, "product [add]"), 0) << text;
  EXPECT_EQ(result.actual, result.expected);
}

TEST(CpuBf16, ProductsAreAddedWhereTheFirstLies) {
  const DeviceOptions options = {.precision = Precision::kBf16};
  const SumAndParts result(options, kColumns);
  const std::string text = Explain(result.sum.program, result.sum.weights, options);
  EXPECT_EQ(Lines(text, "\ngemm "), 2) << text;
  EXPECT_EQ(Lines(text, "NN accumulate"), 1) << text;
  EXPECT_EQ(Lines(text, "product [add]"), 0) << text;
  const double error =
      NormError(std::span<const double>(result.actual), std::span<const double>(result.expected));
  EXPECT_LE(error, Gamma(DType::kFp32, 2 * kDepth));
}

TEST_P(CpuRounded, HeldWeightsAreRoundedAgainWhenTheyChange) {
  const auto built = Projections(1, false);
  const auto device = OpenCpu(GetParam());
  auto bound = BindProgram(*device, built.program, built.weights);
  ASSERT_TRUE(bound.ok());
  const auto inputs = RandomInputs(built.program, 3);
  for (size_t i = 0; i < 2; ++i) Fill(*bound->inputs[i], inputs[i]);
  const auto run = [&] {
    EXPECT_TRUE(bound->call->Run().ok());
    return Contents(*bound->outputs[0]);
  };
  Surface& weights = *bound->inputs[0];
  weights.Hold();
  const Tensor first = run();
  Tensor other = inputs[0];
  for (double& value : other) value = -value;
  {
    // Written behind the surface's back: a held copy does not see it until it is told.
    auto mapping = weights.Map(Access::kRead);
    auto* memory = const_cast<float*>(mapping->as<float>().data());
    std::copy(other.begin(), other.end(), memory);
  }
  EXPECT_EQ(run(), first);
  weights.Changed();
  ExpectProduct(run(), other, inputs[1], false);
}

TEST_P(CpuRounded, WeightsThatAreNotHeldAreRoundedInEveryRun) {
  const auto built = Projections(1, true);
  const auto device = OpenCpu(GetParam());
  auto bound = BindProgram(*device, built.program, built.weights);
  ASSERT_TRUE(bound.ok());
  for (const uint64_t seed : {3, 4}) {
    const auto inputs = RandomInputs(built.program, seed);
    for (size_t i = 0; i < 2; ++i) Fill(*bound->inputs[i], inputs[i]);
    ASSERT_TRUE(bound->call->Run().ok());
    ExpectProduct(Contents(*bound->outputs[0]), inputs[0], inputs[1], true);
  }
}

TEST_P(CpuRounded, LeavesProductsOfActivationsAndSmallOnesAlone) {
  mil::Builder b;
  const ValueId x = b.Input("x", {DType::kFp32, {1, 1, 40, 40}});
  const ValueId small = b.Input("small", {DType::kFp32, {1, 1, 8, 40}});
  const ValueId sum = b.Add("sum", x, x);
  const ValueId square = b.Matmul("square", sum, sum, false, false);
  const ValueId down = b.Matmul("down", small, sum, false, false);
  const auto built = std::move(b).Finish({square, down});
  ASSERT_TRUE(built.ok());
  const auto text = ExplainProgram(built->program, built->weights, {.precision = GetParam()});
  const auto plain = ExplainProgram(built->program, built->weights, {});
  ASSERT_TRUE(text.ok() && plain.ok());
  EXPECT_EQ(*text, *plain);
}

TEST_P(CpuRounded, OnlyTheCpuHasIt) {
  const auto reference = OpenReferenceDevice({.precision = GetParam()});
  ASSERT_FALSE(reference.ok());
  EXPECT_THAT(reference.error().message,
              HasSubstr("--precision " + std::string(PrecisionName(GetParam()))));
}

INSTANTIATE_TEST_SUITE_P(All, CpuRounded, testing::Values(Precision::kInt8, Precision::kBf16),
                         [](const auto& test) { return std::string(PrecisionName(test.param)); });

TEST(CpuBf16, AsksForGradientsOfRoundedOperands) {
  EXPECT_EQ(OpenCpu(Precision::kBf16)->caps().gradient_operands, DType::kBf16);
  for (const Precision precision : {Precision::kFp32, Precision::kInt8}) {
    EXPECT_EQ(OpenCpu(precision)->caps().gradient_operands, DType::kFp32);
  }
}

// The error against fp64 weights: half a step of every weight, times |x|.
TEST(CpuNarrowWeights, ProductsWithAVectorReadThem) {
  for (const DType dtype : {DType::kBf16, DType::kInt8}) {
    const auto built = Projections(1, false, 1);
    auto device = OpenCpuDevice({.vector_weights = dtype});
    ASSERT_TRUE(device.ok());
    EXPECT_EQ((*device)->caps().vector_weights, dtype);
    const auto inputs = RandomInputs(built.program, 5);
    const auto narrow = RunProgram(**device, built.program, built.weights, inputs);
    const auto exact = RunProgram(*OpenReference(), built.program, built.weights, inputs);
    ASSERT_TRUE(narrow.ok() && exact.ok());
    EXPECT_NE((*narrow)[0], (*exact)[0]);
    double sum = 0, norm = 0;
    for (const double value : inputs[1]) {
      sum += std::fabs(2 * value);
      norm += 4 * value * value;
    }
    for (int64_t i = 0; i < kRows; ++i) {
      const std::span<const double> row(inputs[0].data() + i * kDepth, kDepth);
      double most = 0;
      for (const double value : row) most = std::max(most, std::fabs(value));
      const double step = dtype == DType::kInt8 ? Int8Step(most) : UnitRoundoff(dtype) * most;
      const double bound =
          sum * step + DotTolerance(DType::kFp32, kDepth + 1, 2 * Norm2(row), std::sqrt(norm));
      const auto at = static_cast<size_t>(i);
      EXPECT_LE(std::fabs((*narrow)[0][at] - (*exact)[0][at]), bound) << DTypeName(dtype);
    }
  }
}

TEST(CpuNarrowWeights, ProductsAreAddedBehindThem) {
  for (const DType dtype : {DType::kBf16, DType::kInt8}) {
    const DeviceOptions options = {.vector_weights = dtype};
    const SumAndParts result(options, 1);
    const std::string text = Explain(result.sum.program, result.sum.weights, options);
    EXPECT_EQ(Lines(text, "\ngemv "), 2) << text;
    EXPECT_EQ(Lines(text, "product [add]"), 1) << text;
    EXPECT_EQ(result.actual, result.expected);
  }
}

TEST(CpuNarrowWeights, OnlyTheCpuHasThem) {
  const auto narrow = OpenReferenceDevice({.vector_weights = DType::kInt8});
  ASSERT_FALSE(narrow.ok());
  EXPECT_THAT(narrow.error().message, HasSubstr("--weights int8"));
}

TEST(CpuNarrowWeights, OthersReadTheWeightsThemselves) {
  const auto built = Projections(1, false);
  const auto text = ExplainProgram(built.program, built.weights, {.vector_weights = DType::kInt8});
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, Not(HasSubstr("gemv")));
}

}  // namespace
}  // namespace millwright::device::cpu
