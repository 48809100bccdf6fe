// The programs that the field's reference generates for Stories110M, on the reference device in
// fp16.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/tolerance.h"
#include "tests/mil/program_runner.h"
#include "tests/mil/shared_programs.h"
#include "tests/shared_folder.h"

namespace millwright {
namespace {

struct Ran {
  std::vector<double> input;
  std::vector<double> output;
};

Result<Ran> RunShared(const std::string& name) {
  const Result<mil::Program> program = LoadSharedProgram(name);
  if (!program) return program.error();
  Result<mil::WeightStore> weights = SharedProgramWeights(*program, name);
  if (!weights) return weights.error();
  auto device = ComputingTargets().front().open({.precision = Precision::kFp16});
  if (!device) return device.error();
  const mil::Function& function = program->main();
  Ran ran{.input = RandomHalves(function.value(function.inputs[0]).type.elements(), 0.25, 99)};
  Result<Values> outputs = RunProgram(**device, *program, *weights, {ran.input});
  if (!outputs) return outputs.error();
  ran.output = std::move(outputs->front());
  return ran;
}

class SharedPrograms : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!SharedFolder()) {
      GTEST_SKIP() << "no shared folder: set MILLWRIGHT_SHARED or put it at ../shared";
    }
  }
};

constexpr int64_t kDim = 768;
constexpr int64_t kLength = 256;
constexpr int64_t kVocabulary = 32000;

// y[o, s] = sum over c of x[c, s] * w[c, o], the weights behind the activations on the last axis.
void CheckProjection(const Ran& ran) {
  const int64_t width = kLength + kDim;
  for (int64_t i = 0; i < kDim * kLength; i += 97) {
    const int64_t o = i / kLength, s = i % kLength;
    double expected = 0.0, magnitude = 0.0;
    for (int64_t c = 0; c < kDim; ++c) {
      const double term = ran.input[static_cast<size_t>(c * width + s)] *
                          ran.input[static_cast<size_t>(c * width + kLength + o)];
      expected += term;
      magnitude += std::fabs(term);
    }
    ASSERT_NEAR(ran.output[static_cast<size_t>(i)], expected,
                UnitRoundoff(DType::kFp16) * std::fabs(expected) +
                    SumTolerance(DType::kFp64, 2 * kDim, magnitude))
        << "row " << o << ", column " << s;
  }
}

// A softmax over the vocabulary at every 17th position.
void CheckSoftmax(const Ran& ran) {
  for (int64_t s = 0; s < kLength; s += 17) {
    double sum = 0.0;
    for (int64_t v = 0; v < kVocabulary; ++v) {
      sum += std::exp(ran.input[static_cast<size_t>(v * kLength + s)]);
    }
    for (int64_t v = 0; v < kVocabulary; v += 31) {
      const auto at = static_cast<size_t>(v * kLength + s);
      const double expected = std::exp(ran.input[at]) / sum;
      // The results lie around 1 / 32000, near fp16's subnormals.
      ASSERT_NEAR(ran.output[at], expected,
                  Gamma(DType::kFp16, 1) * expected + SmallestPositive(DType::kFp16));
    }
  }
}

TEST_P(SharedPrograms, RunAndStayFinite) {
  const Result<Ran> ran = RunShared(GetParam());
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_TRUE(std::ranges::all_of(ran->output, [](double value) { return std::isfinite(value); }));
  EXPECT_TRUE(std::ranges::any_of(ran->output, [](double value) { return value != 0.0; }));
  if (GetParam().ends_with("woFwd")) CheckProjection(*ran);
  if (GetParam().ends_with("softmaxVocab")) CheckSoftmax(*ran);
}

INSTANTIATE_TEST_SUITE_P(Stories110M, SharedPrograms, ::testing::ValuesIn(SharedProgramNames()),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::ranges::replace(name, '/', '_');
                           return name;
                         });

}  // namespace
}  // namespace millwright
