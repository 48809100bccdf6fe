// Products in 8 bits (precision int8), and products with one vector that read narrower weights.
#include <gmock/gmock.h>

#include "device/cpu/test_support.h"
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

std::vector<float> Floats(const Tensor& values) { return {values.begin(), values.end()}; }

// What the definition gives for `w` and twice `x`.
Tensor Expected(const Tensor& w, const Tensor& x, bool transposed) {
  const std::vector<float> w32 = Floats(w);
  std::vector<float> x32 = Floats(x);
  for (float& value : x32) value += value;
  const auto qw = transposed ? math::scalar::Quantize(kRows, kDepth, w32.data(), 1, kRows)
                             : math::scalar::Quantize(kRows, kDepth, w32.data(), kDepth, 1);
  const auto qx = math::scalar::Quantize(kColumns, kDepth, x32.data(), 1, kColumns);
  std::vector<float> y(static_cast<size_t>(kRows * kColumns));
  math::scalar::Int8Gemm(qw, qx, y.data(), kColumns);
  return {y.begin(), y.end()};
}

TEST(CpuInt8, ProjectionsAreThoseOfTheDefinition) {
  for (const bool transposed : {false, true}) {
    const auto built = Projections(1, transposed);
    const auto inputs = RandomInputs(built.program, 3);
    const auto outputs =
        RunProgram(*OpenCpu(Precision::kInt8), built.program, built.weights, inputs);
    ASSERT_TRUE(outputs.ok()) << outputs.error().message;
    EXPECT_EQ((*outputs)[0], Expected(inputs[0], inputs[1], transposed)) << transposed;
  }
}

TEST(CpuInt8, ActivationsAreQuantisedOnceForAllProducts) {
  const auto built = Projections(3, false);
  const auto text = ExplainProgram(built.program, built.weights, {.precision = Precision::kInt8});
  ASSERT_TRUE(text.ok()) << text.error().message;
  const auto count = [&](const std::string& what) {
    int found = 0;
    for (size_t at = text->find(what); at != std::string::npos; at = text->find(what, at + 1)) {
      ++found;
    }
    return found;
  };
  EXPECT_EQ(count("quantize"), 1) << *text;
  EXPECT_EQ(count("gemm int8:"), 3) << *text;
}

TEST(CpuInt8, HeldWeightsAreQuantisedAgainWhenTheyChange) {
  const auto built = Projections(1, false);
  const auto device = OpenCpu(Precision::kInt8);
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
  EXPECT_EQ(run(), Expected(other, inputs[1], false));
}

TEST(CpuInt8, WeightsThatAreNotHeldAreQuantisedInEveryRun) {
  const auto built = Projections(1, true);
  const auto device = OpenCpu(Precision::kInt8);
  auto bound = BindProgram(*device, built.program, built.weights);
  ASSERT_TRUE(bound.ok());
  for (const uint64_t seed : {3, 4}) {
    const auto inputs = RandomInputs(built.program, seed);
    for (size_t i = 0; i < 2; ++i) Fill(*bound->inputs[i], inputs[i]);
    ASSERT_TRUE(bound->call->Run().ok());
    EXPECT_EQ(Contents(*bound->outputs[0]), Expected(inputs[0], inputs[1], true));
  }
}

TEST(CpuInt8, LeavesProductsOfActivationsAndSmallOnesAlone) {
  mil::Builder b;
  const ValueId x = b.Input("x", {DType::kFp32, {1, 1, 40, 40}});
  const ValueId small = b.Input("small", {DType::kFp32, {1, 1, 8, 40}});
  const ValueId sum = b.Add("sum", x, x);
  const ValueId square = b.Matmul("square", sum, sum, false, false);
  const ValueId down = b.Matmul("down", small, sum, false, false);
  const auto built = std::move(b).Finish({square, down});
  ASSERT_TRUE(built.ok());
  const auto text = ExplainProgram(built->program, built->weights, {.precision = Precision::kInt8});
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, Not(HasSubstr("int8")));
}

TEST(CpuInt8, OnlyTheCpuHasIt) {
  const auto reference = OpenReferenceDevice({.precision = Precision::kInt8});
  ASSERT_FALSE(reference.ok());
  EXPECT_THAT(reference.error().message, HasSubstr("--precision int8"));
  const auto narrow = OpenReferenceDevice({.vector_weights = DType::kInt8});
  ASSERT_FALSE(narrow.ok());
  EXPECT_THAT(narrow.error().message, HasSubstr("--weights int8"));
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

TEST(CpuNarrowWeights, OthersReadTheWeightsThemselves) {
  const auto built = Projections(1, false);
  const auto text = ExplainProgram(built.program, built.weights, {.vector_weights = DType::kInt8});
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, Not(HasSubstr("gemv")));
}

}  // namespace
}  // namespace millwright::device::cpu
