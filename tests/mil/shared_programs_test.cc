// The programs that the field's reference generates for Stories110M, on the reference device in
// fp16.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "base/tolerance.h"
#include "mil/text.h"
#include "tests/mil/program_runner.h"
#include "tests/shared_folder.h"

namespace millwright {
namespace {

// fp16 numbers in [-scale, scale], from a linear congruence: there are a hundred million of them.
std::vector<double> RandomHalves(int64_t count, double scale, uint64_t seed) {
  std::minstd_rand engine(static_cast<std::minstd_rand::result_type>(seed));
  std::vector<double> values(static_cast<size_t>(count));
  for (double& value : values) {
    const auto step = static_cast<double>(engine() % 2049) - 1024.0;
    value = step / 1024.0 * scale;
  }
  return values;
}

std::filesystem::path PathOf(const std::string& program) {
  return *SharedFolder() / "mil" / (program + ".mil");
}

Result<mil::Program> Load(const std::string& program) {
  std::ifstream file(PathOf(program));
  std::stringstream text;
  text << file.rdbuf();
  return mil::Parse(text.str(), program);
}

// Weights of the magnitude of a trained model for every blob that the program names.
mil::WeightStore RandomWeights(const mil::Program& program) {
  mil::WeightStore store;
  for (const mil::Operation& operation : program.main().operations) {
    const mil::Constant* constant = operation.FindAttribute("val");
    if (constant == nullptr || !constant->blob()) continue;
    const mil::Type& type = constant->type();
    const std::vector<double> values =
        RandomHalves(type.elements(), 1.0 / 16, store.files().size() + 1);
    const mil::Constant stored = mil::Constant::Tensor(type, values);
    mil::BlobWriter writer;
    writer.Add(type.dtype, stored.bytes());
    store.Put(constant->blob()->path, std::move(writer).Finish());
  }
  return store;
}

// The dynamic programs come with their weight files, the static ones do not.
Result<mil::WeightStore> WeightsFor(const mil::Program& program, const std::string& name) {
  if (name.starts_with("static")) return RandomWeights(program);
  return mil::LoadWeights(program, PathOf(name).parent_path().string());
}

struct Ran {
  std::vector<double> input;
  std::vector<double> output;
};

Result<Ran> RunShared(const std::string& name) {
  const Result<mil::Program> program = Load(name);
  if (!program) return program.error();
  Result<mil::WeightStore> weights = WeightsFor(*program, name);
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

class SharedPrograms : public testing::TestWithParam<std::string> {
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

INSTANTIATE_TEST_SUITE_P(
    Stories110M, SharedPrograms,
    testing::Values("dynamic_stories110m/01_sdpaFwd", "dynamic_stories110m/02_woFwd",
                    "dynamic_stories110m/03_ffnFused", "dynamic_stories110m/04_ffnBwdW2t",
                    "dynamic_stories110m/05_ffnBwdW13t", "dynamic_stories110m/06_wotBwd",
                    "dynamic_stories110m/07_sdpaBwd1", "dynamic_stories110m/08_sdpaBwd2",
                    "dynamic_stories110m/09_qBwd", "dynamic_stories110m/10_kvBwd",
                    "static_stories110m/classifierBwd", "static_stories110m/classifierFwd",
                    "static_stories110m/ffnBwd", "static_stories110m/finalRmsnorm",
                    "static_stories110m/fwdAttn", "static_stories110m/fwdFFN",
                    "static_stories110m/qkvBwd", "static_stories110m/rmsnormBwd",
                    "static_stories110m/sdpaBwd1", "static_stories110m/sdpaBwd2",
                    "static_stories110m/softmaxVocab"),
    [](const auto& param) {
      std::string name = param.param;
      std::ranges::replace(name, '/', '_');
      return name;
    });

}  // namespace
}  // namespace millwright
