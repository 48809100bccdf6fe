// Every operation of the language against hand-checked vectors, on every device that computes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/tolerance.h"
#include "device/ports.h"
#include "mil/ops/op.h"
#include "mil/text.h"
#include "mil/verify.h"
#include "tests/mil/program_runner.h"
#include "tests/mil/vector_file.h"

namespace millwright {
namespace {

std::filesystem::path FileOf(std::string_view op) {
  return std::filesystem::path("tests/mil") / (std::string(op) + ".mil");
}

// The longest chain of additions in any of the files.
constexpr int64_t kTerms = 24;

double Largest(const std::map<std::string, std::vector<double>>& values) {
  double largest = 0.0;
  for (const auto& [name, numbers] : values) {
    for (double number : numbers) {
      if (std::isfinite(number)) largest = std::max(largest, std::fabs(number));
    }
  }
  return largest;
}

// Integers are exact. Floats: exact and fp32 sum up to kTerms numbers in an order of their own,
// fp16 is rounded once after wide sums, with one more rounding where a file chains two operations.
// On the ANE partial sums are rounded or lose 2^-16 each (facts E1, E5), relative to the largest
// number.
Tolerance ToleranceFor(Precision precision, DType dtype, const VectorFile& file) {
  if (!IsFloat(dtype)) return {};
  const DType storage = device::FloatStorage(precision);
  Tolerance tolerance{.absolute = SmallestPositive(storage)};
  if (precision == Precision::kFp16) {
    tolerance.relative = Gamma(storage, 2);
  } else if (precision == Precision::kAne) {
    tolerance.relative = Gamma(storage, 2);
    tolerance.absolute = Gamma(storage, kTerms) * Largest(file.expected) + kTerms * 0x1p-16;
  } else {
    tolerance.relative = Gamma(storage, kTerms);
    tolerance.absolute = Gamma(storage, kTerms);
  }
  return tolerance;
}

// The vectors are those of the operations' definitions; what the ANE makes of special numbers and
// activations has vectors of its own, in ane_ops_test.cc.
AneRules OnlyRounding() {
  AneRules rules;
  for (AneRule rule : {AneRule::kTables, AneRule::kDecode, AneRule::kSmallArguments}) {
    rules.Set(rule, false);
  }
  return rules;
}

class MilVectors : public ::testing::TestWithParam<std::tuple<Target, std::string>> {};

TEST_P(MilVectors, AgreeWithTheFile) {
  const Target target = std::get<0>(GetParam());
  const std::string& op = std::get<1>(GetParam());
  const Result<VectorFile> file = ReadVectorFile(FileOf(op));
  ASSERT_TRUE(file) << file.error().message;
  const Result<mil::Program> program = mil::Parse(file->text, op);
  ASSERT_TRUE(program) << program.error().message;
  const mil::Function& function = program->main();
  ASSERT_EQ(file->inputs.size(), function.inputs.size());
  ASSERT_EQ(file->expected.size(), function.outputs.size());
  EXPECT_TRUE(std::ranges::any_of(function.operations, [&](const mil::Operation& operation) {
    return operation.op == op;
  })) << "the program does not use the operation it is named after";
  Values inputs;
  for (mil::ValueId input : function.inputs) {
    inputs.push_back(file->inputs.at(function.value(input).id));
  }
  auto device = target.open({.precision = target.precision, .ane_rules = OnlyRounding()});
  ASSERT_TRUE(device) << device.error().message;
  const Result<Values> outputs = RunProgram(**device, *program, {}, inputs);
  ASSERT_TRUE(outputs) << outputs.error().message;
  for (size_t i = 0; i < outputs->size(); ++i) {
    const mil::Value& port = function.value(function.outputs[i]);
    const std::vector<double>& expected = file->expected.at(port.id);
    const Comparison comparison =
        Compare((*outputs)[i], expected, ToleranceFor(target.precision, port.type.dtype, *file));
    EXPECT_TRUE(comparison.ok) << port.id << ": " << comparison.Message();
  }
}

std::vector<std::string> OpNames() {
  std::vector<std::string> names;
  for (const mil::OpDef* op : mil::AllOps()) names.emplace_back(op->name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Ops, MilVectors,
                         ::testing::Combine(::testing::ValuesIn(ComputingTargets()),
                                            ::testing::ValuesIn(OpNames())),
                         [](const auto& param) {
                           return std::get<1>(param.param) + "_" + std::get<0>(param.param).name();
                         });

TEST(MilVectorsTest, EveryFileBelongsToAnOperation) {
  for (const auto& entry : std::filesystem::directory_iterator("tests/mil")) {
    if (entry.path().extension() != ".mil") continue;
    EXPECT_NE(mil::FindOp(entry.path().stem().string()), nullptr) << entry.path();
  }
}

TEST(MilVectorsTest, EveryOperationIsDocumented) {
  for (const mil::OpDef* op : mil::AllOps()) {
    EXPECT_NE(op->doc.find("Source:"), std::string_view::npos) << op->name;
    for (const mil::Param& param : op->params) {
      EXPECT_NE(op->doc.find(param.name), std::string_view::npos) << op->name << " " << param.name;
    }
  }
}

}  // namespace
}  // namespace millwright
